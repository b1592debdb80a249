import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {text as textOf} from 'node:stream/consumers';
import {test} from 'node:test';
import {inspect} from 'node:util';
import type {OptionsInit} from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {createStore} from '../../source/store/create-store.ts';
import {response as storedResponse} from '../helpers/records.ts';
import {startRedis} from '../helpers/redis.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/** What must not be found anywhere: as it is, and in the forms that it may take on the way. */
const secrets = ['hunter2-password', 'session-cookie-7', 'bearer-token-8', 'api-key-9', 'body-secret-10', 'form-secret-11'];
const forms = secrets.flatMap(secret => [secret, Buffer.from(secret).toString('base64').slice(0, 10), Buffer.from(`user:${secret}`).toString('base64').slice(8, 18)]);

const assertNothingIn = (where: string, text: string) => {
	for (const form of forms) {
		assert.equal(text.includes(form), false, `${form} in ${where}: ${text.slice(0, 300)}`);
	}
};

const dump = async ({redis}: Setup): Promise<string> => {
	const keys = await redis.client.keys('*');
	const readers: Record<string, (key: string) => string[]> = {
		string: key => ['GET', key],
		hash: key => ['HGETALL', key],
		zset: key => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
	};
	const values = await Promise.all(keys.map(async key => redis.client.sendCommand(readers[await redis.client.type(key)]?.(key) ?? [])));
	assert.ok(keys.length > 0);
	return [...keys, ...values.map(String)].join('\n');
};

const ignored = ['api_key', 'ACCESS token', 'Password'];

for (const options of [{}, {shared: false}, {encryption: 'ab'.repeat(32)}] satisfies RedisCacheOptions[]) {
	test(`no secret of a request is in a key, a value, what is told of the response, or an event ${inspect(Object.keys(options))}`, async () => {
		await using setup = await setUp({ignoredParameters: ignored, methods: ['GET', 'POST'], compression: false, ...options});
		const {origin, cache, client, redis} = setup;
		const told: unknown[] = [];
		for (const event of ['error', 'degraded', 'recovered'] as const) {
			cache.on(event, (...values: readonly unknown[]) => {
				told.push(event, ...values);
			});
		}

		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'public, max-age=60', vary: 'authorization, cookie', 'content-type': 'text/plain'}).end('public');
		};

		const withUserinfo = `${origin.url.replace('//', '//user:hunter2-password@')}/a?API_KEY=api-key-9&x=1&access+token=api-key-9&%70assword=api-key-9`;
		const requests = [
			() => client(withUserinfo, {prefixUrl: ''}),
			() => client('b', {headers: {authorization: 'Bearer bearer-token-8', cookie: 'sid=session-cookie-7'}}),
			() => client('c', {username: 'user', password: 'hunter2-password'}),
			() => client.post('d', {json: {PASSWORD: 'body-secret-10', q: 1}}),
			() => client.post('e', {form: {Api_Key: 'form-secret-11', q: '1'}}),
		];
		for (const request of requests) {
			for (const response of [await request(), await request()]) {
				assertNothingIn('cacheInfo', inspect(cacheInfo(response), {depth: 5}));
				assertNothingIn('Cache-Status', String(response.headers['cache-status']));
			}
		}

		assert.equal(origin.requests.filter(({url}) => url.startsWith('/a')).length, 1, 'it was stored');
		await settleWrites(setup);
		assertNothingIn('Redis', await dump(setup));
		assertNothingIn('the cache', inspect(cache, {depth: 10, showHidden: true}));
		const entries = await Array.fromAsync(cache.entries());
		assert.ok(entries.length >= 4);
		assertNothingIn('the inventory', inspect([entries, await cache.get(entries[0]?.url ?? '')], {depth: 10}));

		// What goes wrong is told without them too.
		await redis.kill();
		for (const request of requests) {
			await request();
		}

		assert.ok(told.length > 0);
		assertNothingIn('events', inspect(told, {depth: 10}));
		assertNothingIn('health', inspect(cache.health(), {depth: 10}));
	});
}

