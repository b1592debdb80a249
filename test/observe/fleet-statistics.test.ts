import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import got from 'got';
import {randomFrom} from '../../source/acceptance/random.ts';
import {redisCache} from '../../source/index.ts';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {zipf} from '../helpers/zipf.ts';
import {setUp, settleWrites} from '../got/helpers.ts';

const fresh = {headers: {'cache-control': 'max-age=60'}, body: 'stored'};

const statsKeys = async ({client}: TestRedis): Promise<string[]> => {
	const keys = await client.keys('*');
	return keys.filter(key => key.includes(':stats.')).toSorted();
};

test('the statistics of several processes are added, those of this one up to now', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	origin.handler = (_request, response) => {
		respond(response, fresh);
	};

	const other = setup.other();
	await client('items?token=secret');
	await settleWrites(setup);
	await other.client('items?token=secret');
	await other.client('others');
	await other.cache.close();
	const stats = await cache.fleetStats();

	assert.equal(stats.requests, 3);
	assert.deepEqual(stats.statuses, {hit: 1, stale: 0, revalidated: 0, miss: 2, bypass: 0, unavailable: 0});
	assert.deepEqual(stats.reasons, {'not-stored': 2, fresh: 1});
	assert.deepEqual(stats.origins, {[origin.url]: {requests: 3, errors: 0, hit: 1, stale: 0, revalidated: 0, miss: 2, bypass: 0, unavailable: 0}});
	assert.equal(stats.bytes.origin, 12);
	assert.equal(stats.bytes.memory + stats.bytes.store, 6);
	assert.equal(stats.lookUps.count, 3);
	assert.ok(Number(stats.lookUps.p99Ms) > 0);
	assert.deepEqual(stats.hottest, {
		urls: [{url: `${origin.url}/items?token=REDACTED`, requests: 2}, {url: `${origin.url}/others`, requests: 1}],
		origins: [{origin: origin.url, requests: 3}],
		notStored: [],
	});
	assert.ok(Math.abs(Date.now() - stats.since.getTime() - (60 * 60 * 1000)) <= 61_000);
	assert.deepEqual(await cache.fleetStats({since: '2d'}), {...stats, since: (await cache.fleetStats({since: '2d'})).since});
});

test('a URL whose responses are not stored is told of with the reason, and explained in every process', async () => {
	await using setup = await setUp();
	const {origin, cache} = setup;
	origin.handler = (request, response) => {
		respond(response, {headers: {'cache-control': request.url?.startsWith('/me') ? 'private' : 'no-store'}, body: 'of one user'});
	};

	const other = setup.other();
	await other.client('me?token=secret');
	await other.client('me?token=secret');
	await other.client('one');
	await other.client('one', {context: {cache: false}});
	await other.cache.close();
	const {hottest} = await cache.fleetStats();
	const {fleetRefusals, lastRefusal, text} = await cache.explain(`${origin.url}/me?token=secret`);

	assert.deepEqual(hottest.notStored, [{url: `${origin.url}/me?token=REDACTED`, reason: 'private', responses: 2}, {url: `${origin.url}/one`, reason: 'no-store', responses: 1}]);
	assert.equal(lastRefusal, undefined);
	assert.deepEqual(fleetRefusals.map(({reason, responses}) => ({reason, responses})), [{reason: 'private', responses: 2}]);
	assert.match(text, /Not stored +2 responses to this URL in the last hour, of all processes\n +private: .*§5\.2\.2\.7.*\n +To mend it: /v);
	assert.deepEqual((await cache.explain(`${origin.url}/others`)).fleetRefusals, []);
});

test('refusals of long URLs, and of URLs with ignored parameters, are found by the URL as it is requested', async () => {
	await using setup = await setUp({ignoredParameters: ['session']});
	const {origin, cache} = setup;
	origin.handler = (_request, response) => {
		respond(response, {headers: {'cache-control': 'no-store'}, body: ''});
	};

	const long = `items?q=${'x'.repeat(1000)}`;
	const other = setup.other();
	await other.client(long);
	await other.client('items?session=1');
	await other.cache.close();

	assert.deepEqual((await cache.explain(`${origin.url}/${long}`)).fleetRefusals.map(({reason}) => reason), ['no-store']);
	assert.deepEqual((await cache.explain(`${origin.url}/items?session=2`)).fleetRefusals.map(({reason}) => reason), ['no-store']);
});

