import {bodySizes, passed, soaked, usualConcurrency} from './plan.ts';
import {figures, medianDifference, medianRatio, type Results} from './results.ts';
import {sizeName, type ScenarioName} from './scenarios.ts';
import {median} from './statistics.ts';

export type Verdict = {
	readonly title: string;
	readonly goal: string;
	/** `undefined` if it was not measured. */
	readonly measured: string | undefined;
	readonly isMet: boolean | undefined;
};

type Goal = {
	readonly title: string;
	/** What the figure has to be at least, or at most. */
	readonly least?: number;
	readonly most?: number;
	readonly unit?: 'ms';
	/** A ratio to somebody else's figure, or a difference in milliseconds. */
	readonly figure: (results: Results) => number | undefined;
};

type CellOptions = {
	readonly concurrency?: number;
	readonly unrelatedKeys?: number;
};

const cellOf = (scenario: ScenarioName, size: number, {concurrency = usualConcurrency, unrelatedKeys = 0}: CellOptions = {}): string => [scenario, size, concurrency, unrelatedKeys].join('/');

type Comparison = {
	readonly ours: string;
	readonly peer: string;
	readonly scenario?: ScenarioName;
	readonly by?: 'requestsPerSecond' | 'cpuMicrosecondsPerRequest';
};

const hit = (what: string, {ours, peer, scenario = 'hit', by = 'requestsPerSecond'}: Comparison, leastBySize: Readonly<Record<number, number | undefined>>): Goal[] =>
	Object.entries(leastBySize).map(([size, least]) => ({
		title: `${what}, ${sizeName(Number(size))}`,
		...least !== undefined && {least},
		figure(results) {
			const cell = cellOf(scenario, Number(size));
			const [mine, theirs] = [{cell, contender: ours}, {cell, contender: peer}];

			return by === 'requestsPerSecond' ? medianRatio(results, by, mine, theirs) : medianRatio(results, by, theirs, mine);
		},
	}));

type Cost = CellOptions & {
	readonly scenario?: ScenarioName;
	readonly size?: number;
	readonly ours: string;
	readonly peer?: string;
	readonly most?: number;
};

const timesAtOnce = (concurrency: number): string => concurrency === 1 ? 'one at a time' : `${concurrency} at a time`;

/** A bound of the processor time of the client's process. Without `most`, a floor: how low it could be. */
const cost = (what: string, {scenario = 'miss', size = bodySizes.small, concurrency = usualConcurrency, ours, peer = 'got', most = Infinity}: Cost): Goal => ({
	title: `${what}, ${sizeName(size)}, ${timesAtOnce(concurrency)}`,
	most,
	figure(results) {
		const cell = cellOf(scenario, size, {concurrency});
		return medianRatio(results, 'cpuMicrosecondsPerRequest', {cell, contender: ours}, {cell, contender: peer});
	},
});

const concurrencies = [1, 8, usualConcurrency];

const {small, medium, large} = bodySizes;

