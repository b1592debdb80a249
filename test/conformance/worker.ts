/* eslint-disable node-test/no-import-test-files -- `npm test` runs `*.test.ts` alone */
/**
One run of the suite on one cache, in a process of its own: `node worker.ts <suite directory> <cache> <origin> <redis URL> [test id]` tells its parent the results.
*/
import process from 'node:process';
import {loadSuite} from './suite.ts';
import {subjectNamed} from './subjects.ts';

const [directory, name, origin, redisUrl, testId] = process.argv.slice(2) as [string, string, string, string, string?];

process.once('disconnect', () => {
	process.exit();
});

const suite = await loadSuite(directory);
const {audience, open} = subjectNamed(name);
process.send?.(await suite.run(await open(redisUrl), {baseUrl: origin, audience, testId}));
