import {
	cellId,
	scenarios,
	type Cell,
	type Scenario,
	type ScenarioName,
} from './scenarios.ts';

const kibibyte = 1024;
export const bodySizes = {small: kibibyte, medium: 64 * kibibyte, large: 1024 * kibibyte} as const;

/** The plots' and the goals' concurrency. */
export const usualConcurrency = 32;

const ours = [
	'ours-memory',
	'ours-redis',
] as const;

export const soaked: readonly string[] = ours;

const ourOptions = [
	'ours-local',
	'ours-memory-plain',
	'ours-redis-plain',
	'ours-uncompressed',
	'ours-encrypted',
	'ours-uncoalesced',
] as const;

const peers = [
	'got-map',
	'got-redis',
	'undici-memory',
	'undici-redis',
	'undici-redis-tracking',
	'axios-cache-interceptor',
	'make-fetch-happen',
] as const;

const floors = [
	'floor-hook',
	'floor-handler',
	'floor-redis',
	'floor-hook-redis',
] as const;

/** Every contender, in the order of the tables: the file of that name in `contenders/`. */
export const contenderIds: readonly string[] = ['got', ...peers, ...ours, ...ourOptions, ...floors];

export type PlannedCell = Cell & {readonly id: string; readonly contenders: readonly string[]};

export type Plan = {
	readonly rounds: number;
	readonly warmUpMs: number;
	readonly measureMs: number;
	/** No round starts that would end later, as far as the last one tells. */
	readonly budgetSeconds: number;
	/** How long each of `soaked` is asked for hits, to see whether its memory stays flat. */
	readonly soakMinutes: number;
	readonly cells: readonly PlannedCell[];
};

const scenarioOf = (name: ScenarioName): Scenario => {
	const scenario = scenarios.find(candidate => candidate.name === name);
	if (scenario === undefined) {
		throw new Error(`There is no scenario ${name}`);
	}

	return scenario;
};

type Block = {
	readonly scenario: ScenarioName;
	readonly sizes: readonly number[];
	readonly concurrencies?: readonly number[];
	readonly unrelatedKeys?: readonly number[];
	readonly contenders: readonly string[];
};

const cellsOf = (block: Block): PlannedCell[] => {
	const {sizes, concurrencies = [usualConcurrency], unrelatedKeys = [0], contenders} = block;
	const scenario = scenarioOf(block.scenario);
	return sizes.flatMap(size => concurrencies.flatMap(concurrency => unrelatedKeys.map(count => {
		const cell: Cell = {
			scenario, size, concurrency, unrelatedKeys: count,
		};
		return {...cell, id: cellId(cell), contenders};
	})));
};

const allSizes = Object.values(bodySizes);
const {small, medium, large} = bodySizes;
const everywhere = contenderIds.filter(id => id !== 'ours-uncoalesced');
const main = ['got', 'got-redis', 'undici-memory', 'undici-redis', ...ours];
const readersOfRedis = ['got-redis', 'undici-redis', 'ours-redis', 'floor-redis'];
const streamers = ['got', 'got-map', 'got-redis', ...ours];

export const fullPlan: Plan = {
	rounds: 3,
	// After one second, V8 still compiles: whoever has more code looks slower than it is in a process that serves for hours.
	warmUpMs: 2500,
	measureMs: 1000,
	budgetSeconds: Infinity,
	soakMinutes: 10,
	cells: [
		{scenario: 'hit' as const, sizes: allSizes, contenders: everywhere},
		{scenario: 'hit' as const, sizes: [small], concurrencies: [1, 256], contenders: main},
		{scenario: 'hit-text' as const, sizes: [medium, large], contenders: main},
		{scenario: 'hot' as const, sizes: allSizes, contenders: ['got-redis', 'undici-redis', 'undici-redis-tracking', ...ours]},
		{scenario: 'miss' as const, sizes: allSizes, contenders: main},
		{scenario: 'miss' as const, sizes: [small], concurrencies: [1], contenders: main},
		{scenario: 'hit-90' as const, sizes: [small], contenders: main},
		{scenario: 'revalidation' as const, sizes: [small, medium], contenders: main},
		{scenario: 'stampede' as const, sizes: [small], contenders: [...main, 'ours-uncoalesced']},
		{scenario: 'keyspace' as const, sizes: [small], unrelatedKeys: [1, 10_000, 1_000_000], contenders: readersOfRedis},
		{scenario: 'first-byte' as const, sizes: [medium], concurrencies: [1, usualConcurrency], contenders: streamers},
	].flatMap(block => cellsOf(block)),
};

const [hitCell] = cellsOf({scenario: 'hit', sizes: [bodySizes.small], contenders: soaked});
export const soakCell = hitCell!;

/** As many rounds as fit into two minutes, of what the goals need. */
export const quickPlan: Plan = {
	rounds: 3,
	warmUpMs: 500,
	measureMs: 300,
	budgetSeconds: 105,
	soakMinutes: 0,
	cells: [
		{
			scenario: 'hit' as const,
			sizes: [bodySizes.small],
			contenders: ['got', 'got-map', 'got-redis', 'undici-memory', 'undici-redis', ...ours, 'floor-hook', 'floor-handler', 'floor-redis', 'floor-hook-redis'],
		},
		{scenario: 'hit' as const, sizes: [bodySizes.medium, bodySizes.large], contenders: ['got', 'got-redis', 'undici-memory', 'undici-redis', ...ours]},
		{scenario: 'hot' as const, sizes: allSizes, contenders: ['undici-redis', 'ours-redis']},
		{scenario: 'miss' as const, sizes: [bodySizes.small, bodySizes.large], contenders: ['got', 'ours-memory']},
		{scenario: 'revalidation' as const, sizes: [bodySizes.small], contenders: ['got-redis', 'ours-redis']},
		{scenario: 'stampede' as const, sizes: [bodySizes.small], contenders: ['got-redis', 'ours-redis']},
		{
			scenario: 'keyspace' as const, sizes: [bodySizes.small], unrelatedKeys: [1, 1_000_000], contenders: ['ours-redis'],
		},
		{scenario: 'first-byte' as const, sizes: [bodySizes.medium], contenders: ['got', 'ours-memory']},
	].flatMap(block => cellsOf(block)),
};