/** Requests whose credentials are all in their queries, but for one in a field that selects. */
const signed = (value: string) => `?page=1&api_key=${value}&X-Amz-Signature=${value}`;

const queryOptions: Record<string, RedisCacheOptions> = {
	Redis: {},
	'Redis without memory': {memory: false},
	'a private cache': {shared: false},
	encryption: {encryption: 'ab'.repeat(32)},
};

const readers = {
	promise: async ({client}: Setup, path: string, options?: Pick<OptionsInit, 'headers'>) => (await client(path, options)).body,
	stream: async ({client}: Setup, path: string, options?: Pick<OptionsInit, 'headers'>) => textOf(client.stream(path, options)),
};

for (const [name, options] of Object.entries(queryOptions)) {
	for (const [way, read] of Object.entries(readers)) {
		test(`a credential in a query is nowhere, and tells requests apart: ${name}, ${way}`, async () => {
			await using setup = await setUp({compression: false, ...options});
			const {origin, cache, client, redis} = setup;
			const told: unknown[] = [];
			for (const event of ['error', 'degraded', 'recovered'] as const) {
				cache.on(event, (...values: readonly unknown[]) => {
					told.push(event, ...values);
				});
			}

			origin.handler = ({url}, response) => {
				const isRedirect = url.startsWith('/x/from');
				response.writeHead(isRedirect ? 301 : 200, {'cache-control': 'max-age=60', etag: '"1"', vary: 'x-api-key', ...(isRedirect && {location: `to${signed('hunter2-password')}`})});
				response.end(String(origin.requests.length));
			};

			const ask = async (path: string, field = 'bearer-token-8') => read(setup, path, {headers: {'x-api-key': field}});
			const [first, second] = ['api-key-9', 'body-secret-10'].map(value => `a${signed(value)}`);
			assert.ok(first);
			assert.ok(second);
			const bodies = [await ask(first), await ask(second), await ask(first), await ask(second), await ask(first, 'session-cookie-7'), await ask(first)];
			assert.deepEqual(bodies, ['1', '2', '1', '2', '3', '1']);
			// A location is relative to the URL as it was requested.
			assert.equal(await ask(`x/from${signed('form-secret-11')}`), '5');
			assert.equal(origin.requests.at(-1)?.url, `/x/to${signed('hunter2-password')}`);

			await settleWrites(setup);
			const shown = `${origin.url}/a?X-Amz-Signature=REDACTED&api_key=REDACTED&page=1`;
			const entries = await Array.fromAsync(cache.entries({prefix: shown}));
			assert.deepEqual(entries.map(({url}) => url), [shown, shown, shown]);
			assertNothingIn('the inventory', inspect([entries, await cache.get(`${origin.url}/${first}`)], {depth: 10}));
			const response = await client(first, {headers: {'x-api-key': 'bearer-token-8'}});
			assert.deepEqual(cacheInfo(response)?.hops.map(({url}) => url), [shown]);
			if (name !== 'encryption') {
				// What the origin says in a field of its own is its own.
				await cache.delete(`${origin.url}/x/from${signed('form-secret-11')}`);
				assertNothingIn('Redis', await dump(setup));
			}

			// A purge of the one leaves the other.
			assert.equal(await cache.delete(`${origin.url}/${first}`), true);
			assert.deepEqual([await ask(second), await ask(first)], ['2', '6']);
			assert.equal(await cache.touch(`${origin.url}/${second}`, 0), true);
			origin.queue({status: 304, headers: {etag: '"1"', 'cache-control': 'max-age=60'}});
			assert.equal(await ask(second), '2');
			await settleWrites(setup);
			assertNothingIn('the inventory', inspect(await Array.fromAsync(cache.entries({prefix: shown})), {depth: 10}));
			assert.equal(await cache.invalidate({prefix: shown}), true);
			assert.equal(await cache.has(`${origin.url}/${first}`, {stale: true}), false);
			assert.equal(await cache.has(`${origin.url}/${second}`, {stale: true}), false);

			assertNothingIn('the cache', inspect(cache, {depth: 10, showHidden: true}));
			await redis.kill();
			await ask(first);
			assertNothingIn('events', inspect([told, cache.health()], {depth: 10}));
		});
	}
}

