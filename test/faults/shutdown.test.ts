import {EventEmitter} from 'node:events';
import assert from 'node:assert/strict';
import test from 'node:test';
import {createClient} from '@redis/client';
import got from 'got';
import {Keyv} from 'keyv';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startRedis} from '../helpers/redis.ts';
import {startResources} from './resources.ts';

test('a write under way is finished before `close()` is done, and requests go on', async () => {
	await using redis = await startRedis();
	await using resources = await startResources();
	const cache = redisCache({store: redis.url, timeout: 5000});
	const client = got.extend({prefixUrl: resources.origin.url}, cache);
	await Promise.all(Array.from({length: 20}, async (_, id) => client(`large/${id}`)));
	await cache.close();
	assert.ok(await redis.client.dbSize() >= 20);
	assert.equal(cache.health().state, 'closed');
	assert.equal((await client('large/1')).isFromCache, false);
	await cache.close();
});

test('`await using` closes the cache, and leaves the user\'s client open', async () => {
	await using redis = await startRedis();
	await using resources = await startResources();
	const mine = createClient({url: redis.url});
	{
		await using cache = redisCache({store: mine, timeout: 5000});
		await got.extend({prefixUrl: resources.origin.url}, cache)('probe/1');
	}

	assert.equal(await mine.ping(), 'PONG');
	assert.ok(await redis.client.dbSize() >= 1);
	mine.destroy();
});

test('a silent Redis does not keep `close()` beyond the deadline', async () => {
	await using redis = await startRedis();
	await using resources = await startResources();
	const cache = redisCache({store: redis.url, timeout: 50});
	const client = got.extend({prefixUrl: resources.origin.url}, cache);
	await client('probe/1');
	redis.pause();
	await client('probe/2');
	await cache.close();
	redis.resume();
	assert.equal(cache.health().state, 'closed');
});

/** An adapter with one bad habit. */
const adapterWith = (get: () => unknown) => {
	const emitter = new EventEmitter();
	return Object.assign(emitter, {opts: {}, get, set: get, delete: get, clear: get});
};

const habits: Record<string, () => unknown> = {
	'throws synchronously'() {
		throw new Error('no');
	},
	async rejects() {
		throw new Error('no');
	},
	'never settles': async () => new Promise(() => undefined), // eslint-disable-line no-promise-executor-return -- nothing is returned
	'resolves twice': async () => new Promise(resolve => {
		resolve(1);
		resolve(2); // eslint-disable-line unicorn/no-multiple-promise-resolver-calls -- the habit
	}),
	'gives the wrong type': async () => Symbol('wrong'),
};

for (const [habit, get] of Object.entries(habits)) {
	test(`requests go on with a Keyv whose store ${habit}, and emits errors without end`, async () => {
		await using resources = await startResources();
		const adapter = adapterWith(get);
		const keyv = new Keyv(adapter as never);
		const options: RedisCacheOptions = {store: keyv, timeout: 30};
		await using cache = redisCache(options);
		const errors: Error[] = [];
		cache.on('error', error => errors.push(error));
		const client = got.extend({prefixUrl: resources.origin.url}, cache);
		for (let count = 0; count < 20; count++) {
			adapter.emit('error', new Error('again'));
			assert.match((await client('probe/1')).body, /^\/probe\/1 /v);
		}

		assert.ok(errors.length <= 3, errors.map(String).join('\n'));
	});
}
