import {Buffer} from 'node:buffer';
import type {ExportedResponse} from '../../index.ts';
import {mediaTypeIn, textOf} from './body.ts';
import {propertiesOf} from './data.ts';
import {fromData, toData} from './exported-lines.ts';

/*
HTTP Archive (HAR) 1.2, which browsers and proxies read and write. All that it has no place for stands in the custom field `_gotRedisCache`.
*/

const custom = '_gotRedisCache';

/** Fields that only other programs read. */
type Others = Readonly<Record<string, unknown>>;

type Field = {readonly name: string; readonly value: string};

type Content = Others & {readonly text?: string; readonly encoding?: string};

/** The part of an entry that matters here. */
export type HarEntry = Others & {
	readonly startedDateTime?: string;
	readonly request: Others & {readonly method: string; readonly url: string; readonly headers?: readonly Field[]};
	readonly response: Others & {readonly status: number; readonly statusText?: string; readonly headers: readonly Field[]; readonly content: Content};
};

const toFields = (headers: ReadonlyArray<readonly [name: string, value: string]>): Field[] => headers.map(([name, value]) => ({name, value}));

const queryOf = (url: string): Field[] => [...new URL(url).searchParams].map(([name, value]) => ({name, value}));

/** An archive up to its first entry, and from its last one on. */
export const harFrame = (version: string): readonly [head: string, foot: string] => [
	`{"log":{"version":"1.2","creator":{"name":"got-redis-cache","version":${JSON.stringify(version)}},"pages":[],"entries":[`,
	']}}',
];

export const toHarEntry = (exported: ExportedResponse): HarEntry => {
	const {url, method, statusCode, statusMessage, httpVersion, headers, vary, body, policy} = exported;
	const {headers: _headers, body: _body, bodyEncoding: _bodyEncoding, ...others} = toData({...exported, body: new Uint8Array(0)});
	const mediaType = mediaTypeIn(headers);
	const text = textOf(body, mediaType);
	const waitMs = Math.max(policy.responseTimeMs - policy.requestTimeMs, 0);
	const version = `HTTP/${httpVersion}`;
	const unknown = -1;

	return {
		startedDateTime: new Date(policy.requestTimeMs).toISOString(),
		time: waitMs,
		request: {method, url, httpVersion: version, cookies: [], headers: toFields(Object.entries(vary)), queryString: queryOf(url), headersSize: unknown, bodySize: unknown},
		response: {
			status: statusCode,
			statusText: statusMessage,
			httpVersion: version,
			cookies: [],
			headers: toFields(headers),
			content: {
				size: body.length,
				mimeType: mediaType ?? 'application/octet-stream',
				...text === undefined ? {text: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64'), encoding: 'base64'} : {text},
			},
			// eslint-disable-next-line @typescript-eslint/naming-convention -- The name of the format.
			redirectURL: headers.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? '',
			headersSize: unknown,
			bodySize: unknown,
		},
		cache: {},
		timings: {send: 0, wait: waitMs, receive: 0},
		[custom]: others,
	};
};

/** The content of a response, decoded. */
export const contentOf = ({text = '', encoding}: Content): Uint8Array => Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');

/**
The exported response in an entry; `undefined` for an entry that another program has written.

@throws {TypeError} If it is none of a known version.
*/
export const fromHarEntry = (entry: HarEntry): ExportedResponse | undefined => {
	const data = propertiesOf(entry)[custom];
	if (data === undefined) {
		return undefined;
	}

	const {response: {headers, content}} = entry;
	return {...fromData({...propertiesOf(data), body: ''}), headers: headers.map(({name, value}) => [name, value]), body: contentOf(content)};
};

const isField = (value: unknown): boolean => {
	const {name, value: text} = propertiesOf(value);
	return typeof name === 'string' && typeof text === 'string';
};

const isEntry = (value: unknown): value is HarEntry => {
	const [request, response] = ['request', 'response'].map(name => propertiesOf(propertiesOf(value)[name]));
	return (
		typeof request?.url === 'string'
		&& typeof request.method === 'string'
		&& typeof response?.status === 'number'
		&& Array.isArray(response.headers)
		&& response.headers.every(field => isField(field))
		&& typeof response.content === 'object'
	);
};

/**
The entries of an archive.

@throws {TypeError} If it is none.
*/
export const readHar = (data: unknown): HarEntry[] => {
	const {entries} = propertiesOf(propertiesOf(data).log);
	if (!Array.isArray(entries)) {
		throw new TypeError('it is no HTTP Archive: it has no log.entries');
	}

	const wrong = entries.findIndex(entry => !isEntry(entry));
	if (wrong !== -1) {
		throw new TypeError(`its entry ${wrong + 1} has no request or no response as HTTP Archive 1.2 has them`);
	}

	return entries as HarEntry[];
};
