import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {createClient, createClientPool, createCluster} from '@redis/client';
import got from 'got';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';

/** A cluster of one node, which has all slots and refuses commands about several. */
let node: TestRedis;

before(async () => {
	node = await startRedis({args: ['--cluster-enabled', 'yes']});
	await node.client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
	while (!(await node.client.sendCommand<string>(['CLUSTER', 'INFO'])).includes('cluster_state:ok')) {
		// It takes a moment.
	}

	await node.client.sendCommand(['ACL', 'SETUSER', 'silent', 'on', '>secret', '~*', '+@all', '-hello']);
});

after(async () => {
	await node.stop();
});

const ways: Record<string, () => RedisCacheOptions['store']> = {
	'its URL': () => node.url,
	'its URL, to a user who may not ask what it is': () => `redis://silent:secret@127.0.0.1:${node.port}`,
	'options of a client': () => ({socket: {host: '127.0.0.1', port: node.port}, RESP: 2}),
	'a client of the user\'s': () => createClient({url: node.url}),
	'a client of the user\'s with RESP 3': () => createClient({url: node.url, RESP: 3}),
	'a pool of the user\'s': () => createClientPool({url: node.url}),
};

for (const [name, open] of Object.entries(ways)) {
	test(`a node of a cluster that is given as a single Redis is refused, and the error says what to give: by ${name}`, async () => {
		await using origin = await startOrigin((_request, response) => {
			respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
		});
		const store = open();
		const cache = redisCache({store, timeout: '10s'});
		const events: Array<readonly [name: string, message: string]> = [];
		cache.on('error', ({message}) => events.push(['error', message])).on('degraded', ({message}) => events.push(['degraded', message]));
		const client = got.extend(cache);
		for (let count = 0; count < 4; count++) {
			assert.equal((await client(`${origin.url}/${count % 2}`)).body, 'x');
		}

		assert.equal(cache.health().state, 'unavailable');
		assert.equal(events.filter(([type]) => type === 'degraded').length, 1);
		assert.match(
			events.at(-1)?.[1] ?? '',
			/^got-redis-cache: This Redis is a node of a cluster, and was given as a single Redis \(store: .*\)\. Give what createCluster\(\) of node-redis makes, as in redisCache\(createCluster\(/v,
		);
		await assert.rejects(cache.ready(), {name: 'StoreError', message: /createCluster\(\)/v});
		await cache.close();
		if (typeof store === 'object' && 'sendCommand' in store) {
			(store as unknown as {destroy(): void}).destroy();
		}
	});
}

test('the same node is used as a cluster', async () => {
	const cluster = createCluster({rootNodes: [{url: node.url}]});
	await using cache = redisCache({store: cluster, timeout: '10s'});
	const {warnings} = await cache.ready();
	assert.deepEqual(warnings, []);
	cluster.destroy();
});

test('a Redis that is no cluster is asked once what it is', async () => {
	await using redis = await startRedis();
	await using cache = redisCache({store: redis.url, timeout: '10s'});
	await cache.ready();
	await cache.has('http://example.com/');
	const stats = await redis.client.info('commandstats');
	// One is the connection's own, for RESP 3.
	assert.match(stats, /cmdstat_hello:calls=2,/v);
});
