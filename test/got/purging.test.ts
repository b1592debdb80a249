import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {inspect} from 'node:util';
import type {OptionsInit} from 'got';
import {Keyv} from 'keyv';
import {
	cacheInfo,
	redisCache,
	type RedisCache,
	type RedisCacheOptions,
	type RequestLike,
} from '../../source/index.ts';
import {startProxy} from '../faults/proxy.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {holdNext} from '../helpers/origin.ts';
import {unlessFast} from '../helpers/runs.ts';
import {startScript} from '../helpers/script.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {interfaces} from './store-change-helpers.ts';

/* What holds for any store is in `source/acceptance/`. */

/** For what is to happen by itself: better a failure that says what did not than a test that does not end. */
const patienceMs = 30_000;

/** Answers with the number of the request; what the path says are tags, and the group `g`. */
const serve = ({origin}: Setup, headers: Record<string, string> = {}) => {
	origin.handler = ({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': url.slice(1).replaceAll('/', ','), 'cache-groups': '"g"', etag: '"1"', ...headers});
		response.end(String(origin.requests.length));
	};
};

const ask = async ({client}: Pick<Setup, 'client'>, path: string) => {
	const response = await client(path);
	return `${cacheInfo(response)?.status} ${response.body}`;
};

test('a response to an unsafe request invalidates groups of its origin (RFC 9875)', async () => {
	await using setup = await setUp();
	serve(setup);
	const {client, origin} = setup;
	assert.equal(await ask(setup, 'a'), 'miss 1');
	origin.queue({status: 204, headers: {'cache-group-invalidation': '"other"'}});
	await client.post('b');
	assert.equal(await ask(setup, 'a'), 'hit 1');
	origin.queue({status: 204, headers: {'cache-group-invalidation': '"g"'}});
	await client.post('b');
	assert.equal(await ask(setup, 'a'), 'miss 4');
});

test('a mark that Redis evicts purges, and revives nothing', async () => {
	await using setup = await setUp({memory: false, tagField: 'cache-tag'});
	serve(setup);
	const {cache, redis} = setup;
	assert.equal(await ask(setup, 'a'), 'miss 1');
	assert.equal(await ask(setup, 'a'), 'hit 1');
	await cache.invalidate({tag: 'a'});
	await redis.client.del(await redis.client.keys('*{tag:*'));
	assert.equal(await ask(setup, 'a'), 'miss 2');
	await redis.client.del(await redis.client.keys('*{origin:*'));
	assert.equal(await ask(setup, 'a'), 'miss 3');
	assert.equal(await ask(setup, 'a'), 'hit 3');
});

test('by tag, group and origin it takes as many commands whatever is stored', async () => {
	await using setup = await setUp({memory: false});
	const {cache, redis} = setup;
	const commands = async () => {
		const before = Number(/(?<=total_commands_processed:)\d+/v.exec(await redis.client.info('stats'))?.[0]);
		await cache.invalidate({tag: 'a'});
		return Number(/(?<=total_commands_processed:)\d+/v.exec(await redis.client.info('stats'))?.[0]) - before - 1;
	};

	await cache.has('http://example.com/');
	const few = await commands();
	await redis.client.mSet(Object.fromEntries(Array.from({length: 10_000}, (_, number) => [`http_cache:{${number}}`, 'x'])));
	assert.equal(await commands(), few);
	assert.equal(few, 1);
});

for (const [name, vary] of [['without Vary', undefined], ['with Vary', 'accept-language']] as const) {
	test(`a hit is one command, ${name}`, async () => {
		await using setup = await setUp({memory: false, tagField: 'cache-tag'});
		serve(setup, vary === undefined ? {} : {vary});
		const {redis} = setup;
		await ask(setup, 'a/b/c');
		await ask(setup, 'a/b/c');
		await settleWrites(setup);
		const commands = await commandsDuring([redis], async () => {
			assert.equal(await ask(setup, 'a/b/c'), 'hit 1');
		});
		assert.deepEqual(commands.map(([command]) => command), ['MGET']);
	});
}

test('two processes: after one has purged by tag, the other does not give what was purged', unlessFast, async t => {
	await using setup = await setUp({tagField: 'cache-tag'});
	serve(setup);
	const {redis} = setup;
	const child = startScript(t, `
		import {redisCache} from '${new URL('../../source/index.ts', import.meta.url).href}';
		const cache = redisCache({store: '${redis.url}', timeout: '10s'});
		process.on('message', async name => {
			process.send(await cache.invalidate({tag: name}));
		});
		process.send('ready');
	`);
	await once(child, 'message');
	for (let round = 0; round < 10; round++) {
		const path = `r${round}`;
		const body = (await ask(setup, path)).split(' ', 2)[1];
		assert.equal(await ask(setup, path), `hit ${body}`);
		child.send(path);
		const [isConfirmed] = await once(child, 'message') as [boolean];
		assert.equal(isConfirmed, true);
		// What Redis told before this reply has arrived with it.
		await setup.cache.has('http://example.com/');
		assert.equal((await ask(setup, path)).split(' ', 1)[0], 'miss');
	}
});

test('a purge that the store does not confirm holds in the process, and is made up for', async () => {
	await using setup = await setUp({memory: false, tagField: 'cache-tag'});
	await using proxy = await startProxy(setup.redis.port);
	serve(setup);
	const {origin, cache} = setup;
	const remote = setup.other({store: `redis://127.0.0.1:${proxy.port}`, timeout: 1000});
	const url = `${origin.url}/a`;
	assert.equal(await ask(setup, 'a'), 'miss 1');
	assert.equal(await ask(remote, 'a'), 'hit 1');
	proxy.weather = {isBlackHole: true};
	assert.equal(await remote.cache.invalidate({tag: 'a'}), false);
	// What was sent is lost.
	proxy.cutAll();
	proxy.weather = {};
	assert.equal(await cache.has(url), true);

	// Each look is one more occasion to make up for it.
	const seen = new Set<boolean>();
	const dueMs = performance.now() + patienceMs;
	while (performance.now() < dueMs && await cache.has(url)) {
		seen.add(await remote.cache.has(url));
	}

	assert.deepEqual([...seen], [false]);
	assert.equal(await cache.has(url), false);
	assert.equal(await ask(remote, 'a'), 'miss 2');
});

test('a stored response can be read, kept longer and listed', async () => {
	for (const options of [{}, {store: new Map()}] as RedisCacheOptions[]) {
		await using setup = await setUp({tagField: 'cache-tag', ...options});
		serve(setup, {vary: 'accept-language'});
		const {cache, client, origin} = setup;
		for (const language of ['en', 'de']) {
			await client('a', {headers: {'accept-language': language}});
		}

		await client('b');
		await settleWrites(setup);
		const url = `${origin.url}/a`;
		assert.equal(Buffer.from((await cache.get(url))?.body ?? []).toString(), '2');
		const english = await cache.get({url, headers: {'accept-language': 'en'}});
		assert.equal(Buffer.from(english?.body ?? []).toString(), '1');
		assert.deepEqual([english?.statusCode, english?.isFresh, english?.tags, english?.groups, english?.vary, english?.size], [200, true, ['a'], ['g'], {'accept-language': 'en'}, 1]);
		assert.equal(await cache.get({url, headers: {'accept-language': 'fr'}}), undefined);
		assert.equal(await cache.get(`${origin.url}/c`), undefined);

		const list = async (filter?: Parameters<typeof cache.entries>[0]) => (await Array.fromAsync(cache.entries(filter))).map(entry => new URL(entry.url).pathname).toSorted();
		assert.deepEqual(await list(), ['/a', '/a', '/b']);
		assert.deepEqual(await list({tag: 'b'}), ['/b']);
		assert.deepEqual(await list({stale: true}), []);
		await assert.rejects(list({wrong: 1} as never), {name: 'TypeError', message: /`wrong`/v});

		assert.equal(await cache.touch(url, 0), true);
		assert.equal(await cache.has(url), false);
		assert.equal(await cache.has(url, {stale: true}), true);
		assert.equal(await cache.touch(url, '1d'), true);
		const expiresAt = (await cache.get(url))?.expiresAt?.getTime() ?? 0;
		assert.ok(expiresAt - Date.now() > 86_000_000);
		assert.equal(await cache.touch(`${origin.url}/c`, '1d'), false);

		const {cache: copy, client: copyClient} = setup.other({store: new Map()});
		assert.equal(await cache.copyTo(copy), 3);
		const response = await copyClient('a', {headers: {'accept-language': 'en'}});
		assert.deepEqual([response.isFromCache, response.body], [true, '1']);
		assert.equal(await copy.invalidate({tag: 'a'}), true);
		assert.equal(await copy.has(url, {stale: true}), false);
	}
});

test('a response to a request with content is found by the content and its type', async () => {
	await using setup = await setUp();
	serve(setup);
	const {cache, client, origin} = setup;
	const typed = {'content-type': 'text/x'};
	const sent: ReadonlyArray<readonly [options: OptionsInit, named: Partial<RequestLike>]> = [
		[{json: {from: 1, to: 2}}, {body: '{"to": 2, "from": 1}', headers: {'Content-Type': 'application/json'}}],
		[{json: {from: 2}}, {json: {from: 2}}],
		[{json: {from: 3}, headers: {'content-type': 'application/x+json'}}, {json: {from: 3}, headers: {'content-type': 'application/x+json'}}],
		[{json: null}, {json: null}],
		[{form: {from: 1, to: 'a b'}}, {form: {to: 'a b', from: 1}}],
		[{body: '{"from": 1}'}, {body: '{"from": 1}', headers: {'content-type': undefined}}],
		[{body: 'text', headers: typed}, {body: 'text', headers: typed}],
	];
	for (const [options, named] of sent) {
		const request = {url: `${origin.url}/a`, method: 'QUERY', ...named};
		await client('a', {method: 'QUERY', ...options});
		assert.equal(await cache.has(request), true, inspect(named));
		assert.equal(await cache.touch(request, '1h'), true);
		assert.equal((await cache.get(request))?.method, 'QUERY');
		assert.equal(await cache.delete(request), true);
		assert.equal(await cache.has(request, {stale: true}), false);
	}

	assert.deepEqual(await Array.fromAsync(cache.entries()), []);
});

test('a URL is purged for all users, methods and contents, and no other URL is', async () => {
	await using setup = await setUp({user: (_request, {context}) => context.userId as string | undefined, key: (_request, {headers}) => String(headers['x-tenant'] ?? ''), ignoredParameters: ['utm']});
	serve(setup);
	const {cache, client, origin} = setup;
	const url = `${origin.url}/a?b=1&api_key=secret`;
	const askAll = async () => {
		const reasons: unknown[] = [];
		for (const options of [{}, {context: {userId: 'alice'}}, {context: {userId: 'bob'}}, {headers: {'x-tenant': 't'}}, {method: 'QUERY', json: 1}] as const) {
			reasons.push(cacheInfo(await client('a?b=1&api_key=secret&utm=1', options))?.reason);
		}

		await settleWrites(setup);
		return [...new Set(reasons)];
	};

	assert.deepEqual(await askAll(), ['not-stored']);
	assert.deepEqual(await askAll(), ['fresh']);
	await client('a?b=1&api_key=secret&c=1');
	await settleWrites(setup);
	assert.equal((await Array.fromAsync(cache.entries({url}))).length, 5);
	assert.equal(await cache.invalidate({url}, {soft: true}), true);
	assert.deepEqual(await askAll(), ['invalidated']);
	// As it is listed, which is about all credentials.
	for (const named of [url, new URL(`${origin.url}/a?api_key=REDACTED&b=1#c`)]) {
		assert.equal(await cache.invalidate({url: named}), true);
		assert.deepEqual(await askAll(), ['not-stored']);
	}

	assert.equal((await Array.fromAsync(cache.entries())).length, 6);
	assert.equal(cacheInfo(await client('a?b=1&api_key=secret&c=1'))?.status, 'hit');
});

test('a purge in one spelling of a URL reaches what is stored for another (RFC 3986 §6.2.2)', async t => {
	const purges: Readonly<Record<string, (setup: Setup, at: (path: string) => string) => Promise<unknown>>> = {
		'delete()': async ({cache}, at) => cache.delete(at('%7Eme/caf%c3%a9')),
		'delete() in another process': async setup => setup.other().cache.delete(`${setup.origin.url}/%7eme/caf%C3%a9`),
		prefix: async ({cache}, at) => cache.invalidate({prefix: at('%7Eme/')}),
		'prefix up to an escape': async ({cache}, at) => cache.invalidate({prefix: at('%7eme/caf%c3')}),
		pattern: async ({cache}) => cache.invalidate({pattern: '*/%7Eme/*%a9'}),
		'regular expression': async ({cache}) => cache.invalidate({pattern: /\/~me\/caf%C3%A9$/v}),
		'unsafe method': async ({client}) => client.delete('%7Eme/caf%c3%A9'),
		async 'Location of a response'({client, origin}) {
			origin.queue({status: 201, headers: {location: '/%7eme/caf%C3%a9'}});
			await client.post('a');
		},
	};

	for (const [name, purge] of Object.entries(purges)) {
		await t.test(name, async () => {
			await using setup = await setUp();
			const {cache, origin} = setup;
			const at = (path: string) => `${origin.url}/${path}`;
			serve(setup);
			assert.equal(await ask(setup, '~me/caf%C3%A9'), 'miss 1');
			assert.equal(await ask(setup, '%7Eme/caf%c3%a9'), 'hit 1');
			assert.equal(await ask(setup, '~me%2Fcaf%C3%A9'), 'miss 2');
			await settleWrites(setup);
			assert.equal(await cache.has(at('%7eme/caf%C3%a9')), true);
			const entries = await Array.fromAsync(cache.entries({prefix: at('%7Eme/')}));
			assert.deepEqual(entries.map(({url}) => url), [at('~me/caf%C3%A9')]);

			await purge(setup, at);
			assert.equal(await cache.has(at('~me/caf%C3%A9')), false);
			assert.equal(await cache.has(at('~me%2fcaf%C3%A9')), true, 'an escaped slash is none');
		});
	}
});

test('a store that cannot be listed says why', async () => {
	const url = 'http://example.com/a';
	const listings: Readonly<Record<string, (cache: RedisCache) => Promise<unknown>>> = {
		entries: async cache => Array.fromAsync(cache.entries()),
		copyTo: async cache => cache.copyTo(cache),
		invalidate: async cache => cache.invalidate({prefix: url}),
	};
	const keys = new Keyv({store: {get: () => undefined, set: () => true, delete: () => true, clear: () => undefined}});
	for (const [name, list] of Object.entries(listings)) {
		const away = redisCache('redis://127.0.0.1:1');
		await assert.rejects(
			list(away),
			({message, cause}: Error) =>
				/^got-redis-cache: The store could not list what is stored: connect ECONNREFUSED .*\(store: redis:\/\/127\.0\.0\.1:1\)\. Nothing listens there/v.test(
					message,
				) && String(cause).includes('ECONNREFUSED'),
			name,
		);
		await away.close();
		await assert.rejects(list(away), {name: 'Error', message: 'got-redis-cache: The store could not list what is stored: the cache is closed'});
		await assert.rejects(list(redisCache(keys)), ({message, cause}: Error) => message.includes('could not list') && String(cause).includes('cannot list its keys'), name);
	}
});

test('listing reads no bodies from Redis', async () => {
	await using setup = await setUp({compression: false});
	const {cache, client, origin, redis} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('x'.repeat(1_000_000));
	};

	await client('a');
	await settleWrites(setup);
	const sent = async () => Number(/(?<=total_net_output_bytes:)\d+/v.exec(await redis.client.info('stats'))?.[0]);
	const before = await sent();
	const [entry] = await Array.fromAsync(cache.entries());
	assert.equal(entry?.size, 1_000_000);
	assert.ok(await sent() - before < 20_000);
});

