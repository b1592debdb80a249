import {spawn, type ChildProcessByStdio} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {Readable} from 'node:stream';
import type {TestRedis} from './redis.ts';

export type TestSentinel = AsyncDisposable & {
	/** What `createSentinel()` takes. */
	readonly options: {readonly name: string; readonly sentinelRootNodes: Array<{readonly host: string; readonly port: number}>};
	/** Resolves when its log has this. */
	wanted(text: string): Promise<void>;
	stop(): Promise<void>;
};

export type StartSentinelOptions = {
	/** Default: that of the master without TLS. */
	readonly masterPort?: number;
	/** What its configuration has in the place of its port. */
	readonly directives?: (port: number) => readonly string[];
};

class EndedError extends Error {}

const startOnPort = async (master: TestRedis, port: number, {masterPort = master.port, directives = () => []}: StartSentinelOptions): Promise<TestSentinel> => {
	const directory = await mkdtemp(path.join(tmpdir(), 'sentinel-test-'));
	const config = path.join(directory, 'sentinel.conf');
	await writeFile(
		config,
		`${directives(port).join('\n') || `port ${port}`}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${masterPort} 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n`,
	);
	const child: ChildProcessByStdio<null, Readable, null> = spawn('redis-server', [config, '--sentinel'], {stdio: ['ignore', 'pipe', 'inherit']}); // eslint-disable-line @typescript-eslint/no-restricted-types -- Node's
	let log = '';
	child.stdout.on('data', chunk => {
		log += String(chunk);
	});
	const closed = once(child, 'close');
	const ended = async () => {
		await closed;
		throw new EndedError(`The sentinel has ended:\n${log}`);
	};

	const wanted = async (text: string) => {
		while (!log.includes(text)) {
			await Promise.race([once(child.stdout, 'data'), ended()]);
		}
	};

	const stop = async () => {
		child.kill('SIGKILL');
		await closed;
		await rm(directory, {recursive: true});
	};

	try {
		await wanted('+monitor');
	} catch (error) {
		await stop();
		throw error;
	}

	return {
		options: {name: 'main', sentinelRootNodes: [{host: '127.0.0.1', port}]},
		wanted,
		stop,
		[Symbol.asyncDispose]: stop,
	};
};

/**
A sentinel of the test's own that watches a master, decides by itself, and takes half a second of silence for its death.
*/
export const startSentinel = async (master: TestRedis, options: StartSentinelOptions = {}): Promise<TestSentinel> => {
	for (let attempt = 1; ; attempt++) {
		try {
			// Below the ports of servers.
			return await startOnPort(master, randomInt(10_000, 12_000), options);
		} catch (error) {
			// Somebody else has the port.
			if (attempt === 20 || !(error instanceof EndedError)) {
				throw error;
			}
		}
	}
};
