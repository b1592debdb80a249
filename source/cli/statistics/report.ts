import type {CacheStats} from '../../index.ts';
import type {Output} from '../terminal/output.ts';
import {createTable, type Column} from '../terminal/table.ts';
import {formatBytes, formatSeconds, pad, plain, truncateMiddle} from '../terminal/text.ts';

/*
Statistics as text.
*/

export const formatCount = (count: number): string => count.toLocaleString('en-US');

export const share = (part: number, whole: number): string => whole === 0 ? '' : `${(100 * part / whole).toFixed(1)} %`;

/** Requests that were answered without waiting for the origin. */
export const answeredFromCache = ({statuses: {hit, stale}}: Pick<CacheStats, 'statuses'>): number => hit + stale;

export type Row = {
	readonly name: string;
	readonly count: number;
	readonly share: string;
};

const columns = (title: string): ReadonlyArray<Column<Row>> => [
	{title: 'REQUESTS', width: 10, side: 'right', rank: 0, text: ({count}) => formatCount(count)},
	{title: '', width: 7, side: 'right', rank: 1, text: row => row.share},
	{title, width: 0, rank: 0, text: ({name}) => plain(name), shorten: truncateMiddle},
];

/** A table of counts; no lines if there are none. */
export const tableOf = (title: string, rows: readonly Row[], output: Output): string[] => {
	const table = createTable(columns(title), output);
	return rows.length === 0 ? [] : ['', table.header(), ...rows.map(row => table.row(row))];
};

export const rowsOf = (counts: Readonly<Record<string, number>>, whole: number): Row[] => Object.entries(counts)
	.filter(([, count]) => count > 0)
	.map(([name, count]) => ({name, count, share: share(count, whole)}));

const milliseconds = (duration: number | undefined): string => duration === undefined ? '' : `${duration.toPrecision(2)} ms`;

const factsOf = ({bytes, savedMs, lookUps, collapsed, refreshes, errors, origins}: CacheStats): ReadonlyArray<readonly [name: string, value: string]> => [
	['from memory', formatBytes(bytes.memory)],
	['from Redis', formatBytes(bytes.store)],
	['from origins', `${formatBytes(bytes.origin)}, of ${Object.keys(origins).length} ${Object.keys(origins).length === 1 ? 'origin' : 'origins'}`],
	['time saved', `${formatSeconds(savedMs / 1000)} that origins would have taken`],
	...lookUps.count === 0 ? [] : [['look-ups', `${milliseconds(lookUps.p50Ms)} in the middle, ${milliseconds(lookUps.p99Ms)} for 99 %`] as const],
	['collapsed', `${formatCount(collapsed)} answered by an equal request`],
	['refreshes', `${formatCount(refreshes)} in the background`],
	['errors', formatCount(errors)],
];

export const headlineOf = (stats: CacheStats): string => {
	const {requests, since} = stats;
	const seconds = Math.max((Date.now() - since.getTime()) / 1000, 1);
	return `${formatCount(requests)} requests in ${formatSeconds(seconds)}, ${(requests / seconds).toFixed(1)} a second, ${share(answeredFromCache(stats), requests) || 'none'} from the cache`;
};

export const reportOf = (stats: CacheStats, output: Output): string[] => {
	const {requests, statuses, reasons, notStored, hottest} = stats;

	return [
		output.style('bold', headlineOf(stats)),
		...tableOf('STATUS', rowsOf(statuses, requests), output),
		...tableOf('REASON', rowsOf(reasons, requests), output),
		...tableOf('NOT STORED, BECAUSE', rowsOf(notStored, requests), output),
		...tableOf('ORIGIN', hottest.origins.map(({origin, requests: count}) => ({name: origin, count, share: share(count, requests)})), output),
		...tableOf('HOTTEST URL', hottest.urls.map(({url, requests: count}) => ({name: url, count, share: share(count, requests)})), output),
		...tableOf('URL NOT STORED, AND WHY', hottest.notStored.map(({url, reason, responses}) => ({name: `${reason}  ${url}`, count: responses, share: share(responses, requests)})), output),
		'',
		...factsOf(stats).map(([name, value]) => `${output.style('dim', pad(name, 12))} ${value}`),
	];
};