for (const [name, isTagKnown] of [['known', true], ['not known', false]] as const) {
	test(`a request after a purge is not given a response that was on its way before it, by a tag that was ${name}`, async () => {
		await using setup = await setUp({memory: false, tagField: 'cache-tag'});
		serve(setup);
		const {cache, origin} = setup;
		if (isTagKnown) {
			await ask(setup, 'a');
			await cache.delete(`${origin.url}/a`);
			origin.requests.length = 0;
		}

		const flight = holdNext(origin);
		const early = ask(setup, 'a');
		await flight.arrived;
		const alike = ask(setup, 'a');
		// Each look-up goes ahead of the one after it.
		await cache.has(`${origin.url}/b`);
		await cache.invalidate({tag: 'a'});
		const late = ask(setup, 'a');
		await cache.has(`${origin.url}/b`);
		const asking = isTagKnown ? 2 : 1;
		const dueMs = performance.now() + patienceMs;
		while (performance.now() < dueMs && origin.requests.length < asking) {
			await nextTurn();
		}

		for (let turn = 0; turn < 20; turn++) {
			await nextTurn();
		}

		assert.equal(origin.requests.length, asking, 'who is alike waits');
		flight.release();
		const given = await Promise.all([early, alike, late]);
		if (isTagKnown) {
			assert.deepEqual(given.map(each => each.split(' ', 1)[0]), ['miss', 'hit', 'miss']);
			return;
		}

		// When it is not known whether the response is older than the purge, nobody shares it.
		assert.deepEqual(given.toSorted(), ['miss 1', 'miss 2', 'miss 3']);
	});
}

