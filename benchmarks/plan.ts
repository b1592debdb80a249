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

export const passed: readonly string[] = ['ours-memory', 'ours-process'];

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

/** Files of SQLite. */
const files = [
	'undici-sqlite',
	'ours-keyv-sqlite',
	'ours-sqlite-plain',
	'ours-sqlite',
] as const;

/** Caches that take no part. */
const idle = [
	'ours-disabled',
	'ours-filtered',
	'ours-method',
] as const;

const floors = [
	'floor-miss',
	'floor-miss-compressed',
	'floor-miss-memory',
	'floor-validation',
	'floor-validation-redis',
	'floor-hook',
	'floor-handler',
	'floor-redis',
	'floor-hook-redis',
] as const;

/** Every contender, in the order of the tables: the file of that name in `contenders/`. */
export const contenderIds: readonly string[] = ['got', 'got-hooks', ...peers, ...ours, 'ours-process', ...files, ...ourOptions, ...idle, ...floors];

export type PlannedCell = Cell & {readonly id: string; readonly contenders: readonly string[]};

export type Plan = {
	readonly rounds: number;
	readonly warmUpMs: number;
	readonly measureMs: number;
	/** No round starts that would end later, as far as the last one tells. */
	readonly budgetSeconds: number;
	/** How long the process of a contender lasts: a new one each round meets another fate in V8. */
	readonly processesLast: 'round' | 'run';
	/** How long each of `soaked` is asked for hits, to see whether its memory stays flat. */
	readonly soakMinutes: number;
	/** How many URLs pass through each of `passed`, to see whether its memory stays flat. */
	readonly passingUrls: number;
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
const onMisses: ReadonlySet<string> = new Set(['got-hooks', 'ours-process', ...idle, 'floor-miss', 'floor-miss-compressed', 'floor-miss-memory', 'floor-validation', 'floor-validation-redis']);
const everywhere = contenderIds.filter(id => id !== 'ours-uncoalesced' && !onMisses.has(id));
const whole = ['got', 'ours-process', 'ours-memory', 'floor-miss'];
const main = ['got', 'got-redis', 'undici-memory', 'undici-redis', ...ours];
const readersOfRedis = ['got-redis', 'undici-redis', 'ours-redis', 'floor-redis'];
const streamers = ['got', 'got-map', 'got-redis', ...ours];

/** The cost of a cache that answers nothing: the goals that bound it. */
const costs: readonly Block[] = [
	{scenario: 'miss', sizes: [small], concurrencies: [1, 8, usualConcurrency], contenders: ['got-hooks', ...idle, ...whole]},
	{scenario: 'miss', sizes: [small, medium, large], contenders: ['floor-miss-memory']},
	{scenario: 'miss', sizes: [medium, large], contenders: [...whole, 'ours-uncompressed', 'floor-miss-compressed']},
	{scenario: 'miss-unstorable', sizes: [small], contenders: whole},
	{scenario: 'revalidation', sizes: [small, medium], contenders: ['floor-validation', 'floor-validation-redis', 'ours-process', 'ours-memory']},
	{scenario: 'miss-paced', sizes: [small], concurrencies: [1], contenders: ['got-hooks', ...whole]},
	{scenario: 'first-byte-paced', sizes: [medium], concurrencies: [1], contenders: ['got', 'got-hooks', 'got-redis', 'ours-process', 'ours-memory', 'floor-miss']},
];

/** Blocks that name the same cell become one, with the contenders of both. */
const merge = (blocks: readonly Block[]): PlannedCell[] => {
	const cells = new Map<string, PlannedCell>();
	for (const cell of blocks.flatMap(block => cellsOf(block))) {
		const contenders = new Set([...cells.get(cell.id)?.contenders ?? [], ...cell.contenders]);
		cells.set(cell.id, {...cell, contenders: contenderIds.filter(id => contenders.has(id))});
	}

	return cells.values().toArray();
};

export const fullPlan: Plan = {
	rounds: 5,
	// After one second, V8 still compiles: whoever has more code looks slower than it is in a process that serves for hours.
	warmUpMs: 2000,
	measureMs: 500,
	budgetSeconds: Infinity,
	processesLast: 'round',
	soakMinutes: 10,
	passingUrls: 1_000_000,
	cells: merge([
		{scenario: 'hit', sizes: allSizes, contenders: everywhere},
		{scenario: 'hit', sizes: [small], concurrencies: [1, 256], contenders: main},
		{scenario: 'hit-text', sizes: [medium, large], contenders: [...main, ...files]},
		{scenario: 'hot', sizes: allSizes, contenders: ['got-redis', 'undici-redis', 'undici-redis-tracking', ...ours]},
		{scenario: 'miss', sizes: allSizes, contenders: [...main, ...files]},
		{scenario: 'miss', sizes: [small], concurrencies: [1], contenders: main},
		...costs,
		{scenario: 'hit-90', sizes: [small], contenders: main},
		{scenario: 'revalidation', sizes: [small, medium], contenders: main},
		{scenario: 'stampede', sizes: [small], contenders: [...main, 'ours-uncoalesced']},
		{scenario: 'keyspace', sizes: [small], unrelatedKeys: [1, 10_000, 1_000_000], contenders: readersOfRedis},
		{scenario: 'first-byte', sizes: [medium], concurrencies: [1, usualConcurrency], contenders: streamers},
	]),
};

const [hitCell] = cellsOf({scenario: 'hit', sizes: [bodySizes.small], contenders: soaked});
export const soakCell = hitCell!;

const [missCell] = cellsOf({scenario: 'miss', sizes: [bodySizes.small], contenders: passed});
export const passageCell = missCell!;

/** As many rounds as fit into two minutes, of what the goals need. */
export const quickPlan: Plan = {
	rounds: 3,
	warmUpMs: 500,
	measureMs: 200,
	budgetSeconds: 110,
	// Half of two minutes would be spent on compiling otherwise.
	processesLast: 'run',
	soakMinutes: 0,
	passingUrls: 0,
	cells: merge([
		...costs,
		{scenario: 'hit', sizes: [small], contenders: ['got-redis', 'undici-memory', ...ours]},
		{scenario: 'hit', sizes: [medium, large], contenders: ['undici-memory', ...ours]},
	]),
};
