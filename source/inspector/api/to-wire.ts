import type {CacheEntry, CacheStats, ExchangeReport, ListedEntry, RedisCacheHealth, StatsStep} from '../../index.ts';
import type {WireEntry, WireExchange, WireHealth, WireNode, WireStatistics, WireStep} from './wire.ts';

/*
Results of the cache as the page gets them.
*/

export const entryToWire = (entry: CacheEntry & Partial<Pick<ListedEntry, 'keptUntil'>>): WireEntry => {
	const {storeKey, url, method, statusCode, vary, size, age, isFresh, storedAt, expiresAt, keptUntil, tags, groups} = entry;

	return {
		storeKey,
		url,
		method,
		statusCode,
		vary,
		size,
		age,
		isFresh,
		storedAt: storedAt.toISOString(),
		...expiresAt && {expiresAt: expiresAt.toISOString()},
		...keptUntil && {keptUntil: keptUntil.toISOString()},
		tags,
		groups,
	};
};

const stepToWire = ({from, ...counts}: StatsStep): WireStep => ({...counts, from: from.toISOString()});

export const statisticsToWire = ({since, ...stats}: CacheStats, timeline: readonly StatsStep[]): Omit<WireStatistics, 'isOfFleet'> => ({
	...stats,
	since: since.toISOString(),
	timeline: timeline.map(step => stepToWire(step)),
});

type Node = Pick<RedisCacheHealth, 'state' | 'since' | 'lastError' | 'lastErrorAt'>;

const nodeToWire = ({state, since, lastError, lastErrorAt}: Node | NonNullable<RedisCacheHealth['nodes']>[number]): WireNode => ({
	state,
	since: since.toISOString(),
	...lastError && {lastError: lastError.message},
	...lastErrorAt && {lastErrorAt: lastErrorAt.toISOString()},
});

export const healthToWire = ({nodes = [], counters, ...health}: RedisCacheHealth): WireHealth => ({
	...nodeToWire(health),
	nodes: nodes.map(node => ({...nodeToWire(node), address: node.address})),
	counters: {...counters},
});

export const exchangeToWire = (report: ExchangeReport, id: number): WireExchange => {
	const {startedAt, method, url, status, reason, notStored, tier, statusCode, bytes, totalMs, lookUpMs, originMs, error} = report;
	const kinds: ReadonlyArray<readonly [kind: string, holds: boolean]> = [
		['stream', report.isStream],
		['hop', report.isHop],
		['refresh', report.isRefresh],
		['collapsed', report.isCollapsed],
		['retry', report.retryCount > 0],
	];

	return {
		id,
		at: startedAt.toISOString(),
		method,
		url,
		status,
		reason,
		...notStored && {notStored},
		...tier && {tier},
		...statusCode !== undefined && {statusCode},
		...bytes !== undefined && {bytes},
		totalMs,
		...lookUpMs !== undefined && {lookUpMs},
		...originMs !== undefined && {originMs},
		kinds: kinds.filter(([, holds]) => holds).map(([kind]) => kind),
		...error && {error: error.message},
	};
};
