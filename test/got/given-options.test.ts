import assert from 'node:assert/strict';
import process from 'node:process';
import test, {suite} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got, {type Got, type OptionsInit, type Response} from 'got';
import {Keyv} from 'keyv';
import {cacheInfo, redisCache, type RequestCacheOptions} from '../../source/index.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
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
		assert.throws(() => got.extend({cacheOptions: {cacheHeuristic: 0.2}}, cache), {
			name: 'TypeError',
			message: /ignore its `cacheHeuristic`: pass options of this cache to it, in redisCache\(\)$/v,
		});
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

	const neverCalled = {
		message:
			'The hook `beforeCache` is for got\'s own `cache`, and this cache would never call it: say what is stored with its options `filter` and `expireAfter`, as in redisCache({filter: …})',
	};
	const hooks = {beforeCache: [() => false as const]};

	test('got\'s hook beforeCache, of a client', () => {
		const cache = redisCache('memory');
		for (const make of [() => got.extend(cache, {hooks}), () => got.extend({hooks}, cache), () => got.extend(cache).extend({hooks})]) {
			assert.throws(make, {name: 'TypeError', ...neverCalled});
		}

		assert.equal(typeof got.extend(cache, {hooks: {beforeCache: []}}), 'function');
	});

	test('got\'s hook beforeCache, of a request', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		await assert.rejects(client('items', {hooks}), {name: 'RequestError', ...neverCalled});
		origin.queue(fresh);
		assert.equal(cacheInfo(await client('items', {hooks, cache: new Map()}))?.reason, 'other-cache');
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

const urlOf = ({origin}: Setup) => `${origin.url}/items`;

const isReload = ({request}: Response): boolean => (request.options.context.cache as RequestCacheOptions).mode === 'reload';

await suite('options of a client and of a request are merged', () => {
	/** What is stored of one request, by tags and lifetime. */
	const stored = async (setup: Setup, ask: (client: Got) => Promise<unknown>): Promise<unknown> => {
		const {client, origin, cache} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60'}).end('[]');
		};

		await ask(client);
		await settleWrites(setup);
		const entry = await cache.get(urlOf(setup));
		return entry && {tags: entry.tags, seconds: 60 * Math.round((Number(entry.expiresAt) - entry.storedAt.getTime()) / 60_000)};
	};

	const tags = {context: {cache: {tags: ['a']}}};
	const lifetime = {context: {cache: {expireAfter: '1h'}}};
	const expected = {tags: ['a'], seconds: 3600};

	const ways: Readonly<Record<string, (client: Got, setup: Setup) => Promise<unknown>>> = {
		'of a promise': async client => client.extend(tags)('items', lifetime),
		'of a call by method': async client => client.extend(tags).get('items', lifetime),
		'of a stream': async client => readStream(client.extend(tags).stream('items', lifetime)),
		'of a page': async client => client.extend(tags).paginate.all('items', {...lifetime, pagination: {requestLimit: 1}}),
		'of a client that is extended twice': async client => client.extend(tags).extend(lifetime)('items'),
		'of a client that is made of others': async client => got.extend(client, got.extend(tags), lifetime)('items'),
		'of a client that had its options before it had the cache': async (_client, {cache, origin}) => got.extend({...tags, prefixUrl: origin.url}).extend(cache)('items', lifetime),
		'with other properties of the context': async client => client.extend({context: {user: 1, ...tags.context}})('items', {context: {...lifetime.context, trace: 2}}),
		'with one that is undefined': async client => client.extend(tags)('items', {context: {cache: {...lifetime.context.cache, tags: undefined}}}),
		'of a call that is made again with others': async client => client.extend(tags).extend({
			hooks: {
				afterResponse: [(response, retry) => isReload(response) ? response : retry({context: {cache: {expireAfter: '1h', mode: 'reload'}}})],
			},
		})('items'),
	};

	for (const [name, ask] of Object.entries(ways)) {
		test(name, async () => {
			await using setup = await setUp();
			assert.deepEqual(await stored(setup, async client => ask(client, setup)), expected);
			assert.deepEqual([tags, lifetime], [{context: {cache: {tags: ['a']}}}, {context: {cache: {expireAfter: '1h'}}}]);
		});
	}

	test('the request\'s own comes before that of the client', async () => {
		await using setup = await setUp();
		assert.deepEqual(await stored(setup, async client => client.extend(tags)('items', {context: {cache: {tags: ['b']}}})), {tags: ['b'], seconds: 60});
	});

	test('one request sets nothing for the next', async () => {
		await using setup = await setUp();
		assert.deepEqual(await stored(setup, async client => {
			const tagged = client.extend(tags);
			await tagged('others', {context: {cache: {expireAfter: '1h', disabled: true}}});
			await tagged('items');
		}), {tags: ['a'], seconds: 60});
	});

	test('a client without the cache has requests with it', async () => {
		await using setup = await setUp();
		const {cache} = setup;
		for (const options of [{context: {cache: false}}, {cache: false}] as const) {
			await cache.clear();
			assert.equal(await stored(setup, async client => client.extend(tags, options)('items')), undefined);
			assert.deepEqual(await stored(setup, async client => client.extend(tags, options)('items', {context: {cache: {disabled: false}}})), {tags: ['a'], seconds: 60});
		}
	});

	test('a value that is no object with options is refused as it was given', async () => {
		await using setup = await setUp();
		for (const wrong of [null, true, 'reload', ['reload'], new Map([['mode', 'reload']])]) {
			await assert.rejects(setup.client.extend(tags)('items', {context: {cache: wrong}}), {name: 'RequestError', message: /^Expected an object with options in `context.cache`, got /v});
		}
	});
});