const costs: readonly Goal[] = [
	...Object.entries({'ours-disabled': 'disabled', 'ours-filtered': 'filtered out', 'ours-method': 'method not cached'}).flatMap(([ours, what]) =>
		concurrencies.map(concurrency => cost(`Cache that takes no part (${what}), against plain got`, {ours, concurrency, most: 1.05})),
	),
	...concurrencies.map(concurrency => cost('Floor of a cache that takes no part: hooks and a handler that do nothing, against plain got', {ours: 'got-hooks', concurrency})),
	cost('Miss on Redis, against plain got', {ours: 'ours-memory', concurrency: 1, most: 1.7}),
	cost('Miss on Redis, against plain got', {ours: 'ours-memory', concurrency: 8}),
	...[small, medium, large].map(size => cost('Miss on Redis, against plain got', {ours: 'ours-memory', size, most: size === small ? 1.25 : 1.4})),
	cost('Miss in the memory of the process, against plain got', {ours: 'ours-process', concurrency: 1}),
	cost('Miss in the memory of the process, against plain got', {ours: 'ours-process', concurrency: 8}),
	...[small, medium, large].map(size =>
		cost('Miss in the memory of the process, against plain got', {ours: 'ours-process', size, most: size === small ? 1.15 : 1.4}),
	),
	...concurrencies.map(concurrency =>
		cost('Floor of a miss: hooks with one Redis GET and one SET, against plain got', {ours: 'floor-miss', concurrency}),
	),
	...[medium, large].flatMap(size => [
		cost('Miss on Redis without compression, against plain got', {ours: 'ours-uncompressed', size}),
		cost('Floor of a miss: hooks with one Redis GET and one SET, against plain got', {ours: 'floor-miss', size}),
		cost('Floor of a miss that is compressed: hooks with one Redis GET, Zstandard and one SET, against plain got', {ours: 'floor-miss-compressed', size}),
	]),
	...[small, medium, large].map(size => cost('Floor of a miss in memory: hooks with a Map, against plain got', {ours: 'floor-miss-memory', size})),
	cost('Miss on Redis that may not be stored, against plain got', {scenario: 'miss-unstorable', ours: 'ours-memory', most: 1.15}),
	cost('Miss in memory that may not be stored, against plain got', {scenario: 'miss-unstorable', ours: 'ours-process', most: 1.15}),
	...[small, medium].flatMap(size => [
		cost('Validation on Redis, against a request that is answered 304', {
			scenario: 'revalidation',
			size,
			ours: 'ours-memory',
			peer: 'floor-validation',
			most: 1.3,
		}),
		cost('Validation in memory, against a request that is answered 304', {
			scenario: 'revalidation',
			size,
			ours: 'ours-process',
			peer: 'floor-validation',
			most: 1.3,
		}),
		cost('Floor of a validation on Redis: one GET and one SET, against a request that is answered 304', {
			scenario: 'revalidation',
			size,
			ours: 'floor-validation-redis',
			peer: 'floor-validation',
		}),
	]),
];

/** How much later than got's, in milliseconds at 300 requests a second; behind it the floor, which is later by its round trips to Redis. */
const delay = (what: string, scenario: ScenarioName, size: number): Goal[] => (['p50Ms', 'p99Ms'] as const).flatMap(figure => ['ours-memory', 'floor-miss'].map((contender): Goal => ({
	title: `${what} ${contender === 'ours-memory' ? 'on a miss on Redis' : 'behind a hook with one Redis GET'}, later than plain got's, ${sizeName(size)}, 300 a second, ${figure === 'p50Ms' ? 'median' : 'p99'}`,
	most: contender === 'ours-memory' ? (figure === 'p50Ms' ? 0.5 : 2) : Infinity,
	unit: 'ms',
	figure(results) {
		const cell = cellOf(scenario, size, {concurrency: 1});
		return medianDifference(results, figure, {cell, contender}, {cell, contender: 'got'});
	},
})));

const fasterOf = (results: Results, cell: string, peers: readonly string[]): string | undefined => {
	const speed = (contender: string): number => median(figures(results, cell, contender, 'requestsPerSecond'));
	return peers.filter(peer => speed(peer) > 0).toSorted((a, b) => speed(b) - speed(a))[0];
};

const p99 = (what: string, ours: string, peers: readonly string[]): Goal[] => Object.values(bodySizes).map(size => ({
	title: `p99 of a hit ${what}, against the faster peer's, ${sizeName(size)}`,
	least: 1,
	figure(results) {
		const cell = cellOf('hit', size);
		const peer = fasterOf(results, cell, peers);
		return peer === undefined
			? undefined
			: medianRatio(results, 'p99Ms', {cell, contender: peer}, {cell, contender: ours});
	},
}));

const flatness = (windows: readonly number[] | undefined): number | undefined => {
	if (windows === undefined || windows.length < 3) {
		return undefined;
	}

	// The first window is spent on compiling.
	const third = Math.max(1, Math.floor(windows.length / 3));
	return median(windows.slice(1, 1 + third)) / median(windows.slice(-third));
};

const againstUndiciRedis = {[bodySizes.small]: 1.25, [bodySizes.medium]: 1.5, [bodySizes.large]: 1.5};

