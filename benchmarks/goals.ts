import {bodySizes, soaked, usualConcurrency} from './plan.ts';
import {figures, medianRatio, type Results} from './results.ts';
import {sizeName} from './scenarios.ts';
import {median} from './statistics.ts';

export type Verdict = {
	readonly title: string;
	readonly goal: string;
	readonly ratio: number | undefined;
	readonly isMet: boolean | undefined;
};

type Goal = {
	readonly title: string;
	readonly least: number;
	readonly ratio: (results: Results) => number | undefined;
};

const cellOf = (scenario: string, size: number, unrelatedKeys = 0): string => [scenario, size, usualConcurrency, unrelatedKeys].join('/');

type Comparison = {readonly ours: string; readonly peer: string; readonly scenario?: string};

const hit = (what: string, {ours, peer, scenario = 'hit'}: Comparison, leastBySize: Readonly<Record<number, number>>): Goal[] =>
	Object.entries(leastBySize).map(([size, least]) => ({
		title: `${what}, ${sizeName(Number(size))}`,
		least,
		ratio: results => medianRatio(
			results,
			'requestsPerSecond',
			{cell: cellOf(scenario, Number(size)), contender: ours},
			{cell: cellOf(scenario, Number(size)), contender: peer},
		),
	}));

const fasterOf = (results: Results, cell: string, peers: readonly string[]): string | undefined => {
	const speed = (contender: string): number => median(figures(results, cell, contender, 'requestsPerSecond'));
	return peers.filter(peer => speed(peer) > 0).toSorted((a, b) => speed(b) - speed(a))[0];
};

const p99 = (what: string, ours: string, peers: readonly string[]): Goal[] => Object.values(bodySizes).map(size => ({
	title: `p99 of a hit ${what}, against the faster peer's, ${sizeName(size)}`,
	least: 1,
	ratio(results) {
		const cell = cellOf('hit', size);
		const peer = fasterOf(results, cell, peers);
		return peer === undefined
			? undefined
			: medianRatio(results, 'p99Ms', {cell, contender: peer}, {cell, contender: ours});
	},
}));

const flatness = (results: Results, contender: string): number | undefined => {
	const windows = results.soaks.find(soak => soak.contender === contender)?.heapMebibytes;
	if (windows === undefined) {
		return undefined;
	}

	// The first window is spent on compiling.
	const third = Math.max(1, Math.floor(windows.length / 3));
	return median(windows.slice(1, 1 + third)) / median(windows.slice(-third));
};

const againstUndiciRedis = {[bodySizes.small]: 1.25, [bodySizes.medium]: 1.5, [bodySizes.large]: 1.5};

const goals: readonly Goal[] = [
	...hit('Hit from Redis each time, against undici-cache-redis', {ours: 'ours-redis', peer: 'undici-redis'}, againstUndiciRedis),
	// It scans the whole keyspace for each hit: a Redis that holds one URL alone is the best case for it.
	...hit('Hit from Redis each time, against undici-cache-redis with a single URL in Redis', {ours: 'ours-redis', peer: 'undici-redis', scenario: 'hot'}, againstUndiciRedis),
	...hit('Hit from Redis, against got\'s own `cache` over Redis', {ours: 'ours-redis', peer: 'got-redis'}, {[bodySizes.small]: 3, [bodySizes.medium]: 4, [bodySizes.large]: 4}),
	...hit('Hit from the memory tier, against undici\'s memory store', {ours: 'ours-memory', peer: 'undici-memory'}, {[bodySizes.small]: 1.2, [bodySizes.medium]: 3, [bodySizes.large]: 5}),
	...hit('Hit from the memory tier, as text, against undici\'s memory store', {ours: 'ours-memory', peer: 'undici-memory', scenario: 'hit-text'}, {[bodySizes.medium]: 3, [bodySizes.large]: 5}),
	...Object.values(bodySizes).map((size): Goal => ({
		title: `Miss, against plain got, ${sizeName(size)}`,
		least: 0.95,
		ratio(results) {
			const cell = cellOf('miss', size);
			return medianRatio(results, 'requestsPerSecond', {cell, contender: 'ours-memory'}, {cell, contender: 'got'});
		},
	})),
	{
		title: 'Hit from Redis with 1,000,000 unrelated keys, against one',
		least: 0.95,
		ratio: results => medianRatio(
			results,
			'requestsPerSecond',
			{cell: cellOf('keyspace', bodySizes.small, 1_000_000), contender: 'ours-redis'},
			{cell: cellOf('keyspace', bodySizes.small, 1), contender: 'ours-redis'},
		),
	},
	...p99('from Redis', 'ours-redis', ['undici-redis', 'got-redis']),
	...p99('from memory', 'ours-memory', ['undici-memory', 'got-map']),
	{
		title: 'First byte of a stream on a miss, against got\'s',
		least: 0.95,
		ratio(results) {
			const cell = cellOf('first-byte', bodySizes.medium);
			return medianRatio(results, 'p50Ms', {cell, contender: 'got'}, {cell, contender: 'ours-memory'});
		},
	},
	...soaked.map((contender): Goal => ({
		title: `What is held at the beginning of minutes of hits, against the end, ${contender === 'ours-redis' ? 'from Redis' : 'from memory'}`,
		least: 0.95,
		ratio: results => flatness(results, contender),
	})),
];

/**
A ratio above one is in favour of this cache throughout; of latencies it is therefore the peer's through ours.
*/
export const judge = (results: Results): Verdict[] => goals.map(({title, least, ratio: compute}) => {
	const ratio = compute(results);
	return {
		title, goal: `≥ ${least.toFixed(2)}×`, ratio, isMet: ratio === undefined ? undefined : ratio >= least,
	};
});
