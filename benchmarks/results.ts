import type {Entrant} from './contender.ts';
import type {PlannedCell} from './plan.ts';
import type {Sample} from './sample.ts';
import {median} from './statistics.ts';

export type Figure = 'requestsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMicrosecondsPerRequest' | 'originPerRequest' | 'redisReadsPerRequest' | 'residentMebibytes';

export type Environment = {
	readonly date: string;
	readonly node: string;
	readonly redis: string;
	readonly processor: string;
	readonly cores: number;
	readonly versions: Readonly<Record<string, string>>;
	readonly rounds: number;
	readonly warmUpMs: number;
	readonly measureMs: number;
	readonly isQuick: boolean;
};

export type Soak = {
	readonly contender: string;
	readonly minutes: number;
	/** After each window of hits and a collection. */
	readonly heapMebibytes: readonly number[];
};

/** What the process holds while URLs pass through that are asked for once. */
export type Passage = {
	readonly contender: string;
	/** How many URLs had passed at the end of each window. */
	readonly urls: readonly number[];
	/** After each window and a collection. */
	readonly heapMebibytes: readonly number[];
	readonly residentMebibytes: readonly number[];
	/** The day and the machine, if they are not those of all else. */
	readonly measuredOn?: string;
};

export type Results = {
	readonly environment: Environment;
	readonly entrants: readonly Entrant[];
	readonly cells: readonly PlannedCell[];
	readonly samples: readonly Sample[];
	readonly soaks: readonly Soak[];
	readonly passages: readonly Passage[];
};

export const samplesOf = ({samples}: Results, cell: string, contender: string): Sample[] =>
	samples.filter(sample => sample.cell === cell && sample.contender === contender);

export const figures = (results: Results, cell: string, contender: string, figure: Figure): number[] =>
	samplesOf(results, cell, contender).map(sample => sample[figure]);

export type Place = {readonly cell: string; readonly contender: string};

/** The figure at both places in each round that has both. */
const pairs = (results: Results, figure: Figure, first: Place, second: Place): Array<readonly [number, number]> => {
	const others = new Map(samplesOf(results, second.cell, second.contender).map(sample => [sample.round, sample[figure]]));
	return samplesOf(results, first.cell, first.contender).flatMap(sample => {
		const other = others.get(sample.round);
		return other === undefined ? [] : [[sample[figure], other] as const];
	});
};

const medianOf = (values: readonly number[]): number | undefined => values.length === 0 ? undefined : median(values);

/**
How many times the figure at one place is that at another: the median over the rounds of the ratio within a round, so that a machine that is busy for a while weighs on both sides. `undefined` without a common round.
*/
export const medianRatio = (results: Results, figure: Figure, numerator: Place, denominator: Place): number | undefined =>
	medianOf(pairs(results, figure, numerator, denominator).map(([above, below]) => above / below));

/** As `medianRatio()`, of the difference. */
export const medianDifference = (results: Results, figure: Figure, minuend: Place, subtrahend: Place): number | undefined =>
	medianOf(pairs(results, figure, minuend, subtrahend).map(([more, less]) => more - less));
