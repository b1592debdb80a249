import {availableParallelism} from 'node:os';
import {existsSync, globSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {run} from 'node:test';
import {spec} from 'node:test/reporters';

/*
Runs the tests: `node test/run.ts`, or with `--fast` those that need no other Redis than one of their own, or with files and folders: `node test/run.ts test/http test/got/stale.test.ts`.

Node's own runner keeps one core free and takes files by their names. Most tests wait for a server or for Redis, so all cores are used, and the longest files begin first.
*/

const root = path.join(import.meta.dirname, '..');

const longest = ['got/got-15', 'package', 'faults/faults', 'acceptance', 'got/guarded-writes', 'got/superseded', 'got/exit', 'got/own-load', 'got/hanging-node', 'got/long-bodies', 'got/fast-path', 'got/flights-fleet', 'got/users', 'got/differential']
	.map(name => `test/${name}.test.ts`);

/** Faults, fleets, clusters, the embedded Redis, and everything once more with got 15. */
const slow = /\/(?:faults\/|acceptance|conformance|demo|docstrings|embedded|package|readme|requirements|got\/(?:cluster|distributed|exit|failover|flights-fleet|got-15|guarded-writes|hanging-node|long-bodies|own-load|rights))/v;

const arguments_ = process.argv.slice(2);
const isFast = arguments_.includes('--fast');
const places = arguments_.filter(argument => !argument.startsWith('--'));

const wanted = (places.length === 0 ? ['test'] : places)
	.flatMap(place => place.endsWith('.ts') ? [place] : globSync(path.join(place, '**/*.test.ts'), {cwd: root}))
	.filter(file => !isFast || !slow.test(`/${path.relative('test', file)}`));

const files = [...longest.filter(file => wanted.includes(file)), ...wanted.filter(file => !longest.includes(file)).toSorted()];

if (files.length === 0 || places.some(place => !existsSync(path.join(root, place)))) {
	throw new Error(`No tests in ${places.join(', ')}: give files that end in .test.ts, or folders, from the root of the project`);
}

const events = run({
	cwd: root,
	files,
	concurrency: availableParallelism(),
	// A connection that a test has left open must not keep the run from ending.
	execArgv: ['--test-timeout=120000', '--test-force-exit'],
});

events.on('test:fail', ({todo}) => {
	if (todo === undefined || todo === false) {
		process.exitCode = 1;
	}
});

events.compose(spec).pipe(process.stdout);
