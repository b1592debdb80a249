/* eslint-disable @typescript-eslint/no-loop-func -- `hanging` and `origin` are set once */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got, {type Got, type Response} from 'got';
import {cacheInfo, redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startHangingCluster, type Hanging, type HangingCluster} from '../helpers/hanging-cluster.ts';
import {respond, startOrigin, type Origin, type RecordedRequest} from '../helpers/origin.ts';
import type {TestRedis} from '../helpers/redis.ts';

/*
One master of three hangs. However many steps a request takes, it is delayed once.
*/

const timeoutMs = 250;
const mostMs = timeoutMs + 50;

/** The longest that a request waits between two looks at what another process stores. */
const longestLookMs = 250;

let hanging: HangingCluster;
let origin: Origin;

const answer = ({method, url, headers}: RecordedRequest) => {
	if (method === 'POST') {
		return {headers: {location: '/new/1', 'cache-group-invalidation': '"a", "b"'}, body: 'changed'};
	}

	if (url.startsWith('/vary')) {
		return {headers: {vary: 'accept-language', 'cache-control': 'max-age=60'}, body: String(headers['accept-language'])};
	}

	if (url.startsWith('/groups')) {
		return {headers: {'cache-groups': '"a", "b", "c"', 'cache-tag': 'd e f', 'cache-control': 'max-age=60'}, body: 'x'};
	}

	if (url.startsWith('/hop')) {
		return {status: 302, headers: {location: url.replace('/hop', '/new'), 'cache-control': 'max-age=60'}};
	}

	return {headers: {etag: '"a"', 'cache-control': url.startsWith('/stale') ? 'max-age=0' : 'max-age=60'}, body: 'x'};
};

before(async () => {
	[hanging, origin] = await Promise.all([startHangingCluster(), startOrigin()]);
	origin.handler = (request, response) => {
		respond(response, answer(request));
	};
}, {timeout: 60_000});

after(async () => {
	await Promise.all([hanging[Symbol.asyncDispose](), origin.stop()]);
});

/** So many that some lie on the master that hangs. */
const numbers = Array.from({length: 12}, (_, number) => number);

const requests: Record<string, (client: Got, number: number) => Promise<unknown>> = {
	'a request for what is not stored': async (client, number) => client(`new/${number}`),
	'a request for what is stored': async (client, number) => client(`known/${number}`),
	'a request for what is stale': async (client, number) => client(`stale/${number}`),
	'a request for a variant': async (client, number) => client(`vary/${number}`, {headers: {'accept-language': 'de'}}),
	'a request for what has groups and tags': async (client, number) => client(`groups/${number}`),
	'a request that is redirected': async (client, number) => client(`hop/${number}`),
	'a request that changes what is stored': async (client, number) => client.post(`known/${number}`),
	'each of 20 equal requests': async (client, number) => Promise.all(Array.from({length: 20}, async () => client(`equal/${number}`))),
};

let namespaces = 0;

const create = (options: RedisCacheOptions) => {
	const cache = redisCache({store: hanging.cluster, tagField: 'cache-tag', timeout: timeoutMs, ...options});
	return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
};

for (const coalesce of ['process', 'fleet'] as const) {
	for (const [name, request] of Object.entries(requests)) {
		test(`${name} is delayed once while a master hangs, coalesce: '${coalesce}'`, {timeout: 60_000}, async ({mock}) => {
			// In one of them lies what stands for the origin.
			for (const master of hanging.masters) {
				const {cache, client} = create({namespace: `n${++namespaces}`, coalesce});
				for (const path of ['known', 'stale', 'vary']) {
					await Promise.all(numbers.map(async number => client(`${path}/${number}`)));
				}

				const {waitOf, resume} = hanging.hang(master, mock);
				const waits: number[] = [];
				for (const number of numbers) {
					waits.push(await waitOf(async () => request(client, number)));
				}

				await resume();
				await cache.close();
				assert.ok(Math.max(...waits) <= mostMs, `they waited for ${waits.join(', ')} ms`);
			}
		});
	}
}

/** The master that has a key, and the key. */
const findKey = async (pattern: string): Promise<{readonly master: TestRedis; readonly key: string} | undefined> => {
	for (const master of hanging.masters) {
		const [key] = await master.client.keys(pattern);
		if (key !== undefined) {
			return {master, key};
		}
	}

	return undefined;
};

const until = async <Value>(find: () => Promise<Value | undefined>): Promise<Value> => {
	for (;;) {
		const found = await find();
		if (found !== undefined) {
			return found;
		}

		await nextTurn();
	}
};

/** By the clock of the test. */
const pass = async ({waitOf}: Hanging, ms: number) => waitOf(async () => new Promise(resolve => {
	setTimeout(resolve, ms);
}));

const untilGivenUp = async (cache: RedisCache, node: Hanging, ask: () => Promise<unknown>): Promise<void> => {
	while (!cache.health().nodes?.some(({state}) => state === 'unavailable')) {
		await node.waitOf(ask);
	}

	// What others have begun to wait for before is waited for.
	await pass(node, timeoutMs);
};

const statusOf = (response: Response) => cacheInfo(response)?.status;

/** The master that keeps what stands for the origin. */
const originMasterOf = async (namespace: string): Promise<TestRedis> => {
	const {master} = await until(async () => findKey(`${namespace}:{origin:*`));
	return master;
};

