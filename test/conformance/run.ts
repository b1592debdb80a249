/* eslint-disable node-test/no-import-test-files -- `npm test` runs `*.test.ts` alone */
/**
Runs the suite on caches and keeps apart what must not touch: its server, each cache and Redis have processes of their own.
*/
import {fork, type ChildProcess, type ForkOptions} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {startRedis} from '../helpers/redis.ts';
import type {Subject} from './subjects.ts';
import {loadSuite, type RawResults, type RunOptions, type Suite} from './suite.ts';

export type Run = {
	readonly subject: Subject;
	readonly results: RawResults;
};

export const runSuite = async (directory: string, subjects: readonly Subject[], {testId}: Pick<RunOptions, 'testId'> = {}): Promise<{suite: Suite; runs: Run[]}> => {
	const stdout = testId === undefined ? 'ignore' : 'inherit';
	const suite = await loadSuite(directory);
	await using redis = await startRedis();
	using origin = start('origin.ts', [suite.serverFile], stdout);
	const port = await origin.message() as number;

	const runs = await Promise.all(subjects.map(async subject => {
		using worker = start('worker.ts', [directory, subject.name, `http://127.0.0.1:${port}`, redis.url, ...testId === undefined ? [] : [testId]], stdout);
		return {subject, results: await worker.message() as RawResults};
	}));

	return {suite, runs};
};

const start = (file: string, parameters: string[], stdout: 'ignore' | 'inherit') => {
	const options: ForkOptions = {stdio: ['ignore', stdout, 'inherit', 'ipc']};
	const child = fork(fileURLToPath(new URL(file, import.meta.url)), parameters, options);
	return {
		message: async () => firstMessage(child, file),
		[Symbol.dispose]() {
			child.kill();
		},
	};
};

const firstMessage = async (child: ChildProcess, file: string): Promise<unknown> => {
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