test('no credential of a query is told of a refresh that failed', async () => {
	await using setup = await setUp({ignoredParameters: ['own']});
	const {origin, cache, client} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=1, stale-while-revalidate=60', age: '1'}).end('x');
	};

	const path = `a${signed('api-key-9')}&own=form-secret-11`;
	await client(path);
	const {promise, resolve} = Promise.withResolvers<Error>();
	cache.once('error', resolve);
	origin.queue({status: 503});
	await client(path);
	const error = await promise;
	assert.match(error.message, /\/a\?X-Amz-Signature=REDACTED&api_key=REDACTED&page=1 /v);
	assertNothingIn('the event', inspect(error, {depth: 10}));
});

test('a URL, a prefix or a pattern that would match nothing for a credential is refused, without telling it', async () => {
	await using cache = redisCache({store: 'memory'});
	const url = 'https://api.example.com/a?api_key=';
	const calls: Array<() => Promise<unknown>> = [
		async () => cache.delete(`${url}REDACTED`),
		async () => cache.get({url: new URL(`${url}REDACTED`)}),
		async () => cache.invalidate({prefix: `${url}api-key-9`}),
		async () => Array.fromAsync(cache.entries({prefix: `${url}api-key-9`})),
		async () => cache.invalidate({pattern: 'api.example.com/a?api_key=api-key-9'}),
		async () => cache.invalidate({pattern: new URLPattern({search: '*&sig=api-key-9'})}),
	];
	for (const call of calls) {
		await assert.rejects(call, error => {
			assert.ok(error instanceof TypeError);
			assert.match(error.message, /REDACTED/v);
			assertNothingIn('the error', inspect(error));
			return true;
		});
	}

	for (const prefix of [url, `${url}REDACTED`, 'https://api.example.com/a?api_k']) {
		assert.equal(await cache.invalidate({prefix}), true);
	}

	assert.equal(await cache.invalidate({pattern: 'api.example.com/a?api_key=*'}), true);
});

test('a regular expression that names a credential matches nothing that is stored, and the URL as it is requested in `urlsExpireAfter`', async () => {
	await using setup = await setUp({urlsExpireAfter: [[/api_key=api-key-9/v, 60_000]]});
	const {origin, cache, client} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200).end(String(origin.requests.length));
	};

	const ask = async (key: string) => (await client(`a${signed(key)}`)).body;
	assert.deepEqual([await ask('api-key-9'), await ask('api-key-9')], ['1', '1'], 'it has the lifetime of its pattern');
	assert.deepEqual([await ask('another'), await ask('another')], ['2', '3'], 'another has none');
	await settleWrites(setup);

	for (const [pattern, count] of [[/api_key=api-key-9/v, 0], [/api_key=REDACTED/v, 1], [/\bpage=1/v, 1]] as const) {
		assert.equal((await Array.fromAsync(cache.entries({pattern}))).length, count, String(pattern));
	}

	assert.equal(await cache.invalidate({pattern: /api_key=api-key-9/v}), true);
	assert.equal(await ask('api-key-9'), '1');
	assert.equal(await cache.invalidate({pattern: /api_key=REDACTED/v}), true);
	assert.equal(await ask('api-key-9'), '4');
});

test('no secret of an option is in an error or an event', async () => {
	const wrong: RedisCacheOptions[] = [
		{store: 'redis://user:hunter2-password@127.0.0.1:99999'},
		{store: 'http://user:hunter2-password@example.com'},
		{store: {url: 'redis://user:hunter2-password@[', password: 'hunter2-password'}},
		{encryption: 'hunter2-password'},
		{encryption: ['hunter2-password', Buffer.from('hunter2-password')]},
	];
	for (const options of wrong) {
		assert.throws(() => redisCache(options), error => {
			assert.ok(error instanceof TypeError);
			assertNothingIn('the error', inspect(error, {depth: 10}));
			return true;
		});
	}

	const cache = redisCache({store: 'redis://user:hunter2-password@127.0.0.1:1', encryption: Buffer.from('hunter2-password'.repeat(2))});
	const told: unknown[] = [];
	cache.on('error', error => {
		told.push(error);
	});
	await cache.delete('https://user:hunter2-password@example.com/?x');
	assert.ok(told.length > 0);
	assertNothingIn('events', inspect([told, cache.health(), cache], {depth: 10, showHidden: true}));
	await cache.close();
});