for (const isOrigins of [false, true]) {
	test(
		`a master that hangs, and ${isOrigins ? 'keeps' : 'does not keep'} the origin's version: told once, waited for by nobody any more, used again when it answers`,
		{timeout: 60_000},
		async ({mock}) => {
			const namespace = `n${++namespaces}`;
			const {cache, client} = create({namespace});
			const ask = async (number: number) => client(`known/${number}`);
			await Promise.all(numbers.map(async number => ask(number)));
			const originMaster = await originMasterOf(namespace);
			const master = isOrigins ? originMaster : hanging.masters.find(each => each !== originMaster)!; // There are three.
			const isThere = await Promise.all(numbers.map(async number => (await client(`known/${number}`)).isFromCache));
			assert.equal(isThere.includes(false), false, 'all is stored');
			const events: string[] = [];
			for (const name of ['error', 'degraded', 'recovered', 'failover'] as const) {
				cache.on(name, () => events.push(name));
			}

			const node = hanging.hang(master, mock);
			await untilGivenUp(cache, node, async () => Promise.all(numbers.map(async number => ask(number))));
			const told = cache.health();
			const statuses: unknown[] = [];
			let longestMs = 0;
			for (const number of numbers) {
				longestMs = Math.max(
					longestMs,
					await node.waitOf(async () => {
						statuses.push(statusOf(await ask(number)));
					}),
				);
			}

			// As long as several probes take.
			await pass(node, 4000);
			await pass(node, 4000);
			const during = [...events];
			await node.wake();
			while (cache.health().state !== 'ok') {
				await pass(node, 100);
			}

			const afterwards = [...events];
			await node.resume();
			for (const number of numbers) {
				await ask(number);
			}

			const again = await Promise.all(numbers.map(async number => statusOf(await ask(number))));
			await cache.close();
			assert.equal(told.state, 'partial');
			assert.deepEqual(
				new Map(told.nodes?.map(({address, state}) => [address, state])),
				new Map(hanging.masters.map(({port}) => [`127.0.0.1:${port}`, port === master.port ? 'unavailable' : 'ok'])),
			);
			assert.match(String(told.lastError), new RegExp(String.raw`did not answer within 250 ms, from its node 127\.0\.0\.1:${master.port} `, 'v'));
			assert.equal(longestMs, 0);
			assert.equal(statuses.includes('hit'), !isOrigins, 'what lies on the others, if it is known not to be purged');
			assert.equal(
				statuses.every(status => status === 'hit'),
				false,
			);
			assert.deepEqual(during, ['error', 'degraded']);
			assert.deepEqual(afterwards, ['error', 'degraded', 'recovered']);
			assert.deepEqual(
				again,
				numbers.map(() => 'hit'),
			);
		},
	);
}

/** The key of a lease that lies on another master than what stands for the origin. */
const findLease = async (client: Got, namespace: string, originMaster: TestRedis) => {
	for (const number of numbers) {
		const path = `lease/${number}`;
		const {promise: isAsked, resolve} = Promise.withResolvers<void>();
		const answers = origin.handler;
		origin.handler = () => {
			resolve();
		};

		const controller = new AbortController();
		const request = client(path, {signal: controller.signal}).catch(() => undefined);
		await isAsked;
		const lease = await until(async () => findKey(`${namespace}:*:lease:*`));
		controller.abort();
		await request;
		origin.handler = answers;
		await until(async () => await lease.master.client.exists(lease.key) === 0 ? true : undefined);
		if (lease.master !== originMaster) {
			return {path, ...lease};
		}
	}

	throw new Error('All leases lie where the origin does');
};

for (const isKnown of [false, true]) {
	test(
		`a request that waits for another process goes by itself when it cannot see any more what that one stores${isKnown ? ', at once if that is known' : ''}`,
		{timeout: 60_000},
		async ({mock}) => {
			const namespace = `n${++namespaces}`;
			const {cache, client} = create({namespace, coalesce: 'fleet'});
			await client('new/1');
			const originMaster = await originMasterOf(namespace);
			const {path, key, master} = await findLease(client, namespace, originMaster);

			const holdLease = async () => master.client.set(key, 'abcdefghijklmnop', {expiration: {type: 'PX', value: 3000}});
			await holdLease();
			const holding = setInterval(holdLease, 200);
			const looks = async () => Number(/cmdstat_eval:calls=(?<calls>\d+)/v.exec(await master.client.info('commandstats'))?.groups?.calls);
			const earlier = await looks();
			const node = hanging.watch(originMaster, mock);
			if (isKnown) {
				originMaster.pause();
				await untilGivenUp(cache, node, async () => client('new/1'));
			}

			const request = client(path);
			if (!isKnown) {
				await node.waitOf(async () => until(async () => ((await looks()) > earlier + 3 ? true : undefined)));
				originMaster.pause();
			}

			try {
				const waitedMs = await node.waitOf(async () => request);
				// The lease would be waited for up to three seconds. A request that is between two looks at it takes the next one first.
				assert.ok(waitedMs <= (isKnown ? 0 : mostMs + longestLookMs), `it waited for ${waitedMs} ms`);
			} finally {
				clearInterval(holding);
				await node.resume();
				await cache.close();
			}
		},
	);
}
