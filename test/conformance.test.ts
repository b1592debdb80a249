import {test, type TestContext} from 'node:test';
import {regressions} from './conformance/baseline.ts';
import {tally} from './conformance/report.ts';
import {runSuite} from './conformance/run.ts';
import {subjects} from './conformance/subjects.ts';
import {installedSuite} from './conformance/suite.ts';

await test('every required test of http-cache-tests that passed passes, in memory and on Redis', async (t: TestContext) => {
	const {suite, runs} = await runSuite(installedSuite, subjects.filter(({isPeer, audience}) => !isPeer && audience === 'shared'));

	for (const run of runs) {
		t.diagnostic(`${run.subject.name}: ${tally(suite, run, 'required')} required, ${tally(suite, run, 'optimal')} optimal`);
	}

	t.assert.deepStrictEqual(regressions(suite, runs), []);
});
