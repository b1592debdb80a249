import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got from 'got';
import {Keyv} from 'keyv';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {holdNext} from '../helpers/origin.ts';
import {readStream} from './read-stream.ts';
import {
	firstWithoutCommands,
	setUp as setUpWith,
	settleWrites,
	type Setup,
} from './helpers.ts';

/** A busy machine is no slow store: what could not be noted in time would be stored for its own URL alone. */
const setUp = async (options: RedisCacheOptions = {}) => setUpWith({timeout: 5000, ...options});

const ignoringUtm = 'params=("utm")';

/** Answers with the number of the request. */
const serve = ({origin}: Pick<Setup, 'origin'>, field: string | false = ignoringUtm, headers: Record<string, string> = {}) => {
	origin.handler = (_request, response) => {
		const own: Record<string, string> = field === false ? {} : {'no-vary-search': field};
		response.writeHead(200, {'cache-control': 'max-age=60', etag: '"1"', ...own, ...headers});
		response.end(String(origin.requests.length));
	};
};

const ask = async ({client}: Pick<Setup, 'client'>, path: string, options: Record<string, unknown> = {}) => {
	const response = await client(path, options as {headers: Record<string, string>});
	return `${cacheInfo(response)?.status} ${response.body}`;
};

const stores: Record<string, () => RedisCacheOptions> = {
	Redis: () => ({}),
	'Redis without memory': () => ({memory: false}),
	'Redis, encrypted': () => ({encryption: Buffer.alloc(32, 1)}),
	'a Map': () => ({store: new Map()}),
	'memory (Keyv)': () => ({store: new Keyv()}),
};

