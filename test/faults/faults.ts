import {Buffer} from 'node:buffer';
import {setTimeout as wait} from 'node:timers/promises';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {stepClock} from './clock.ts';
import type {Proxy} from './proxy.ts';
import {stall} from './stalls.ts';

export type Scene = {
	readonly redis: TestRedis;
	/** Between the caches and Redis. */
	readonly proxy: Proxy;
	/** The caches' password; Redis knows `'right'`. */
	password: string;
};

export type Undo = () => unknown;

export type Fault = {
	readonly name: string;
	/** Further arguments of `redis-server`. */
	readonly args?: readonly string[];
	/** For how long what the fault leaves behind may show. */
	readonly settleMs?: number;
	/** Before the first request. */
	prepare?(scene: Scene): Promise<void>;
	begin(scene: Scene): Promise<Undo>;
};

/** Again and again, one after the other, until it is undone. */
const repeat = (everyMs: number, act: () => unknown): Undo => {
	const stopping = new AbortController();
	const go = async () => {
		while (!stopping.signal.aborted) {
			try {
				await act();
			} catch {
				// The server may just be gone, which is another fault's doing.
			}

			await wait(everyMs);
		}
	};

	const going = go();
	return async () => {
		stopping.abort();
		await going;
	};
};

const weather = (name: string, conditions: Proxy['weather']): Fault => ({
	name,
	async begin({proxy}) {
		proxy.weather = conditions;
		return () => {
			proxy.weather = {};
		};
	},
});

const clock = (name: string, offsetMs: number): Fault => ({
	name,
	settleMs: 2000,
	async begin() {
		stepClock(offsetMs);
		return () => {
			stepClock(0);
		};
	},
});

const usePassword = async ({redis: {client}}: Scene, password: string) => {
	await client.configSet('requirepass', password);
	await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
};

const anyKey = async (client: TestRedis['client']) => await client.sendCommand<string | null>(['RANDOMKEY']) ?? undefined; // eslint-disable-line @typescript-eslint/no-restricted-types -- node-redis's

const spoilOne = async ({client}: TestRedis): Promise<void> => {
	const key = await anyKey(client);
	if (key === undefined) {
		return;
	}

	const length = await client.strLen(key);
	const position = Math.floor(Math.random() * length);
	const manners = [
		async () => client.sendCommand(['SETRANGE', key, String(position), String.fromCodePoint(Math.floor(Math.random() * 128))]),
		async () => client.sendCommand(['SET', key, Buffer.alloc(position, 'x').toString(), 'KEEPTTL']),
		async () => client.sendCommand(['APPEND', key, 'more']),
		async () => client.sendCommand(['COPY', key, await anyKey(client) ?? key, 'REPLACE']),
		async () => client.multi().del(key).hSet(key, 'a', 'hash').exec(),
	];
	await manners[Math.floor(Math.random() * manners.length)]?.();
};

/** It waits five seconds for more replicas otherwise. */
const promptMaster = ['--repl-diskless-sync-delay', '0'];

const replicaOf = async (port: number): Promise<TestRedis> => {
	const replica = await startRedis({args: ['--repl-diskless-load', 'on-empty-db', '--masterauth', 'right', '--requirepass', 'right', '--replicaof', '127.0.0.1', String(port)]});
	await replica.client.auth({password: 'right'});
	while (!(await replica.client.info('replication')).includes('master_link_status:up')) {
		await wait(10);
	}

	return replica;
};

const offsetOf = async ({client}: TestRedis, field: string) => (new RegExp(String.raw`${field}:(\d+)`, 'v').exec(await client.info('replication')))?.[1];

/** What Redis confirms before it has replicated may be lost: not what is tested here. From now on, the master takes no writes. */
export const haveAllReplicated = async (master: TestRedis, replica: TestRedis): Promise<void> => {
	await master.client.sendCommand(['CLIENT', 'PAUSE', '10000', 'WRITE']);
	while (await offsetOf(master, 'master_repl_offset') !== await offsetOf(replica, 'slave_repl_offset')) {
		await wait(5);
	}
};

