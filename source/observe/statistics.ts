import {redactedUrl} from '../http/credentials.ts';
import {maxOrigins, originOf} from './bounded.ts';
import {savedMsOf, tierOf, type Ending, type ExchangeReport} from './exchange-report.ts';
import {bucketOf, emptyHistogram} from './histogram.ts';
import {
	failed,
	notStoredOf,
	reasonOf,
	statusOf,
	type CacheInfo,
	type CacheReason,
	type NotStoredReason,
} from './info.ts';
import {createGrowingSketch} from './growing-sketch.ts';
import type {ObservedExchange} from './observed-exchange.ts';
import {createSketch} from './sketch.ts';
import {otherOrigins, refusalName, refusalOf, statsOf, statuses, type CacheStats} from './stats.ts';
import {createUrlCounts} from './url-counts.ts';

/** URLs whose responses were not stored, each with its reason. */
const maxRefusals = 100;

/** Longer URLs are cut where they leave the process. */
const maxUrlLength = 256;

/** Exchanges that wait to be counted together: a loop takes a fraction of what counting takes between events of I/O. */
const batchSize = 64;

/** The counts of one origin: the requests, those of each status, and the errors. */
const originFields = ['requests', ...statuses, 'errors'] as const;

const statusFields: ReadonlyMap<string, number> = new Map(originFields.map((name, field) => [name, field]));

const errorField = originFields.length - 1;

/** The counters that have grown since they were last taken. */
export type Growth = {
	readonly counters: ReadonlyArray<readonly [name: string, by: number]>;
	readonly origins: ReadonlyArray<readonly [name: string, by: number]>;
	readonly urls: ReadonlyArray<readonly [name: string, by: number]>;
	/** By reason and URL, with a space between them. */
	readonly refusals: ReadonlyArray<readonly [name: string, by: number]>;
};

/** The parts of an exchange that are counted, without the bodies and options that belong to it. */
type Counted = {
	readonly url: string;
	readonly status: CacheInfo['status'];
	readonly reason: CacheReason;
	readonly notStored: NotStoredReason | undefined;
	readonly tier: ExchangeReport['tier'];
	readonly bytes: number;
	readonly requestTimeMs: number;
	/** `undefined` if the cache took no part. */
	readonly lookUpMs: number | undefined;
	readonly savedMs: number;
	readonly waitedMs: number | undefined;
	readonly isCollapsed: boolean;
	readonly isRefresh: boolean;
	readonly hasFailed: boolean;
};

const countedOf = (observed: ObservedExchange, ending: Ending): Counted => {
	const hasFailed = ending.error !== undefined;
	const state = hasFailed ? failed(observed) : observed;
	const {request, requestTimeMs, key, lookUpMs} = state.exchange;

	return {
		url: request.url,
		status: statusOf(state),
		reason: reasonOf(state),
		notStored: notStoredOf(state),
		tier: tierOf(state, ending),
		bytes: ending.bytes ?? 0,
		requestTimeMs,
		lookUpMs: key === '' ? undefined : lookUpMs,
		savedMs: savedMsOf(state),
		waitedMs: state.waitedMs,
		isCollapsed: state.isCollapsed === true,
		isRefresh: ending.isRefresh === true,
		hasFailed,
	};
};

/**
Counts what becomes of the requests of one cache.
*/
export type Statistics = {
	count(state: ObservedExchange, ending: Ending): void;
	stats(): CacheStats;

	/**
	Returns the growth of all counters since the last call.

	@param mostUrls - The number of URLs, and of refusals. The others are left for a later call.
	*/
	takeGrowth(mostUrls: number): Growth;
};

type Counts<Name extends string> = Map<Name, {count: number}>;

const increment = <Name extends string>(counts: Counts<Name>, name: Name): void => {
	const counter = counts.get(name);
	if (counter) {
		counter.count++;
	} else {
		counts.set(name, {count: 1});
	}
};

/** Returns a URL as statistics show it: without credentials and ignored parameters, and cut if it is long. */
export const countedUrl = (url: string, ignoredParameters?: ReadonlySet<string>): string => {
	const redacted = redactedUrl(url, ignoredParameters);
	return redacted.length > maxUrlLength ? `${redacted.slice(0, maxUrlLength - 1)}…` : redacted;
};

/** Subtracts what was taken, and takes the rest. */
const growthOf = (counters: ReadonlyMap<string, number>, taken: Map<string, number>): Array<readonly [name: string, by: number]> => {
	const growth: Array<readonly [string, number]> = [];
	for (const [name, count] of counters) {
		const by = count - (taken.get(name) ?? 0);
		if (by <= 0) {
			continue;
		}

		growth.push([name, by]);
		taken.set(name, count);
	}

	return growth;
};

