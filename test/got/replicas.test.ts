import assert from 'node:assert/strict';
import {once} from 'node:events';
import test from 'node:test';
import {createClientPool, createCluster} from '@redis/client';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startCluster} from '../helpers/cluster.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {letLag, startReplica} from '../helpers/replica.ts';
import {unlessFast} from '../helpers/runs.ts';
import {startSentinelSet} from '../helpers/sentinel-set.ts';
import {isGot15} from './helpers.ts';
import {paths, purges as somePurges, startPurgeScene, type PurgeScene} from './purge-scene.ts';

/*
Purges that are confirmed when replicas have them.
*/

// The commands are the same with each got.
const slow = {timeout: 60_000, skip: isGot15 || unlessFast.skip};

const purges: typeof somePurges = {
	...somePurges,
	'by age': async cache => cache.invalidate({olderThan: 0}),
	'clear()': async cache => cache.clear(),
};

/** What each purge gives. */
const purgeAll = async ({cache, origin, bodies}: PurgeScene): Promise<Record<string, boolean>> => {
	const outcome: Record<string, boolean> = {};
	for (const [name, purge] of Object.entries(purges)) {
		await bodies();
		outcome[name] = await purge(cache, origin.url);
	}

	return outcome;
};

/** Of all purges. */
const all = (isConfirmed: boolean) => Object.fromEntries(Object.keys(purges).map(name => [name, isConfirmed]));

const tooFew = (port: number): RegExp => new RegExp(String.raw`^got-redis-cache: A purge was not confirmed, as the option .waitForReplicas. asks for 1 replica that has it: after 100 ms, 0 have it \(store: redis://127\.0\.0\.1:${port}\)`, 'v');

test('a purge is confirmed when as many replicas have it as `waitForReplicas` says, and not while they hang, lag or are too few', slow, async () => {
	await using master = await startRedis();
	await using replica = await startReplica(master);
	await using scene = await startPurgeScene({store: master.url, waitForReplicas: {count: 1, timeout: '100ms'}});
	await using patient = await startPurgeScene({store: master.url, namespace: 'patient', waitForReplicas: 1});
	await using greedy = await startPurgeScene({store: master.url, namespace: 'greedy', waitForReplicas: {count: 2, timeout: 1}});
	await using plain = await startPurgeScene({store: master.url, namespace: 'plain'});
	assert.deepEqual({outcome: await purgeAll(patient), errors: patient.errors}, {outcome: all(true), errors: []});
	assert.deepEqual(await purgeAll(greedy), all(false));
	assert.match(greedy.errors.join('\n'), /asks for 2 replicas that have it: after 1 ms, [01] ha(?:s|ve) it/v);

	replica.pause();
	assert.deepEqual(await purgeAll(scene), all(false));
	assert.equal(scene.errors.length, 1);
	assert.match(String(scene.errors), tooFew(master.port));
	assert.equal(scene.cache.health().state, 'ok');
	assert.deepEqual(await purgeAll(plain), all(true));
	const purging = patient.cache.invalidate({tag: 'tag'});
	replica.resume();
	assert.equal(await purging, true);

	await letLag(master, replica);
	assert.equal(await scene.cache.invalidate({tag: 'tag'}), false);
});

test('a purge that a replica has confirmed holds for everybody when that replica is promoted', slow, async () => {
	await using master = await startRedis();
	await using replica = await startReplica(master);
	await using scene = await startPurgeScene({store: master.url, waitForReplicas: 1});
	for (const [name, purge] of Object.entries(purges)) {
		const stored = await scene.bodies();
		assert.equal(stored.length, paths.length);
		assert.equal(await purge(scene.cache, scene.origin.url), true, name);
	}

	await Promise.all(paths.map(async path => scene.client(path)));
	const isThere = async () => Promise.all(paths.map(async path => scene.cache.has(`${scene.origin.url}/${path}`)));
	while ((await isThere()).includes(false)) {
		await scene.client('another');
	}

	replica.pause();
	const confirmations = Promise.all([scene.cache.delete(`${scene.origin.url}/url`), scene.cache.invalidate({tag: 'tag'})]);
	replica.resume();
	assert.deepEqual(await confirmations, [true, true]);
	await master.kill();
	await replica.client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
	await using other = redisCache({store: replica.url, timeout: 5000});
	const found = await Promise.all(paths.map(async path => other.has(`${scene.origin.url}/${path}`)));
	assert.deepEqual(found, [false, false, true, true]);
});

