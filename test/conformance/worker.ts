/**
One run of the suite on one cache, in a process of its own: `node worker.ts <suite directory> <cache> <redis URL>` says that it is ready, is told what to run, and tells its parent the results.
*/
import {once} from 'node:events';
import process from 'node:process';
import {subjectNamed} from './subjects.ts';
import {loadSuite, type RunOptions} from './suite.ts';

const [directory, name, redisUrl] = process.argv.slice(2) as [string, string, string];

process.once('disconnect', () => {
	process.exit();
});

const suite = await loadSuite(directory);
const fetch = await subjectNamed(name).open(redisUrl);
process.send?.('ready');
const [options] = await once(process, 'message') as [RunOptions];
process.send?.(await suite.run(fetch, options));