const replicas = new WeakMap<Scene, TestRedis>();

const hour = 3_600_000;

export const faults: readonly Fault[] = [
	{
		name: 'Redis killed (SIGKILL), then started empty',
		async begin({redis}) {
			await redis.kill();
			return async () => redis.restart();
		},
	},
	{
		name: 'Redis paused (SIGSTOP)',
		async begin({redis}) {
			redis.pause();
			return () => {
				redis.resume();
			};
		},
	},
	{
		name: '`CLIENT KILL` every 50 ms',
		begin: async ({redis}) => repeat(50, async () => redis.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])),
	},
	{
		name: '`DEBUG SLEEP 0.3` again and again',
		args: ['--enable-debug-command', 'yes'],
		begin: async ({redis}) => repeat(50, async () => redis.client.sendCommand(['DEBUG', 'SLEEP', '0.3'])),
	},
	weather('latency 50 ms each way', {delayMs: 50}),
	weather('latency 300 ms each way', {delayMs: 300}),
	weather('jitter up to 300 ms each way', {jitterMs: 300}),
	weather('connections cut in the middle of a reply', {cutWithinBytes: 20_000}),
	weather('black hole', {isBlackHole: true}),
	{
		name: '`maxmemory` reached, `noeviction`',
		async begin({redis: {client}}) {
			await client.configSet('maxmemory', '1');
			return async () => client.configSet('maxmemory', '0');
		},
	},
	{
		name: '`maxmemory` reached, `allkeys-lru`',
		args: ['--maxmemory-policy', 'allkeys-lru'],
		async begin({redis: {client}}) {
			await client.configSet('maxmemory', '2300kb');
			return async () => client.configSet('maxmemory', '0');
		},
	},
	{
		name: 'master dies, its replica is promoted',
		args: promptMaster,
		async prepare(scene) {
			replicas.set(scene, await replicaOf(scene.redis.port));
		},
		async begin(scene) {
			const {redis, proxy} = scene;
			const replica = replicas.get(scene)!; // `prepare` has set it.
			await haveAllReplicated(redis, replica);
			await redis.kill();
			return async () => {
				await replica.client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
				proxy.targetPort = replica.port;
			};
		},
	},
	{
		name: 'master turned read-only',
		async begin({redis: {client}}) {
			const other = await startRedis({args: promptMaster});
			await client.sendCommand(['REPLICAOF', '127.0.0.1', String(other.port)]);
			return async () => {
				await client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
				await other.stop();
			};
		},
	},
	{
		name: '`FLUSHALL` every 20 ms',
		begin: async ({redis}) => repeat(20, async () => redis.client.flushAll()),
	},
	{
		name: '`SCRIPT FLUSH` every 5 ms',
		begin: async ({redis}) => repeat(5, async () => redis.client.scriptFlush()),
	},
	{
		name: 'wrong password, later corrected',
		async prepare(scene) {
			scene.password = 'wrong';
		},
		async begin(scene) {
			return () => {
				scene.password = 'right';
			};
		},
	},
	{
		name: 'password rotated, caches told later',
		async begin(scene) {
			await usePassword(scene, 'rotated');
			return () => {
				scene.password = 'rotated';
			};
		},
	},
	{
		name: 'values corrupted at random',
		begin: async ({redis}) => repeat(2, async () => spoilOne(redis)),
	},
	clock('clock stepped 3 h ahead, and back', 3 * hour),
	clock('clock stepped 3 h back, and ahead', -3 * hour),
	{
		name: 'event loop blocked for 300 ms again and again',
		begin: async () => repeat(100, () => {
			stall(300);
		}),
	},
];

export const stopReplica = async (scene: Scene): Promise<void> => {
	await replicas.get(scene)?.stop();
};
