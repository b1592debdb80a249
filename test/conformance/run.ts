/**
Runs the suite on caches and keeps apart what must not touch: its server, each cache and Redis have processes of their own.
*/
import {fork, type ChildProcess, type ForkOptions, type Serializable} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {startRedis} from '../helpers/redis.ts';
import type {Subject} from './subjects.ts';
import {
	hasPassed,
	loadSuite,
	type RawResults,
	type RunOptions,
	type Suite,
} from './suite.ts';

export type Run = {
	readonly subject: Subject;
	readonly results: RawResults;
};

export type Runs = {
	readonly suite: Suite;
	readonly runs: readonly Run[];
};

/** The surroundings of the runs. */
type Ground = {
	readonly directory: string;
	readonly baseUrl: string;
	readonly redisUrl: string;
	readonly isVerbose: boolean;
};

/** A cache, and the tests to run on it; without `testIds`, all. */
type Job = {
	readonly subject: Subject;
	readonly testIds?: readonly string[];
};

/**
What fails on a cache of ours runs once more, with nothing else: the suite measures seconds, and on a busy machine a test may be late.
*/
export const runSuite = async (directory: string, subjects: readonly Subject[]): Promise<Runs> => withGround(directory, {isVerbose: false}, async (suite, ground) => {
	const first = await runJobs(ground, subjects.map(subject => ({subject})));
	const jobs = first.flatMap(run => {
		const testIds = run.subject.isPeer ? [] : worthAnotherTry(suite, run);
		return testIds.length === 0 ? [] : [{subject: run.subject, testIds}];
	});
	const second = new Map((await runJobs(ground, jobs)).map(({subject, results}) => [subject, results]));

	return {suite, runs: first.map(({subject, results}) => ({subject, results: {...results, ...passedOf(second.get(subject))}}))};
});

/** Runs one test and prints what it sends and receives. */
export const runTest = async (directory: string, subjects: readonly Subject[], testId: string): Promise<Runs> =>
	withGround(directory, {isVerbose: true}, async (suite, ground) => ({suite, runs: await runJobs(ground, subjects.map(subject => ({subject, testIds: [testId]})))}));

const withGround = async (directory: string, {isVerbose}: Pick<Ground, 'isVerbose'>, use: (suite: Suite, ground: Ground) => Promise<Runs>): Promise<Runs> => {
	const suite = await loadSuite(directory);
	await using redis = await startRedis();
	using origin = start('origin.ts', [suite.serverFile], {isVerbose});
	const port = await origin.message() as number;

	return await use(suite, {
		directory,
		baseUrl: `http://127.0.0.1:${port}`,
		redisUrl: redis.url,
		isVerbose,
	});
};

const runJobs = async ({directory, baseUrl, redisUrl, isVerbose}: Ground, jobs: readonly Job[]): Promise<Run[]> => {
	using workers = new DisposableStack();
	const ready = await Promise.all(jobs.map(async job => {
		const worker = workers.use(start('worker.ts', [directory, job.subject.name, redisUrl], {isVerbose, isQuiet: job.subject.isPeer}));
		await worker.message();
		return {...job, worker};
	}));

	// Together, when none keeps the machine busy with starting any more.
	return await Promise.all(ready.map(async ({subject, testIds, worker}) => {
		const options: RunOptions = {
			baseUrl,
			audience: subject.audience,
			testIds,
			isVerbose,
		};
		worker.send(options);
		return {subject, results: await worker.message() as RawResults};
	}));
};

/** The required and optimal tests that did not pass, and what they depend on that did not either. */
const worthAnotherTry = (suite: Suite, {subject, results}: Run): string[] => {
	const failed = suite.tests[subject.audience].filter(({id}) => !hasPassed(suite.judge(id, results)));
	const neededIds = new Set(failed.flatMap(({dependsOn}) => dependsOn));

	return failed.filter(({id, kind}) => kind !== 'check' || neededIds.has(id)).map(({id}) => id);
};

const passedOf = (results: RawResults = {}): RawResults => Object.fromEntries(Object.entries(results).filter(([, result]) => result === true));

/** @param options - `isQuiet`: a peer warns of listeners that it leaks, a thousand times. */
const start = (file: string, parameters: string[], {isVerbose, isQuiet = false}: {isVerbose: boolean; isQuiet?: boolean}) => {
	const options: ForkOptions = {stdio: ['ignore', isVerbose ? 'inherit' : 'ignore', isQuiet ? 'ignore' : 'inherit', 'ipc']};
	const child = fork(fileURLToPath(new URL(file, import.meta.url)), parameters, options);
	return {
		message: async () => nextMessage(child, file),
		send(message: Serializable) {
			child.send(message);
		},
		[Symbol.dispose]() {
			child.kill();
		},
	};
};

const nextMessage = async (child: ChildProcess, file: string): Promise<unknown> => {
	const abort = new AbortController();
	const {signal} = abort;
	try {
		return await Promise.race([
			once(child, 'message', {signal}).then(([message]) => message as unknown),
			once(child, 'exit', {signal}).then(([code]) => {
				throw new Error(`${file} ended with ${code} before it had an answer`);
			}),
		]);
	} finally {
		abort.abort();
	}
};
