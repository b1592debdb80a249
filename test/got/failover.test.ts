/* eslint-disable node-test/require-assertion -- `assertPurgesLast()` has them */
import assert from 'node:assert/strict';
import test from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {createClient, createCluster} from '@redis/client';
import type {RedisCacheOptions} from '../../source/index.ts';
import {startProxy} from '../faults/proxy.ts';
import {startCluster} from '../helpers/cluster.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {catchUp, letLag, startReplica} from '../helpers/replica.ts';
import {startSentinelSet} from '../helpers/sentinel-set.ts';
import {isGot15} from './helpers.ts';
import {paths, purges, startPurgeScene, type PurgeScene} from './purge-scene.ts';

/*
A purge that a master has confirmed, and of which its replica had not heard when it took the master's place.
*/

/** Also if the test fails: an open connection keeps the process alive. */
const ending = (connection: {destroy(): unknown}) => ({
	async [Symbol.asyncDispose]() {
		await connection.destroy();
	},
});

/** What was undone in the store is done again there, without anybody's asking for it. */
const assertRenewed = async ({other, client}: PurgeScene, old: readonly string[], options: RedisCacheOptions): Promise<void> => {
	const {bodies} = other(options);
	let found = await bodies();
	for (let look = 0; look < 1000 && found.some(body => old.includes(body)); look++) {
		await client('another').text();
		found = await bodies();
	}

	assert.deepEqual(found.filter(body => old.includes(body)), []);
};

/** Purges that come undone in the store are undone for nobody who asks the process that made them, and soon for nobody else. */
const assertPurgesLast = async (scene: PurgeScene, {masters, replicas, failOver, elsewhere}: {
	readonly masters: readonly TestRedis[];
	readonly replicas: readonly TestRedis[];
	failOver(): Promise<void>;
	/** What another process uses after it. */
	elsewhere(): RedisCacheOptions;
}): Promise<void> => {
	const {origin, cache, bodies} = scene;
	const old = await scene.bodiesStored();
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
		await using scene = await startPurgeScene({store});
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
	await using set = await startSentinelSet();
	const {master, replica, watcher} = set;
	await using scene = await startPurgeScene({store: set.open()});
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
	await using scene = await startPurgeScene({store: cluster});
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

test('a cache that was cleared stays cleared after a failover to a replica that lagged behind', slow, async () => {
	await using master = await startRedis();
	await using replica = await startReplica(master);
	await using proxy = await startProxy(master.port);
	await using scene = await startPurgeScene({store: `redis://127.0.0.1:${proxy.port}`});
	const old = await scene.bodiesStored();
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
	await using scene = await startPurgeScene({store: `redis://127.0.0.1:${proxy.port}`});
	const {origin, cache, bodies} = scene;
	await bodies();
	for (const purge of Object.values(purges)) {
		assert.equal(await purge(cache, origin.url), true);
	}

	const stored = await scene.bodiesStored();
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
