import {setTimeout as wait} from 'node:timers/promises';
import {createClient, createSentinel} from '@redis/client';
import {startRedis, type TestRedis} from './redis.ts';
import {startReplica} from './replica.ts';
import {startSentinel, type TestSentinel} from './sentinel.ts';

type OpenOptions = {
	/** Default: 0, which reads from the master. */
	readonly replicaPoolSize?: number;
};

const create = (watcher: TestSentinel, options?: OpenOptions) => {
	const client = createSentinel({...watcher.options, ...options});
	client.on('error', () => undefined);
	return client;
};

/** A sentinel knows a replica before it is in touch with it, and clients leave out one that it is not in touch with. */
const untilInTouch = async ({options: {name, sentinelRootNodes}}: TestSentinel): Promise<void> => {
	const client = createClient({socket: sentinelRootNodes[0]!}); // There is one.
	await client.connect();
	while ((await client.sendCommand<readonly string[][]>(['SENTINEL', 'REPLICAS', name])).flat().some(text => text.includes('disconnected'))) {
		await wait(10);
	}

	client.destroy();
};

export type SentinelSet = AsyncDisposable & {
	readonly master: TestRedis;
	readonly replica: TestRedis;
	readonly watcher: TestSentinel;
	/** A client as a user has one, not connected yet. It ends with the set. */
	open(options?: OpenOptions): ReturnType<typeof create>;
};

/**
A master, a replica in touch with it, and a sentinel that knows both.
*/
export const startSentinelSet = async (): Promise<SentinelSet> => {
	const master = await startRedis();
	const replica = await startReplica(master);
	const watcher = await startSentinel(master);
	await watcher.wanted('+slave');
	await untilInTouch(watcher);
	const clients: Array<ReturnType<typeof create>> = [];

	return {
		master,
		replica,
		watcher,
		open(options) {
			const client = create(watcher, options);
			clients.push(client);
			return client;
		},
		async [Symbol.asyncDispose]() {
			// One that nobody has createed can be destroyed as well.
			await Promise.all(clients.map(async client => client.destroy()));
			await watcher.stop();
			await Promise.all([replica.stop(), master.stop()]);
		},
	};
};
