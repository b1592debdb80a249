import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {createClient, type RedisClientOptions} from '@redis/client';
import got, {type Got} from 'got';
import {redisCache, type RedisCache} from '../../source/index.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import {startRedis} from '../helpers/redis.ts';
import {stopReplica, type Fault, type Scene, type Undo} from './faults.ts';
import {startStage, type ClientPackage, type ClusterFault, type UsersClient} from './cluster-faults.ts';
import {createTally, failuresOf, learnErrors, startLoad, type Subject} from './load.ts';
import {startProxy} from './proxy.ts';
import {startResources, type OriginFault, type Resources} from './resources.ts';
import {forgetStalls} from './stalls.ts';

export type Figures = {
	readonly requests: number;
	/** Because of the cache. */
	readonly failed: readonly string[];
	readonly wrong: readonly string[];
	readonly unhandled: readonly string[];
	readonly warnings: readonly string[];
	readonly longestAddedMs: number;
	readonly longestPlainMs: number;
	/** After the fault; `undefined`: not within the patience. */
	readonly cachesAgainMs: number | undefined;
	readonly leaked: readonly string[];
	readonly events: readonly string[];
};

export type MeasureOptions = {
	readonly durationMs: number;
	readonly originFault?: OriginFault;
	/** The caches' deadline. */
	readonly timeoutMs?: number;
	readonly workers?: number;
	readonly pauseMs?: number;
	/** The most that what the fault leaves behind is given to show. */
	readonly settleMs?: number;
	/** The package of the users' clients. */
	readonly clientPackage?: ClientPackage;
};

const patienceMs = 15_000;

const unhandled: string[] = [];
const warnings: string[] = [];

/** From here on, what nobody handles and Node's warnings are counted instead of ending the process. */
export const watchProcess = (): void => {
	process.on('unhandledRejection', reason => unhandled.push(String((reason as Error | undefined)?.stack ?? reason)));
	process.on('uncaughtException', error => unhandled.push(String(error.stack)));
	process.on('warning', warning => warnings.push(String(warning.stack)));
};

const taken = (list: string[]): string[] => list.splice(0);

const countResources = (): Map<string, number> => {
	const counts = new Map<string, number>();
	for (const name of process.getActiveResourcesInfo()) {
		counts.set(name, (counts.get(name) ?? 0) + 1);
	}

	return counts;
};

const patiently = async (isDone: () => boolean | Promise<boolean>, pauseMs = 5): Promise<number | undefined> => {
	const startedMs = performance.now();
	while (!await isDone()) {
		if (performance.now() - startedMs > patienceMs) {
			return undefined;
		}

		await wait(pauseMs);
	}

	return performance.now() - startedMs;
};

let probes = 0;

/** How long until a response that is asked for again comes from the cache. */
const untilCached = async ({client}: Subject, pauseMs: number): Promise<number | undefined> => {
	const path = `probe/${++probes}`;
	return patiently(async () => {
		const {isFromCache} = await client(path);
		return isFromCache;
	}, pauseMs);
};

const plainTo = ({origin}: Resources): Got => got.extend({prefixUrl: origin.url, retry: {limit: 0}, timeout: {request: 20_000}});

const socketName = /^(?:TCPSocketWrap|\w*ConnectWrap)$/v;

/** What is left in the process that was not there before. */
const leftSince = async (before: ReadonlyMap<string, number>): Promise<string[]> => {
	await patiently(() => !process.getActiveResourcesInfo().includes('Timeout'));
	// Got's idle connections to the origin, and those of the test to Redis, come and go.
	return countResources().entries()
		.filter(([name, count]) => !socketName.test(name) && count > (before.get(name) ?? 0))
		.map(([name, count]) => `${count - (before.get(name) ?? 0)} ${name}`)
		.toArray();
};

const countSockets = () => process.getActiveResourcesInfo().filter(name => socketName.test(name)).length;

const leftSockets = async (): Promise<string[]> => {
	await patiently(() => countSockets() === 0);
	return countSockets() > 0 ? [`${countSockets()} sockets`] : [];
};

/** Its reconnecting is prompt, and the password is what it is now. */
const openIoredis = (scene: Scene): UsersClient => {
	const client = newestIoredis.open(`redis://127.0.0.1:${scene.proxy.port}`, {retryStrategy: () => 50});
	Object.defineProperty(client.options, 'password', {get: () => scene.password});
	return {
		store: client,
		isOpen: () => client.status !== 'end',
		destroy() {
			client.disconnect();
		},
	};
};

const openNodeRedis = (options: RedisClientOptions): UsersClient => {
	const client = createClient(options);
	return {
		store: client,
		isOpen: () => client.isOpen,
		destroy() {
			client.destroy();
		},
	};
};

type Caches = ReadonlyArray<readonly [name: string, cache: RedisCache]>;

type Observation = Pick<Figures, 'requests' | 'failed' | 'wrong' | 'longestAddedMs' | 'longestPlainMs' | 'cachesAgainMs' | 'events'>;

type Course = Required<Pick<MeasureOptions, 'durationMs' | 'workers' | 'pauseMs'>> & {
	readonly originFault: OriginFault | undefined;
	/** Whether the caches can have anything before the fault. */
	readonly isCaching: boolean;
	/** For how long what the fault leaves behind may show. */
	readonly afterMs: number;
	/** So many URLs are to be cached again afterwards, by each cache. */
	readonly probeCount: number;
	begin(): Promise<Undo>;
};

