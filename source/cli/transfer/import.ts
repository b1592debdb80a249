import type {ExportedResponse, ImportResult, RedisCache} from '../../index.ts';
import type {Command, CommandContext} from '../commands/command.ts';
import {fromData} from '../formats/exported-lines.ts';
import {fromHarEntry, readHar, type HarEntry} from '../formats/har.ts';
import {readLines} from '../formats/lines.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {readFile} from './files.ts';

type Line = {readonly number: number; readonly text: string};

const numbered = async function * (file: string): AsyncGenerator<Line> {
	let number = 0;
	for await (const text of readLines(readFile(file))) {
		number++;
		if (text.trim() !== '') {
			yield {number, text: number === 1 ? text.replace(/^\u{FEFF}/v, '') : text};
		}
	}
};

const parse = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
};

const broken = (file: string, place: string, error: unknown): Failure =>
	new Failure('incomplete', `${file === '-' ? 'standard input' : file}${place}: ${error instanceof Error ? error.message : String(error)}`, error);

const parseHar = (file: string, text: string): HarEntry[] => {
	try {
		return readHar(JSON.parse(text));
	} catch (error) {
		throw broken(file, '', error instanceof SyntaxError ? new TypeError(`it is neither one JSON object a line nor an HTTP Archive (${error.message})`) : error);
	}
};

/** A response, and where it stands in its file. */
type Numbered = readonly [place: string, read: () => ExportedResponse];

/** Runs an import of responses that are read one by one, and says which of them is none. */
const importNumbered = async (cache: RedisCache, file: string, responses: Iterable<Numbered> | AsyncIterable<Numbered>): Promise<ImportResult> => {
	let current = '';
	try {
		return await cache.import((async function * () {
			for await (const [place, read] of responses) {
				current = place;
				yield read();
			}
		})());
	} catch (error) {
		throw error instanceof TypeError || error instanceof SyntaxError ? broken(file, current, new TypeError(`${error.message}; all before it was imported`)) : error;
	}
};

type Found = {
	readonly lines?: AsyncIterable<Numbered>;
	readonly entries?: readonly HarEntry[];
};

const readAll = async (first: Line, lines: AsyncIterable<Line>): Promise<string> => {
	const texts = [first.text];
	for await (const {text} of lines) {
		texts.push(text);
	}

	return texts.join('\n');
};

/** Finds out what a file has by its first line. */
const readFormat = async (file: string): Promise<Found> => {
	const lines = numbered(file);
	const {value: first} = await lines.next() as IteratorResult<Line, undefined>;
	if (first === undefined) {
		return {entries: []};
	}

	const data = parse(first.text);
	if (data === undefined || (typeof data === 'object' && data !== null && 'log' in data)) {
		return {entries: parseHar(file, await readAll(first, lines))};
	}

	const toRead = ({number, text}: Line) => [`, line ${number}`, () => fromData(JSON.parse(text))] as const;

	return {
		lines: (async function * () {
			yield toRead(first);
			for await (const line of lines) {
				yield toRead(line);
			}
		})(),
	};
};

type Counts = ImportResult & {
	/** Responses of other programs' archives that were not stored, by reason. */
	readonly notStored: Readonly<Record<string, number>>;
};

/** Other programs' archives have no more than HTTP says. */
const importForeign = async (cache: RedisCache, entries: readonly HarEntry[], expireAfter: string | undefined): Promise<Pick<Counts, 'imported' | 'notStored'>> => {
	const [{default: got}, {replay}] = await Promise.all([import('got'), import('./replay.ts')]);
	const client = got.extend(cache);
	const notStored: Record<string, number> = {};
	let imported = 0;
	for (const entry of entries) {
		// eslint-disable-next-line no-await-in-loop -- The last response for a URL is the one that stays.
		const reason = await replay(client, entry, expireAfter);
		if (reason === undefined) {
			imported++;
		} else {
			notStored[reason] = (notStored[reason] ?? 0) + 1;
		}
	}

	return {imported, notStored};
};

const importHar = async (cache: RedisCache, file: string, {entries, expireAfter}: {readonly entries: readonly HarEntry[]; readonly expireAfter: string | undefined}): Promise<Counts> => {
	const own = entries.flatMap((entry, index) => '_gotRedisCache' in entry ? [[`, entry ${index + 1}`, () => fromHarEntry(entry)!] as const] : []);
	const result = await importNumbered(cache, file, own);
	const foreign = await importForeign(cache, entries.filter(entry => !('_gotRedisCache' in entry)), expireAfter);

	return {...result, imported: result.imported + foreign.imported, notStored: foreign.notStored};
};

const plural = (count: number): string => `${count} ${count === 1 ? 'response' : 'responses'}`;

const describe = ({imported, expired, unnamed, unwritten, notStored}: Counts): string => [
	`Imported ${plural(imported)}`,
	...expired > 0 ? [`${expired} had expired`] : [],
	...unnamed > 0 ? [`${unnamed} have keys that only a cache with the same \`encryption\` finds`] : [],
	...unwritten > 0 ? [`${unwritten} were not taken by Redis`] : [],
	...Object.entries(notStored).map(([reason, count]) => `${count} may not be stored: ${reason}`),
].join('; ');

const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const [file = '-'] = given.positionals;
	const expireAfter = given.text('expire-after');
	const found = await readFormat(file);
	const cache = store.open({isFileCreated: true});
	// Whether Redis can be written to is known before all of a long file is read.
	await cache.ready();
	const counts = found.entries
		? await importHar(cache, file, {entries: found.entries, expireAfter})
		: {...await importNumbered(cache, file, found.lines!), notStored: {}};
	if (counts.unwritten > 0) {
		store.throwIfFailed();
	}

	await (output.isJson ? output.json(counts) : output.line(`${describe(counts)}.`));
	if (counts.unwritten + counts.unnamed > 0) {
		return 'incomplete';
	}

	return counts.imported === 0 ? 'nothingFound' : 'done';
};

export const importCommand: Command = {
	name: 'import',
	summary: 'store the responses of a file that `export` wrote, or of an HTTP Archive',
	usage: 'FILE|- [options]',
	arguments: [1, 1],
	options: {
		'expire-after': {
			type: 'string',
			value: 'DURATION',
			description:
				'how long the responses of another program\'s archive are fresh (default: as they say themselves, which for an old archive is over)',
		},
	},
	details:
		'Responses that `export` wrote are stored as they were, with what is left of their time; what has expired is left out. Those of an archive that a browser or a proxy has written are stored as if their origin had just sent them, if HTTP allows it. What is stored for the same requests is replaced.',
	examples: [
		['a file', 'got-redis-cache import cache.ndjson'],
		['what a browser has recorded, as answers for a day', 'got-redis-cache import recorded.har --expire-after 1d'],
		['from one Redis to another', 'got-redis-cache export | got-redis-cache import - --store redis://new.example.com'],
	],
	run,
};
