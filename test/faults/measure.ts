import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {createClient, type RedisClientOptions} from '@redis/client';
import got from 'got';
import {redisCache} from '../../source/index.ts';
import {startRedis} from '../helpers/redis.ts';
import {stopReplica, type Fault, type Scene} from './faults.ts';
import {createTally, failuresOf, learnErrors, startLoad, type Subject} from './load.ts';
import {startProxy} from './proxy.ts';
import {startResources, type OriginFault} from './resources.ts';
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

const patiently = async (isDone: () => boolean | Promise<boolean>): Promise<number | undefined> => {
	const startedMs = performance.now();
	while (!await isDone()) {
		if (performance.now() - startedMs > patienceMs) {
			return undefined;
		}

		await wait(5);
	}

	return performance.now() - startedMs;
};

let probes = 0;

/** How long until a response that is asked for again comes from the cache. */
const untilCached = async ({client}: Subject): Promise<number | undefined> => {
	const path = `probe/${++probes}`;
	return patiently(async () => {
		const {isFromCache} = await client(path);
		return isFromCache;
	});
};

/**
Two caches on one Redis, one with a connection of its own, one with a client of the user's, under a steady load, while a fault comes and goes.
*/
export const measure = async (fault: Fault, {durationMs, originFault, timeoutMs = 250, workers = 4, pauseMs = 5, settleMs = Infinity}: MeasureOptions): Promise<Figures> => {
	taken(unhandled);
	taken(warnings);
	forgetStalls();
	const redis = await startRedis({args: ['--requirepass', 'right', ...fault.args ?? []]});
	await redis.client.auth({password: 'right'});
	await using proxy = await startProxy(redis.port);
	const resources = await startResources();
	const scene: Scene = {redis, proxy, password: 'right'};
	await fault.prepare?.(scene);

	const plain = got.extend({prefixUrl: resources.origin.url, retry: {limit: 0}, timeout: {request: 20_000}});
	await plain('probe/0');
	const resourcesBefore = countResources();

	const clientOptions: RedisClientOptions = {
		socket: {host: '127.0.0.1', port: proxy.port, tls: false},
		credentialsProvider: {type: 'async-credentials-provider', credentials: async () => ({password: scene.password})},
	};
	const usersClient = createClient(clientOptions);
	const ownCache = redisCache({store: clientOptions, timeout: timeoutMs});
	const usersCache = redisCache({store: usersClient, timeout: timeoutMs, coalesce: 'fleet'});
	const events: string[] = [];
	for (const [name, cache] of [['own', ownCache], ['user\'s', usersCache]] as const) {
		cache.on('degraded', error => events.push(`${name}: degraded, ${error.message}`));
		cache.on('recovered', () => events.push(`${name}: recovered`));
	}

	const subjects: readonly Subject[] = [{name: 'own', client: plain.extend(ownCache)}, {name: 'users', client: plain.extend(usersCache)}];

	const load = startLoad(resources, plain, subjects, {workers, pauseMs});
	if (scene.password === 'right') {
		await patiently(() => load.tally.hits > 20);
	}

	// What came before counts for right and wrong, not for delay.
	load.tally.longestAddedMs = 0;
	load.tally.longestPlainMs = 0;
	resources.fault = originFault;
	await learnErrors(plain, load.tally);
	const undo = await fault.begin(scene);
	await wait(durationMs);
	await undo();
	resources.fault = undefined;

	const recoveries = await Promise.all(subjects.map(async subject => untilCached(subject)));
	const during = load.tally;
	load.tally = createTally();
	await wait(Math.min(settleMs, fault.settleMs ?? 0));
	await patiently(() => load.tally.requests > 20);
	await load.stop();
	const after = load.tally;

	await Promise.all([ownCache.close(), usersCache.close()]);
	const leaked = usersClient.isOpen ? [] : ['The user\'s client was closed'];
	usersClient.destroy();
	const openFor = await patiently(() => proxy.connections === 0);
	if (openFor === undefined) {
		leaked.push(`${proxy.connections} connections to Redis`);
	}

	await patiently(() => !process.getActiveResourcesInfo().includes('Timeout'));
	const resourcesAfter = countResources();
	for (const [name, count] of resourcesAfter) {
		// Got's idle connections to the origin, and those of the test to Redis, come and go.
		if (!/^(?:TCPSocketWrap|\w*ConnectWrap)$/v.test(name) && count > (resourcesBefore.get(name) ?? 0)) {
			leaked.push(`${count - (resourcesBefore.get(name) ?? 0)} ${name}`);
		}
	}

	await Promise.all([resources[Symbol.asyncDispose](), stopReplica(scene), redis.stop()]);
	const countSockets = () => process.getActiveResourcesInfo().filter(name => /^(?:TCPSocketWrap|\w*ConnectWrap)$/v.test(name)).length;
	await patiently(() => countSockets() === 0);
	if (countSockets() > 0) {
		leaked.push(`${countSockets()} sockets`);
	}

	return {
		requests: during.requests + after.requests,
		failed: [...failuresOf(during), ...failuresOf(after)],
		wrong: [...during.wrong, ...after.wrong],
		unhandled: taken(unhandled),
		warnings: taken(warnings),
		longestAddedMs: during.longestAddedMs,
		longestPlainMs: during.longestPlainMs,
		cachesAgainMs: recoveries.includes(undefined) ? undefined : Math.max(...recoveries.map(Number)),
		leaked,
		events,
	};
};