for (const [name, options] of Object.entries(stores)) {
	test(`${name}: a response answers for equivalent URLs`, async () => {
		await using setup = await setUp(options());
		serve(setup);

		assert.equal(await ask(setup, 'a?utm=1&b=1'), 'miss 1');
		assert.equal(await ask(setup, 'a?utm=1&b=1'), 'hit 1');
		assert.equal(await ask(setup, 'a?b=1&utm=2'), 'hit 1');
		assert.equal(await ask(setup, 'a?b=1'), 'hit 1');
		assert.equal(await ask(setup, 'a?b=2'), 'miss 2');
		assert.equal(await ask(setup, 'a?b=2&utm=x'), 'hit 2');
		assert.equal(await ask(setup, 'a'), 'miss 3');
		assert.equal(await ask(setup, 'b?utm=1'), 'miss 4');
		assert.equal(await ask(setup, 'b'), 'hit 4');
	});

	test(`${name}: another process profits from what the first has stored`, async () => {
		await using setup = await setUp(options());
		serve(setup);
		const other = setup.other();
		assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
		await settleWrites(setup);

		assert.equal(await ask(other, 'a?utm=2'), 'hit 1');
		assert.equal(await ask(other, 'a?utm=3'), 'hit 1');
		assert.equal(await ask(other, 'b?utm=1'), 'miss 2');
		await settleWrites(setup);
		assert.equal(await ask(setup, 'b?utm=2'), 'hit 2');
	});

	test(`${name}: a purge of an equivalent URL reaches it, in all processes`, async () => {
		await using setup = await setUp(options());
		serve(setup);
		const {cache, origin} = setup;
		const other = setup.other();
		const stranger = setup.other();
		const url = (search: string) => `${origin.url}/a${search}`;
		assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
		await settleWrites(setup);
		assert.equal(await ask(other, 'a?utm=2'), 'hit 1');

		assert.equal(await cache.delete(url('?b=1')), true);
		assert.equal(await ask(other, 'a?utm=3'), 'hit 1', 'of a URL that is not equivalent');

		assert.equal(await stranger.cache.delete(url('?utm=4')), true);
		assert.equal(await setup.cache.has(url('?utm=1'), {stale: true}), false);
		assert.equal(await ask(setup, 'a?utm=1'), 'miss 2');
		await settleWrites(setup);
		assert.equal(await ask(other, 'a?utm=2'), 'hit 2');

		await setup.client.post('a?utm=5');
		assert.equal(await ask(setup, 'a?utm=1'), 'miss 4');
		await settleWrites(setup);
		assert.equal(await ask(other, 'a?utm=2'), 'hit 4');

		await other.client.post('a');
		assert.equal(await ask(other, 'a?utm=2'), 'miss 6');
		assert.equal(await stranger.cache.invalidate({origin: origin.url}), true);
		assert.equal(await ask(other, 'a?utm=2'), 'miss 7');
	});

	test(`${name}: what is on its way while an equivalent URL is purged is not stored`, async () => {
		for (const isKnown of [false, true]) {
			await using setup = await setUp(options());
			serve(setup);
			const {cache, origin} = setup;
			const other = setup.other();
			if (isKnown) {
				await ask(setup, 'a?utm=1');
				await ask(other, 'a?utm=1');
				await cache.delete(`${origin.url}/a`);
			}

			const {handler} = origin;
			const [answer, arrival] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
			origin.handler = async (...parameters) => {
				arrival.resolve();
				await answer.promise;
				return handler(...parameters);
			};

			const early = ask(other, 'a?utm=2');
			await arrival.promise;
			assert.equal(await cache.delete(`${origin.url}/a?utm=3`), true);
			origin.handler = handler;
			answer.resolve();
			const given = (await early).split(' ', 2)[1];
			await settleWrites(setup);

			assert.notEqual((await ask(setup, 'a?utm=3')).split(' ', 2)[1], given);
			assert.notEqual((await ask(other, 'a?utm=3')).split(' ', 2)[1], given);
		}
	});

	test(`${name}: what is stored for equivalent URLs can be read, kept longer, listed and copied`, async () => {
		await using setup = await setUp(options());
		serve(setup);
		const {cache, origin} = setup;
		const other = setup.other();
		const url = `${origin.url}/a?utm=2`;
		await ask(setup, 'a?utm=1');
		await settleWrites(setup);

		for (const each of [cache, other.cache]) {
			assert.equal((await each.get(url))?.url, `${origin.url}/a?utm=1`);
			assert.equal(await each.has(url), true);
			assert.equal(await each.has(`${origin.url}/a?b`), false);
		}

		assert.equal((await Array.fromAsync(cache.entries())).length, 1);
		assert.equal(await other.cache.touch(url, '1d'), true);
		const {age = 0, expiresAt} = await cache.get(url) ?? {};
		assert.ok((expiresAt?.getTime() ?? 0) - Date.now() > 86_000_000 + age);

		const copy = setup.other({store: new Map()});
		assert.equal(await cache.copyTo(copy.cache), 1);
		assert.equal(await ask(copy, 'a?utm=3'), 'hit 1');
		assert.equal(await copy.cache.delete(`${origin.url}/a`), true);
		assert.equal(await ask(copy, 'a?utm=3'), 'miss 2');

		await cache.invalidate({prefix: `${origin.url}/a`});
		assert.equal(await cache.has(url, {stale: true}), false);
	});
}

test('a caller is told of the URL that it asked for', async () => {
	await using setup = await setUp();
	serve(setup, 'params');
	const {client, origin} = setup;
	await client('a?utm=1');
	for (const options of [{}, {retry: {limit: 1}, http2: false}]) {
		const response = await client('a?utm=2', options);
		assert.equal(response.isFromCache, true);
		assert.equal(response.url, `${origin.url}/a?utm=2`);
		assert.equal(response.requestUrl.href, `${origin.url}/a?utm=2`);
	}
});

