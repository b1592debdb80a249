/* eslint-disable node-test/no-process-env-mutation -- restored after each test */
import assert from 'node:assert/strict';
import process from 'node:process';
import {afterEach, test} from 'node:test';
import got from 'got';
import {cacheInfo, redisCache, StoreError, type RedisCacheOptions} from '../../source/index.ts';
import {RedisCache} from '../../source/got/redis-cache.ts';
import {respond, startOrigin, type Origin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {settleWrites} from './helpers.ts';

/*
Where no store is given. The machine's own Redis, if there is one, is asked for nothing: the caches of these tests expect theirs elsewhere.
*/

const nowhere = 'redis://127.0.0.1:1';

const givenUrl = process.env.REDIS_URL;

afterEach(() => {
	if (givenUrl === undefined) {
		delete process.env.REDIS_URL;
	} else {
		process.env.REDIS_URL = givenUrl;
	}
});

const startTaggingOrigin = async (): Promise<Origin> => startOrigin((request, response) => {
	respond(response, {headers: {'cache-control': 'max-age=600', 'cache-tag': 'a'}, body: request.url ?? ''});
});

/** A cache without a store, which expects a Redis at that address. */
const open = (url: string, options: RedisCacheOptions = {}) => {
	delete process.env.REDIS_URL;
	const cache = new RedisCache({timeout: 5000, tagField: 'cache-tag', ...options}, url);
	const events: Array<readonly [name: string, error?: Error]> = [];
	cache.on('error', error => events.push(['error', error])).on('degraded', error => events.push(['degraded', error])).on('recovered', () => events.push(['recovered']));
	return {
		cache,
		client: got.extend({retry: {limit: 0}}, cache),
		events,
		recovered: new Promise<void>(resolve => {
			cache.once('recovered', resolve);
		}),
		[Symbol.asyncDispose]: async () => cache.close(),
	};
};

/** A cache whose Redis is silent for now. */
const openBeside = async (redis: TestRedis) => {
	redis.pause();
	return open(redis.url, {timeout: 50});
};

test('without a Redis, the memory of the process caches, and health(), cacheInfo() and one event say so', async () => {
	await using origin = await startTaggingOrigin();
	await using alone = open(nowhere);
	const {cache, client, events} = alone;
	assert.equal(cache.health().state, 'unknown');
	const first = await client(`${origin.url}/items`);
	const second = await client(`${origin.url}/items`);
	assert.deepEqual([first.isFromCache, second.isFromCache, second.body], [false, true, '/items']);
	assert.deepEqual([cacheInfo(first)?.isMemoryOnly, cacheInfo(second)?.isMemoryOnly], [true, true]);

	const {state, lastError, counters} = cache.health();
	assert.equal(state, 'memory');
	assert.ok(counters.hits > 0);
	assert.deepEqual(events, [['degraded', lastError]]);
	assert.ok(lastError instanceof StoreError);
	assert.match(
		lastError.message,
		/^got-redis-cache: No Redis answers, so responses are kept in the memory of this process alone until one does \(store: redis:\/\/127\.0\.0\.1:1\)\. Start a Redis, set REDIS_URL/v,
	);
	assert.match((lastError.cause as Error).message, /ECONNREFUSED/v);

	const {store, warnings} = await cache.ready();
	assert.equal(store, 'memory');
	assert.match(warnings.join('\n'), /^got-redis-cache: No Redis answers at redis:\/\/127\.0\.0\.1:1, /v);
	assert.equal(events.length, 1);
});

for (const options of [{coalesce: 'fleet'}, {encryption: 'ab'.repeat(32)}, {fastPath: false}, {ttl: false}] satisfies RedisCacheOptions[]) {
	test(`without a Redis, the memory of the process caches with ${JSON.stringify(options)}`, async () => {
		await using origin = await startTaggingOrigin();
		await using alone = open(nowhere, options);
		await alone.client(origin.url);
		const {isFromCache} = await alone.client(origin.url);
		assert.equal(isFromCache, true);
		const entries = await Array.fromAsync(alone.cache.entries());
		assert.equal(entries.length, 1);
	});
}

test('without a Redis, what is purged is gone from this process, and is not confirmed', async () => {
	await using origin = await startTaggingOrigin();
	await using alone = open(nowhere);
	const {cache, client} = alone;
	const purges: Record<string, () => Promise<boolean>> = {
		delete: async () => cache.delete(origin.url),
		'by tag': async () => cache.invalidate({tag: 'a'}),
		softly: async () => cache.invalidate({tag: 'a'}, {soft: true}),
		'by origin': async () => cache.invalidate({origin: origin.url}),
		'by prefix': async () => cache.invalidate({prefix: origin.url}),
		'by age': async () => cache.invalidate({olderThan: 0}),
		clear: async () => cache.clear(),
	};
	for (const [name, purge] of Object.entries(purges)) {
		await client(origin.url);
		assert.equal(await cache.has(origin.url), true, name);
		assert.equal(await purge(), false, name);
		assert.equal(await cache.has(origin.url), false, name);
	}
});

test('a purge that is the first thing a cache is asked for is not confirmed without a Redis', async () => {
	for (const purge of [async (cache: RedisCache) => cache.delete('http://example.com/'), async (cache: RedisCache) => cache.invalidate({tag: 'a'}), async (cache: RedisCache) => cache.clear()]) {
		await using alone = open(nowhere);
		assert.equal(await purge(alone.cache), false);
	}
});

test('a Redis that answers is the store, and nobody is told anything', async () => {
	await using origin = await startTaggingOrigin();
	await using redis = await startRedis();
	await using one = open(redis.url);
	await using other = open(redis.url);
	await one.client(origin.url);
	await settleWrites({redis});
	const response = await other.client(origin.url);
	assert.equal(response.isFromCache, true);
	assert.equal(cacheInfo(response)?.isMemoryOnly, false);
	assert.deepEqual([one.cache.health().state, other.cache.health().state], ['ok', 'ok']);
	assert.deepEqual([...one.events, ...other.events], []);
	assert.equal(await one.cache.delete(origin.url), true);
	assert.deepEqual(await one.cache.ready(), {store: redis.url, warnings: []});
});

test('a Redis that has answered and dies is not stood in for', async () => {
	await using origin = await startTaggingOrigin();
	await using redis = await startRedis();
	await using cached = open(redis.url);
	await cached.client(origin.url);
	await redis.kill();
	for (let count = 0; count < 2; count++) {
		const response = await cached.client(`${origin.url}/other`);
		assert.deepEqual([response.isFromCache, cacheInfo(response)?.isMemoryOnly], [false, false]);
	}

	assert.equal(cached.cache.health().state, 'unavailable');
	assert.deepEqual(new Set(cached.events.map(([name]) => name)), new Set(['error', 'degraded']));
});

test('a Redis that answers later takes over, and what memory held is dropped', async () => {
	await using origin = await startTaggingOrigin();
	await using redis = await startRedis();
	await using late = await openBeside(redis);
	// The first request waits for the Redis as long as it may, and stores nothing.
	await late.cache.has(origin.url);
	await late.client(origin.url);
	const {isFromCache} = await late.client(origin.url);
	assert.equal(isFromCache, true);

	redis.resume();
	await late.recovered;
	assert.equal(late.cache.health().state, 'ok');
	assert.equal(await late.cache.has(origin.url), false);
	const response = await late.client(origin.url);
	assert.deepEqual([response.isFromCache, cacheInfo(response)?.isMemoryOnly], [false, false]);
	await settleWrites({redis});
	await using other = open(redis.url);
	assert.equal(await other.cache.has(origin.url), true);
	assert.deepEqual(late.events.map(([name]) => name), ['degraded', 'recovered']);
});

test('a Redis that is found by ready() takes over', async () => {
	await using redis = await startRedis();
	await using late = await openBeside(redis);
	assert.equal(await late.cache.has('http://example.com/'), false);
	assert.equal(late.cache.health().state, 'memory');
	redis.resume();
	assert.deepEqual(await late.cache.ready(), {store: redis.url, warnings: []});
	assert.equal(late.cache.health().state, 'ok');
});

test('a response that was purged while memory stood in is not seen in the Redis that takes over, and is purged there', async () => {
	await using origin = await startTaggingOrigin();
	await using redis = await startRedis();
	await using earlier = open(redis.url);
	const untagged = `${origin.url}/untagged`;
	const urls = {deleted: `${origin.url}/deleted`, tagged: `${origin.url}/tagged`, kept: untagged};
	for (const url of Object.values(urls)) {
		await earlier.client(url, {context: {cache: {tags: url === urls.tagged ? ['t'] : []}}});
	}

	await settleWrites({redis});
	await using late = await openBeside(redis);
	assert.equal(await late.cache.delete(urls.deleted), false);
	assert.equal(await late.cache.invalidate({tag: 't'}), false);
	redis.resume();
	await late.recovered;

	const seen = await Promise.all(Object.values(urls).map(async url => late.cache.has(url)));
	assert.deepEqual(seen, [false, false, true]);
	await settleWrites({redis});
	await using fresh = open(redis.url);
	const left = await Promise.all(Object.values(urls).map(async url => fresh.cache.has(url)));
	assert.deepEqual(left, [false, false, true]);
});

test('a response that was asked for while memory stood in is not written to the Redis that takes over', async () => {
	await using origin = await startTaggingOrigin();
	await using redis = await startRedis();
	await using late = await openBeside(redis);
	await late.client(origin.url);
	const isAsked = Promise.withResolvers<void>();
	const mayAnswer = Promise.withResolvers<void>();
	origin.handler = async (_request, response) => {
		isAsked.resolve();
		await mayAnswer.promise;
		respond(response, {headers: {'cache-control': 'max-age=600'}, body: 'x'});
	};

	const asking = late.client(`${origin.url}/asked`);
	await isAsked.promise;
	redis.resume();
	await late.recovered;
	mayAnswer.resolve();
	assert.equal((await asking).body, 'x');
	await settleWrites({redis});
	assert.equal(await late.cache.has(`${origin.url}/asked`), false);
});

test('a cache that is closed stands in for nothing', async () => {
	const {cache, events} = open(nowhere);
	await cache.close();
	assert.equal(await cache.has('http://example.com/'), false);
	await assert.rejects(cache.ready(), {message: /The cache is closed/v});
	assert.equal(cache.health().state, 'closed');
	assert.deepEqual(events, []);

	const used = open(nowhere);
	await used.cache.has('http://example.com/');
	await used.cache.close();
	assert.equal(used.cache.health().state, 'closed');
	await assert.rejects(used.cache.ready(), {message: /The cache is closed/v});
});

test('without memory there is none that stands in', async () => {
	await using cached = open(nowhere, {memory: false});
	assert.equal(await cached.cache.has('http://example.com/'), false);
	assert.equal(cached.cache.health().state, 'unavailable');
});

test('a store that is given is not stood in for, be it an option or REDIS_URL', async () => {
	await using origin = await startTaggingOrigin();
	process.env.REDIS_URL = nowhere;
	for (const options of [{}, {store: nowhere}, {store: undefined}] satisfies RedisCacheOptions[]) {
		await using cache = redisCache({timeout: 5000, ...options});
		const client = got.extend(cache);
		await client(origin.url);
		const response = await client(origin.url);
		assert.deepEqual([response.isFromCache, cacheInfo(response)?.isMemoryOnly, cache.health().state], [false, false, 'unavailable']);
		await assert.rejects(cache.ready(), {name: 'StoreError', message: /Nothing listens there/v});
	}
});

test('REDIS_URL is the store if none is given, and no other', async () => {
	await using redis = await startRedis();
	process.env.REDIS_URL = redis.url;
	await using cache = redisCache();
	assert.deepEqual(await cache.ready(), {store: redis.url, warnings: []});
	await using given = redisCache('memory');
	assert.deepEqual(await given.ready(), {store: 'memory', warnings: []});
});

test('REDIS_URL that is no address of a Redis is refused, by its name and without its password; an empty one is none', () => {
	for (const [url, message] of [
		['localhost:6379', /^The environment variable REDIS_URL is 'localhost:6379', without a scheme: expected 'redis:\/\/localhost:6379'$/v],
		['http://user:hunter2@example.com', /^The environment variable REDIS_URL is a http: URL: expected /v],
		['redis://user:hunter2@example.com/?db=1', /^The environment variable REDIS_URL is a URL with a query/v],
		['https://eu1-a.upstash.io', /^The environment variable REDIS_URL is the address of Upstash's HTTP API/v],
	] as const) {
		process.env.REDIS_URL = url;
		assert.throws(() => redisCache(), (error: unknown) => {
			assert.ok(error instanceof TypeError);
			assert.match(error.message, message);
			assert.doesNotMatch(`${error.stack}${String(error.cause)}`, /hunter2/v);
			return true;
		});
	}

	process.env.REDIS_URL = '';
	assert.equal(redisCache().health().state, 'unknown');
});