await suite('a near miss of context.cache is refused', () => {
	const near: ReadonlyArray<readonly [context: Record<string, unknown>, name: string]> = [
		[{Cache: {mode: 'reload'}}, 'Cache'],
		[{CACHE: false}, 'CACHE'],
		[{'cache ': {}}, 'cache '],
		[{cahce: {tags: ['a']}}, 'cahce'],
		[{caches: {tags: ['a']}}, 'caches'],
		[{catch: {disabled: true}}, 'catch'],
		[{redisCache: {disabled: true}}, 'redisCache'],
		[{cacheOptions: {mode: 'reload', ttlOffset: 1}}, 'cacheOptions'],
		[{cacheOptions: {shared: false}}, 'cacheOptions'],
		[{expireAfter: '1h'}, 'expireAfter'],
		[{user: 'a', staleIfError: true}, 'staleIfError'],
	];

	for (const [context, name] of near) {
		test(`\`${name}\`, of a request and of a client`, async () => {
			await using setup = await setUp();
			const {client, cache, origin} = setup;
			const error = {message: new RegExp(`^Unknown property \`${name}\` in got's \`context\`: options of the cache for one request go into \`context.cache\``, 'v')};

			await assert.rejects(client('items', {context}), error);
			await assert.rejects(readStream(client.stream('items', {context})), error);
			assert.throws(() => client.extend({context}), error);
			assert.throws(() => got.extend({context}, cache), error);
			assert.equal(origin.requests.length, 0);
		});
	}

	test('what may be an option, and may be the user\'s own, is warned of once', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(fresh);
		const warnings: NodeJS.ErrnoException[] = [];
		const note = (warning: NodeJS.ErrnoException) => {
			warnings.push(warning);
		};

		process.on('warning', note);
		for (const _ of [1, 2]) {
			await client('items', {context: {cache: {}, tags: ['secret'], mode: 'reload', disabled: undefined, expireAfter: '300', readOnly: 'secret'}});
		}

		await nextTurn();
		process.off('warning', note);
		const messageOf = (name: string) =>
			`got-redis-cache: the cache does not read the property \`${name}\` of got's \`context\`; if it is meant for the cache, it goes into \`context.cache\`, as in {context: {cache: {${name}: …}}}; if it is your own, give it another name, or run Node.js with --disable-warning=GOT_REDIS_CACHE_CONTEXT`;
		assert.deepEqual(warnings.map(({code, message}) => [code, message]), ['tags', 'mode', 'expireAfter'].map(name => ['GOT_REDIS_CACHE_CONTEXT', messageOf(name)]));
	});

	test('a property that a context may have for another reason is taken', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(fresh);
		await client('items', {context: {cached: true, caches: 3, cacheKey: 'a', cacheHit: {count: 1}, tags: ['a'], mode: 'dark', key: 1, cash: 5, expireAfter: 'whenever', cachet: {}}});
		assert.equal(origin.requests.length, 1);
	});
});