test('a timeline has each step with its own counts, those without requests included', async ({mock}) => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	origin.handler = (_request, response) => {
		respond(response, fresh);
	};

	const startMs = Date.now();
	// In the middle of a step of five minutes.
	const middleMs = (Math.floor(startMs / 300_000) * 300_000) + 150_000;
	mock.timers.enable({apis: ['Date'], now: middleMs - 900_000});
	await client('items');
	await cache.fleetStats();
	mock.timers.setTime(middleMs - 300_000);
	await client('others');
	await client('others');
	await cache.fleetStats();
	mock.timers.setTime(middleMs);
	const {requests, timeline = []} = await cache.fleetStats({since: '15m', step: '5m'});

	assert.equal(requests, 3);
	assert.deepEqual(timeline.map(({from, requests: count, statuses: {hit, miss}, bytes}) => [from.getTime(), count, hit, miss, bytes.origin]), [
		[middleMs - 1_050_000, 1, 0, 1, 6],
		[middleMs - 750_000, 0, 0, 0, 0],
		[middleMs - 450_000, 2, 1, 1, 6],
		[middleMs - 150_000, 0, 0, 0, 0],
	]);
	assert.equal((await cache.fleetStats()).timeline, undefined);
	assert.equal((await cache.fleetStats({step: '1m'})).timeline?.length, 61);
	for (const step of ['90s', 0, '3d', 'often']) {
		await assert.rejects(async () => cache.fleetStats({step: step as '1m'}), {name: 'TypeError', message: /`step` in fleetStats\(\)/v});
	}
});

test('counts are written once, in one step, with an expiry', async () => {
	await using setup = await setUp();
	const {redis, origin, cache, client} = setup;
	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	await cache.fleetStats();
	const keys = await statsKeys(redis);

	assert.equal(keys.length, 3);
	for (const key of keys) {
		const ttlMs = await redis.client.pTTL(key);
		assert.ok(ttlMs > 47 * 60 * 60 * 1000);
		assert.ok(ttlMs < 49 * 60 * 60 * 1000);
	}

	const commands = await commandsDuring([redis], async () => cache.close());
	assert.deepEqual(commands.filter(command => command.join(' ').includes('HINCRBY')), []);
	assert.equal((await setup.other().cache.fleetStats()).requests, 1);
});

test('each process writes ten seconds after something was counted, and nothing while it is idle', async t => {
	await using redis = await startRedis();
	await using origin = await startOrigin((_request, response) => {
		respond(response, fresh);
	});
	const timers: Array<() => void> = [];
	const {setTimeout: ownSetTimeout} = ownTimers;
	t.mock.method(ownTimers, 'setTimeout', (callback: () => void, ms: number) => {
		if (ms !== 10_000) {
			return ownSetTimeout(callback, ms);
		}

		timers.push(callback);
		return ownSetTimeout(() => undefined, 0);
	});
	await using cache = redisCache({store: redis.url, timeout: '9s'});
	const client = got.extend(cache);
	assert.equal(timers.length, 0);
	await client(origin.url);
	await client(origin.url);
	assert.equal(timers.length, 1);
	timers.shift()?.();
	while ((await statsKeys(redis)).length < 3) {
		await redis.client.ping();
	}

	assert.equal(timers.length, 0);
	await client(origin.url);
	assert.equal(timers.length, 1);
});

test('statistics are neither listed nor cleared, and another namespace has its own', async () => {
	await using setup = await setUp();
	const {redis, origin, cache, client} = setup;
	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	await cache.fleetStats();
	const entries = await Array.fromAsync(cache.entries());

	assert.deepEqual(entries.map(({url}) => url), [`${origin.url}/items`]);
	for (const namespace of ['http_cache', 'http_cache:stats', 'http_cache:stats.']) {
		const {cache: other} = setup.other({namespace});
		assert.equal(await other.clear(), true);
		assert.equal((await statsKeys(redis)).length, 3, namespace);
	}

	assert.equal((await cache.fleetStats()).requests, 1);
	assert.equal((await setup.other({namespace: 'another'}).cache.fleetStats()).requests, 0);
});

test('with encryption, origins and URLs are hidden in Redis, and are added all the same', async () => {
	await using setup = await setUp({encryption: randomBytes(32)});
	const {redis, origin, cache, client} = setup;
	origin.handler = (_request, response) => {
		respond(response, fresh);
	};

	const other = setup.other();
	await client('hidden');
	await settleWrites(setup);
	await other.client('hidden');
	await other.cache.close();
	const stats = await cache.fleetStats();

	assert.deepEqual(stats.hottest.urls, [{url: `${origin.url}/hidden`, requests: 2}]);
	assert.equal(stats.origins[origin.url]?.requests, 2);
	for (const key of await statsKeys(redis)) {
		const value = key.includes('counters') ? JSON.stringify(await redis.client.hGetAll(key)) : JSON.stringify(await redis.client.zRange(key, 0, -1));
		assert.ok(!value.includes('hidden'));
		assert.ok(!value.includes('127.0.0.1'));
	}

	const {cache: stranger} = setup.other({encryption: randomBytes(32)});
	const seen = await stranger.fleetStats();
	assert.equal(seen.requests, 2);
	assert.deepEqual([seen.origins, seen.hottest], [{}, {urls: [], origins: [], notStored: []}]);
});

