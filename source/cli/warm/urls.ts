import {Buffer} from 'node:buffer';
import {Readable} from 'node:stream';
import {createGunzip} from 'node:zlib';
import got from 'got';
import {readLines} from '../formats/lines.ts';
import {Failure} from '../terminal/failure.ts';
import {readFile} from '../transfer/files.ts';

/*
The URLs of a list or a sitemap (https://www.sitemaps.org/protocol.html).
*/

export type ListedUrl = {
	readonly text: string;
	/** Its place in the file, for messages. */
	readonly place: string;
};

/** The largest sitemap that the protocol allows has 50 MiB. */
const mostSitemapBytes = 64 * 1024 * 1024;

/** A sitemap index names sitemaps, and no other index. */
const deepest = 1;

const entities: ReadonlyMap<string, string> = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', '\'']]);

const decodeEntities = (text: string): string =>
	text.replaceAll(
		/&(?:#(?<decimal>\d{1,7})|#x(?<hexadecimal>[\da-f]{1,6})|(?<name>\w+));/giv,
		(match, decimal: string | undefined, hexadecimal: string | undefined, name: string | undefined) => {
			if (name !== undefined) {
				return entities.get(name) ?? match;
			}

			const codePoint = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
			return codePoint <= 0x10_FF_FF ? String.fromCodePoint(codePoint) : match;
		},
	);

const textOf = (content: string): string => {
	const text = content.trim();
	const isVerbatim = text.startsWith('<![CDATA[') && text.endsWith(']]>');
	return isVerbatim ? text.slice('<![CDATA['.length, -']]>'.length).trim() : decodeEntities(text);
};

const locationsOf = (xml: string): string[] => xml.matchAll(/<loc>(?<content>.*?)<\/loc>/gsv).map(({groups}) => textOf(groups?.content ?? '')).toArray();

const isIndex = (xml: string): boolean => /<sitemapindex[\s>]/v.test(xml);

const isGzip = (chunk: Uint8Array): boolean => chunk[0] === 0x1F && chunk[1] === 0x8B;

/** All chunks again, with the first one looked at. */
const peek = async (chunks: AsyncIterable<Uint8Array>): Promise<{readonly first: Uint8Array; readonly all: AsyncIterable<Uint8Array>}> => {
	const iterator = chunks[Symbol.asyncIterator]();
	const {value: first = new Uint8Array(0)} = await iterator.next() as IteratorResult<Uint8Array, undefined>;

	return {
		first,
		all: (async function * () {
			yield first;
			yield * {[Symbol.asyncIterator]: () => iterator};
		})(),
	};
};

const decompressed = async (chunks: AsyncIterable<Uint8Array>): ReturnType<typeof peek> => {
	const {first, all} = await peek(chunks);
	return isGzip(first) ? peek(Readable.from(all).compose(createGunzip()) as AsyncIterable<Uint8Array>) : {first, all};
};

const readWhole = async (file: string, chunks: AsyncIterable<Uint8Array>): Promise<string> => {
	const parts: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of chunks) {
		length += chunk.length;
		if (length > mostSitemapBytes) {
			throw new Failure('wrongUsage', `${file} is a sitemap of more than 64 MiB, which sitemaps may not be: split it, or give a list of URLs`);
		}

		parts.push(chunk);
	}

	return Buffer.concat(parts).toString('utf8');
};

const isUrl = (file: string): boolean => /^https?:\/\//iv.test(file);

const open = (file: string): AsyncIterable<Uint8Array> => isUrl(file)
	? got.stream(file, {retry: {limit: 2}, timeout: {request: 60_000}}) as AsyncIterable<Uint8Array>
	: readFile(file);

const readList = async function * (file: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ListedUrl> {
	let number = 0;
	for await (const line of readLines(chunks)) {
		number++;
		const text = line.replace(/^\u{FEFF}/v, '').trim();
		if (text !== '' && !text.startsWith('#')) {
			yield {text, place: `${file}, line ${number}`};
		}
	}
};

const readSitemap = async function * (file: string, chunks: AsyncIterable<Uint8Array>, depth: number): AsyncGenerator<ListedUrl> {
	const xml = await readWhole(file, chunks);
	if (!isIndex(xml)) {
		yield * locationsOf(xml).map((text, index) => ({text, place: `${file}, entry ${index + 1}`}));
		return;
	}

	if (depth >= deepest) {
		throw new Failure('incomplete', `${file} is a sitemap index that another index names, which the protocol forbids: give it by itself`);
	}

	for (const sitemap of locationsOf(xml)) {
		if (!isUrl(sitemap)) {
			throw new Failure('incomplete', `${file} names a sitemap that is no URL, '${sitemap}'`);
		}

		yield * readUrls(sitemap, depth + 1);
	}
};

// The URLs of a file, of standard input for `-`, or of what a URL answers with: a sitemap, a sitemap index with its sitemaps, or a list with one URL a line. Any of them may be compressed with gzip.
export const readUrls = async function * (file: string, depth = 0): AsyncGenerator<ListedUrl> {
	try {
		const {first, all} = await decompressed(open(file));
		const isXml = /^\s*</v.test(Buffer.from(first).toString('utf8'));
		yield * isXml ? readSitemap(file, all, depth) : readList(file, all);
	} catch (error) {
		throw error instanceof Failure ? error : new Failure('incomplete', `${file} cannot be read (${(error as Error).message}): give a sitemap, or a list with one URL a line`, error);
	}
};
