import {countIn, emptyHistogram, quantileOf} from './histogram.ts';
import type {CacheInfo, CacheReason, NotStoredReason} from './info.ts';

/** The statuses of requests, in the order in which they are shown. */
export const statuses = ['hit', 'stale', 'revalidated', 'miss', 'bypass', 'unavailable'] as const satisfies ReadonlyArray<CacheInfo['status']>;

/** Requests by status, and those that failed, which have a status as well. */
export type RequestCounts = Readonly<Record<CacheInfo['status'], number>> & {
	/** The number of requests. */
	readonly requests: number;
	/** The number of requests that failed or were aborted. */
	readonly errors: number;
};

/**
Counts of the requests that went through the cache. Redirects and retries are requests of their own, refreshes in the background are counted apart.

New properties may be added in a minor version.
*/
export type CacheStats = {
	/** The time from which requests are counted. */
	readonly since: Date;

	/** The number of requests. */
	readonly requests: number;

	/** Requests by `status`, as in `cacheInfo()`. */
	readonly statuses: Readonly<Record<CacheInfo['status'], number>>;

	/** Requests by `reason`. */
	readonly reasons: Readonly<Partial<Record<CacheReason, number>>>;

	/** Responses of the origin that were not stored, by the reason why, those to refreshes included. */
	readonly notStored: Readonly<Partial<Record<NotStoredReason, number>>>;

	/** Requests by origin, for the most frequent ones; all others are counted under `'*'`. */
	readonly origins: Readonly<Record<string, RequestCounts>>;

	/** Requests that the response to another, equal request answered. */
	readonly collapsed: number;

	/** Refreshes in the background that asked the origin. */
	readonly refreshes: number;

	/** Requests and refreshes that failed or were aborted. */
	readonly errors: number;

	/** The bytes of all bodies, by the place that they came from: this process's memory, the store, or the origin. */
	readonly bytes: {
		/** The bytes from this process's memory. */
		readonly memory: number;
		/** The bytes from the store. */
		readonly store: number;
		/** The bytes from the origin. */
		readonly origin: number;
	};

	/** The time that origins would have taken, in milliseconds: each hit counts what the origin took for the stored response, without the look-up. */
	readonly savedMs: number;

	/** Requests that waited for a rate limit before the origin was asked, and how long they did, in milliseconds. */
	readonly waits: {
		/** The number of requests that waited. */
		readonly count: number;
		/** The sum of their waits, in milliseconds. */
		readonly totalMs: number;
	};

	/** How long look-ups took. The durations are exact to some 13 %; `undefined` before the first look-up. */
	readonly lookUps: {
		/** The number of look-ups. */
		readonly count: number;
		/** The median, in milliseconds. */
		readonly p50Ms: number | undefined;
		/** The duration that 99 % do not exceed, in milliseconds. */
		readonly p99Ms: number | undefined;
	};

	/** The most frequent URLs, origins and refusals, ten of each at most, the most frequent one first. The counts are never too high. */
	readonly hottest: {
		/** URLs without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
		readonly urls: readonly HotUrl[];
		/** Origins: scheme, host and port. */
		readonly origins: readonly HotOrigin[];
		/** URLs whose responses were not stored, each with the reason. Requests that went past the cache are left out. */
		readonly notStored: readonly RefusedUrl[];
	};
};

/** A URL, and how often it was requested. */
export type HotUrl = {
	/** The URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
	readonly url: string;
	/** The number of requests. */
	readonly requests: number;
};

/** An origin, and how often it was requested. */
export type HotOrigin = {
	/** The scheme, host and port. */
	readonly origin: string;
	/** The number of requests. */
	readonly requests: number;
};

/** A URL whose responses were not stored. */
export type RefusedUrl = {
	/** The URL as in `hottest.urls`. */
	readonly url: string;
	/** The reason why. */
	readonly reason: NotStoredReason;
	/** The number of responses that were not stored for this reason. */
	readonly responses: number;
};

/** The requests of one step of a timeline. New properties may be added in a minor version. */
export type StatsStep = Pick<CacheStats, 'requests' | 'statuses' | 'errors' | 'bytes' | 'savedMs'> & {
	/** The beginning of the step: a multiple of its length, by UTC. */
	readonly from: Date;
};

/** The statistics of all processes that share a Redis. */
export type FleetStats = CacheStats & {
	/** The steps, the earliest first, also those without requests; `undefined` if no `step` was given. The first one may have begun before `since`, and the last one is not over. */
	readonly timeline?: readonly StatsStep[];
};

/*
Counters have names, by which those of several processes are added: `requests`, `status hit`, `reason fresh`, `not-stored private`, `look-up 12` (the bucket), and so on.
*/

export type Counters = ReadonlyMap<string, number>;

/** The counters that a step of a timeline is made of. */
export const countersOfStep: readonly string[] = ['requests', ...statuses.map(status => `status ${status}`), 'errors', 'bytes memory', 'bytes store', 'bytes origin', 'saved-ms'];