test('a request\'s tags purge its response, beside the response\'s own tags, in every process', async () => {
	await using setup = await setUp({tagField: 'cache-tag'});
	serve(setup);
	const {client, cache} = setup;
	const {client: other, cache: otherCache} = setup.other();
	const status = async (each: typeof client) => cacheInfo(await each('a', {context: {cache: {tags: ['mine', 'ours']}}}))?.status;
	for (const tag of ['mine', 'ours', 'a']) {
		assert.equal(await status(client), 'miss');
		await cache.has('http://example.com/');
		assert.deepEqual((await otherCache.get(`${setup.origin.url}/a`))?.tags, ['mine', 'ours', 'a']);
		// Who names no tags heeds them all the same.
		assert.equal(cacheInfo(await other('a'))?.status, 'hit');
		assert.equal(await otherCache.invalidate({tag: 'theirs'}), true);
		assert.equal(await status(client), 'hit');
		assert.equal(await otherCache.invalidate({tag}), true);
		await cache.has('http://example.com/');
	}

	assert.equal(await status(client), 'miss');
});

for (const soft of [false, true]) {
	test(`touch() ${soft ? 'takes back what was purged softly' : 'revives nothing that was purged for good'}, by whatever it was`, async () => {
		await using setup = await setUp({tagField: 'cache-tag'});
		serve(setup);
		const {client, cache, origin} = setup;
		const url = `${origin.url}/a`;
		for (const what of [{tag: 'a'}, {origin: origin.url}, {group: 'g', origin: origin.url}, {prefix: url}] as const) {
			await client('a');
			await settleWrites(setup);
			assert.equal(await cache.has(url), true);
			assert.equal(await cache.invalidate(what, {soft}), true);
			assert.equal(await cache.has(url), false);
			assert.equal(await cache.touch(url, '1h'), soft);
			assert.equal(await cache.has(url), soft);
			assert.equal(cacheInfo(await client('a'))?.status, soft ? 'hit' : 'miss');
			assert.equal(await cache.invalidate(what, {soft}), true);
			assert.equal(await cache.has(url), false);
			await cache.delete(url);
		}
	});

	test(`stale responses are purged ${soft ? 'softly' : 'for good'}, and what is fresh is spared`, async () => {
		await using setup = await setUp();
		const {client, cache, origin} = setup;
		origin.handler = ({url, headers}, response) => {
			const isKnown = headers['if-none-match'] !== undefined;
			const lifetime = {'/stale': 'max-age=0, stale-while-revalidate=60', '/no-cache': 'no-cache'}[url] ?? 'max-age=60';
			response.writeHead(isKnown ? 304 : 200, {'cache-control': lifetime, etag: '"1"'}).end(isKnown ? undefined : 'x');
		};

		const paths = ['fresh', 'stale', 'no-cache'];
		for (const path of paths) {
			await client(path);
		}

		const isThere = async (options = {}) => Promise.all(paths.map(async path => cache.has(`${origin.url}/${path}`, options)));
		assert.deepEqual(await isThere({stale: true}), [true, true, true]);
		assert.deepEqual(await isThere(), [true, true, false]);
		assert.equal(await cache.invalidate({stale: true}, {soft}), true);
		assert.deepEqual(await isThere({stale: true}), [true, soft, soft]);
		assert.deepEqual(await isThere(), [true, false, false]);
		assert.equal(cacheInfo(await client('stale'))?.status, soft ? 'revalidated' : 'miss');
		assert.equal(cacheInfo(await client('fresh'))?.status, 'hit');
	});
}

