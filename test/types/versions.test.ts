import assert from 'node:assert/strict';
import test from 'node:test';
import {typeErrorsOf} from '../helpers/types.ts';

/*
The types of each version of another package that docs/versions.md names.
*/

const client = `
	import got from 'got';
	import {cacheInfo, redisCache, type CacheInfo, type RequestCacheOptions} from 'got-redis-cache';
	import {rateLimit} from 'got-redis-cache/rate-limit';

	const cache = redisCache({store: 'memory', tagField: 'cache-tag'});
	rateLimit(cache, {'api.example.com': '100/m'});
	const request: RequestCacheOptions = {tags: ['a'], expireAfter: '1h'};
	const client = got.extend({retry: {limit: 0}}, cache).extend({context: {cache: request}});
	const response = await client<{id: number}>('https://api.example.com', {responseType: 'json'});
	export const id: number = response.body.id;
	export const info: CacheInfo | undefined = cacheInfo(response);
	const stream = client.stream('https://api.example.com');
	stream.on('response', each => cacheInfo(each)?.status);
`;

const mistaken = `
	import got from 'got';
	import {redisCache} from 'got-redis-cache';

	got.extend(redisCache({store: 7}));
	export const body: number = await got.extend(redisCache('memory'))('https://api.example.com').text();
`;

for (const got of ['got-14', 'got-15']) {
	test(`a client of ${got} has the types that it has with the newest got`, async () => {
		const errors = await typeErrorsOf({'client.ts': client, 'mistaken.ts': mistaken}, got);
		const places = errors.matchAll(/\/(?<place>[a-z]+\.ts\(\d+),\d+\): error (?<code>TS\d+)/gv).map(({groups}) => `${groups?.place}: ${groups?.code}`).toArray();
		assert.deepEqual(places, ['mistaken.ts(5: TS2769', 'mistaken.ts(6: TS2322']);
	});
}

test('clients, clusters, sentinels and pools of node-redis 5 and 6, a Keyv 5 or 6, and clients of ioredis 5 and 6 are stores by their types', async () => {
	const nodeRedis = (name: string) => `
		import {createClient, createClientPool, createCluster, createSentinel} from '${name}';
		import {redisCache, type StoreOption} from 'got-redis-cache';

		export const stores: readonly StoreOption[] = [
			createClient(),
			createClient({RESP: 3}),
			createClientPool(),
			createCluster({rootNodes: []}),
			createSentinel({name: 'main', sentinelRootNodes: []}),
		];
		redisCache(createClient());
		redisCache({store: createCluster({rootNodes: []}), timeout: '1s'});
	`;
	const keyv = (name: string) => `
		import {Keyv} from '${name}';
		import {redisCache} from 'got-redis-cache';

		redisCache(new Keyv());
		redisCache({store: new Keyv({namespace: 'a'}), timeout: '1s'});
		redisCache({store: new Keyv<string>(new Map())});
	`;
	const ioredis = (name: string) => `
		import {Cluster, Redis} from '${name}';
		import {redisCache} from 'got-redis-cache';

		redisCache(new Redis());
		redisCache({store: new Cluster([{port: 7000}])});
	`;

	assert.equal(await typeErrorsOf({
		'node-redis-5.ts': nodeRedis('@redis/client'),
		'node-redis-6.ts': nodeRedis('redis-client-6'),
		'keyv-5.ts': keyv('keyv'),
		'keyv-6.ts': keyv('keyv-6'),
		'ioredis-5.ts': ioredis('ioredis-5'),
		'ioredis-6.ts': ioredis('ioredis'),
		'iovalkey.ts': ioredis('iovalkey'),
	}), '');
});
