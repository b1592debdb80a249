import type {CacheEntry, CacheStats, ExchangeReport, Explanation, ListedEntry, RedisCacheHealth, StatsStep} from '../../index.ts';
import type {WireEntry, WireExchange, WireExplained, WireExplanation, WireHealth, WireNode, WireStatistics, WireStep} from './wire.ts';

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

export const healthToWire = (
	{nodes = [], counters, switches: _switches, ...health}: RedisCacheHealth,
	isAnswering: boolean,
	place: WireHealth['place'] | undefined,
): WireHealth => ({
	...nodeToWire(health),
	isAnswering,
	...place && {place},
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

const explainedToWire = (explained: Explanation['stored'][number], nowMs: number): WireExplained => {
	const {isSelected, isPurged, isInMemory, freshness, staleness, ttlMs} = explained;

	return {
		...entryToWire(explained),
		...typeof ttlMs === 'number' && {keptUntil: new Date(nowMs + ttlMs).toISOString()},
		isSelected,
		isPurged,
		isInMemory,
		lifetimeSeconds: freshness.lifetimeSeconds,
		lifetimeSource: freshness.source,
		...staleness.forbiddenBy && {staleForbiddenBy: staleness.forbiddenBy},
		whileRevalidate: staleness.whileRevalidate,
		ifError: staleness.ifError,
		ifDisconnected: staleness.ifDisconnected,
	};
};

export const explanationToWire = (explanation: Explanation, nowMs: number): WireExplanation => {
	const {method, url, key, decision, lastRefusal, fleetRefusals, selectedBy, stored, store, text} = explanation;

	return {
		method,
		url,
		storeKey: key.storeKey,
		decision: {kind: decision.kind, reason: decision.reason, text: decision.text, ...decision.rfc && {rfc: decision.rfc}, ...decision.mend && {mend: decision.mend}},
		...lastRefusal && {
			lastRefusal: {reason: lastRefusal.reason, text: lastRefusal.text, ...lastRefusal.mend && {mend: lastRefusal.mend}, at: lastRefusal.at.toISOString()},
		},
		fleetRefusals: fleetRefusals.map(({reason, text: why, mend, responses}) => ({reason, text: why, ...mend && {mend}, responses})),
		selectedBy: Object.entries(selectedBy).map(([name, value]) => value === undefined ? [name] : [name, value]),
		isStoreAnswering: store.isAnswering,
		stored: stored.map(each => explainedToWire(each, nowMs)),
		text,
	};
};
