import {stripVTControlCharacters} from 'node:util';
import {judge} from './goals.ts';
import {
	figures,
	medianRatio,
	samplesOf,
	type Passage,
	type Soak,
	type Results,
} from './results.ts';
import {originFactor} from './sample.ts';
import {cellTitle, scenarios} from './scenarios.ts';
import {median, spread} from './statistics.ts';
import {summaryOf} from './summary.ts';

export type Table = {
	readonly head: readonly string[];
	readonly rows: ReadonlyArray<readonly string[]>;
};

export type Section = {
	readonly title: string;
	readonly table: Table;
	readonly notes: readonly string[];
};

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const milliseconds = (value: number): string => value >= 100 ? whole(value) : value.toPrecision(2);
const share = (value: number): string => `${Math.round(value * 100)} %`;
const perRequest = (value: number): string => value === 0 ? '0' : value.toFixed(2);
const times = (value: number | undefined): string => value === undefined ? '–' : `${value.toFixed(2)}×`;

const describeSoak = ({contender, minutes, heapMebibytes}: Soak): string => {
	const [, second = NaN] = heapMebibytes;
	const last = heapMebibytes.at(-1) ?? NaN;
	const secondEndSeconds = Math.round(minutes * 60 / heapMebibytes.length * 2);
	return `${contender} held ${second.toFixed(1)} MiB after ${secondEndSeconds} s of hits, and ${last.toFixed(1)} MiB after ${minutes} minutes.`;
};

const describePassage = ({contender, urls, heapMebibytes, residentMebibytes, measuredOn}: Passage): string => {
	const [, second = NaN] = heapMebibytes;
	const last = heapMebibytes.at(-1) ?? NaN;
	return `${contender} held ${second.toFixed(1)} MiB after ${whole(urls[1] ?? NaN)} URLs that were asked for once each, and ${last.toFixed(1)} MiB after ${whole(urls.at(-1) ?? NaN)}; its process took ${whole(Math.max(...residentMebibytes))} MiB at most${measuredOn === undefined ? '' : ` (${measuredOn})`}.`;
};

export const goalSection = (results: Results): Section => {
	const verdicts = judge(results);
	const known = verdicts.filter(({measured}) => measured !== undefined);
	const bounded = known.filter(({isMet}) => isMet !== undefined);
	return {
		title: 'Goals',
		table: {
			head: ['goal', 'wanted', 'measured', ''],
			rows: known.map(({title, goal, measured = '', isMet}) => [title, goal, measured, isMet === undefined ? '' : (isMet ? 'met' : '**not met**')]),
		},
		notes: [
			`${bounded.filter(({isMet}) => isMet).length} of ${bounded.length} met, ${verdicts.length - known.length} rows not measured. Of a miss and a validation, the ratio is one of processor time in the client's process; of a hit, of requests per second unless it says otherwise.`,
			...results.soaks.map(soak => describeSoak(soak)),
			...results.passages.map(passage => describePassage(passage)),
		],
	};
};

const columns = ['', 'a hit comes from', 'requests/s', 'spread', 'against got', 'p50 ms', 'p99 ms', 'CPU µs', 'CPU against got'] as const;

export const cellSections = (results: Results): Section[] => scenarios.flatMap(scenario => results.cells.filter(cell => cell.scenario.name === scenario.name).map(cell => {
	const entrants = results.entrants.filter(({id}) => samplesOf(results, cell.id, id).length > 0);
	const middle = (contender: string, figure: Parameters<typeof figures>[3]): number => median(figures(results, cell.id, contender, figure));

	return {
		title: cellTitle(cell),
		table: {
			head: [...columns, cell.scenario.pattern === 'together' ? 'origin/stampede' : 'origin/request', 'Redis/request'],
			rows: entrants.map(({id, name, answersFrom}) => [
				name,
				answersFrom,
				whole(middle(id, 'requestsPerSecond')),
				share(spread(figures(results, cell.id, id, 'requestsPerSecond'))),
				times(medianRatio(results, 'requestsPerSecond', {cell: cell.id, contender: id}, {cell: cell.id, contender: 'got'})),
				milliseconds(middle(id, 'p50Ms')),
				milliseconds(middle(id, 'p99Ms')),
				whole(middle(id, 'cpuMicrosecondsPerRequest')),
				times(medianRatio(results, 'cpuMicrosecondsPerRequest', {cell: cell.id, contender: id}, {cell: cell.id, contender: 'got'})),
				perRequest(middle(id, 'originPerRequest')),
				perRequest(middle(id, 'redisReadsPerRequest')),
			]),
		},
		notes: entrants.flatMap(({id, name}) => {
			const objections = new Set(samplesOf(results, cell.id, id).flatMap(sample => sample.objections));
			return objections.size === 0 ? [] : [`${name}: ${[...objections].slice(0, 3).join('; ')}.`];
		}),
	};
})).filter(({table}) => table.rows.length > 0);

const markdownTable = ({head, rows}: Table): string => [
	`| ${head.join(' | ')} |`,
	`| ${head.map((_, index) => index === 0 ? '---' : '---:').join(' | ')} |`,
	...rows.map(row => `| ${row.join(' | ')} |`),
].join('\n');

const textTable = ({head, rows}: Table): string => {
	const lines = [head, ...rows];
	const widths = head.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)));
	return lines.map(line => line.map((cell, column) => column === 0
		? cell.padEnd(widths[column] ?? 0)
		: cell.padStart(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
};

const plainText = (text: string): string => stripVTControlCharacters(text).replaceAll('**', '');

export const sectionAsText = ({title, table, notes}: Section): string =>
	[`\n${title}`, plainText(textTable(table)), ...notes.map(note => `! ${note}`)].join('\n');

const sectionAsMarkdown = ({title, table, notes}: Section, level: string): string =>
	[`${level} ${title}`, markdownTable(table), ...notes.map(note => `> ${note}`)].join('\n\n');

const explanation = ({environment}: Results): string => {
	const versions = Object.entries(environment.versions).map(([name, version]) => `${name} ${version}`).join(', ');
	return [
		`${environment.date}, ${environment.cores} cores (${environment.processor}) shared by client, origin and Redis, Node ${environment.node}, Redis ${environment.redis}, ${versions}.`,
		`${environment.rounds} rounds of ${environment.measureMs} ms, in turn, after ${environment.warmUpMs} ms of the same, or ${originFactor} times as many where the origin answers; a contender has one process a round.`,
		'The figures are medians; the spread is from the slowest to the fastest round, as a share of the median.',
		'"Against got" and the goals are medians of the ratio within a round.',
		'CPU is that of the client\'s process, per request.',
		'A contender that did not answer from where it claims is named under its table.',
	].join(' ');
};

export const markdownReport = (results: Results, plots: ReadonlyArray<{readonly file: string; readonly title: string}>): string => `${[
	'# Benchmark results',
	['1 KiB, 32 at a time unless it says otherwise:', '', ...summaryOf(results)].join('\n'),
	'Written by `npm run benchmark`. Compare within a table only: other machines give other figures, and ratios that are close to these.',
	explanation(results),
	sectionAsMarkdown(goalSection(results), '##'),
	...plots.map(({file, title}) => `![${title}](${file})`),
	'## Figures',
	...cellSections(results).map(section => sectionAsMarkdown(section, '###')),
].join('\n\n')}\n`;
