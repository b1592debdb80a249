import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {TestRedis} from './redis.ts';

export type TestSentinel = AsyncDisposable & {
	/** What `createSentinel()` takes. */
	readonly options: {readonly name: string; readonly sentinelRootNodes: Array<{readonly host: string; readonly port: number}>};
	/** Resolves when its log has this. */
	wanted(text: string): Promise<void>;
	stop(): Promise<void>;
};

let count = 0;

/**
A sentinel of the test's own that watches a master, decides by itself, and takes half a second of silence for its death.
*/
export const startSentinel = async (master: TestRedis): Promise<TestSentinel> => {
	const port = master.port + 5000 + count++;
	const directory = await mkdtemp(path.join(tmpdir(), 'sentinel-test-'));
	const config = path.join(directory, 'sentinel.conf');
	await writeFile(config, `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n`);
	const child = spawn('redis-server', [config, '--sentinel'], {stdio: ['ignore', 'pipe', 'inherit']});
	let log = '';
	child.stdout.on('data', chunk => {
		log += String(chunk);
	});

	const wanted = async (text: string) => {
		while (!log.includes(text)) {
			await once(child.stdout, 'data');
		}
	};

	const stop = async () => {
		const closed = once(child, 'close');
		child.kill('SIGKILL');
		await closed;
		await rm(directory, {recursive: true});
	};

	await wanted('+monitor');
	return {
		options: {name: 'main', sentinelRootNodes: [{host: '127.0.0.1', port}]},
		wanted,
		stop,
		[Symbol.asyncDispose]: stop,
	};
};
