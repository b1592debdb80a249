import {fork, spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {setUp, type Setup} from '../got/helpers.ts';
import type {RedisCacheOptions} from '../../source/index.ts';
import type {Job, JobResult} from './host.ts';

export const main = path.resolve(import.meta.dirname, '../../source/cli/main.ts');

export type Ran = {
	/** `undefined` for a process that a signal ended. */
	readonly code: number | undefined;
	readonly stdout: string;
	readonly stderr: string;
};

export type RunOptions = {
	readonly env?: NodeJS.ProcessEnv;
	readonly stdin?: string;
};

const {NO_COLOR: _noColor, FORCE_COLOR: _forceColor, COLUMNS: _columns, REDIS_URL: _redisUrl, ...quietEnvironment} = process.env;

/** The environment of a command that nothing else than the test sets. */
export const environment = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({...quietEnvironment, ...env});

/** Runs the command line as a process of its own. One that does not end is killed. */
export const runCliProcess = async (arguments_: readonly string[], {env, stdin = ''}: RunOptions = {}): Promise<Ran> => {
	const child = spawn(process.execPath, [main, ...arguments_], {env: environment(env), timeout: 60_000, killSignal: 'SIGKILL'});
	child.stdin.on('error', () => undefined);
	child.stdin.end(stdin);
	const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>]); // eslint-disable-line @typescript-eslint/no-restricted-types -- Node's
	return {code: code ?? undefined, stdout, stderr};
};

let host: ChildProcess | undefined;

const startHost = (): ChildProcess => {
	const child = fork(path.join(import.meta.dirname, 'host.ts'), {env: environment(), execArgv: ['--no-warnings'], stdio: ['ignore', 'inherit', 'inherit', 'ipc']});
	child.once('exit', () => {
		host = undefined;
	});
	return child;
};

const runInHost = async (job: Job): Promise<Ran> => {
	host ??= startHost();
	const {promise, resolve, reject} = Promise.withResolvers<Ran>();
	const fail = (code: unknown) => {
		reject(new Error(`The process of ${job.arguments.join(' ')} ended unexpectedly: ${String(code)}`));
	};

	host.once('exit', fail);
	host.once('message', message => {
		const {code, stdout, stderr} = message as JobResult;
		// JSON has no `undefined`.
		resolve({code, stdout, stderr});
	});
	host.ref();
	host.channel?.ref();
	host.send(job);
	try {
		return await promise;
	} finally {
		host?.off('exit', fail);
		host?.unref();
		host?.channel?.unref();
	}
};

let last: Promise<unknown> = Promise.resolve();

/**
Runs the command line, with an environment and standard streams of its own, in a process that runs the commands of a test file one after the other: loading the library takes far longer than most commands.

@returns What a process of the command's own would: without a code if the process would not end by itself.
*/
export const runCli = async (arguments_: readonly string[], {env, stdin = ''}: RunOptions = {}): Promise<Ran> => {
	const before = last;
	const running = (async () => {
		await before.catch(() => undefined);
		return runInHost({arguments: arguments_, env: environment(env), stdin});
	})();
	last = running;
	return running;
};

export type CliSetup = Setup & {
	/** Runs a command with the Redis of the test. */
	readonly cli: (...arguments_: readonly string[]) => Promise<Ran>;
	/** The same, with the lines of stdout as JSON. */
	readonly json: (...arguments_: readonly string[]) => Promise<ReadonlyArray<Readonly<Record<string, any>>>>;
	/** Has responses stored: by their paths, of which the parts of `tags` are tags. */
	readonly store: (paths: readonly string[], context?: {readonly tags?: readonly string[]}) => Promise<void>;
};

/** A cache on a Redis and in front of an origin of the test's own, and the command line for it. */
export const setUpCli = async (options: RedisCacheOptions = {}): Promise<CliSetup> => {
	const setup = await setUp(options);
	const {redis, client, origin} = setup;
	origin.handler = ({url, headers}, response) => {
		response.writeHead(200, {
			'cache-control': 'max-age=60',
			'content-type': 'text/plain',
			etag: '"1"',
			...(url.startsWith('/vary') && {vary: 'accept-language'}),
			...(url.startsWith('/old') && {age: '120'}),
			...(url.startsWith('/group') && {'cache-groups': '"g"'}),
		});
		response.end(`body of ${url} ${headers['accept-language'] ?? ''}`.trim());
	};

	const cli = async (...arguments_: readonly string[]) => runCli(arguments_, {env: {REDIS_URL: redis.url}});

	return {
		...setup,
		cli,
		async json(...arguments_) {
			const {stdout} = await cli(...arguments_, '--json');
			return stdout.split('\n').filter(Boolean).map(line => JSON.parse(line) as Record<string, any>);
		},
		async store(paths, {tags = []} = {}) {
			for (const each of paths) {
				await client(each, {context: {cache: {tags: [...tags]}}});
			}
		},
	};
};
