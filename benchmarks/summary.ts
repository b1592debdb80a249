import {bodySizes, usualConcurrency} from './plan.ts';
import {figures, medianDifference, medianRatio, type Figure, type Results} from './results.ts';
import {cellId, scenarios, type ScenarioName} from './scenarios.ts';
import {median} from './statistics.ts';

/*
What a reader of the results wants to know first, in a few lines.
*/

const cellOf = (name: ScenarioName, concurrency: number = usualConcurrency): string => {
	const scenario = scenarios.find(candidate => candidate.name === name);
	return scenario ? cellId({scenario, size: bodySizes.small, concurrency, unrelatedKeys: 0}) : '';
};

const times = (value: number | undefined): string | undefined => value === undefined ? undefined : `${value.toFixed(2)}×`;

/** A line, unless one of its figures was not measured. */
const line = (texts: TemplateStringsArray, ...values: ReadonlyArray<string | undefined>): string[] =>
	values.includes(undefined) ? [] : [String.raw({raw: texts}, ...values)];

export const summaryOf = (results: Results): string[] => {
	const ratio = (contender: string, peer: string, cell: string, figure: Figure): string | undefined =>
		times(medianRatio(results, figure, {cell, contender}, {cell, contender: peer}));
	const hits = (contender: string, peer: string) => ratio(contender, peer, cellOf('hit'), 'requestsPerSecond');
	const miss = (contender: string, concurrency?: number) => ratio(contender, 'got', cellOf('miss', concurrency), 'cpuMicrosecondsPerRequest');
	const perSecond = (contender: string): string | undefined => {
		const measured = figures(results, cellOf('hit'), contender, 'requestsPerSecond');
		return measured.length === 0 ? undefined : Math.round(median(measured)).toLocaleString('en');
	};

	const paced = cellOf('miss-paced', 1);
	const delay = medianDifference(results, 'p50Ms', {cell: paced, contender: 'ours-memory'}, {cell: paced, contender: 'got'});

	return [
		...line`- **Hits from memory**: ${perSecond('ours-memory')} a second, ${hits('ours-memory', 'got')} of plain got and ${hits('ours-memory', 'undici-memory')} of undici's memory store.`,
		...line`- **Hits from Redis**: ${perSecond('ours-redis')} a second, ${hits('ours-redis', 'got-redis')} of got's own \`cache\` and ${hits('ours-redis', 'undici-redis')} of undici-cache-redis.`,
		...line`- **A miss on Redis**: ${miss('ours-memory')} of plain got's processor time, ${miss('ours-memory', 1)} one at a time. One bare \`GET\` and one bare \`SET\` take ${miss('floor-miss')} and ${miss('floor-miss', 1)}.`,
		...line`- **A miss in the memory of the process**: ${miss('ours-process')}, ${miss('ours-process', 1)} one at a time.`,
		...line`- **A cache that takes no part**: ${miss('ours-disabled')} of plain got's processor time, ${miss('ours-disabled', 1)} one at a time.`,
		...line`- **Latency of a miss on Redis**, 300 a second: ${delay?.toFixed(2)} ms more than plain got's at the median.`,
	];
};
