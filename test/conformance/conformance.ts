/**
`npm run conformance`: the public cache test suite on this cache and on others, and docs/contributing/conformance.md from it.
*/
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {regressions, updateBaseline} from './baseline.ts';
import {failures, mergeReport, tally} from './report.ts';
import {runSuite, runTest} from './run.ts';
import {subjectNamed, subjects} from './subjects.ts';
import {installedSuite, kinds} from './suite.ts';

const {values: {suite: directory, cache: names, test: testId, update}} = parseArgs({
	options: {
		suite: {type: 'string', default: installedSuite},
		cache: {type: 'string', multiple: true},
		test: {type: 'string'},
		update: {type: 'boolean', default: false},
	},
});

const chosen = names?.map(name => subjectNamed(name)) ?? (testId === undefined ? subjects : subjects.slice(0, 1));
const {suite, runs} = await (testId === undefined ? runSuite(path.resolve(directory), chosen) : runTest(path.resolve(directory), chosen, testId));

if (testId === undefined) {
	console.log(`http-cache-tests, ${suite.version}`);
	console.table(Object.fromEntries(runs.map(run => [
		run.subject.name,
		Object.fromEntries(kinds.map(kind => [kind, tally(suite, run, kind)])),
	])));

	const ours = runs.filter(({subject}) => !subject.isPeer);
	if (update) {
		updateBaseline(suite, ours);
	}

	const report = new URL('../../docs/contributing/conformance.md', import.meta.url);
	if (names === undefined) {
		writeFileSync(report, mergeReport(existsSync(report) ? readFileSync(report, 'utf8') : '', suite, runs));
	}

	for (const [test, kind, where, reason] of failures(suite, ours)) {
		console.log(`${kind}: ${test} (${where}): ${reason}`);
	}

	for (const line of regressions(suite, ours)) {
		process.exitCode = 1;
		console.error(`Regression: ${line}`);
	}
} else {
	for (const {subject, results} of runs) {
		console.log(`${subject.name}: ${suite.judge(testId, results)}`, results[testId]);
	}
}