test('the purge of an unsafe request does not wait for replicas, and an event tells if they do not have it', slow, async () => {
	await using master = await startRedis();
	await using replica = await startReplica(master);
	await using scene = await startPurgeScene({store: master.url, waitForReplicas: {count: 1, timeout: '100ms'}});
	await scene.client('url');
	replica.pause();
	const told = once(scene.cache as never, 'error');
	await scene.client.post('url');
	assert.equal(await scene.cache.has(`${scene.origin.url}/url`), false);
	const [error] = await told as [Error];
	replica.resume();
	assert.match(error.message, tooFew(master.port));
});

const pausedAndResumed = async (replica: TestRedis, purge: () => Promise<boolean>): Promise<boolean> => {
	replica.pause();
	try {
		return await purge();
	} finally {
		replica.resume();
	}
};

test('a sentinel and a pool: a purge is confirmed when a replica has it', slow, async () => {
	await using set = await startSentinelSet();
	const {master, replica} = set;
	const sentinel = set.open();
	const pool = createClientPool({url: master.url}, {minimum: 3});
	for (const store of [sentinel, pool]) {
		await using scene = await startPurgeScene({store, waitForReplicas: 1});
		assert.deepEqual({outcome: await purgeAll(scene), errors: scene.errors}, {outcome: all(true), errors: []});
		await using hasty = await startPurgeScene({store, waitForReplicas: {count: 1, timeout: '100ms'}});
		assert.equal(await pausedAndResumed(replica, async () => hasty.cache.invalidate({tag: 'tag'})), false);
	}

	// In node-redis 5.12, `pool.destroy()` leaves a client that connects again for ever.
	await pool.close();
});

test('a cluster: a purge is confirmed when a replica of each master that it concerns has it, also with encryption', slow, async () => {
	await using nodes = await startCluster();
	const cluster = createCluster({rootNodes: nodes.masters.map(({url}) => ({url}))});
	cluster.on('error', () => undefined);
	const options: RedisCacheOptions = {store: cluster, encryption: 'ab'.repeat(32)};
	{
		// The first thing that a process does.
		await using first = await startPurgeScene({...options, waitForReplicas: 1});
		assert.equal(await first.cache.invalidate({tag: 'tag'}), true);
		assert.deepEqual({outcome: await purgeAll(first), errors: first.errors}, {outcome: all(true), errors: []});
		await using hasty = await startPurgeScene({...options, waitForReplicas: {count: 1, timeout: '100ms'}});
		const [replica] = nodes.replicas;
		assert.ok(replica);
		replica.pause();
		const outcomes: boolean[] = [];
		for (let number = 0; number < 30; number++) {
			outcomes.push(await hasty.cache.invalidate({tag: `tag ${number}`}));
		}

		const isCleared = await hasty.cache.clear();
		replica.resume();
		assert.deepEqual(new Set(outcomes), new Set([true, false]));
		assert.equal(isCleared, false);
		assert.match(hasty.errors.join('\n'), new RegExp(String.raw`of 127\.0\.0\.1:${nodes.masters[0]?.port}, after 100 ms, 0 have it`, 'v'));
		assert.equal(hasty.errors.length, 1);
	}

	cluster.destroy();
});

test('`waitForReplicas` is refused for a store that is no Redis', () => {
	for (const store of ['memory', new Map()] as const) {
		assert.throws(() => redisCache({store, waitForReplicas: 1}), /^TypeError: The option `waitForReplicas` in redisCache\(\) needs a `store` that is a Redis/v);
	}
});