const goals: readonly Goal[] = [
	...costs,
	...delay('First byte of a stream', 'first-byte-paced', medium),
	...delay('Response of a promise', 'miss-paced', small),
	...hit('Hit from Redis each time, against undici-cache-redis', {ours: 'ours-redis', peer: 'undici-redis'}, againstUndiciRedis),
	// It scans the whole keyspace for each hit: a Redis that holds one URL alone is the best case for it.
	...hit('Hit from Redis each time, against undici-cache-redis with a single URL in Redis', {ours: 'ours-redis', peer: 'undici-redis', scenario: 'hot'}, againstUndiciRedis),
	...hit('Hit from Redis, against got\'s own `cache` over Redis', {ours: 'ours-redis', peer: 'got-redis'}, {[bodySizes.small]: 3, [bodySizes.medium]: 4, [bodySizes.large]: 4}),
	...hit('Hit from the memory tier, against undici\'s memory store', {ours: 'ours-memory', peer: 'undici-memory'}, {[bodySizes.small]: 1.2, [bodySizes.medium]: 3, [bodySizes.large]: 5}),
	...hit('Hit from the memory tier, against undici\'s memory store, by processor time', {ours: 'ours-memory', peer: 'undici-memory', by: 'cpuMicrosecondsPerRequest'}, {[bodySizes.small]: 1.2}),
	...hit('Floor of a hit from memory: a handler that does no more than answer, against undici\'s memory store', {ours: 'floor-handler', peer: 'undici-memory'}, {[bodySizes.small]: undefined}),
	...hit('Floor of a hit from Redis: a hook with one GET, against got\'s own `cache` over Redis', {ours: 'floor-hook-redis', peer: 'got-redis'}, {[bodySizes.small]: undefined}),
	...hit('Hit from the memory tier, as text, against undici\'s memory store', {ours: 'ours-memory', peer: 'undici-memory', scenario: 'hit-text'}, {[bodySizes.medium]: 3, [bodySizes.large]: 5}),
	{
		title: 'Hit from Redis with 1,000,000 unrelated keys, against one',
		least: 0.95,
		figure: results => medianRatio(
			results,
			'requestsPerSecond',
			{cell: cellOf('keyspace', bodySizes.small, {unrelatedKeys: 1_000_000}), contender: 'ours-redis'},
			{cell: cellOf('keyspace', bodySizes.small, {unrelatedKeys: 1}), contender: 'ours-redis'},
		),
	},
	...p99('from Redis', 'ours-redis', ['undici-redis', 'got-redis']),
	...p99('from memory', 'ours-memory', ['undici-memory', 'got-map']),
	...soaked.map((contender): Goal => ({
		title: `What is held at the beginning of minutes of hits, against the end, ${contender === 'ours-redis' ? 'from Redis' : 'from memory'}`,
		least: 0.95,
		figure: results => flatness(results.soaks.find(soak => soak.contender === contender)?.heapMebibytes),
	})),
	...passed.map((contender): Goal => ({
		title: `What is held in the first third of the URLs that pass through, against the last, ${contender === 'ours-memory' ? 'on Redis' : 'in the memory of the process'}`,
		least: 0.95,
		figure: results => flatness(results.passages.find(passage => passage.contender === contender)?.heapMebibytes),
	})),
];

const inUnit = (value: number, unit: Goal['unit']): string => unit === undefined ? `${value.toFixed(2)}×` : `${value.toFixed(2)} ${unit}`;

const boundOf = ({least, most = Infinity, unit}: Goal): string => {
	if (least !== undefined) {
		return `≥ ${inUnit(least, unit)}`;
	}

	return most === Infinity ? '–' : `≤ ${inUnit(most, unit)}`;
};

const isMet = ({least = -Infinity, most = Infinity}: Goal, value: number): boolean | undefined => {
	const isBounded = least !== -Infinity || most !== Infinity;
	return isBounded ? value >= least && value <= most : undefined;
};

/** The goals with what was measured. Rows without a bound show what lies beside them. */
export const judge = (results: Results): Verdict[] => goals.map(goal => {
	const value = goal.figure(results);
	return {
		title: goal.title,
		goal: boundOf(goal),
		measured: value === undefined ? undefined : inUnit(value, goal.unit),
		isMet: value === undefined ? undefined : isMet(goal, value),
	};
});
