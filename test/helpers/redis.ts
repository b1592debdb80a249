import {spawn} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import type {Socket} from 'node:net';
import path from 'node:path';
import type {Duplex} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {createClient, type RedisClientType} from '@redis/client';
import {shareClientClasses} from './client-classes.ts';

export type StartRedisOptions = {
	/** Default: a free one. */
	readonly port?: number;
	/** Further arguments of `redis-server`, such as `['--maxmemory', '1mb']`; they win over the helper's own. Another port of the server's is the given one plus `secondPortOffset`. */
	readonly args?: readonly string[] | ((port: number) => readonly string[]);
	/** `false`: the Unix socket alone; `port` is then 0. */
	readonly tcp?: boolean;
};

/**
A `redis-server` of the test's own, without persistence unless `args` say otherwise. Stop it with `stop()` in an `after` hook, or declare it with `await using`. It ends with the test's process in any case.
*/
export type TestRedis = AsyncDisposable & {
	readonly port: number;
	/** `redis://127.0.0.1:{port}` */
	readonly url: string;
	readonly socketPath: string;
	/** Another one after `restart()`. */
	readonly pid: number;
	/** A connected client for assertions; it reconnects by itself after `restart()`. */
	readonly client: RedisClientType;
	/** Ends the server and the client and removes the files. */
	stop(): Promise<void>;
	/** SIGSTOP: connections stay open, nothing answers. */
	pause(): void;
	/** SIGCONT. */
	resume(): void;
	/** SIGKILL; resolves when the server is gone. */
	kill(): Promise<void>;
	/** `kill()`, if it still runs, and a new server with the same port and arguments: empty, unless `args` say otherwise. */
	restart(): Promise<void>;
};

type Server = {
	readonly pid: number;
	signal(signal: NodeJS.Signals): void;
	kill(): Promise<void>;
	/** Whether the server keeps the process alive: not while it waits for the next test. */
	hold(isHeld: boolean): void;
};

/*
The subshell outlives a test process that is killed: at the end of its pipe (fd 3) it kills the server, whose process the shell itself becomes. A line on the pipe instead says that the server has ended already.
*/
const guardedServer = `
	binary=$(command -v redis-server || command -v valkey-server) || exit 127
	(trap '' INT TERM HUP; read -r line <&3 || { kill -9 $$; rm -rf -- "$0"; }) </dev/null >/dev/null 2>&1 &
	exec "$binary" "$@" 3<&-
`;

const ignore = () => undefined;

class PortTakenError extends Error {}

const startServer = async (directory: string, args: readonly string[]): Promise<Server> => {
	const child = spawn('sh', ['-c', guardedServer, directory, ...args], {stdio: ['ignore', 'pipe', 'pipe', 'pipe']});
	const guard = child.stdio[3] as Duplex;
	guard.on('error', ignore);
	const closed = new Promise<number | undefined>((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', () => {
			guard.end('ended\n');
		});
		child.once('close', code => {
			resolve(code ?? undefined);
		});
	});

	let log = '';
	const ready = new Promise<'ready'>(resolve => {
		const read = (text: string) => {
			log = (log + text).slice(-10_000);
			// “Ready to …” over TCP, “The server is now ready to …” on a Unix socket alone.
			if (log.includes('eady to accept connections')) {
				resolve('ready');
			}
		};

		child.stdout?.setEncoding('utf8').on('data', read);
		child.stderr?.setEncoding('utf8').on('data', read);
	});

	const readyOrCode = await Promise.race([ready, closed]);
	if (readyOrCode === 127) {
		throw new Error('The tests need a redis-server in PATH: `npm run test:setup`, `apt-get install redis-server` or `brew install redis`.');
	}

	if (readyOrCode !== 'ready') {
		throw log.includes('Address already in use')
			? new PortTakenError(`redis-server: the port is taken\n${log}`)
			: new Error(`redis-server ended with ${readyOrCode ?? 'a signal'} before it was ready\n${log}`);
	}

	return {
		// `spawn` reported no error, so there is one.
		pid: child.pid!,
		signal(signal) {
			child.kill(signal);
		},
		async kill() {
			child.kill('SIGKILL');
			await closed;
		},
		hold(isHeld) {
			const method = isHeld ? 'ref' : 'unref';
			child[method]();
			for (const pipe of [guard, child.stdout, child.stderr] as unknown as readonly Socket[]) {
				pipe[method]();
			}
		},
	};
};

/** From a server's port to that of its cluster bus, which Redis fixes, or of TLS. */
export const secondPortOffset = 10_000;

const startOnPort = async (directory: string, port: number, args: NonNullable<StartRedisOptions['args']>) => startServer(directory, [
	'--port',
	String(port),
	'--bind',
	'127.0.0.1',
	'--unixsocket',
	path.join(directory, 'redis.sock'),
	'--dir',
	directory,
	'--save',
	'',
	...typeof args === 'function' ? args(port) : args,
]);

