import assert from 'node:assert/strict';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got from 'got';
import Keyv from 'keyv';
import {cacheInfo, redisCache, type CacheStats} from '../../source/index.ts';
import {exchangeBehind} from '../../source/got/state/exchange-behind.ts';
import {createStatistics} from '../../source/observe/statistics.ts';
import {startOrigin, type PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites} from '../got/helpers.ts';
import {readStream} from '../got/read-stream.ts';

const fresh: PlainResponse = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: 'stored'};
const stale: PlainResponse = {headers: {'cache-control': 'max-age=0, stale-while-revalidate=60', etag: '"1"'}, body: 'stored'};

test('statistics count requests by status, reason and origin, and bytes by tier', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const before = new Date();
	assert.equal(cache.stats().requests, 0);
	origin.queue(fresh, {headers: {'cache-control': 'no-store'}, body: 'no'}, {status: 500, body: 'failed'});
	await client('items?token=secret');
	await settleWrites(setup);
	await client('items?token=secret');
	await readStream(client.stream('items?token=secret'));
	await client('private');
	await client('failure', {throwHttpErrors: false});
	await client('unavailable', {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	await client('bypass', {context: {cache: false}, throwHttpErrors: false});
	const stats = cache.stats();

	assert.equal(stats.requests, 7);
	assert.deepEqual(stats.statuses, {hit: 2, stale: 0, revalidated: 0, miss: 3, bypass: 1, unavailable: 1});
	assert.deepEqual(stats.reasons, {'not-stored': 3, fresh: 2, disabled: 1, 'only-if-cached': 1});
	assert.deepEqual(stats.notStored, {bypassed: 1, 'no-store': 1, 'not-explicit': 1});
	assert.deepEqual(stats.origins, {[origin.url]: {requests: 7, errors: 0, hit: 2, stale: 0, revalidated: 0, miss: 3, bypass: 1, unavailable: 1}});
	assert.equal(stats.bytes.memory + stats.bytes.store, 12);
	assert.equal(stats.bytes.origin, 6 + 2 + 6 + 'This origin has no handler and its queue is empty.'.length);
	assert.equal(stats.errors, 0);
	assert.equal(stats.lookUps.count, 6);
	assert.ok(Number(stats.lookUps.p50Ms) > 0);
	assert.ok(Number(stats.lookUps.p99Ms) >= Number(stats.lookUps.p50Ms));
	assert.ok(stats.savedMs >= 0);
	assert.ok(Math.abs(stats.since.getTime() - before.getTime()) < 60_000);
	assert.deepEqual(stats.hottest.urls[0], {url: `${origin.url}/items?token=REDACTED`, requests: 3});
	assert.equal(stats.hottest.urls.length, 5);
	assert.deepEqual(stats.hottest.origins, [{origin: origin.url, requests: 7}]);
	assert.deepEqual(structuredClone(stats), stats);
	assert.ok(!JSON.stringify(stats).includes('secret'));
});

test('statistics count what is collapsed, stale, refreshed and failed', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	origin.queue(stale, fresh, fresh);
	await client('items');
	await settleWrites(setup);
	await client('items');
	while (cache.stats().refreshes === 0) {
		await nextTurn();
	}

	await Promise.all([client('others'), client('others'), client('others')]);
	await origin.stop();
	await assert.rejects(client('failure'), {code: 'ECONNREFUSED'});
	const stats = cache.stats();

	assert.deepEqual([stats.requests, stats.statuses.stale, stats.refreshes, stats.collapsed, stats.errors], [6, 1, 1, 2, 1]);
	assert.deepEqual(stats.notStored, {error: 1});
	assert.equal(stats.origins[origin.url]?.errors, 1);
});

test('a hit saves the time that fetching the stored response took', async t => {
	await using origin = await startOrigin();
	t.mock.timers.enable({apis: ['Date'], now: 1_700_000_000_000});
	origin.handler = (_request, response) => {
		t.mock.timers.tick(300);
		response.writeHead(200, {'cache-control': 'max-age=60'});
		response.end('x');
	};

	const cache = redisCache({store: 'memory'});
	const client = got.extend(cache);
	for (let count = 0; count < 4; count++) {
		await client(origin.url);
	}

	assert.equal(cache.stats().savedMs, 900);
});

