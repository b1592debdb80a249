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

export type Results = {
	readonly environment: Environment;
	readonly entrants: readonly Entrant[];
	readonly cells: readonly PlannedCell[];
	readonly samples: readonly Sample[];
	readonly soaks: readonly Soak[];
};

export const samplesOf = ({samples}: Results, cell: string, contender: string): Sample[] =>
	samples.filter(sample => sample.cell === cell && sample.contender === contender);

export const figures = (results: Results, cell: string, contender: string, figure: Figure): number[] =>
	samplesOf(results, cell, contender).map(sample => sample[figure]);

export type Place = {readonly cell: string; readonly contender: string};

/**
How many times the figure at one place is that at another: the median over the rounds of the ratio within a round, so that a machine that is busy for a while weighs on both sides. `undefined` without a common round.
*/
export const medianRatio = (results: Results, figure: Figure, numerator: Place, denominator: Place): number | undefined => {
	const below = new Map(samplesOf(results, denominator.cell, denominator.contender).map(sample => [sample.round, sample[figure]]));
	const ratios = samplesOf(results, numerator.cell, numerator.contender).flatMap(sample => {
		const divisor = below.get(sample.round);
		return divisor === undefined ? [] : [sample[figure] / divisor];
	});
	return ratios.length === 0 ? undefined : median(ratios);
};