const startOnFreePort = async (directory: string, args: NonNullable<StartRedisOptions['args']>): Promise<{port: number; server: Server}> => {
	for (let attempt = 1; ; attempt++) {
		// Both ports lie below the range that systems give to outgoing connections, so that nobody takes them between `kill()` and `restart()`.
		const port = randomInt(12_000, 22_000);
		try {
			return {port, server: await startOnPort(directory, port, args)};
		} catch (error) {
			if (attempt === 20 || !(error instanceof PortTakenError)) {
				throw error;
			}
		}
	}
};

const removeDirectory = async (directory: string) => rm(directory, {recursive: true, force: true, maxRetries: 3});

/** A server of this process that a test is done with. */
type IdleServer = {
	readonly server: Server;
	readonly port: number;
	readonly directory: string;
	/** The settings and users that it was started with. */
	readonly configuration: string;
};

/** Servers that the tests of one file have one after another: each test finds an empty one, as if it had just been started. */
const idle: IdleServer[] = [];

const configurationOf = async (client: RedisClientType): Promise<string> => JSON.stringify([
	Object.entries(await client.configGet('*')).toSorted(([first], [second]) => first.localeCompare(second)),
	await client.sendCommand(['ACL', 'LIST']),
]);

/** Empties a server for the next test. Returns whether it is as it was started: without other settings, users, a master or clients. */
const reset = async (client: RedisClientType, configuration: string): Promise<boolean> => {
	if (!client.isReady) {
		return false;
	}

	const [flushed] = await Promise.all([
		client.flushAll(),
		client.scriptFlush(),
		client.sendCommand(['CONFIG', 'RESETSTAT']),
		client.sendCommand(['CLIENT', 'UNPAUSE']),
	]);
	const [role, clients, now] = await Promise.all([
		client.sendCommand(['ROLE']) as unknown as Promise<readonly unknown[]>,
		client.sendCommand(['CLIENT', 'LIST']) as unknown as Promise<string>,
		configurationOf(client),
	]);

	return flushed === 'OK' && role[0] === 'master' && clients.trim().split('\n').length === 1 && now === configuration;
};

/** A reset that cannot be made, since the server hangs or refuses, says that the server is not to be used again. */
const isReset = async (client: RedisClientType, configuration: string): Promise<boolean> => {
	try {
		return await Promise.race([reset(client, configuration), delay(1000, false, {ref: false})]);
	} catch {
		return false;
	}
};

const connectTo = async (socketPath: string): Promise<RedisClientType> => {
	const client: RedisClientType = createClient({socket: {path: socketPath, reconnectStrategy: 20}});
	// Tests end and restart the server on purpose.
	client.on('error', ignore);
	await client.connect();

	return client;
};

export const startRedis = async (options: StartRedisOptions = {}): Promise<TestRedis> => {
	const isPlain = Object.keys(options).length === 0;
	const {port: givenPort, args = [], tcp = true} = options;
	const ready = isPlain ? idle.pop() : undefined;
	shareClientClasses();
	if (ready) {
		return lend(ready, args, await connectTo(path.join(ready.directory, 'redis.sock')));
	}

	const directory = await mkdtemp(path.join(tmpdir(), 'redis-test-'));
	const fixedPort = tcp ? givenPort : 0;

	let started: {port: number; server: Server};
	try {
		started = fixedPort === undefined
			? await startOnFreePort(directory, args)
			: {port: fixedPort, server: await startOnPort(directory, fixedPort, args)};
	} catch (error) {
		await removeDirectory(directory);
		throw error;
	}

	const {port, server} = started;
	const client = await connectTo(path.join(directory, 'redis.sock'));
	const configuration = isPlain ? await configurationOf(client) : '';

	return lend({server, port, directory, configuration}, args, client);
};

/** Gives a server to a test. */
const lend = ({port, directory, configuration, ...started}: IdleServer, args: NonNullable<StartRedisOptions['args']>, client: RedisClientType): TestRedis => {
	let {server} = started;
	let isTouched = configuration === '';
	let isStopped = false;
	server.hold(true);

	const stop = async () => {
		const isUsedAgain = !isTouched && await isReset(client, configuration);
		if (client.isOpen) {
			client.destroy();
		}

		if (isUsedAgain) {
			server.hold(false);
			idle.push({server, port, directory, configuration});
			return;
		}

		await server.kill();
		await removeDirectory(directory);
	};

	return {
		port,
		url: `redis://127.0.0.1:${port}`,
		socketPath: path.join(directory, 'redis.sock'),
		get pid() {
			return server.pid;
		},
		client,
		async stop() {
			if (isStopped) {
				return;
			}

			isStopped = true;
			await stop();
		},
		pause() {
			isTouched = true;
			server.signal('SIGSTOP');
		},
		resume() {
			server.signal('SIGCONT');
		},
		async kill() {
			isTouched = true;
			await server.kill();
		},
		async restart() {
			isTouched = true;
			await server.kill();
			server = await startOnPort(directory, port, args);
		},
		async [Symbol.asyncDispose]() {
			await this.stop();
		},
	};
};
