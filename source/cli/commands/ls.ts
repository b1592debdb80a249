import type {ListedEntry} from '../../index.ts';
import {Failure, type Outcome} from '../terminal/failure.ts';
import {createTable, type Column} from '../terminal/table.ts';
import {formatBytes, formatSeconds, plain, truncate, truncateMiddle, widthOf} from '../terminal/text.ts';
import type {Command, CommandContext} from './command.ts';
import {filterOf, filterOptions} from './filters.ts';
import {countUnreadable} from './unreadable.ts';

const sortKeys = ['age', 'size', 'status', 'ttl', 'url'] as const;

type SortKey = typeof sortKeys[number];

/** By default the oldest, the largest and the ones that go first come first. */
const comparisons: Readonly<Record<SortKey, (one: ListedEntry, other: ListedEntry) => number>> = {
	age: (one, other) => other.age - one.age,
	size: (one, other) => other.size - one.size,
	status: (one, other) => one.statusCode - other.statusCode,
	ttl: (one, other) => (one.keptUntil?.getTime() ?? Infinity) - (other.keptUntil?.getTime() ?? Infinity) || 0,
	url: (one, other) => one.url < other.url ? -1 : Number(one.url > other.url),
};

const defaultPageLength = 100;

/** Sorting keeps the rows up to the end of the page in memory. */
const mostSorted = 100_000;

/** The first rows of a list in an order, without keeping more than twice as many. */
const firstOf = async (entries: AsyncIterable<ListedEntry>, count: number, compare: (one: ListedEntry, other: ListedEntry) => number): Promise<ListedEntry[]> => {
	let kept: ListedEntry[] = [];
	const cut = () => kept.toSorted(compare).slice(0, count);
	for await (const entry of entries) {
		kept.push(entry);
		if (kept.length >= 2 * count) {
			kept = cut();
		}
	}

	return cut();
};

const pageOf = async function * (entries: AsyncIterable<ListedEntry>, start: number, end: number): AsyncGenerator<ListedEntry> {
	let position = 0;
	for await (const entry of entries) {
		if (position >= start) {
			yield entry;
		}

		position++;
		if (position >= end) {
			return;
		}
	}
};

const secondsUntil = (date: Date | undefined): string => date === undefined ? 'never' : formatSeconds(Math.max((date.getTime() - Date.now()) / 1000, 0));

/** The request's selecting fields and the tags of a response. */
const detailsOf = ({method, vary, tags}: ListedEntry): string => [
	...method === 'GET' ? [] : [method],
	...Object.entries(vary).map(([name, value]) => `${name}=${value}`),
	...tags.map(tag => `#${tag}`),
].join(' ');

const urlAndDetails = (entry: ListedEntry): string => {
	const details = detailsOf(entry);
	return plain(details === '' ? entry.url : `${entry.url}  ${details}`);
};

/** A rest of the details that is shorter tells nothing. */
const leastDetails = 6;

/** Shortens the details, or leaves them out, before the URL. */
const shortenUrl = (text: string, columns: number): string => {
	const [url = '', ...details] = text.split('  ');
	const room = columns - widthOf(url) - 2;
	return room < leastDetails ? truncateMiddle(url, columns) : `${url}  ${truncate(details.join('  '), room)}`;
};

/** The columns; with keys, each stands before its URL. */
const columnsWith = (hasKeys: boolean): ReadonlyArray<Column<ListedEntry>> => [
	{title: 'STATE', width: 5, rank: 1, text: ({isFresh}) => isFresh ? 'fresh' : 'stale', style: ({isFresh}) => isFresh ? 'green' : 'yellow'},
	{title: 'CODE', width: 4, rank: 2, text: ({statusCode}) => String(statusCode)},
	{title: 'AGE', width: 5, side: 'right', rank: 3, text: ({age}) => formatSeconds(age)},
	{title: 'TTL', width: 5, side: 'right', rank: 4, text: ({keptUntil}) => secondsUntil(keptUntil)},
	{title: 'SIZE', width: 7, side: 'right', rank: 5, text: ({size}) => formatBytes(size)},
	{
		title: hasKeys ? 'KEY AND URL' : 'URL',
		width: 0,
		rank: 0,
		text: entry => hasKeys ? `${plain(entry.storeKey)}  ${urlAndDetails(entry)}` : urlAndDetails(entry),
		shorten: shortenUrl,
	},
];

