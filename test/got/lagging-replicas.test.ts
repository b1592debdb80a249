import assert from 'node:assert/strict';
import test from 'node:test';
import {createCluster, type RedisClusterType} from '@redis/client';
import type {StoreOption} from '../../source/index.ts';
import {startProxy} from '../faults/proxy.ts';
import {startCluster} from '../helpers/cluster.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {catchUp, letLag, startReplica} from '../helpers/replica.ts';
import {startSentinelSet} from '../helpers/sentinel-set.ts';
import {isGot15} from './helpers.ts';
import {paths, purges, startPurgeScene, type PurgeClient} from './purge-scene.ts';

/*
Replicas that lag behind while their owner reads from them: what was purged is not read there.
*/

// The commands are the same with each got.
const slow = {timeout: 60_000, skip: isGot15};

/** How much of what its master has written a replica has. */
const offsetOf = async ({client}: TestRedis): Promise<number> => Number(/^(?:slave|master)_repl_offset:(?<offset>\d+)/mv.exec(await client.info('replication'))?.groups?.offset);

/** The commands with a key that clients have sent since `CONFIG RESETSTAT`. */
const readsOf = async (nodes: readonly TestRedis[]): Promise<string[]> => {
	const stats = await Promise.all(nodes.map(async ({client}) => client.info('commandstats')));
	return stats.flatMap(text => text.matchAll(/^cmdstat_(?<name>get|mget|getrange|eval|evalsha|hget|strlen|pttl):/gmv).map(({groups}) => groups?.name ?? '').toArray());
};

type Nodes = {
	readonly masters: readonly TestRedis[];
	readonly replicas: readonly TestRedis[];
};

/** Purges in one process, and asks it and another one, while all replicas lag behind. */
const assertPurgesHold = async ({masters, replicas}: Nodes, open: () => StoreOption): Promise<void> => {
	await using scene = await startPurgeScene({store: open()});
	const other = scene.other({store: open()});
	const processes: readonly PurgeClient[] = [scene, other];
	const events: string[] = [];
	for (const {cache} of processes) {
		cache.on('degraded', ({message}) => events.push(message));
		cache.on('failover', ({address}) => events.push(address));
	}

	const old = await scene.bodiesStored();
	assert.deepEqual(await other.bodies(), old, 'both have the same');
	await catchUp(masters);
	for (const [position, replica] of replicas.entries()) {
		await letLag(masters[position]!, replica); // There are as many.
		await replica.client.sendCommand(['CONFIG', 'RESETSTAT']);
	}

	const offsets = await Promise.all(replicas.map(async replica => offsetOf(replica)));

	for (const [position, path] of paths.entries()) {
		const [name] = path.split('/', 1);
		assert.equal(await purges[name!]?.(scene.cache, scene.origin.url), true, name); // It has a purge of this name.
		const known = await Promise.all(processes.map(async ({cache}) => cache.has(`${scene.origin.url}/${path}`)));
		assert.deepEqual(known, [false, false], `${name}: both know`);
		for (const {client} of processes) {
			assert.notEqual(await client(path).text(), old[position], name);
		}
	}

	const stored = await scene.bodiesStored();
	assert.deepEqual(stored.filter(body => old.includes(body)), []);
	assert.deepEqual(await other.bodies(), stored);

	await scene.client.post('url');
	const afterwards = await Promise.all(processes.map(async ({client}) => client('url').text()));
	assert.equal(afterwards.includes(stored[0] ?? ''), false, 'an unsafe request purges as well');

	assert.deepEqual(await Promise.all(replicas.map(async replica => offsetOf(replica))), offsets, 'no replica has heard of anything');
	// Which masters have a key of this origin depends on its port: one of three may have none.
	const masterOffsets = await Promise.all(masters.map(async master => offsetOf(master)));
	assert.ok(masterOffsets.some((offset, position) => offset > offsets[position]!), 'there was something to hear of'); // There are as many.

	assert.deepEqual(await readsOf(replicas), []);
	assert.deepEqual([...scene.errors, ...other.errors, ...events], []);
};

test('a cluster whose replicas lag behind its client, which reads from them: what a process has purged is a hit for nobody', slow, async () => {
	await using nodes = await startCluster({tellsReplicas: true});
	const clients: RedisClusterType[] = [];
	using _ended = {
		[Symbol.dispose]() {
			for (const client of clients) {
				client.destroy();
			}
		},
	};
	await assertPurgesHold(nodes, () => {
		const client: RedisClusterType = createCluster({rootNodes: nodes.masters.map(({url}) => ({url})), useReplicas: true});
		client.on('error', () => undefined);
		clients.push(client);
		return client;
	});
	assert.deepEqual(new Set(clients[0]?.replicas.map(({port}) => port)), new Set(nodes.replicas.map(({port}) => port)), 'its client knows them');
});

test('a sentinel with a pool of replicas that lag behind: what a process has purged is a hit for nobody', slow, async () => {
	await using set = await startSentinelSet();
	const clients: Array<ReturnType<typeof set.open>> = [];
	await assertPurgesHold({masters: [set.master], replicas: [set.replica]}, () => {
		const client = set.open({replicaPoolSize: 2});
		clients.push(client);
		return client;
	});
	assert.equal(clients[0]?.getReplicaNodes().size, 1, 'its client knows it');
});

test('a process whose own client is connected to a replica behind a slow link: confirms no purge, and heeds one of another process when the replica has heard of it', slow, async () => {
	await using master = await startRedis();
	await using link = await startProxy(master.port);
	await using replica = await startReplica(master, link.port);
	await using scene = await startPurgeScene({store: master.url});
	const reader = scene.other({store: replica.url});
	const old = await scene.bodiesStored();
	await catchUp([master]);
	assert.deepEqual(await reader.bodies(), old, 'a replica is read from');

	link.weather = {isBlackHole: true};
	for (const [name, purge] of Object.entries(purges)) {
		assert.equal(await purge(scene.cache, scene.origin.url), true, name);
	}

	const now = await scene.bodiesStored();
	assert.deepEqual(now.filter(body => old.includes(body)), [], 'in the process that has purged');
	assert.deepEqual(await reader.bodies(), old, 'the replica has not heard of it');
	assert.equal(await reader.cache.delete(`${scene.origin.url}/url`), false);
	assert.notEqual(await reader.client('url').text(), old[0], 'a purge that nobody has confirmed holds in its own process');

	link.weather = {};
	await catchUp([master]);
	assert.deepEqual((await reader.bodies()).filter(body => old.includes(body)), []);
	assert.deepEqual(scene.errors, []);
});