/** A steady load on caches while a fault comes and goes. */
const observe = async (resources: Resources, plain: Got, caches: Caches, {durationMs, workers, pauseMs, originFault, isCaching, afterMs, probeCount, begin}: Course): Promise<Observation> => {
	const events: string[] = [];
	for (const [name, cache] of caches) {
		cache.on('degraded', error => events.push(`${name}: degraded, ${error.message}`));
		cache.on('recovered', () => events.push(`${name}: recovered`));
		cache.on('failover', ({address, replacedBy}) => events.push(`${name}: failover, from ${address} to ${replacedBy.join(', ')}`));
	}

	const subjects: readonly Subject[] = caches.map(([name, cache]) => ({name, client: plain.extend(cache)}));
	const load = startLoad(resources, plain, subjects, {workers, pauseMs});
	if (isCaching) {
		await patiently(() => load.tally.hits > 20);
	}

	// What came before counts for right and wrong, not for delay.
	load.tally.longestAddedMs = 0;
	load.tally.longestPlainMs = 0;
	resources.fault = originFault;
	await learnErrors(plain, load.tally);
	const undo = await begin();
	await wait(durationMs);
	await undo();
	resources.fault = undefined;

	const recoveries = await Promise.all(subjects.flatMap(subject => Array.from({length: probeCount}, async () => untilCached(subject, pauseMs))));
	const during = load.tally;
	load.tally = createTally();
	await wait(afterMs);
	await patiently(() => load.tally.requests > 20);
	await load.stop();
	const after = load.tally;
	await Promise.all(caches.map(async ([, cache]) => cache.close()));

	return {
		requests: during.requests + after.requests,
		failed: [...failuresOf(during), ...failuresOf(after)],
		wrong: [...during.wrong, ...after.wrong],
		longestAddedMs: during.longestAddedMs,
		longestPlainMs: during.longestPlainMs,
		cachesAgainMs: recoveries.includes(undefined) ? undefined : Math.max(...recoveries.map(Number)),
		events,
	};
};

/**
Two caches on one Redis, one with a connection of its own, one with a client of the user's, under a steady load, while a fault comes and goes.
*/
export const measure = async (fault: Fault, {durationMs, originFault, timeoutMs = 250, workers = 4, pauseMs = 5, settleMs = Infinity, clientPackage}: MeasureOptions): Promise<Figures> => {
	taken(unhandled);
	taken(warnings);
	forgetStalls();
	const redis = await startRedis({args: ['--requirepass', 'right', ...fault.args ?? []]});
	await redis.client.auth({password: 'right'});
	await using proxy = await startProxy(redis.port);
	const resources = await startResources();
	const scene: Scene = {redis, proxy, password: 'right'};
	await fault.prepare?.(scene);

	const plain = plainTo(resources);
	await plain('probe/0');
	const resourcesBefore = countResources();

	const clientOptions: RedisClientOptions = {
		socket: {host: '127.0.0.1', port: proxy.port, tls: false},
		credentialsProvider: {type: 'async-credentials-provider', credentials: async () => ({password: scene.password})},
	};
	const usersClient = clientPackage === 'ioredis' ? openIoredis(scene) : openNodeRedis(clientOptions);
	const caches: Caches = [
		['own', redisCache({store: clientPackage === 'ioredis' ? usersClient.store : clientOptions, timeout: timeoutMs})],
		['users', redisCache({store: usersClient.store, timeout: timeoutMs, coalesce: 'fleet'})],
	];
	const observation = await observe(resources, plain, caches, {
		durationMs,
		workers,
		pauseMs,
		originFault,
		isCaching: scene.password === 'right',
		afterMs: Math.min(settleMs, fault.settleMs ?? 0),
		probeCount: 1,
		begin: async () => fault.begin(scene),
	});

	const leaked = usersClient.isOpen() ? [] : ['The user\'s client was closed'];
	usersClient.destroy();
	const openFor = await patiently(() => proxy.connections === 0);
	if (openFor === undefined) {
		leaked.push(`${proxy.connections} connections to Redis`);
	}

	leaked.push(...await leftSince(resourcesBefore));
	await Promise.all([resources[Symbol.asyncDispose](), stopReplica(scene), redis.stop()]);
	leaked.push(...await leftSockets());

	return {...observation, unhandled: taken(unhandled), warnings: taken(warnings), leaked};
};

/** So many that each master has some. */
const clusterProbes = 12;

/**
The same on a cluster, each cache with a client of its own.
*/
export const measureCluster = async (fault: ClusterFault, {durationMs, timeoutMs = 250, workers = 4, pauseMs = 5, clientPackage}: MeasureOptions): Promise<Figures> => {
	taken(unhandled);
	taken(warnings);
	forgetStalls();
	const stage = await startStage(fault);
	const resources = await startResources();
	const plain = plainTo(resources);
	await plain('probe/0');
	const resourcesBefore = countResources();

	const clients = Array.from({length: 2}, () => stage.createClient(clientPackage));
	const caches: Caches = clients.map(({store}, position) => position === 0
		? ['process', redisCache({store, timeout: timeoutMs})]
		: ['fleet', redisCache({store, timeout: timeoutMs, coalesce: 'fleet'})]);
	const observation = await observe(resources, plain, caches, {
		durationMs,
		workers,
		pauseMs,
		originFault: undefined,
		isCaching: true,
		afterMs: 0,
		probeCount: clusterProbes,
		begin: async () => fault.begin(stage.nodes),
	});

	const leaked = clients.every(client => client.isOpen()) ? [] : ['The user\'s client was closed'];
	for (const client of clients) {
		client.destroy();
	}

	leaked.push(...await leftSince(resourcesBefore));
	await Promise.all([resources[Symbol.asyncDispose](), stage.stop()]);
	leaked.push(...await leftSockets());

	return {...observation, unhandled: taken(unhandled), warnings: taken(warnings), leaked};
};