for (const field of [false, '', 'params=(', 'params="utm"', 'params=?0', 'params=("utm"), except=("b")', 'something'] as const) {
	test(`without a sound field each URL is stored for itself: ${field}`, async () => {
		await using setup = await setUp();
		serve(setup, field);
		assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
		assert.equal(await ask(setup, 'a?utm=2'), 'miss 2');
		assert.equal(await ask(setup, 'a?utm=1'), 'hit 1');
	});
}

test('several lines are one field, and `key-order` alone compares queries as forms', async () => {
	await using setup = await setUp();
	const {origin} = setup;
	origin.queue(
		{headers: ['cache-control', 'max-age=60', 'no-vary-search', 'params', 'no-vary-search', 'except=("b")'], body: '1'},
		{headers: {'cache-control': 'max-age=60', 'no-vary-search': 'key-order'}, body: '2'},
	);
	assert.equal(await ask(setup, 'a?b=1&c=1'), 'miss 1');
	assert.equal(await ask(setup, 'a?c=2&b=1'), 'hit 1');
	assert.equal(await ask(setup, 'b?a=&b=1'), 'miss 2');
	assert.equal(await ask(setup, 'b?b=%31&a'), 'hit 2');
});

test('the latest No-Vary-Search counts, and a response that was stored by another one is not used', async () => {
	await using setup = await setUp();
	serve(setup, 'params=("a")');
	const other = setup.other();
	assert.equal(await ask(setup, 'x?a=1'), 'miss 1');
	await settleWrites(setup);
	assert.equal(await ask(other, 'x?a=2'), 'hit 1');

	serve(setup, 'params=("b")');
	assert.equal(await ask(setup, 'x?a=1', {headers: {'cache-control': 'no-cache'}}), 'miss 2');
	await settleWrites(setup);
	assert.equal(await ask(setup, 'x?a=2'), 'miss 3');
	assert.equal(await ask(setup, 'x?a=1&b=1'), 'hit 2');
	await settleWrites(setup);
	assert.equal(await ask(other, 'x?a=2&b=2'), 'hit 3');
	assert.equal(await ask(other, 'x?a=1'), 'hit 2');
});

test('a response without the field is stored for its own URL, and takes the place of an older one', async () => {
	await using setup = await setUp();
	serve(setup);
	const other = setup.other();
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
	await settleWrites(setup);
	assert.equal(await ask(other, 'a?utm=1'), 'hit 1');
	serve(setup, false);
	assert.equal(await ask(setup, 'a?utm=1', {context: {cache: {mode: 'reload'}}}), 'miss 2');
	assert.equal(await ask(setup, 'a?utm=1'), 'hit 2');
	await settleWrites(setup);
	assert.equal(await ask(other, 'a?utm=1'), 'hit 2');
	assert.equal(await ask(setup, 'a?utm=2'), 'miss 3');
	assert.equal(await ask(setup, 'a?utm=1'), 'hit 2');
	assert.equal(await ask(setup, 'a?utm=2'), 'hit 3');
});

test('a 304 may say otherwise', async () => {
	await using setup = await setUp();
	const {origin} = setup;
	serve(setup, ignoringUtm, {'cache-control': 'max-age=0'});
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
	origin.queue({status: 304, headers: {etag: '"1"', 'cache-control': 'max-age=60'}});
	assert.equal(await ask(setup, 'a?utm=2'), 'revalidated 1');
	assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
	assert.equal(await ask(setup, 'a?utm=3'), 'hit 1');
	assert.equal((await setup.cache.get(`${origin.url}/a`))?.url, `${origin.url}/a?utm=2`);

	origin.queue({status: 304, headers: {etag: '"1"', 'cache-control': 'max-age=60', 'no-vary-search': 'params=("other")'}});
	assert.equal(await ask(setup, 'a?utm=3', {headers: {'cache-control': 'no-cache'}}), 'revalidated 1');
	assert.equal(await ask(setup, 'a?utm=3&other=1'), 'hit 1');
	assert.equal(await ask(setup, 'a?utm=4'), 'miss 4');
});