export const createStatistics = (now: () => number, ignoredParameters?: ReadonlySet<string>): Statistics => {
	const since = new Date(now());
	const total = {requests: 0, collapsed: 0, refreshes: 0, errors: 0, savedMs: 0, waits: 0, waitedMs: 0};
	const bytes = {memory: 0, store: 0, origin: 0};
	const byStatus = new Float64Array(originFields.length);
	const reasons = new Map() as Counts<CacheReason>;
	const notStored = new Map() as Counts<NotStoredReason>;
	const lookUps = emptyHistogram();

	const byOrigin = Array.from({length: maxOrigins}, () => new Float64Array(originFields.length));
	const ofOthers = new Float64Array(originFields.length);
	/** Origins whose counters have been taken and must be forgotten with them. */
	const origins = createSketch(maxOrigins, slot => {
		const counts = byOrigin[slot];
		for (const [field, count] of counts?.entries() ?? []) {
			ofOthers[field] = (ofOthers[field] ?? 0) + count;
		}

		counts?.fill(0);
		for (const name of originFields) {
			const former = `${name} ${origins.nameOf(slot)}`;
			const others = `${name} ${otherOrigins}`;
			takenOfOrigins.set(others, (takenOfOrigins.get(others) ?? 0) + (takenOfOrigins.get(former) ?? 0));
			takenOfOrigins.delete(former);
		}
	});
	const urls = createUrlCounts(url => countedUrl(url, ignoredParameters));
	const refusals = createGrowingSketch(maxRefusals, name => {
		const [reason, url] = refusalOf(name);
		return refusalName(reason, countedUrl(url, ignoredParameters));
	});

	const taken = new Map<string, number>();
	const takenOfOrigins = new Map<string, number>();

	/** The origin that was counted last, with a slash, and its slot: most requests of a process go to few origins. */
	let lastPrefix = '\0';
	let lastSlot = 0;

	const slotOf = (url: string): number => {
		if (url.startsWith(lastPrefix)) {
			origins.addTo(lastSlot);
			return lastSlot;
		}

		const origin = originOf(url);
		lastSlot = origins.add(origin);
		lastPrefix = `${origin}/`;
		return lastSlot;
	};

	const countOrigin = (url: string, field: number, hasFailed: boolean): void => {
		const counts = byOrigin[slotOf(url)] ?? ofOthers;
		counts[0] = (counts[0] ?? 0) + 1;
		counts[field] = (counts[field] ?? 0) + 1;
		if (hasFailed) {
			counts[errorField] = (counts[errorField] ?? 0) + 1;
		}
	};

	const countRequest = ({url, status, reason, requestTimeMs, lookUpMs, savedMs, waitedMs, isCollapsed, hasFailed}: Counted): void => {
		const field = statusFields.get(status) ?? 0;
		total.requests++;
		byStatus[field] = (byStatus[field] ?? 0) + 1;
		increment(reasons, reason);
		total.savedMs += savedMs;
		if (isCollapsed) {
			total.collapsed++;
		}

		if (waitedMs !== undefined) {
			total.waits++;
			total.waitedMs += waitedMs;
		}

		if (lookUpMs !== undefined) {
			const bucket = bucketOf(lookUpMs);
			lookUps[bucket] = (lookUps[bucket] ?? 0) + 1;
		}

		countOrigin(url, field, hasFailed);
		urls.count(url, requestTimeMs);
	};

	const countRefusal = (reason: NotStoredReason, url: string): void => {
		increment(notStored, reason);
		// If the cache took no part, nothing is wrong with the response.
		if (reason !== 'bypassed') {
			refusals.add(refusalName(reason, url));
		}
	};

	const countExchange = (counted: Counted): void => {
		const {url, isRefresh, hasFailed, notStored: reason, tier} = counted;
		if (isRefresh) {
			total.refreshes++;
		} else {
			countRequest(counted);
		}

		if (hasFailed) {
			total.errors++;
		}

		if (reason !== undefined) {
			countRefusal(reason, url);
		}

		if (tier !== undefined) {
			bytes[tier] += counted.bytes;
		}
	};

	const waiting: Counted[] = [];

	/** To be called before a counter is read. */
	const countWaiting = (): void => {
		for (const counted of waiting) {
			countExchange(counted);
		}

		waiting.length = 0;
	};

	const counters = (): Map<string, number> => new Map([
		['requests', total.requests],
		...statuses.map(status => [`status ${status}`, byStatus[statusFields.get(status) ?? 0] ?? 0] as const),
		...reasons.entries().map(([name, {count}]) => [`reason ${name}`, count] as const),
		...notStored.entries().map(([name, {count}]) => [`not-stored ${name}`, count] as const),
		['collapsed', total.collapsed],
		['refreshes', total.refreshes],
		['errors', total.errors],
		...Object.entries(bytes).map(([tier, count]) => [`bytes ${tier}`, count] as const),
		['saved-ms', Math.round(total.savedMs)],
		['waits', total.waits],
		['waited-ms', Math.round(total.waitedMs)],
		...lookUps.entries().filter(([, count]) => count > 0).map(([bucket, count]) => [`look-up ${bucket}`, count] as const),
	]);

	const originCounters = (): Map<string, number> =>
		new Map(
			[
				...Array.from({length: origins.size}, (_, slot) => [origins.nameOf(slot), byOrigin[slot] ?? ofOthers] as const),
				[otherOrigins, ofOthers] as const,
			]
				.flatMap(([origin, counts]) => originFields.map((name, field) => [`${name} ${origin}`, counts[field] ?? 0] as const))
				.filter(([, count]) => count > 0),
		);

	return {
		count(observed, ending) {
			waiting.push(countedOf(observed, ending));
			if (waiting.length === batchSize) {
				countWaiting();
			}
		},
		stats() {
			countWaiting();
			return statsOf(since, counters(), originCounters(), {urls: urls.counts(), refusals: refusals.counts()});
		},
		takeGrowth(mostUrls) {
			countWaiting();
			return {
				counters: growthOf(counters(), taken),
				origins: growthOf(originCounters(), takenOfOrigins),
				urls: urls.take(mostUrls),
				refusals: refusals.take(mostUrls),
			};
		},
	};
};
