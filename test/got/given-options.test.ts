import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import got, {type OptionsInit, type Response} from 'got';
import {Keyv} from 'keyv';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {setUp} from './helpers.ts';
import {readStream} from './read-stream.ts';

const fresh = {headers: {'cache-control': 'max-age=60'}, body: 'stored'};

await suite('false leaves the cache out', () => {
	const ways: Readonly<Record<string, OptionsInit>> = {
		'context.cache': {context: {cache: false}},
		'got\'s own option cache': {cache: false},
		'got\'s own option cache, beside options of this cache': {cache: false, context: {cache: {mode: 'force-cache'}, user: 'a'}},
	};

	for (const [name, options] of Object.entries(ways)) {
		test(`of a request, by ${name}`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			origin.queue(fresh, {body: 'new'}, {body: 'newer'});
			await client('items');

			const before = structuredClone(options);
			const response = await client('items', options) as Response;
			assert.deepEqual([response.body, cacheInfo(response)?.reason], ['new', 'disabled']);
			assert.equal((await readStream(client.stream('items', options))).body, 'newer');
			assert.equal((await client('items')).body, 'stored');
			assert.deepEqual(options, before);
		});

		test(`of all requests of a client, by ${name}`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			origin.queue(fresh, {body: 'new'});
			await client('items');

			const {body} = await client.extend(options)('items') as Response;
			assert.equal(body, 'new');
			assert.equal((await client('items')).body, 'stored');
		});
	}

	test('of no request where it was said before there was a cache', async () => {
		await using setup = await setUp();
		const {origin, cache} = setup;
		origin.queue(fresh);
		const client = got.extend({cache: false, prefixUrl: origin.url}, cache);

		await client('items');
		assert.equal((await client('items')).isFromCache, true);
	});
});

await suite('what this cache would ignore is refused', () => {
	const ignored = 'The option `cacheOptions` is for got\'s own `cache`, and this cache would ignore its `shared`: pass options of this cache to it, as in redisCache({shared: …})';

	test('got\'s cacheOptions, of a client', () => {
		const cache = redisCache('memory');
		assert.throws(() => got.extend(cache, {cacheOptions: {shared: false}}), {name: 'TypeError', message: ignored});
		assert.throws(() => got.extend(cache).extend({cacheOptions: {shared: false}}), {name: 'TypeError', message: ignored});
		assert.throws(() => got.extend({cacheOptions: {shared: false}}).extend(cache), {name: 'TypeError', message: ignored});
		assert.throws(() => got.extend({cacheOptions: {cacheHeuristic: 0.2}}, cache), {name: 'TypeError', message: /ignore its `cacheHeuristic`: pass options of this cache to it, in redisCache\(\)$/v});
	});

	test('got\'s cacheOptions, of a request', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;

		await assert.rejects(client('items', {cacheOptions: {shared: false}}), {name: 'RequestError', message: ignored});
		await assert.rejects(readStream(client.stream('items', {cacheOptions: {shared: false}})), {message: ignored});
		assert.equal(origin.requests.length, 0);
	});

	test('but not cacheOptions that go to got\'s own cache, or say nothing', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(fresh, fresh);

		assert.equal(cacheInfo(await client('items', {cache: new Map(), cacheOptions: {shared: false}}))?.reason, 'other-cache');
		assert.equal(cacheInfo(await client('items', {cacheOptions: {shared: undefined}}))?.reason, 'not-stored');
	});

	test('options of this cache in got\'s own option cache', async () => {
		await using setup = await setUp();
		const {client} = setup;
		const options = JSON.parse('{"cache": {"tags": ["a"], "mode": "reload"}}') as OptionsInit;
		const message = 'The option `cache` is got\'s own, and takes a storage adapter: options of this cache for one request go into `context`, as in {context: {cache: {tags, mode}}}';

		await assert.rejects(client('items', options), {name: 'RequestError', message});
		assert.throws(() => client.extend(options), {name: 'TypeError', message});
	});

	test('a cache in got\'s own option cache, or as the store of another one', async () => {
		await using setup = await setUp();
		const {client, origin, cache} = setup;
		const message = 'What redisCache() returns is an extension of got and no storage adapter: pass it to got.extend(), as in got.extend(redisCache()), and leave got\'s own option `cache` out';

		await assert.rejects(got.extend({cache: cache as never, retry: {limit: 0}})(origin.url), {message});
		await assert.rejects(client('items', {cache: cache as never}), {message});
		assert.throws(() => redisCache({store: cache as never}), {message});
		assert.throws(() => redisCache(cache as never), {message});
		assert.throws(() => new Keyv(cache as never), {message});
		assert.equal(origin.requests.length, 0);
	});
});