test('with Vary, ranges, HEAD and streams', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({headers}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', vary: 'accept-language', 'no-vary-search': 'params', etag: '"1"'}).end(`${headers['accept-language']} 0123456789`);
	};

	const options = (language: string, more: Record<string, string> = {}) => ({headers: {'accept-language': language, ...more}});
	await client('a?utm=1', options('en'));
	await client('a?utm=1', options('de'));
	assert.equal((await client('a?utm=2', options('en'))).body, 'en 0123456789');
	assert.equal((await client('a?utm=3', options('de'))).body, 'de 0123456789');
	const part = await client('a?utm=4', options('de', {range: 'bytes=3-4'}));
	assert.deepEqual([part.statusCode, part.body], [206, '01']);
	assert.equal((await client.head('a?utm=5', options('de'))).isFromCache, true);
	assert.equal((await readStream(client.stream('a?utm=6', options('en')))).body, 'en 0123456789');
	assert.equal(origin.requests.length, 2);

	await setup.cache.delete(`${origin.url}/a?utm=7`);
	assert.equal((await client('a?utm=8', options('en'))).isFromCache, false);
	assert.equal((await client('a?utm=8', options('de'))).isFromCache, false);
});

test('a part that is stored for one URL is completed for an equivalent one', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const partOf = (range: string, body: string) => ({
		status: 206,
		headers: {
			'cache-control': 'max-age=60',
			etag: '"1"',
			'no-vary-search': ignoringUtm,
			'content-range': range,
			'content-length': String(body.length),
		},
		body,
	});
	origin.queue(partOf('bytes 0-4/10', '01234'), partOf('bytes 5-9/10', '56789'));
	await client('a?utm=1', {headers: {range: 'bytes=0-4'}});
	assert.equal((await client('a?utm=2')).body, '0123456789');
	assert.equal(origin.requests[1]?.headers.range, 'bytes=5-');
	assert.equal((await client('a?utm=3')).isFromCache, true);
});

test('everything else that tells requests apart still does', async () => {
	await using setup = await setUp({ignoredParameters: ['secret'], matchHeaders: ['x-tenant'], key: (_request, {headers}) => String(headers['x-key'] ?? '')});
	serve(setup);
	assert.equal(await ask(setup, 'a?utm=1&secret=1'), 'miss 1');
	assert.equal(await ask(setup, 'a?utm=2&SECRET=2'), 'hit 1');
	assert.equal(await ask(setup, 'a?utm=3', {headers: {'x-tenant': '1'}}), 'miss 2');
	assert.equal(await ask(setup, 'a?utm=4', {headers: {'x-tenant': '1'}}), 'hit 2');
	assert.equal(await ask(setup, 'a?utm=5', {headers: {'x-key': '1'}}), 'miss 3');
	assert.equal(await ask(setup, 'a?utm=6', {headers: {'x-key': '1'}}), 'hit 3');
	assert.equal(await setup.cache.delete({url: `${setup.origin.url}/a?utm=7`, key: '1'}), true);
	assert.equal(await ask(setup, 'a?utm=8', {headers: {'x-key': '1'}}), 'miss 4');
	const [entry] = await Array.fromAsync(setup.cache.entries());
	assert.doesNotMatch(String(entry?.url), /secret/iv);
});

test('redirects and QUERY', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({url, method, body}, response) => {
		response.writeHead(url.startsWith('/from') ? 301 : 200, {'cache-control': 'max-age=60', 'no-vary-search': ignoringUtm, location: '/to'});
		response.end(`${method} ${Buffer.from(body).toString()}`);
	};

	await client('from?utm=1');
	const {redirectUrls, body} = await client('from?utm=2');
	assert.deepEqual([redirectUrls.map(String), body], [[`${origin.url}/to`], 'GET ']);
	assert.equal(origin.requests.length, 2);

	const query = async (search: string, text: string) => client(`q?${search}`, {method: 'QUERY', body: text}).text();
	assert.equal(await query('utm=1', 'x'), 'QUERY x');
	assert.equal(await query('utm=2', 'y'), 'QUERY y');
	assert.equal(await query('utm=3', 'x'), 'QUERY x');
	assert.equal(origin.requests.length, 4);
});

