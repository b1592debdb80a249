import {availableParallelism} from 'node:os';
import {
	existsSync,
	globSync,
	mkdirSync,
	readFileSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {run} from 'node:test';
import {spec} from 'node:test/reporters';
import {pathToFileURL} from 'node:url';

/*
Runs the tests: `node test/run.ts`, or with `--fast` those that are fast, or with files and folders: `node test/run.ts test/http test/got/stale.test.ts`.

Node's own runner keeps one core free and takes files by their names. Most tests wait for a server or for Redis, so there is one file more than there are cores, and the longest files begin first.
*/

const root = path.join(import.meta.dirname, '..');

const longest = [
	'got/got-15',
	'got/got-14',
	'package',
	'faults/faults',
	'acceptance',
	'got/guarded-writes',
	'got/superseded',
	'got/exit',
	'got/hanging-node',
	'got/long-bodies',
	'got/fast-path',
	'got/flights-fleet',
	'got/users',
	'got/differential',
].map(name => `test/${name}.test.ts`);

/** How much a process can do when it alone is busy: comes last, when hardly another file is left. */
const alone = 'test/got/own-load.test.ts';

const filesOf = (folders: Readonly<Record<string, readonly string[]>>): readonly string[] =>
	Object.entries(folders).flatMap(([folder, names]) => names.map(name => path.join('test', folder, name)));

/*
The fast tests, `--fast`, are for who waits for them: two minutes on two cores. A file is left out that

- starts processes, clusters or a browser, or compiles types, in most of its tests,
- waits for seconds of real time,
- or asks in every combination of much (each answer, asked for in each way, in each store), or at random by the thousand, for more than five seconds of a core,

as long as other files keep the main tests of what it is about. Of a file that stays, the single tests of that sort are left out by `unlessFast` of `test/helpers/runs.ts`, and properties have a fifth of their tries.
*/

/** Faults, fleets, clusters, browsers, the embedded Redis, examples that are compiled, other test runners, and everything once more with got 14 and 15. Each has a process of its own. */
const slow = filesOf({
	'.': ['acceptance', 'conformance', 'demo', 'embedded', 'examples', 'faults/', 'package', 'requirements', 'valkey/'],
	cli: ['many-keys'],
	docs: ['docstrings', 'guide', 'inspector-page', 'ioredis-page', 'operations-page', 'readme', 'site', 'testing-page'],
	got: [
		'cluster',
		'distributed',
		'exit',
		'fail-open',
		'failover',
		'faked-time',
		'flights-fleet',
		'got-14',
		'got-15',
		'guarded-writes',
		'hanging-node',
		'lagging-replicas',
		'long-bodies',
		'managed-redis',
		'nat-map',
		'own-load',
		'rights',
		'switches-fleet',
	],
	inspector: ['hostile', 'page', 'shape'],
	observe: ['fleet-statistics'],
	'rate-limit': ['simulation'],
	store: ['cluster-node', 'exit', 'faults', 'sqlite-processes'],
});

/** Slow, too, but no reason for a process of its own. */
const slowInCompany = filesOf({
	cli: ['terminal'],
	docs: ['migration', 'rate-limits-page'],
	got: ['bad-input', 'bad-values', 'dead-node-purges', 'differential.test', 'failure.test', 'miss-costs', 'patience', 'refetch', 'superseded'],
	inspector: ['command'],
	replay: ['recorder-for-tests'],
	store: ['connection', 'freshening', 'indexes', 'ioredis'],
	types: ['versions'],
});

const isAmong = (beginnings: readonly string[], file: string): boolean => beginnings.some(beginning => file.startsWith(beginning));

const arguments_ = process.argv.slice(2);
const isFast = arguments_.includes('--fast');
const places = arguments_.filter(argument => !argument.startsWith('--'));

const wanted = (places.length === 0 ? ['test'] : places)
	.flatMap(place => place.endsWith('.ts') ? [place] : globSync(path.join(place, '**/*.test.ts'), {cwd: root}))
	.filter(file => !isFast || !(isAmong(slow, file) || isAmong(slowInCompany, file)));

/** A file that changes what all files of a process have in common has a process of its own: hooks before or after each test, the environment, listeners for errors that nobody caught, a measured memory, hooks of modules and channels, the clock, folders that are named by the file. */
const isOwnProcess = (file: string): boolean =>
	longest.includes(file)
	|| file === alone
	|| isAmong(slow, file)
	|| /^(?:after|before)Each\(|\bdelete process\.env\b|\bprocess\.env\.\w+ = |\bprocess\.(?:memoryUsage\b|on\('un)|\b(?:diagnostics_channel|registerHooks|replayForTest)\b|\bownTimers\b|\/(?:deadlines|hanging-cluster|slow-redis)\.ts'/mv.test(readFileSync(path.join(root, file), 'utf8'));

const groupSize = 16;

/** Has files run in one process, one after the other. Returns the file that loads them: all before the first test, since Node.js runs the `after` hooks once no test is left, and those of a file that comes later never. */
const group = (members: readonly string[], index: number): string => {
	if (members.length === 1) {
		return members[0]!;
	}

	const folder = path.join(root, 'node_modules/.cache/test-groups');
	mkdirSync(folder, {recursive: true});
	const file = path.join(folder, `${path.dirname(members[0]!).replaceAll(path.sep, '-')}-${index}.mjs`);
	writeFileSync(file, members.map(member => `import ${JSON.stringify(pathToFileURL(path.join(root, member)).href)};\n`).join(''));
	return path.relative(root, file);
};

/** A process loads the library in half a second, and is slow at first. */
const grouped = Object.values(Object.groupBy(wanted.filter(file => !isOwnProcess(file)).toSorted(), file => path.dirname(file)))
	.flatMap((members = []) => Array.from({length: Math.ceil(members.length / groupSize)}, (_, index) => group(members.slice(index * groupSize, (index + 1) * groupSize), index)));

const files = [
	...longest.filter(file => wanted.includes(file)),
	...grouped,
	...wanted.filter(file => isOwnProcess(file) && !longest.includes(file) && file !== alone).toSorted(),
	...wanted.filter(file => file === alone),
];

if (files.length === 0 || places.some(place => !existsSync(path.join(root, place)))) {
	throw new Error(`No tests in ${places.join(', ')}: give files that end in .test.ts, or folders, from the root of the project`);
}

// A process of tests, and each that it starts, loads some 300 modules: compiled once, and without types, they take a third of the time.
process.env.NODE_COMPILE_CACHE ??= path.join(root, 'node_modules/.cache/test');

if (isFast) {
	process.env.FAST_TESTS = '1';
}

const stuck = new AbortController();
const running = new Set<string>();

const events = run({
	cwd: root,
	files,
	// Most of the time of a file is a wait.
	concurrency: availableParallelism() + 1,
	// For each test. A timeout of the run itself would be one of each file.
	execArgv: ['--test-timeout=120000'],
	signal: stuck.signal,
});

// A file whose tests are over does not end while one of them has left a connection open.
const watchdog = setTimeout(() => {
	console.error(`Nothing has happened for five minutes in: ${running.values().toArray().join(', ')}`);
	process.exitCode = 1;
	stuck.abort();
}, 300_000);

events.on('test:dequeue', ({name, nesting}) => {
	if (nesting === 0 && files.includes(path.relative(root, name))) {
		running.add(name);
	}
});

events.on('test:complete', ({name}) => {
	running.delete(name);
	watchdog.refresh();
});

events.once('end', () => {
	clearTimeout(watchdog);
});

events.on('test:fail', ({todo}) => {
	if (todo === undefined || todo === false) {
		process.exitCode = 1;
	}
});

events.compose(spec).pipe(process.stdout);