test('many URLs and origins take no more than their part of Redis', async () => {
	await using setup = await setUp({coalesce: false});
	const {redis, cache, client} = setup;
	const asking = client.extend({prefixUrl: '', context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	for (let round = 0; round < 8; round++) {
		for (let number = 0; number < 60; number++) {
			await asking(`http://${round}-${number}.example.com/${'x'.repeat(1000)}`);
		}

		await cache.fleetStats();
	}

	for (const key of await statsKeys(redis)) {
		const members = key.includes('counters') ? Object.keys(await redis.client.hGetAll(key)) : await redis.client.zRange(key, 0, -1);
		assert.ok(members.length <= 256);
		assert.ok(members.every(member => member.length <= 300));
	}

	assert.equal((await cache.fleetStats()).requests, 480);
});

test('a Redis that is away costs no error, and this process goes on counting', async () => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {body: 'x'});
	});
	const redis = await startRedis();
	await using cache = redisCache({store: redis.url, timeout: 200});
	const client = got.extend(cache);
	await client(origin.url);
	await redis.stop();
	for (let count = 0; count < 10; count++) {
		await client(origin.url);
	}

	await assert.rejects(cache.fleetStats(), {name: 'Error', message: /^got-redis-cache: The statistics of the fleet cannot be read: /v});
	assert.equal(cache.stats().requests, 11);
});

test('without a Redis, `fleetStats()` says where the numbers of this process are', async () => {
	const cache = redisCache({store: 'memory'});

	await assert.rejects(cache.fleetStats(), {
		name: 'Error',
		message:
			'got-redis-cache: The statistics of the fleet cannot be read: the store is not a Redis, where the processes meet; stats() has those of this process',
	});
	await assert.rejects(redisCache({store: 'memory', statistics: false}).fleetStats(), {name: 'TypeError', message: /`statistics`.*`false`/v});
	for (const since of ['3d', 0, -1, '300', 'soon', true]) {
		await assert.rejects(cache.fleetStats({since: since as never}), {name: 'TypeError', message: /^Expected the property `since` in fleetStats\(\) to be a duration longer than zero/v});
	}

	await assert.rejects(cache.fleetStats({from: '1h'} as never), {name: 'TypeError', message: 'Unknown property `from` in fleetStats(): expected one of since, step'});
});

test('a cache that is read-only, or without statistics, writes none', async () => {
	await using setup = await setUp();
	const {redis, origin, client} = setup;
	for (const options of [{readOnly: true}, {statistics: false}]) {
		const other = setup.other(options);
		origin.queue(fresh);
		await other.client('items');
		await other.cache.close();
	}

	assert.deepEqual(await statsKeys(redis), []);
	assert.ok(client);
});

test('the ten hottest URLs and origins of four processes are exact for a load by Zipf\'s law', async () => {
	await using redis = await startRedis();
	const urlCount = 2000;
	const requestCount = 1500;
	const urlOf = (rank: number) => `http://${rank % 40}.example.com/items/${rank}`;
	const ranksOf = (seed: number) => {
		const next = zipf(urlCount, randomFrom(seed));
		return Array.from({length: requestCount}, () => next());
	};

	const seeds = [11, 22, 33, 44];
	await Promise.all(seeds.map(async seed => {
		const script = `
			import got from 'got';
			import {redisCache} from '${path.resolve(import.meta.dirname, '../../source/index.ts')}';

			const urls = ${JSON.stringify(ranksOf(seed).map(rank => urlOf(rank)))};
			const cache = redisCache({store: '${redis.url}', timeout: '10s', onlyIfCached: true});
			const client = got.extend(cache, {throwHttpErrors: false});
			while (urls.length > 0) {
				await Promise.all(urls.splice(0, 50).map(url => client(url)));
			}

			await cache.close();
		`;
		await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {cwd: import.meta.dirname});
	}));

	const counts = new Map<string, number>();
	const originCounts = new Map<string, number>();
	for (const rank of seeds.flatMap(seed => ranksOf(seed))) {
		const {href, origin} = new URL(urlOf(rank));
		counts.set(href, (counts.get(href) ?? 0) + 1);
		originCounts.set(origin, (originCounts.get(origin) ?? 0) + 1);
	}

	const top = (of: ReadonlyMap<string, number>) => [...of].toSorted(([, one], [, other]) => other - one).slice(0, 10);
	await using cache = redisCache({store: redis.url, timeout: '10s'});
	const {requests, hottest} = await cache.fleetStats();

	assert.equal(requests, seeds.length * requestCount);
	assert.deepEqual(hottest.urls.map(({url}) => url), top(counts).map(([url]) => url));
	assert.deepEqual(hottest.origins.map(({origin, requests: count}) => [origin, count]), top(originCounts));
	for (const {url, requests: count} of hottest.urls) {
		assert.ok(count <= Number(counts.get(url)));
		assert.ok(count > Number(counts.get(url)) * 0.9);
	}
});

test('a process that ends by itself writes what it has counted, and ends at once', async () => {
	await using setup = await setUp();
	const {redis, origin, cache} = setup;
	origin.queue(fresh);
	const script = `
		import got from 'got';
		import {redisCache} from '${path.resolve(import.meta.dirname, '../../source/index.ts')}';

		await got.extend(redisCache({store: '${redis.url}', timeout: '10s'}))('${origin.url}/items');
	`;
	const startMs = performance.now();
	await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {cwd: import.meta.dirname});

	assert.ok(performance.now() - startMs < 9000);
	assert.equal((await cache.fleetStats()).requests, 1);
});
