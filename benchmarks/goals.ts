import {sizes, usualConcurrency} from './plan.ts';
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

const hit = (what: string, ours: string, peer: string, least: Readonly<Record<number, number>>, peerScenario = 'hit'): Goal[] =>
	Object.entries(least).map(([size, least]) => ({
		title: `${what}, ${sizeName(Number(size))}`,
		least,
		ratio: results => medianRatio(
			results,
			'requestsPerSecond',
			{cell: cellOf('hit', Number(size)), contender: ours},
			{cell: cellOf(peerScenario, Number(size)), contender: peer},
		),
	}));

const fasterOf = (results: Results, cell: string, peers: readonly string[]): string | undefined => {
	const speed = (contender: string): number => median(figures(results, cell, contender, 'requestsPerSecond'));
	return peers.filter(peer => speed(peer) > 0).sort((a, b) => speed(b) - speed(a))[0];
};

const p99 = (what: string, ours: string, peers: readonly string[]): Goal[] => Object.values(sizes).map(size => ({
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

const againstUndiciRedis = {[sizes.small]: 1.25, [sizes.medium]: 1.5, [sizes.large]: 1.5};

const goals: readonly Goal[] = [
	...hit('Hit from Redis each time, against undici-cache-redis', 'ours-redis', 'undici-redis', againstUndiciRedis),
	// It scans the whole keyspace for each hit: a Redis that holds one URL alone is the best case for it, though not for us.
	...hit('Hit from Redis each time, against undici-cache-redis with a single URL in Redis', 'ours-redis', 'undici-redis', againstUndiciRedis, 'hot'),
	...hit('Hit from Redis, against got\'s own `cache` over Redis', 'ours-redis', 'got-redis', {[sizes.small]: 3, [sizes.medium]: 4, [sizes.large]: 4}),
	...hit('Hit from the memory tier, against undici\'s memory store', 'ours-memory', 'undici-memory', {[sizes.small]: 1.2, [sizes.medium]: 3, [sizes.large]: 5}),
	...Object.values(sizes).map((size): Goal => ({
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
			{cell: cellOf('keyspace', sizes.small, 1_000_000), contender: 'ours-redis'},
			{cell: cellOf('keyspace', sizes.small, 1), contender: 'ours-redis'},
		),
	},
	...p99('from Redis', 'ours-redis', ['undici-redis', 'got-redis']),
	...p99('from memory', 'ours-memory', ['undici-memory', 'got-map']),
	{
		title: 'First byte of a stream on a miss, against got\'s',
		least: 0.95,
		ratio(results) {
			const cell = cellOf('first-byte', sizes.medium);
			return medianRatio(results, 'p50Ms', {cell, contender: 'got'}, {cell, contender: 'ours-memory'});
		},
	},
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