test('neither the look-up nor the wait for an equal request is part of the time that a hit saves, nor of the response\'s age', async t => {
	await using origin = await startOrigin();
	t.mock.timers.enable({apis: ['Date'], now: 1_700_000_000_000});
	let lookUpMs = 0;
	const entries = new Map<string, unknown>();
	const store = new Keyv({
		store: {
			async get(key: string) {
				t.mock.timers.tick(lookUpMs);
				return entries.get(key);
			},
			async set(key: string, value: unknown) {
				entries.set(key, value);
				return true;
			},
			delete: async (key: string) => entries.delete(key),
			async clear() {
				entries.clear();
			},
		},
	});
	const answer = (...directives: string[]) => {
		lookUpMs = 500;
		origin.handler = (_request, response) => {
			lookUpMs = 0;
			t.mock.timers.tick(300);
			response.sendDate = false;
			response.writeHead(200, {'cache-control': directives.length > 1 ? directives.shift() : directives[0]});
			response.end('x');
		};
	};

	const cache = redisCache({store});
	const client = got.extend(cache);
	const ages: Array<number | undefined> = [];
	const hit = async (url: string) => {
		ages.push(cacheInfo(await client(url))?.age);
	};

	answer('max-age=60');
	await client(`${origin.url}/promise`);
	await hit(`${origin.url}/promise`);
	answer('max-age=60');
	await readStream(client.stream(`${origin.url}/stream`));
	await hit(`${origin.url}/stream`);
	// The second request waits for the first, whose response is not for it.
	answer('no-store', 'max-age=60');
	await Promise.all([client(`${origin.url}/equal`), client(`${origin.url}/equal`)]);
	await hit(`${origin.url}/equal`);

	assert.deepEqual(ages, [0.3, 0.3, 0.3]);
	assert.equal(cache.stats().savedMs, 900);
});

test('statistics that are read at any time have all requests up to then', async () => {
	const cache = redisCache({store: 'memory'});
	const client = got.extend(cache, {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	for (let number = 1; number <= 200; number++) {
		await client(`http://example.com/${number % 3}`);
		if (number % 7 > 1) {
			continue;
		}

		const {requests, statuses, origins, hottest} = cache.stats();
		const requestsOfUrls = hottest.urls.reduce((sum, url) => sum + url.requests, 0);
		assert.deepEqual([requests, statuses.unavailable, origins['http://example.com']?.requests, requestsOfUrls], [number, number, number, number]);
	}
});

test('growth has all requests up to then, and what was taken is not taken again', async () => {
	const client = got.extend(redisCache({store: 'memory'}), {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	const state = exchangeBehind(await client('http://example.com/items'));
	assert.ok(state);
	const statistics = createStatistics(() => 0);
	const take = () => {
		const {counters, origins, urls} = statistics.takeGrowth(10);
		return {requests: new Map(counters).get('requests'), ofOrigin: new Map(origins).get('requests http://example.com'), urls};
	};

	for (const requests of [1, 63, 64, 65, 200]) {
		for (let count = 0; count < requests; count++) {
			statistics.count(state, {});
		}

		assert.deepEqual(take(), {requests, ofOrigin: requests, urls: [['http://example.com/items', requests]]});
		assert.deepEqual(take(), {requests: undefined, ofOrigin: undefined, urls: []});
	}
});

test('many origins are counted together, the most frequent ones by themselves', async () => {
	const cache = redisCache({store: 'memory'});
	const client = got.extend(cache, {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false});
	const ask = async (number: number) => client(`http://${number}.example.com/items`);
	for (let number = 0; number < 150; number++) {
		await ask(number);
		await ask(149);
	}

	const {origins, hottest, requests}: CacheStats = cache.stats();
	const counts = Object.values(origins).map(origin => origin.requests);

	assert.equal(requests, 300);
	assert.equal(counts.reduce((sum, count) => sum + count, 0), 300);
	assert.equal(counts.length, 65);
	assert.equal(origins['*']?.requests, origins['*']?.unavailable);
	assert.deepEqual(hottest.origins[0], {origin: 'http://149.example.com', requests: 151});
	assert.ok(hottest.origins.every(({origin}) => origin !== '*'));
});

test('without statistics, `stats()` says which option is in the way', () => {
	const cache = redisCache({store: 'memory', statistics: false});

	assert.throws(() => cache.stats(), {name: 'TypeError', message: /`statistics`.*`false`/v});
	assert.throws(() => redisCache({store: 'memory', statistics: 'yes' as never}), {name: 'TypeError', message: 'Expected the option `statistics` in redisCache() to be a boolean, got \'yes\''});
	assert.throws(() => Reflect.apply(cache.stats, cache, ['1h']), {name: 'TypeError', message: 'Expected no argument in stats(), got 1'});
});