test('a POST response that stands for a GET is stored for its URL', async () => {
	await using setup = await setUp();
	serve(setup, 'params', {'content-location': '/a?b=1'});
	await setup.client.post('a?b=1');
	assert.equal(await ask(setup, 'a?b=1'), 'hit 1');
});

test('those who wait for an equal request use what came of it only if it is for them', async () => {
	for (const [field, count] of [[ignoringUtm, 1], ['params=("other")', 4], [false, 4]] as const) {
		await using setup = await setUp();
		serve(setup);
		const {client, origin} = setup;
		await ask(setup, 'a?utm=0', {headers: {}});
		origin.requests.length = 0;
		const {promise, resolve} = Promise.withResolvers<void>();
		serve(setup, field, {'cache-control': 'max-age=60'});
		const {handler} = origin;
		origin.handler = async (...parameters) => {
			await promise;
			return handler(...parameters);
		};

		// Nothing is stored of `b=1`, but that `utm` does not count is known.
		const responses = ['1', '2', '3', '4'].map(async utm => client(`a?b=1&utm=${utm}`));
		while (origin.requests.length === 0) {
			await setup.redis.client.ping();
		}

		for (let round = 0; round < 20; round++) {
			await setup.redis.client.ping();
		}

		resolve();
		const bodies = (await Promise.all(responses)).map(({body}) => body);
		assert.equal(origin.requests.length, count, String(field));
		assert.equal(new Set(bodies).size, count, String(field));
	}
});

test('those who wait for an equal request with another credential are given nothing of it', async () => {
	const counting = 'params=("utm")';
	// Without the field, the credential that was stored cannot be compared: those who wait share a flight of their own.
	for (const [field, count, countOfSame] of [['params=("sig")', 1, 1], [counting, 4, 1], [false, 4, 2]] as const) {
		await using setup = await setUp();
		serve(setup, 'params=("sig")');
		const {client, origin} = setup;
		await ask(setup, 'a?sig=0');
		serve(setup, field);
		origin.requests.length = 0;
		const flight = holdNext(origin);
		const responses = ['1', '2', '3', '4'].map(async sig => client(`a?b=1&sig=${sig}`));
		await flight.arrived;
		for (let round = 0; round < 20; round++) {
			await setup.redis.client.ping();
		}

		flight.release();
		const bodies = (await Promise.all(responses)).map(({body}) => body);
		assert.equal(new Set(bodies).size, count, String(field));
		origin.requests.length = 0;
		const next = holdNext(origin);
		const same = ['5', '5', '5'].map(async sig => client(`a?b=2&sig=${sig}`));
		await next.arrived;
		for (let round = 0; round < 20; round++) {
			await setup.redis.client.ping();
		}

		next.release();
		await Promise.all(same);
		assert.equal(origin.requests.length, countOfSame, String(field));
	}
});

test('without the store, too, those who wait are given what is for them', async () => {
	for (const [field, count] of [[ignoringUtm, 1], [false, 4]] as const) {
		await using setup = await setUp();
		serve(setup);
		const {client, origin, redis} = setup;
		await ask(setup, 'a?utm=0');
		await redis.kill();
		await client('b');
		origin.requests.length = 0;
		const {promise, resolve} = Promise.withResolvers<void>();
		serve(setup, field);
		const {handler} = origin;
		origin.handler = async (...parameters) => {
			await promise;
			return handler(...parameters);
		};

		const responses = ['1', '2', '3', '4', '4', '4'].map(async utm => client(`a?b=1&utm=${utm}`));
		while (origin.requests.length === 0) {
			await nextTurn();
		}

		for (let turn = 0; turn < 50; turn++) {
			await nextTurn();
		}

		resolve();
		const bodies = (await Promise.all(responses)).map(({body}) => body);
		assert.equal(new Set(bodies).size, count, String(field));
		assert.equal(origin.requests.length, count, String(field));
	}
});

