import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {createCluster, type RedisClusterType} from '@redis/client';
import got from 'got';
import {storeChecks} from '../source/acceptance.ts';
import {redisCache} from '../source/index.ts';
import {startCluster, type TestCluster} from './helpers/cluster.ts';
import {startOrigin} from './helpers/origin.ts';

let nodes: TestCluster;
const connections: RedisClusterType[] = [];

/** Not connected yet. */
const open = (useReplicas: boolean): RedisClusterType => {
	const cluster: RedisClusterType = createCluster({rootNodes: nodes.masters.map(({url}) => ({url})), useReplicas});
	cluster.on('error', () => undefined);
	connections.push(cluster);
	return cluster;
};

before(async () => {
	nodes = await startCluster();
});

after(async () => {
	for (const cluster of connections) {
		if (cluster.isOpen) {
			cluster.destroy();
		}
	}

	await nodes[Symbol.asyncDispose]();
});

for (const [name, useReplicas] of [['a cluster of Redis', false], ['a cluster of Redis whose owner reads from replicas', true]] as const) {
	describe(name, {concurrency: true}, () => {
		let cluster: RedisClusterType | undefined;
		const connect = () => {
			cluster ??= open(useReplicas);
			return cluster;
		};

		for (const {name: check, run} of storeChecks(connect)) {
			test(check, run);
		}
	});
}

test('replicas that lag behind give nothing that was purged', async () => {
	await using origin = await startOrigin((_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end(String(origin.requests.length));
	});
	const cluster = open(true);
	await using cache = redisCache({store: cluster, timeout: '5s'});
	const client = got.extend({prefixUrl: origin.url}, cache);
	const paths = Array.from({length: 20}, (_, number) => String(number));
	await Promise.all(paths.map(async path => client(path)));
	await Promise.all(nodes.masters.map(async master => master.client.sendCommand(['WAIT', '1', '5000'])));

	// From now on replicas are let in no more; they answer all the same, with what they have.
	for (const master of nodes.masters) {
		await master.client.configSet('requirepass', 'replicas-do-not-know-it');
		await master.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
	}

	for (const replica of nodes.replicas) {
		while (!(await replica.client.info('replication')).includes('master_link_status:down')) {
			await wait(10);
		}
	}

	const keysOfReplicas = await Promise.all(nodes.replicas.map(async replica => replica.client.dbSize()));
	assert.ok(keysOfReplicas.every(count => count > 0), 'they have something to give');
	await Promise.all(paths.slice(0, 10).map(async path => cache.delete(`${origin.url}/${path}`)));
	const afterDeletions = await Promise.all(paths.map(async path => client(path)));
	assert.deepEqual(afterDeletions.map(response => response.isFromCache), paths.map((_, number) => number >= 10));
	await cache.invalidate({origin: origin.url});
	const afterPurge = await Promise.all(paths.map(async path => client(path)));
	assert.deepEqual(afterPurge.map(response => response.isFromCache), paths.map(() => false));

	for (const master of nodes.masters) {
		await master.client.configSet('requirepass', '');
	}
});