const write = async (entries: AsyncIterable<ListedEntry> | Iterable<ListedEntry>, {output, given}: CommandContext): Promise<number> => {
	const table = createTable(columnsWith(given.flag('keys')), output);
	let count = 0;
	for await (const entry of entries) {
		if (output.isJson) {
			await output.json(entry);
		} else {
			if (count === 0) {
				await output.line(table.header());
			}

			await output.line(table.row(entry));
		}

		count++;
	}

	if (count > 0 && !output.isJson && table.leftOut.length > 0) {
		output.note(`Too narrow for ${table.leftOut.join(', ')}: --json has all`);
	}

	return count;
};

/** The options for paging. */
const readPage = ({given}: CommandContext) => {
	const sort = given.choice('sort', sortKeys);
	const limit = given.count('limit', 1);
	const page = given.count('page', 1) ?? 1;
	const pageLength = limit ?? (sort === undefined && page === 1 ? Infinity : defaultPageLength);
	if (sort !== undefined && page * pageLength > mostSorted) {
		throw new Failure('wrongUsage', `--sort keeps at most ${mostSorted} rows in memory: give a smaller --limit or --page, narrow the list with a filter, or leave --sort out`);
	}

	if (sort === undefined && given.flag('reverse')) {
		throw new Failure('wrongUsage', '--reverse needs --sort, such as --sort age --reverse');
	}

	return {sort, start: (page - 1) * pageLength || 0, end: page * pageLength};
};

export const nothingIn = ({place}: CommandContext['store'], isFiltered: boolean): string =>
	`Nothing ${isFiltered ? 'that matches ' : ''}is stored in ${place}; --namespace and --store look elsewhere`;

const run = async (context: CommandContext): Promise<Outcome> => {
	const {given, output, store} = context;
	const {sort, start, end} = readPage(context);
	const filter = filterOf(given);
	const cache = store.open();
	const unreadable = countUnreadable();
	const entries = cache.entries(filter, {onUnreadable: unreadable.note});
	const page = sort === undefined
		? pageOf(entries, start, end)
		: await (async () => {
			const compare = comparisons[sort];
			const first = await firstOf(entries, end, given.flag('reverse') ? (one, other) => compare(other, one) : compare);
			return first.slice(start);
		})();
	const count = await write(page, context);
	unreadable.warn(output);
	if (count > 0) {
		return 'done';
	}

	output.warn(nothingIn(store, Object.keys(filter).length > 0 || start > 0));
	return 'nothingFound';
};

export const ls: Command = {
	name: 'ls',
	summary: 'list what is stored',
	usage: '[options]',
	arguments: [0, 0],
	options: {
		...filterOptions,
		fresh: {type: 'boolean', description: 'responses that are fresh'},
		sort: {type: 'string', value: 'KEY', choices: sortKeys, description: `by ${sortKeys.join(', ')}: the oldest, the largest, the next to go first`},
		reverse: {type: 'boolean', description: 'in the opposite order'},
		limit: {type: 'string', value: 'COUNT', description: `at most so many rows (default: all, with --sort or --page ${defaultPageLength})`},
		keys: {type: 'boolean', description: 'with the key of each in Redis, which `show` and `purge` take'},
		page: {type: 'string', value: 'NUMBER', description: 'the page, from 1'},
	},
	details:
		'Several filters have to match together. Rows are written while Redis is still being searched, in no order without --sort; then Redis may hold as many keys as it likes. AGE is the time since the origin made the response, TTL the time after which Redis removes it.',
	examples: [
		['all responses of an origin', 'got-redis-cache ls --origin https://api.example.com'],
		['the ten largest', 'got-redis-cache ls --sort size --limit 10'],
		['the URLs of stale responses with a tag, for a script', 'got-redis-cache ls --tag items --stale --json | jq -r .url'],
	],
	run,
};