test('equivalent URLs share one refresh in the background', async () => {
	await using setup = await setUp();
	const {origin} = setup;
	serve(setup, ignoringUtm, {'cache-control': 'max-age=1, stale-while-revalidate=60', age: '1'});
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
	serve(setup);
	const given = await Promise.all(['2', '3', '4'].map(async utm => ask(setup, `a?utm=${utm}`)));
	assert.deepEqual(given, ['stale 1', 'stale 1', 'stale 1']);
	while (await ask(setup, 'a?utm=5') === 'stale 1') {
		await settleWrites(setup);
	}

	assert.equal(origin.requests.length, 2);
	assert.match(origin.requests[1]?.url ?? '', /^\/a\?utm=[2-4]$/v);
});

test('in the fleet, equivalent URLs are one flight', async () => {
	await using setup = await setUp({coalesce: 'fleet'});
	serve(setup);
	const other = setup.other();
	await ask(setup, 'a?utm=0');
	await ask(other, 'a?utm=0');
	const {handler} = setup.origin;
	setup.origin.handler = async (...parameters) => {
		for (let round = 0; round < 50; round++) {
			await setup.redis.client.ping();
		}

		return handler(...parameters);
	};

	const bodies = await Promise.all([setup, other].map(async (each, number) => (await each.client(`a?b=1&utm=${number}`)).body));
	assert.deepEqual(bodies, ['2', '2']);
});

test('a stale response stands in for an equivalent URL, too', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	serve(setup, ignoringUtm, {'cache-control': 'max-age=0'});
	await client('a?utm=1');
	await origin.stop();
	const response = await client('a?utm=2');
	assert.deepEqual([response.body, cacheInfo(response)?.reason], ['1', 'network-error']);
});

test('a mark of a path that is lost purges, and revives nothing', async () => {
	await using setup = await setUp({memory: false});
	serve(setup);
	const {cache, origin, redis} = setup;
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
	await settleWrites(setup);
	await redis.client.del(await redis.client.keys('*{path:*'));
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 2');
	assert.equal(await ask(setup, 'a?utm=2'), 'hit 2');
	await settleWrites(setup);

	await redis.client.del(await redis.client.keys('*{path:*'));
	const stranger = setup.other();
	assert.equal(await stranger.cache.delete(`${origin.url}/a?utm=3`), true);
	assert.equal(await cache.has(`${origin.url}/a?utm=1`, {stale: true}), false);
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 3');
});

test('the mark of a path outlives what it stands for, by an hour', async () => {
	await using setup = await setUp();
	const {redis} = setup;
	const left = async (pattern: string) => {
		const [key = ''] = await redis.client.keys(pattern);
		return redis.client.pTTL(key);
	};

	const keyPattern = String.raw`http_cache:{\?*}`;
	for (const [seconds, options] of [[60, {}], [86_400, {context: {cache: {mode: 'reload'}}}], [60, {context: {cache: {mode: 'reload'}}}]] as const) {
		serve(setup, ignoringUtm, {'cache-control': `max-age=${seconds}`});
		await ask(setup, `a?utm=${seconds}`, options);
		while (await left(keyPattern) <= (seconds * 1000)) {
			await settleWrites(setup);
		}

		// The mark is kept along with the write, which nobody waits for.
		while (await left('http_cache:{path:*') < await left(keyPattern)) {
			await settleWrites(setup);
		}

		assert.ok(await left('http_cache:{path:*') <= 86_400_000 + (3 * 3_600_000));
	}

	assert.equal((await redis.client.keys(keyPattern)).length, 1);
});

