import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import type {RedisClusterType} from '@redis/client';
import got from 'got';
import type {Cluster} from 'ioredis';
import {storeChecks} from '../source/acceptance.ts';
import {redisCache, type StoreOption} from '../source/index.ts';
import {startCluster, type TestCluster} from './helpers/cluster.ts';
import {ioredisPackages, newestIoredis, sentinelOptions} from './helpers/ioredis.ts';
import {newestNodeRedis, nodeRedis} from './helpers/node-redis.ts';
import {startOrigin} from './helpers/origin.ts';
import type {TestRedis} from './helpers/redis.ts';
import {startSentinelSet} from './helpers/sentinel-set.ts';

let nodes: TestCluster;
const connections: RedisClusterType[] = [];

/** Not connected yet. */
const open = (useReplicas: boolean, {createCluster} = nodeRedis): RedisClusterType => {
	const cluster: RedisClusterType = createCluster({rootNodes: nodes.masters.map(({url}) => ({url})), useReplicas});
	cluster.on('error', () => undefined);
	connections.push(cluster);
	return cluster;
};

const ioredisClusters: Cluster[] = [];

const openIoredis = ({openCluster} = newestIoredis, options: Parameters<typeof openCluster>[1] = {}): Cluster => {
	const cluster = openCluster(nodes.masters.map(({port}) => ({host: '127.0.0.1', port})), options);
	ioredisClusters.push(cluster);
	return cluster;
};

before(async () => {
	nodes = await startCluster({tellsReplicas: true});
});

after(async () => {
	for (const cluster of connections) {
		if (cluster.isOpen) {
			cluster.destroy();
		}
	}

	for (const cluster of ioredisClusters) {
		cluster.disconnect();
	}

	await nodes[Symbol.asyncDispose]();
});

for (const [name, useReplicas, package_] of [
	['a cluster of node-redis 5', false, nodeRedis],
	['a cluster of node-redis 5 whose owner reads from replicas', true, nodeRedis],
	['a cluster of node-redis 6 whose owner reads from replicas', true, newestNodeRedis],
] as const) {
	describe(name, {concurrency: true}, () => {
		let cluster: RedisClusterType | undefined;
		const connect = () => {
			cluster ??= open(useReplicas, package_);
			return cluster;
		};

		for (const {name: check, run} of storeChecks(connect)) {
			test(check, run);
		}
	});
}

for (const [name, openCluster] of [
	...ioredisPackages.map(each => [each.name, () => openIoredis(each)] as const),
	['ioredis, whose owner reads from replicas, with a keyPrefix', () => openIoredis(newestIoredis, {scaleReads: 'slave', keyPrefix: 'app:', lazyConnect: true})],
] as const) {
	describe(`a cluster of ${name}`, {concurrency: true}, () => {
		let cluster: Cluster | undefined;
		const connect = () => {
			cluster ??= openCluster();
			return cluster;
		};

		for (const {name: check, run} of storeChecks(connect)) {
			test(check, run);
		}
	});
}

/** From now on the replicas are let in no more. They answer all the same, with what they have. */
const strand = async (masters: readonly TestRedis[], replicas: readonly TestRedis[]) => {
	for (const [position, master] of masters.entries()) {
		// `WAIT` speaks of what was written on the same connection.
		while (await replicas[position]?.client.dbSize() !== await master.client.dbSize()) {
			await wait(10);
		}

		await master.client.configSet('requirepass', 'replicas-do-not-know-it');
		await master.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
	}

	for (const replica of replicas) {
		while (!(await replica.client.info('replication')).includes('master_link_status:down')) {
			await wait(10);
		}

		assert.ok(await replica.client.dbSize() > 0, 'it has something to give');
	}
};

/** Asks, strands the replicas, purges, and asks again. Resolves to what went wrong in the store. */
const purgeBehindReplicas = async (store: StoreOption, masters: readonly TestRedis[], replicas: readonly TestRedis[]) => {
	await using origin = await startOrigin((_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end(String(origin.requests.length));
	});
	await using cache = redisCache({store, timeout: '5s'});
	const errors: Error[] = [];
	cache.on('error', error => errors.push(error));
	const client = got.extend({prefixUrl: origin.url}, cache);
	// So many that each master has some, whatever the port of the origin makes of their hashes.
	const paths = Array.from({length: 60}, (_, number) => String(number));
	const askAll = async () => {
		const responses = await Promise.all(paths.map(async path => client(path)));
		return responses.map(response => response.isFromCache);
	};

	await askAll();
	assert.deepEqual(await askAll(), paths.map(() => true));
	await strand(masters, replicas);
	await Promise.all(paths.slice(0, 10).map(async path => cache.delete(`${origin.url}/${path}`)));
	assert.deepEqual(await askAll(), paths.map((_, number) => number >= 10));
	await cache.invalidate({origin: origin.url});
	assert.deepEqual(await askAll(), paths.map(() => false));
	return errors;
};

test('a cluster: replicas that lag behind give nothing that was purged', async () => {
	assert.deepEqual(await purgeBehindReplicas(open(true), nodes.masters, nodes.replicas), []);
});

test('a cluster of ioredis: replicas that lag behind give nothing that was purged', async () => {
	await using other = await startCluster({tellsReplicas: true});
	const cluster = newestIoredis.openCluster(other.masters.map(({port}) => ({host: '127.0.0.1', port})), {scaleReads: 'slave'});
	ioredisClusters.push(cluster);
	assert.deepEqual(await purgeBehindReplicas(cluster, other.masters, other.replicas), []);
	cluster.disconnect();
});

test('a sentinel of ioredis: a replica that lags behind gives nothing that was purged', async () => {
	await using set = await startSentinelSet();
	const client = newestIoredis.open(set.master.url, sentinelOptions(set.watcher));
	assert.deepEqual(await purgeBehindReplicas(client, [set.master], [set.replica]), []);
	client.disconnect();
});

test('a sentinel: replicas that lag behind give nothing that was purged', async () => {
	await using set = await startSentinelSet();
	assert.deepEqual(await purgeBehindReplicas(set.open({replicaPoolSize: 2}), [set.master], [set.replica]), []);
});
