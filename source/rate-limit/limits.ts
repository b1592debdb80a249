import {parseDuration} from '../types/duration.ts';

/**
The number of requests in a time: `'100/m'`, `'10/s'`, `'5000/h'`, `'20/15s'`.
*/
export type RateLimit = `${number}/${string}`;

/** One limit of a host. */
export type Limit = {
	/** The limit as the user wrote it. */
	readonly text: string;
	readonly count: number;
	/** The time in which no more than `count` requests are sent: that of the limit and the margin. */
	readonly windowMs: number;
};

/** The times of so many requests are kept in Redis, some 10 bytes each. */
export const mostRequests = 100_000;

const dayMs = 86_400_000;

/** The longest time of a limit. */
export const longestWindowMs = 31 * dayMs;

/** The default margin as a part of the time of a limit, within bounds. */
const marginShare = 20;
const leastMarginMs = 100;
const mostMarginMs = 1000;

/** The time by which requests may arrive later than they are sent, some more than others: a part of the limit's time. */
export const defaultMarginMs = (windowMs: number): number => Math.min(Math.max(windowMs / marginShare, leastMarginMs), mostMarginMs);

/** The time that a request waits for at most: no longer time is found in Redis, unless its clock was set back. */
export const longestWaitMs = 600_000;

/** A limit with the text that it is told by. */
const createLimit = (text: string, count: number, timeMs: number, marginMs: number | undefined): Limit | undefined => {
	const isLimit = timeMs > 0 && timeMs <= longestWindowMs && count >= 1 && count <= mostRequests;

	return isLimit ? {text, count, windowMs: Math.ceil(timeMs + (marginMs ?? defaultMarginMs(timeMs)))} : undefined;
};

/** A limit that an origin has told of; `undefined` if it is beyond what can be counted. */
export const limitOf = (count: number, timeMs: number, marginMs?: number): Limit | undefined => createLimit(`${count}/${timeMs / 1000}s`, count, timeMs, marginMs);

const shape = /^(?<count>\d{1,9}) ?\/ ?(?<number>\d{0,9}) ?(?<unit>[a-z]+)$/iv;

/**
@param marginMs - `undefined`: a part of the limit's time.
@returns `undefined` if the text is no limit.
*/
export const parseLimit = (text: unknown, marginMs?: number): Limit | undefined => {
	const {count = '', number = '', unit = ''} = (typeof text === 'string' ? shape.exec(text.trim())?.groups : undefined) ?? {};
	const windowMs = parseDuration(`${number || '1'}${unit}`);

	return windowMs === undefined ? undefined : createLimit(String(text).trim(), Number(count), windowMs, marginMs);
};

/** Of limits for the same time, the strictest one: a request is counted once for each time. */
export const strictest = (limits: readonly Limit[]): Limit[] =>
	Map.groupBy(limits, ({windowMs}) => windowMs)
		.values()
		.flatMap(same => same.toSorted((one, other) => one.count - other.count).slice(0, 1))
		.toArray();