test('a purge that the store does not confirm holds in the process', async () => {
	await using setup = await setUp({memory: false, timeout: 1000});
	serve(setup);
	const {cache, origin, redis} = setup;
	const stranger = setup.other();
	assert.equal(await ask(setup, 'a?utm=1'), 'miss 1');
	assert.equal(await ask(setup, 'a?utm=2'), 'hit 1');
	await stranger.cache.has(origin.url);
	redis.pause();
	assert.equal(await cache.delete(`${origin.url}/a?utm=3`), false);
	assert.equal(await stranger.cache.delete(`${origin.url}/a?utm=3`), false);
	redis.resume();
	assert.notEqual(await ask(setup, 'a?utm=2'), 'hit 1');
	assert.notEqual(await ask(stranger, 'a?utm=4'), 'hit 1');
});

const commandsOf = async (setup: Setup, action: () => Promise<unknown>): Promise<string[]> => {
	const {redis} = setup;
	const monitor = redis.client.duplicate();
	await monitor.connect();
	const seen: string[] = [];
	await monitor.monitor(line => {
		seen.push(line);
	});
	await action();
	await redis.client.echo('end');
	while (seen.every(line => !line.includes('"end"'))) {
		await redis.client.ping();
	}

	monitor.destroy();
	return seen.filter(line => line.includes('http_cache')).map(line => line.slice(line.indexOf(']') + 2));
};

test('a hit is one command, and who has never seen the field reads no more than before', async () => {
	await using setup = await setUp({memory: false});
	serve(setup);
	await ask(setup, 'a?utm=1');
	await ask(setup, 'a?utm=2');
	await settleWrites(setup);
	const hit = await commandsOf(setup, async () => {
		assert.equal(await ask(setup, 'a?utm=3'), 'hit 1');
	});
	assert.deepEqual(hit.map(line => line.split(' ', 1)[0]), ['"MGET"']);

	await using near = await setUp();
	serve(near);
	// Redis tells of its marks that they are kept longer now; then nothing changes any more.
	for (const utm of [1, 2, 3, 4]) {
		await ask(near, `a?utm=${utm}`);
		await settleWrites(near);
	}

	assert.equal(await firstWithoutCommands(near, async () => {
		assert.equal(await ask(near, 'a?utm=5'), 'hit 1');
	}), true, 'from memory');

	await using plain = await setUp({memory: false});
	serve(plain, false);
	await ask(plain, 'a?utm=1');
	const commands = await commandsOf(plain, async () => {
		assert.equal(await ask(plain, 'a?utm=1'), 'hit 1');
		assert.equal(await ask(plain, 'a?utm=2'), 'miss 2');
		assert.equal(await ask(plain.other(), 'a?utm=2'), 'hit 2');
	});
	assert.deepEqual(commands.filter(line => line.includes('{path:')), []);
	assert.deepEqual(commands.filter(line => line.startsWith('"MGET"')).map(line => line.split(' ').length), [4, 4, 4]);
});

test('two processes on one store of Keyv', async () => {
	const store = new Map();
	await using setup = await setUp({store});
	serve(setup);
	await ask(setup, 'a?utm=1');
	const client = got.extend({prefixUrl: setup.origin.url}, redisCache({store}));
	assert.equal((await client('a?utm=2')).isFromCache, true);
});

test('one path in several spellings is one path (RFC 3986 §6.2.2)', async () => {
	await using setup = await setUp();
	serve(setup);
	assert.equal(await ask(setup, '%7Eme?utm=1'), 'miss 1');
	assert.equal(await ask(setup, '~me?utm=2'), 'hit 1');
	assert.equal(await ask(setup.other(), '~me?utm=3'), 'hit 1');
	assert.equal(await setup.other().cache.delete(`${setup.origin.url}/%7eme?utm=4`), true);
	assert.equal(await ask(setup.other(), '~me?utm=1'), 'miss 2');
});