/** Makes a step of a timeline of its counters. */
export const stepOf = (from: Date, counters: Counters): StatsStep => {
	const {requests, statuses: byStatus, errors, bytes, savedMs} = statsOf(from, counters, new Map(), {urls: new Map(), refusals: new Map()});
	return {from, requests, statuses: byStatus, errors, bytes, savedMs};
};

/** The place of the origins that are not counted by themselves. */
export const otherOrigins = '*';

const withPrefix = (counters: Counters, prefix: string): Array<[name: string, count: number]> =>
	counters.entries().filter(([name, count]) => name.startsWith(`${prefix} `) && count > 0).map(([name, count]): [string, number] => [name.slice(prefix.length + 1), count]).toArray();

/** The most frequent first; of equal counts in the order of names. */
const byCount = ([oneName, one]: readonly [string, number], [otherName, other]: readonly [string, number]): number => other - one || (oneName < otherName ? -1 : 1);

const hottestCount = 10;

const topOf = (counts: Counters): Array<[name: string, count: number]> => counts.entries().filter(([, count]) => count > 0).toArray().toSorted(byCount).slice(0, hottestCount);

type RequestCount = keyof RequestCounts;

const requestCounts: readonly RequestCount[] = ['requests', ...statuses, 'errors'];

const isRequestCount = (name: string): name is RequestCount => (requestCounts as readonly string[]).includes(name);

/** Splits counters such as `hit https://api.example.com` by origin. */
const originsOf = (counters: Counters): Record<string, RequestCounts> => {
	const origins = new Map<string, Record<RequestCount, number>>();
	for (const [name, count] of counters) {
		const [kind = '', origin = ''] = name.split(' ', 2);
		if (origin === '' || !isRequestCount(kind)) {
			continue;
		}

		const counts = origins.get(origin) ?? Object.fromEntries(requestCounts.map(each => [each, 0])) as Record<RequestCount, number>;
		counts[kind] += count;
		origins.set(origin, counts);
	}

	return Object.fromEntries(origins.entries().toArray().toSorted(([oneName, one], [otherName, other]) => byCount([oneName, one.requests], [otherName, other.requests])));
};

/** The name of the counter of a URL's responses that were not stored. */
export const refusalName = (reason: NotStoredReason, url: string): string => `${reason} ${url}`;

export const refusalOf = (name: string): readonly [reason: NotStoredReason, url: string] => {
	const separator = name.indexOf(' ');
	return [name.slice(0, separator) as NotStoredReason, name.slice(separator + 1)];
};

/** Splits counters such as `private https://api.example.com/me`. */
export const refusedUrlsOf = (refusals: Iterable<readonly [name: string, count: number]>): RefusedUrl[] => [...refusals].map(([name, responses]) => {
	const [reason, url] = refusalOf(name);
	return {url, reason, responses};
});

/**
Makes statistics of counters.

@param origins - Counters such as `hit https://api.example.com`.
@param byUrl - Requests by URL, and responses that were not stored, by reason and URL.
*/
export const statsOf = (since: Date, counters: Counters, origins: Counters, {urls, refusals}: {readonly urls: Counters; readonly refusals: Counters}): CacheStats => {
	const of = (name: string): number => counters.get(name) ?? 0;
	const lookUps = emptyHistogram();
	for (const [bucket, count] of withPrefix(counters, 'look-up')) {
		lookUps[Number(bucket)] = count;
	}

	const byOrigin = originsOf(origins);
	const requestsByOrigin = new Map(Object.entries(byOrigin).filter(([origin]) => origin !== otherOrigins).map(([origin, {requests}]) => [origin, requests]));

	return {
		since,
		requests: of('requests'),
		statuses: Object.fromEntries(statuses.map(status => [status, of(`status ${status}`)])) as CacheStats['statuses'],
		reasons: Object.fromEntries(withPrefix(counters, 'reason').toSorted(byCount)),
		notStored: Object.fromEntries(withPrefix(counters, 'not-stored').toSorted(byCount)),
		origins: byOrigin,
		collapsed: of('collapsed'),
		refreshes: of('refreshes'),
		errors: of('errors'),
		bytes: {memory: of('bytes memory'), store: of('bytes store'), origin: of('bytes origin')},
		savedMs: of('saved-ms'),
		waits: {count: of('waits'), totalMs: of('waited-ms')},
		lookUps: {count: countIn(lookUps), p50Ms: quantileOf(lookUps, 0.5), p99Ms: quantileOf(lookUps, 0.99)},
		hottest: {
			urls: topOf(urls).map(([url, requests]) => ({url, requests})),
			origins: topOf(requestsByOrigin).map(([origin, requests]) => ({origin, requests})),
			notStored: refusedUrlsOf(topOf(refusals)),
		},
	};
};
