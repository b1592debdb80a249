import type {CacheStats} from '../../index.ts';
import type {Output} from '../terminal/output.ts';
import {createTable, type Column} from '../terminal/table.ts';
import {
	formatBytes,
	formatDuration,
	pad,
	plain,
	truncateMiddle,
	wrap,
	wrapIndented,
} from '../terminal/text.ts';
import type {Reading} from './read.ts';

/*
Statistics as text.
*/

export const formatCount = (count: number): string => count.toLocaleString('en-US');

export const share = (part: number, whole: number): string => whole === 0 ? '' : `${(100 * part / whole).toFixed(1)} %`;

/** Requests that were answered without the origin: the hit ratio is their share. */
export const answeredFromCache = ({statuses: {hit, stale}}: Pick<CacheStats, 'statuses'>): number => hit + stale;

export type Row = {
	readonly name: string;
	readonly count: number;
	readonly share: string;
};

const columns = (title: string): ReadonlyArray<Column<Row>> => [
	{title: 'REQUESTS', width: 10, side: 'right', rank: 0, text: ({count}) => formatCount(count)},
	{title: '', width: 7, side: 'right', rank: 1, text: row => row.share},
	{title, width: 0, least: 16, rank: 0, text: ({name}) => plain(name), shorten: truncateMiddle},
];

/** A table of counts; no lines if there are none. */
export const tableOf = (title: string, rows: readonly Row[], output: Output): string[] => {
	const table = createTable(columns(title), output);
	return rows.length === 0 ? [] : ['', table.header(), ...rows.map(row => table.row(row))];
};

export const rowsOf = (counts: Readonly<Record<string, number>>, whole: number): Row[] => Object.entries(counts)
	.filter(([, count]) => count > 0)
	.map(([name, count]) => ({name, count, share: share(count, whole)}));

/** Where the values of facts begin. */
const factIndent = 13;

const milliseconds = (duration: number | undefined): string => duration === undefined ? '' : `${duration.toPrecision(2)} ms`;

const factsOf = ({bytes, savedMs, lookUps, collapsed, refreshes, errors, origins}: CacheStats): ReadonlyArray<readonly [name: string, value: string]> => [
	['from memory', formatBytes(bytes.memory)],
	['from Redis', formatBytes(bytes.store)],
	['from origins', `${formatBytes(bytes.origin)}, of ${Object.keys(origins).length} ${Object.keys(origins).length === 1 ? 'origin' : 'origins'}`],
	['time saved', `${formatDuration(savedMs / 1000)} that origins would have taken`],
	...lookUps.count === 0 ? [] : [['look-ups', `${milliseconds(lookUps.p50Ms)} in the middle, ${milliseconds(lookUps.p99Ms)} for 99 %`] as const],
	['collapsed', `${formatCount(collapsed)} answered by an equal request`],
	['refreshes', `${formatCount(refreshes)} in the background`],
	['errors', `${formatCount(errors)} without a response, or aborted; an answer such as 503 is a response`],
];

/** The number of requests, their rate while there were any, and the share of the cache, in lines that fit. */
export const headlineOf = ({stats, activeSeconds}: Reading, output: Output): string[] => {
	const {requests, since, until} = stats;
	const seconds = Math.max((until.getTime() - since.getTime()) / 1000, 1);
	const perSecond = requests / Math.max(activeSeconds, 1);
	const rate = `${perSecond > 0 && perSecond < 1 ? Number(perSecond.toPrecision(2)) : perSecond.toFixed(1)} a second`;
	const isPart = requests > 0 && activeSeconds < seconds - 1;
	const text = [
		`${formatCount(requests)} requests in ${formatDuration(seconds)}`,
		isPart ? `${rate} in the ${formatDuration(activeSeconds)} that had any` : rate,
		`${share(answeredFromCache(stats), requests) || 'none'} from the cache`,
	].join(', ');

	return wrap(text, output.columns).map(line => output.style('bold', line));
};

const tenMinutesMs = 10 * 60_000;

/** The title of a table of counts, which are in steps of ten minutes: with the time from which they count, where that is earlier than that of all else. */
const sinceStep = (title: string, {since}: CacheStats): string => {
	const fromMs = Math.floor(since.getTime() / tenMinutesMs) * tenMinutesMs;
	return fromMs === since.getTime() ? title : `${title}, SINCE ${new Date(fromMs).toISOString().slice(11, 16)} UTC`;
};

/** All requests in the same steps of ten minutes as those of origins and URLs. */
const requestsInSteps = ({origins, hottest}: CacheStats): number => {
	const byOrigin = Object.values(origins).reduce((sum, {requests}) => sum + requests, 0);
	// A process may tell of its URLs later than of its origins.
	return Math.max(byOrigin, hottest.urls.reduce((sum, {requests}) => sum + requests, 0));
};

export const originTable = (stats: CacheStats, output: Output): string[] =>
	tableOf(sinceStep('ORIGIN', stats), stats.hottest.origins.map(({origin, requests: count}) => ({name: origin, count, share: share(count, requestsInSteps(stats))})), output);

export const urlTable = (stats: CacheStats, output: Output): string[] =>
	tableOf(sinceStep('HOTTEST URL', stats), stats.hottest.urls.map(({url, requests: count}) => ({name: url, count, share: share(count, requestsInSteps(stats))})), output);

const refusalTable = (stats: CacheStats, output: Output): string[] => {
	const {hottest: {notStored}} = stats;
	// Refreshes are refused, too, and are no requests.
	const whole = Math.max(requestsInSteps(stats), notStored.reduce((sum, {responses}) => sum + responses, 0));
	return tableOf(sinceStep('URL NOT STORED, AND WHY', stats), notStored.map(({url, reason, responses}) => ({name: `${reason}  ${url}`, count: responses, share: share(responses, whole)})), output);
};

export const reportOf = (reading: Reading, output: Output): string[] => {
	const {stats} = reading;
	const {requests, statuses, reasons, notStored, refreshes} = stats;

	return [
		...headlineOf(reading, output),
		...tableOf('STATUS', rowsOf(statuses, requests), output),
		...tableOf('REASON', rowsOf(reasons, requests), output),
		...tableOf('NOT STORED, BECAUSE', rowsOf(notStored, requests + refreshes), output),
		...originTable(stats, output),
		...urlTable(stats, output),
		...refusalTable(stats, output),
		'',
		...factsOf(stats).map(([name, value]) => {
			const line = wrapIndented(`${pad(name, factIndent)}${value}`, output.columns, factIndent);
			return output.style('dim', name) + line.slice(name.length);
		}),
	];
};