test('a listing that stops early has listed no more than that', unlessFast, async () => {
	await using setup = await setUp({timeout: 10_000});
	serve(setup);
	const {client, cache, redis} = setup;
	const count = 1200;
	for (let number = 0; number < count; number += 100) {
		await Promise.all(Array.from({length: 100}, async (_, position) => client(String(number + position))));
	}

	await cache.has('http://example.com/');
	const listed = async (most: number) => {
		let seen = 0;
		const commands = await commandsDuring([redis], async () => {
			for await (const entry of cache.entries()) {
				assert.equal(entry.size > 0, true);
				seen++;
				if (seen === most) {
					break;
				}
			}
		});
		const countOf = (command: string) => commands.filter(([name]) => name === command).length;
		return {seen, scans: countOf('SCAN'), reads: countOf('GETRANGE')};
	};

	const all = await listed(Infinity);
	assert.equal(all.seen >= count, true);
	const few = await listed(10);
	assert.equal(few.seen, 10);
	assert.ok(few.scans < all.scans, `${few.scans} of ${all.scans}`);
	assert.ok(few.reads < all.reads, `${few.reads} of ${all.reads}`);
});

test('an array of URLs, tags or groups purges all of them, and nothing else', async () => {
	await using setup = await setUp({tagField: 'cache-tag'});
	const {cache, origin} = setup;
	origin.handler = ({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': url.slice(1), 'cache-groups': `"${url.slice(1)}"`}).end('x');
	};

	const statuses = async () => {
		const paths = ['a', 'b', 'c'];
		return (await Promise.all(paths.map(async path => ask(setup, path)))).map(each => each.split(' ', 1)[0]);
	};

	const url = (path: string) => `${origin.url}/${path}`;
	const purges: ReadonlyArray<() => Promise<boolean>> = [
		async () => cache.delete([url('a'), new URL(url('b'))]),
		async () => cache.invalidate({tag: ['a', 'b', 'none']}),
		async () => cache.invalidate({group: ['a', 'b'], origin: origin.url}),
	];
	await statuses();
	for (const purge of purges) {
		assert.deepEqual(await statuses(), ['hit', 'hit', 'hit']);
		assert.equal(await purge(), true);
		assert.deepEqual(await statuses(), ['miss', 'miss', 'hit']);
	}

	const listed = await Array.fromAsync(cache.entries({tag: ['a', 'c']}));
	assert.deepEqual(listed.map(entry => entry.url).toSorted(), [url('a'), url('c')]);
});

test('many URLs are deleted in one call', unlessFast, async () => {
	await using setup = await setUp({timeout: 250});
	const {cache, origin} = setup;

	assert.equal(await cache.delete(Array.from({length: 2000}, (_, number) => `${origin.url}/${number}`)), true);
});

for (const [name, askOnce] of Object.entries(interfaces)) {
	test(`a response that a redirect has changed is not given to the redirect's next hop: ${name}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const page = (body: string) => ({headers: {'cache-control': 'max-age=60'}, body});
		origin.queue(page('old'), {status: 303, headers: {location: '/items'}, body: 'see other'}, page('new'));
		await client('items');
		await settleWrites(setup);

		assert.equal((await askOnce(client, {method: 'POST', body: 'a'})).body, 'new');
		await settleWrites(setup);
		assert.equal(await client('items').text(), 'new');
		assert.equal(origin.requests.length, 3);
	});
}