test('with encryption, nothing of a request or a response is in Redis, and what is stored is used', async () => {
	await using setup = await setUp({encryption: 'ab'.repeat(32), compression: true});
	const {origin, client} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', vary: 'accept-language', 'x-own': 'api-key-9'}).end('body-secret-10 '.repeat(20_000));
	};

	const ask = async (one = client) => one('path?api-key-9', {headers: {'accept-language': 'session-cookie-7'}});
	const {body} = await ask();
	await setup.cache.close();
	assertNothingIn('Redis', await dump(setup));
	const keys = await setup.redis.client.keys('*');
	assert.deepEqual(keys.filter(key => !key.startsWith('http_cache:{~') && !key.startsWith('http_cache:stats.{fleet}.')), []);

	const {client: second} = setup.other();
	assert.equal((await ask(second)).body, body);
	assert.equal(origin.requests.length, 1);

	const withoutKey = setup.other({encryption: 'cd'.repeat(32)});
	assert.equal((await ask(withoutKey.client)).body, body);
	assert.equal(origin.requests.length, 2);

	// The same names, another key for the values.
	const rotated = setup.other({encryption: ['ef'.repeat(32), 'ab'.repeat(32)]});
	assert.equal((await ask(rotated.client)).body, body);
	assert.equal(origin.requests.length, 2);

	const {cache, client: unable} = setup.other({encryption: ['01'.repeat(32), 'ab'.repeat(32)]});
	await rotated.cache.delete(`${origin.url}/path?api-key-9`);
	await ask(rotated.client);
	await rotated.cache.close();
	assert.equal((await ask(unable)).body, body);
	assert.equal(origin.requests.length, 4);
	assert.ok(cache.health().counters.corrupt > 0);
});

test('header fields without measure are not stored, and are no fault of the store', async () => {
	await using store = await startRedis();
	const events: unknown[] = [];
	const opened = createStore({store: store.url, namespace: 'n', timeoutMs: 1000, memoryBytes: 0, onEvent: event => events.push(event)});
	for (let tries = 0; tries < 4; tries++) {
		assert.equal(await opened.set('{a}', storedResponse({rawHeaders: ['x-long', 'x'.repeat(300_000)]}), 1000), false);
	}

	assert.equal(opened.counters.dropped, 4);
	assert.deepEqual(events, []);
	assert.equal(await opened.set('{a}', storedResponse({rawHeaders: ['x-long', 'x'.repeat(200_000)]}), 1000), true);
	await opened.close();
});

test('a large body that is compressed in the background is read after it was written, and the later of two writes stays', async () => {
	await using setup = await setUp({compression: true, memory: false, timeout: '5s'});
	const {origin, client} = setup;
	let count = 0;
	origin.handler = (_request, response) => {
		count++;
		response.writeHead(200, {'cache-control': 'max-age=60'}).end(`${count} `.repeat(count === 1 ? 3_000_000 : 2));
	};

	const first = await client('x');
	const second = await client('x');
	assert.equal(second.body, first.body);
	assert.equal(count, 1);

	const url = `${origin.url}/y`;
	count = 0;
	await client(url, {prefixUrl: ''});
	const reloaded = await client(url, {prefixUrl: '', context: {cache: {mode: 'reload'}}});
	const read = await client(url, {prefixUrl: ''});
	assert.equal(reloaded.body, '2 2 ');
	assert.equal(read.body, '2 2 ');
	assert.equal(count, 2);
});
