/**
The tests that are known to fail, per version of the suite and per cache: any other required test that fails is a regression.
*/
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {reasonOf} from './report.ts';
import type {Run} from './run.ts';
import {hasPassed, type Suite} from './suite.ts';

type Baseline = Record<string, Record<string, string[]>>;

const file = new URL('baseline.json', import.meta.url);

const readBaseline = (): Baseline => existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Baseline : {};

const failedRequired = (suite: Suite, {subject, results}: Run) => suite.tests[subject.audience].filter(({id, kind}) => kind === 'required' && !hasPassed(suite.judge(id, results)));

/** One line for each required test that fails and is not known to. */
export const regressions = (suite: Suite, runs: readonly Run[]): string[] => {
	const known = readBaseline()[suite.version] ?? {};
	return runs.flatMap(run => failedRequired(suite, run)
		.filter(({id}) => !known[run.subject.name]?.includes(id))
		.map(test => `${run.subject.name}: ${test.id}: ${reasonOf(suite, test, run.results)}`));
};

export const updateBaseline = (suite: Suite, runs: readonly Run[]) => {
	const known = Object.fromEntries(runs.map(run => [run.subject.name, failedRequired(suite, run).map(({id}) => id)]));
	writeFileSync(file, JSON.stringify({...readBaseline(), [suite.version]: known}, undefined, '\t') + '\n');
};
