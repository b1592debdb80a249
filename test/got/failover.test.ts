/* eslint-disable node-test/require-assertion -- `assertPurgesLast()` has them */
import assert from 'node:assert/strict';
import test from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {createClient, createCluster, createSentinel} from '@redis/client';
import got from 'got';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startProxy} from '../faults/proxy.ts';
import {startCluster} from '../helpers/cluster.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {letLag, startReplica} from '../helpers/replica.ts';
import {startSentinel} from '../helpers/sentinel.ts';
import {isGot15} from './helpers.ts';

/*
A purge that a master has confirmed, and of which its replica had not heard when it took the master's place.
*/

/** Also if the test fails: an open connection keeps the process alive. */
const ending = (connection: {destroy(): unknown}) => ({
	async [Symbol.asyncDispose]() {
		await connection.destroy();
	},
});

const paths = ['url', 'tag/1', 'soft/1', 'prefix/1'];

/** Each answer is another, so that an old one shows. */
const startScene = async (options: RedisCacheOptions) => {
	const origin = await startOrigin(({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600', 'cache-tag': url.split('/', 2)[1]}).end(`${url} ${origin.requests.length}`);
	});
	const create = (more: RedisCacheOptions = options) => {
		const cache = redisCache({timeout: 5000, tagField: 'cache-tag', ...more});
		return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
	};

	const {cache, client} = create();
	const bodies = async (asking = client) => Promise.all(paths.map(async path => asking(path).text()));

	return {
		origin,
		cache,
		client,
		create,
		bodies,
		async [Symbol.asyncDispose]() {
			await cache.close();
			await origin.stop();
		},
	};
};

type Scene = Awaited<ReturnType<typeof startScene>>;

const purges: Record<string, (cache: RedisCache, url: string) => Promise<boolean>> = {
	url: async (cache, url) => cache.delete(`${url}/url`),
	tag: async cache => cache.invalidate({tag: 'tag'}),
	soft: async cache => cache.invalidate({tag: 'soft'}, {soft: true}),
	prefix: async (cache, url) => cache.invalidate({prefix: `${url}/prefix`}),
};

const catchUp = async (masters: readonly TestRedis[]): Promise<void> => {
	for (const {client} of masters) {
		await client.sendCommand(['WAIT', '1', '0']);
		const info = async () => client.info('replication');
		while (/offset=(?<offset>\d+)/v.exec(await info())?.groups?.offset !== /master_repl_offset:(?<offset>\d+)/v.exec(await info())?.groups?.offset) {
			await wait(10);
		}
	}
};

/** When they are stored, all of them. */
const bodiesStored = async ({bodies}: Scene): Promise<string[]> => {
	let last = await bodies();
	for (let again = await bodies(); String(again) !== String(last); again = await bodies()) {
		last = again;
	}

	return last;
};

/** What was undone in the store is done again there, without anybody's asking for it. */
const assertRenewed = async ({create, client, bodies}: Scene, old: readonly string[], options: RedisCacheOptions): Promise<void> => {
	const other = create(options);
	try {
		let found = await bodies(other.client);
		for (let look = 0; look < 1000 && found.some(body => old.includes(body)); look++) {
			await client('another').text();
			found = await bodies(other.client);
		}

		assert.deepEqual(found.filter(body => old.includes(body)), []);
	} finally {
		await other.cache.close();
	}
};

/** Purges that come undone in the store are undone for nobody who asks the process that made them, and soon for nobody else. */
const assertPurgesLast = async (scene: Scene, {masters, replicas, failOver, elsewhere}: {
	readonly masters: readonly TestRedis[];
	readonly replicas: readonly TestRedis[];
	failOver(): Promise<void>;
	/** What another process uses after it. */
	elsewhere(): RedisCacheOptions;
}): Promise<void> => {
	const {origin, cache, bodies} = scene;
	const old = await bodiesStored(scene);
	await catchUp(masters);
	for (const [position, master] of masters.entries()) {
		const replica = replicas[position];
		assert.ok(replica);
		await letLag(master, replica);
	}

	for (const [name, purge] of Object.entries(purges)) {
		assert.equal(await purge(cache, origin.url), true, name);
	}

	await failOver();
	for (let round = 0; round < 3; round++) {
		const now = await bodies();
		assert.deepEqual(now.filter(body => old.includes(body)), []);
	}

	await assertRenewed(scene, old, elsewhere());
};

// The commands are the same with each got.
const slow = {timeout: 60_000, skip: isGot15};

for (const [name, toStore] of Object.entries({
	'an own connection': (port: number) => `redis://127.0.0.1:${port}`,
	'a client of the user\'s'(port: number) {
		const client = createClient({socket: {port, reconnectStrategy: 10}});
		client.on('error', () => undefined);
		return client;
	},
})) {
	test(`${name}: what was purged stays purged where its name comes to stand for a replica that lagged behind`, slow, async () => {
		await using master = await startRedis();
		await using replica = await startReplica(master);
		await using proxy = await startProxy(master.port);
		const store = toStore(proxy.port);
		await using _store = typeof store === 'string' ? undefined : ending(store);
		await using scene = await startScene({store});
		await assertPurgesLast(scene, {
			masters: [master],
			replicas: [replica],
			async failOver() {
				await replica.client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
				proxy.targetPort = replica.port;
				proxy.cutAll();
			},
			elsewhere: () => ({store: replica.url}),
		});
	});
}

test('a sentinel: what was purged stays purged after a failover to a replica that lagged behind', slow, async () => {
	await using master = await startRedis();
	await using replica = await startReplica(master);
	await using watcher = await startSentinel(master);
	await watcher.wanted('+slave');
	const sentinel = createSentinel(watcher.options);
	sentinel.on('error', () => undefined);
	await using _sentinel = ending(sentinel);
	await using scene = await startScene({store: sentinel});
	await assertPurgesLast(scene, {
		masters: [master],
		replicas: [replica],
		async failOver() {
			await master.kill();
			await watcher.wanted('+switch-master');
		},
		elsewhere: () => ({store: replica.url}),
	});
});

test('a cluster: what was purged stays purged after a failover to replicas that lagged behind', slow, async () => {
	await using nodes = await startCluster();
	const cluster = createCluster({rootNodes: nodes.masters.map(({url}) => ({url}))});
	cluster.on('error', () => undefined);
	await using _cluster = ending(cluster);
	await using scene = await startScene({store: cluster});
	const isPromoted = (line: string) => nodes.replicas.some(({port}) => line.includes(`:${port}@`));
	const fresh = createCluster({rootNodes: nodes.replicas.map(({url}) => ({url}))});
	await using _fresh = ending(fresh);
	await assertPurgesLast(scene, {
		masters: nodes.masters,
		replicas: nodes.replicas,
		async failOver() {
			for (const {client} of nodes.replicas) {
				await client.sendCommand(['CLUSTER', 'FAILOVER', 'TAKEOVER']);
			}

			for (const {client} of [...nodes.masters, ...nodes.replicas]) {
				while ((await client.sendCommand<string>(['CLUSTER', 'NODES'])).split('\n').some(line => line.includes('master') && !isPromoted(line))) {
					await wait(10);
				}
			}
		},
		elsewhere: () => ({store: fresh}),
	});
});

test('what was cleared stays cleared after a failover to a replica that lagged behind', slow, async () => {
	await using master = await startRedis();
	await using replica = await startReplica(master);
	await using proxy = await startProxy(master.port);
	await using scene = await startScene({store: `redis://127.0.0.1:${proxy.port}`});
	const old = await bodiesStored(scene);
	await catchUp([master]);
	await letLag(master, replica);
	assert.equal(await scene.cache.clear(), true);
	await replica.client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
	const before = await replica.client.dbSize();
	proxy.targetPort = replica.port;
	proxy.cutAll();
	assert.deepEqual((await scene.bodies()).filter(body => old.includes(body)), []);
	assert.ok(before > paths.length);
	await assertRenewed(scene, old, {store: replica.url});
});

test('another connection to the same server drops nothing that was stored since a purge', slow, async () => {
	await using redis = await startRedis();
	await using proxy = await startProxy(redis.port);
	await using scene = await startScene({store: `redis://127.0.0.1:${proxy.port}`});
	const {origin, cache, bodies} = scene;
	await bodies();
	for (const purge of Object.values(purges)) {
		assert.equal(await purge(cache, origin.url), true);
	}

	const stored = await bodiesStored(scene);
	proxy.cutAll();
	while (proxy.connections > 0) {
		await wait(1);
	}

	// It takes a moment to find out which server it is.
	for (let look = 0; look < 1000 && !await cache.has(`${origin.url}/url`); look++) {
		await wait(5);
	}

	assert.deepEqual(await bodies(), stored);
});
