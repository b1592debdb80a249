import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {after} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import fc from 'fast-check';
import {cacheInfo, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startProxy} from '../faults/proxy.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {holdNext, type Origin} from '../helpers/origin.ts';
import {triesOf} from '../helpers/runs.ts';
import {lookUps} from './flights-helpers.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/*
What a purge has removed does not come back, whatever is on its way while it happens, and whatever is lost afterwards.
*/

/** Counts the origin's answers, so that a body tells when it was made. */
const serve = (origin: Origin, headers: Record<string, string> = {}) => {
	let count = 0;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', etag: `"${++count}"`, ...headers});
		response.end(String(count));
	};
};

const inLanguage = (language: string) => ({headers: {'accept-language': language}});

const guards = async ({redis}: Pick<Setup, 'redis'>) => redis.client.keys('*:guard');

type Purge = (setup: Setup, url: string) => Promise<unknown>;

const purges: Record<string, Purge> = {
	'delete()': async ({cache}, url) => cache.delete(url),
	'delete() of another process': async ({other}, url) => other().cache.delete(url),
	'clear()': async ({cache}) => cache.clear(),
	'clear() of another process': async ({other}) => other().cache.clear(),
	'a prefix': async ({cache}, url) => cache.invalidate({prefix: url}),
	'a prefix, in another process': async ({other}, url) => other().cache.invalidate({prefix: url}),
	'a pattern': async ({cache}) => cache.invalidate({pattern: '**/items*'}),
	'a pattern, in another process': async ({other}) => other().cache.invalidate({pattern: '**/items*'}),
	'an origin': async ({cache, origin}) => cache.invalidate({origin: origin.url}),
	'an origin, in another process': async ({other, origin}) => other().cache.invalidate({origin: origin.url}),
	'a tag': async ({cache}) => cache.invalidate({tag: 'items'}),
	'a tag, in another process': async ({other}) => other().cache.invalidate({tag: 'items'}),
	'a DELETE request': async ({client}) => client.delete('items'),
	'a PUT request of another process': async ({other}) => other().client.put('items', {body: 'new'}),
};

const directory = mkdtempSync(path.join(tmpdir(), 'guarded-writes-'));
let files = 0;

after(() => {
	rmSync(directory, {recursive: true});
});

const stores: Record<string, RedisCacheOptions> = {
	Redis: {},
	'Redis without a memory tier': {memory: false},
	'Redis, encrypted': {encryption: 'a'.repeat(64)},
	/** A file for each test. */
	SQLite: {
		get store() {
			return {sqlite: path.join(directory, `${++files}.db`)};
		},
	},
};

const queuePurgeable = (origin: Origin, name: string) => {
	if (name.includes('request')) {
		origin.queue({status: 204});
	}
};

for (const [storeName, options] of Object.entries(stores)) {
	for (const [name, purge] of Object.entries(purges)) {
		for (const [what, headers, ask] of [
			['a response', {}, {}],
			['a variant', {vary: 'accept-language'}, inLanguage('en')],
			['a validated response', {'cache-control': 'max-age=0'}, {}],
			['what a caller gets who decodes for himself', {}, {decompress: false}],
		] as const) {
			if (what !== 'a response' && storeName !== 'Redis') {
				continue;
			}

			test(`${storeName}: ${what} that is on its way while ${name} purges is not stored`, async () => {
				await using setup = await setUp({...options, tagField: 'cache-tag'});
				const {client, origin} = setup;
				serve(origin, {'cache-tag': 'items', ...headers});
				if (['a variant', 'a validated response'].includes(what)) {
					await client('items', ask);
					await settleWrites(setup);
				}

				const request = what === 'a variant' ? inLanguage('de') : ask;
				const {arrived, release} = holdNext(origin);
				const held = client('items', request);
				await arrived;
				queuePurgeable(origin, name);
				await purge(setup, `${origin.url}/items`);
				release();
				await held;
				await settleWrites(setup);
				const {cache} = setup.other();
				assert.deepEqual(await Array.fromAsync(cache.entries()), []);
				assert.equal((await client('items', request)).isFromCache, false);
			});
		}
	}
}

/* RFC 9110 §9.3.3 */

const postFor = async (client: Setup['client']) => client.post('items', {json: {query: 1}});

const servePosts = (origin: Origin) => {
	let count = 0;
	origin.handler = ({method, url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': 'items', ...(method === 'POST' && {'content-location': url})});
		response.end(`${method} ${++count}`);
	};
};

for (const [storeName, options] of Object.entries({...stores, 'a Map': {store: new Map()}, memory: {store: 'memory'}} satisfies Record<string, RedisCacheOptions>)) {
	test(`${storeName}: the response to a POST that is its target's representation is stored for GET`, async () => {
		await using setup = await setUp({...options, tagField: 'cache-tag'});
		const {client, origin} = setup;
		servePosts(origin);
		await client('items');
		await postFor(client);
		const {isFromCache, body} = await client('items');
		assert.deepEqual([isFromCache, body], [true, 'POST 2']);
	});

	for (const [name, purge] of Object.entries(purges)) {
		if (name.includes('process') && ['a Map', 'memory'].includes(storeName)) {
			continue;
		}

		test(`${storeName}: the response to a POST is not stored for GET where ${name} purged meanwhile`, async () => {
			await using setup = await setUp({...options, tagField: 'cache-tag'});
			const {client, origin} = setup;
			servePosts(origin);
			await client('items');
			const {arrived, release} = holdNext(origin);
			const held = postFor(client);
			await arrived;
			queuePurgeable(origin, name);
			await purge(setup, `${origin.url}/items`);
			release();
			await held;
			await settleWrites(setup);
			assert.equal((await client('items')).isFromCache, false);
		});
	}
}

test('two POST responses that are under way at once: the second is stored for GET, or none is', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	servePosts(origin);
	const [first, second] = [holdNext(origin), holdNext(origin)];
	const held = postFor(client);
	await first.arrived;
	const other = postFor(setup.other().client);
	await second.arrived;
	second.release();
	const {body} = await other;
	first.release();
	await held;
	await settleWrites(setup);
	const response = await client('items');
	assert.ok([false, body].includes(response.isFromCache && response.body));
});

/* What is lost. */

for (const [what, lose] of [
	['is evicted', async (setup: Setup) => setup.redis.client.del(await guards(setup))],
	['is evicted with all others', async (setup: Setup) => setup.redis.client.flushAll()],
	['is replaced by another program', async (setup: Setup) => setup.redis.client.set((await guards(setup))[0] ?? '', 'another')],
	['becomes a list', async (setup: Setup) => {
		const [key = ''] = await guards(setup);
		await setup.redis.client.del(key);
		await setup.redis.client.rPush(key, 'x');
	}],
] as const) {
	for (const isPurged of [true, false]) {
		test(`a guard that ${what} ${isPurged ? 'after a purge revives nothing' : 'costs one more request, and no wrong answer'}`, async () => {
			await using setup = await setUp({memory: false});
			const {client, origin} = setup;
			serve(origin);
			const {arrived, release} = holdNext(origin);
			const held = client('items');
			await arrived;
			if (isPurged) {
				assert.equal(await setup.other().cache.delete(`${origin.url}/items`), true);
			} else {
				await settleWrites(setup);
			}

			assert.equal((await guards(setup)).length, 1);
			await lose(setup);
			release();
			await held;
			await settleWrites(setup);
			assert.equal(cacheInfo(await client('items'))?.status, 'miss');
			await settleWrites(setup);
			assert.equal(cacheInfo(await client('items'))?.status, 'hit');
		});
	}
}

test('a write that arrives after its deadline, when the purge and its guard are long gone, is not made', async () => {
	await using setup = await setUp({memory: false});
	const {origin, redis} = setup;
	await using proxy = await startProxy(redis.port);
	const {client} = setup.other({store: `redis://127.0.0.1:${proxy.port}`, timeout: 200});
	serve(origin);
	await client('warm');
	const {arrived, release} = holdNext(origin);
	const held = client('items');
	await arrived;
	await settleWrites(setup);
	proxy.weather = {isBlackHole: true};
	release();
	assert.equal((await held).body, '2');
	// Its deadline is over.
	await delay(300);
	assert.equal(await setup.cache.delete(`${origin.url}/items`), true);
	await redis.client.del(await guards(setup));
	proxy.weather = {};
	await settleWrites(setup);
	assert.equal(await setup.cache.has(`${origin.url}/items`, {stale: true}), false);
});

/* Many variants. */

for (const [storeName, options] of Object.entries({
	Redis: {memory: false, statistics: false},
	'Redis, encrypted': {memory: false, statistics: false, encryption: 'b'.repeat(64)},
} satisfies Record<string, RedisCacheOptions>)) {
	test(`${storeName}: of 1,500 variants, 32 at a time in two processes, no more than 64 stay, and a purge leaves a guard alone`, async () => {
		await using setup = await setUp(options);
		const {origin, redis, cache} = setup;
		serve(origin, {vary: 'accept-language'});
		const clients = [setup.client, setup.other().client];
		let next = 0;
		await Promise.all(
			Array.from({length: 32}, async (_, worker) => {
				for (;;) {
					const number = next++;
					if (number >= 1500) {
						return;
					}

					await clients[worker % 2]?.('items', inLanguage(`x-${number}`));
				}
			}),
		);
		await settleWrites(setup);
		const kept = (await redis.client.keys('*')).filter(key => !/\{~?[\w\-]+\}(?::guard)?$|origin/v.test(key));
		assert.ok(kept.length > 0);
		assert.ok(kept.length <= 64, `${kept.length} variants`);

		const {arrived, release} = holdNext(origin);
		const held = setup.client('items', inLanguage('last'));
		await arrived;
		assert.equal(await cache.delete(`${origin.url}/items`), true);
		release();
		await held;
		await settleWrites(setup);
		const left = (await redis.client.keys('*')).filter(key => key.includes(':', key.indexOf('}')));
		assert.deepEqual(
			left.map(key => key.slice(key.indexOf('}'))),
			['}:guard'],
		);
		for (const language of ['x-1499', 'x-1490', 'last']) {
			assert.equal((await setup.client('items', inLanguage(language))).isFromCache, false);
		}
	});
}

test('variants that several processes store at the same time are all kept', async () => {
	await using setup = await setUp({memory: false});
	const {origin} = setup;
	serve(origin, {vary: 'accept-language'});
	const clients = [setup.client, setup.other().client, setup.other({memory: 1_000_000}).client];
	const languages = Array.from({length: 60}, (_, number) => `x-${number}`);
	await clients[0]?.('items', inLanguage('first'));
	await Promise.all(languages.map(async (language, position) => clients[position % clients.length]?.('items', inLanguage(language))));
	await settleWrites(setup);
	const statuses = await Promise.all(languages.map(async language => cacheInfo(await setup.client('items', inLanguage(language)))?.status));
	assert.deepEqual(new Set(statuses), new Set(['hit']));
});

test('a response without Vary takes the place of all variants', async () => {
	await using setup = await setUp({memory: false});
	const {origin, client, redis} = setup;
	serve(origin, {vary: 'accept-language'});
	await client('items', inLanguage('en'));
	await client('items', inLanguage('de'));
	serve(origin);
	await client('items', {headers: {'cache-control': 'no-cache'}});
	await settleWrites(setup);
	const keys = await redis.client.keys('*');
	assert.deepEqual(keys.filter(key => /\}:[\w\-]{22}$/v.test(key)), []);
});

/* What it takes. */

test('a miss takes a look-up, a guard and a write, and a hit one command with three keys', async () => {
	await using setup = await setUp({memory: false});
	const {origin, client, redis} = setup;
	serve(origin);
	await client('warm');
	await settleWrites(setup);
	const namesOf = async (request: () => Promise<unknown>) => {
		const commands = await commandsDuring([redis], async () => {
			await request();
			await settleWrites(setup);
		});
		return commands.filter(([name]) => name !== 'INFO').map(([name = '', ...rest]) => name === 'MGET' ? `${name} ${rest.length}` : name);
	};

	assert.deepEqual(await namesOf(async () => client('items')), ['MGET 3', 'EVALSHA', 'EVALSHA']);
	assert.deepEqual(await namesOf(async () => client('items')), ['MGET 3']);
});

test('equal requests at once put one guard there', async () => {
	await using setup = await setUp({memory: false, coalesce: false});
	const {origin, client, redis} = setup;
	serve(origin);
	await client('warm');
	await settleWrites(setup);
	const commands = await commandsDuring([redis], async () => {
		await Promise.all(Array.from({length: 20}, async () => client('items')));
		await settleWrites(setup);
	});
	const placed = commands.filter(([name, , count]) => name === 'EVALSHA' && count === '1');
	assert.ok(placed.length < 20);
	assert.equal((await guards(setup)).filter(key => key.endsWith(':guard')).length, 2);
});

/* What is left. */

const maxMs = 3_600_000;

for (const [what, purge] of Object.entries({
	'a purge': async ({cache, origin}) => cache.delete(`${origin.url}/nothing`),
	'a DELETE request': async ({client}) => client.delete('nothing'),
	'a POST request': async ({client}) => client.post('nothing', {body: 'x'}),
} satisfies Record<string, (setup: Setup) => Promise<unknown>>)) {
	test(`${what} of what is not stored leaves one key, for an hour at most`, async () => {
		await using setup = await setUp();
		const {origin, redis} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(204).end();
		};

		await purge(setup);
		await settleWrites(setup);
		const keys = await redis.client.keys('*');
		assert.equal(keys.length, 1, String(keys));
		for (const key of keys) {
			const ttlMs = await redis.client.pTTL(key);
			assert.ok(ttlMs > 0, `${key} ${ttlMs}`);
			assert.ok(ttlMs <= maxMs, `${key} ${ttlMs}`);
			assert.ok(Number(await redis.client.memoryUsage(key)) < 200);
		}
	});
}

test('a response that is not stored leaves its guard for a minute at most', async () => {
	await using setup = await setUp();
	const {origin, client, redis} = setup;
	serve(origin, {'cache-control': 'no-store'});
	await client('items');
	await settleWrites(setup);
	const [key = '', ...others] = await guards(setup);
	assert.deepEqual(others, []);
	const ttlMs = await redis.client.pTTL(key);
	assert.ok(ttlMs > 0);
	assert.ok(ttlMs <= 60_000);
});

test('a request that fails leaves its guard for a minute at most', async () => {
	await using setup = await setUp();
	const {origin, client, redis} = setup;
	origin.handler = (_request, response) => {
		response.destroy();
	};

	await assert.rejects(client('items'), {name: 'RequestError'});
	await settleWrites(setup);
	const [key = ''] = await guards(setup);
	const ttlMs = await redis.client.pTTL(key);
	assert.ok(ttlMs > 0);
	assert.ok(ttlMs <= 60_000);
});

/** Each is there for a minute at most. */
const assertSettled = async (setup: Setup) => {
	await settleWrites(setup);
	const keys = await guards(setup);
	assert.notEqual(keys.length, 0);
	for (const key of keys) {
		const ttlMs = await setup.redis.client.pTTL(key);
		assert.ok(ttlMs > 0, `${key} ${ttlMs}`);
		assert.ok(ttlMs <= 60_000, `${key} ${ttlMs}`);
	}
};

test('a request that waits for another process leaves the guards of its look-ups for a minute at most', async () => {
	await using setup = await setUp({coalesce: 'fleet', memory: false});
	const {client, origin, redis} = setup;
	serve(origin);
	const {arrived, release} = holdNext(origin);
	const first = client('items');
	await arrived;
	const waitForLookUps = lookUps(setup);
	await waitForLookUps(1);
	const second = setup.other().client('items');
	await waitForLookUps(2);
	await redis.client.del(await guards(setup));
	await waitForLookUps(2);
	await assertSettled(setup);
	release();
	const bodies = (await Promise.all([first, second])).map(({body}) => body);
	assert.equal(bodies.length, 2);
});

const startStale = async (setup: Setup) => {
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'old'});
	await client('items');
	await settleWrites(setup);
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'no-store'}).end('new');
	};
};

test('a request that a refresh has brought nothing for leaves the guard of its second look-up for a minute at most', async () => {
	await using setup = await setUp({staleAfter: '10s', memory: false});
	const {client, origin, redis} = setup;
	await startStale(setup);
	const {arrived, release} = holdNext(origin);
	const response = client('items');
	await arrived;
	await redis.client.del(await guards(setup));
	release();
	assert.equal((await response).body, 'new');
	await assertSettled(setup);
});

test('a request that a stale response answers while it is refreshed leaves its guard for a minute at most', async () => {
	await using setup = await setUp({staleAfter: 0, memory: false});
	const {client, origin, redis} = setup;
	await startStale(setup);
	await redis.client.del(await guards(setup));
	const {arrived, release} = holdNext(origin);
	assert.equal((await client('items')).body, 'old');
	await arrived;
	await assertSettled(setup);
	release();
});

test('a 410 removes what is stored for callers who decode for themselves, too', async () => {
	await using setup = await setUp();
	const {origin, client} = setup;
	serve(origin);
	await client('items');
	await client('items', {decompress: false});
	origin.queue({status: 410, headers: {'cache-control': 'no-store'}});
	await client('items', {headers: {'cache-control': 'no-cache'}, throwHttpErrors: false});
	await settleWrites(setup);
	const {isFromCache} = await client('items', {decompress: false});
	assert.equal(isFromCache, false);
});

test('a response that is stored leaves its guard for a minute at most', async () => {
	await using setup = await setUp();
	const {origin, client, redis} = setup;
	serve(origin);
	await client('items');
	await settleWrites(setup);
	const [key = ''] = await guards(setup);
	const ttlMs = await redis.client.pTTL(key);
	assert.ok(ttlMs > 0);
	assert.ok(ttlMs <= 60_000);
});

test('small responses with many groups leave no more than is in proportion, gone an hour after them', async () => {
	await using setup = await setUp({ttlOffset: 0});
	const {origin, client, redis} = setup;
	origin.handler = ({url}, response) => {
		const groups = Array.from({length: 250}, (_, number) => `"${url.slice(1)}-${number}"`);
		response.writeHead(200, {'cache-control': 'max-age=1', 'cache-groups': groups.join(', ')}).end('x');
	};

	for (let number = 0; number < 10; number++) {
		const response = await client(`r${number}`);
		assert.equal(cacheInfo(response)?.notStored, 'too-large');
	}

	await settleWrites(setup);
	const keys = await redis.client.keys('*');
	assert.ok(keys.length <= 11, String(keys.length));
});

for (const {label, options} of [{label: 'Redis', options: {}}, {label: 'a Map', options: {store: new Map()}}] as Array<{label: string; options: RedisCacheOptions}>) {
	test(`${label}: the versions that a response is purged by are kept an hour longer than the response`, async () => {
		await using setup = await setUp({ttlOffset: 0, memory: false, ...options});
		const {origin, client, redis} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=100', 'cache-groups': '"a", "b"'}).end('x');
		};

		await client('items');
		await settleWrites(setup);
		if (options.store instanceof Map) {
			const expiries = [...options.store].filter(([key]) => /\{(?:group|origin):/v.test(String(key))).map(([, value]) => Number((value as {expires?: number}).expires) - Date.now());
			assert.equal(expiries.length, 3);
			assert.ok(expiries.every(ms => ms > maxMs && ms <= maxMs + 101_000), String(expiries));
			return;
		}

		const keys = (await redis.client.keys('*')).filter(key => /\{(?:group|origin):/v.test(key));
		assert.equal(keys.length, 3);
		for (const key of keys) {
			const ttlMs = await redis.client.pTTL(key);
			assert.ok(ttlMs > maxMs, `${key} ${ttlMs}`);
			assert.ok(ttlMs <= maxMs + 101_000, `${key} ${ttlMs}`);
		}
	});
}

test('a version that a purge has replaced outlives what is stored after that, in every process', async () => {
	await using setup = await setUp({ttlOffset: '2h', tagField: 'cache-tag'});
	const {origin, client, cache, redis} = setup;
	serve(origin, {'cache-tag': 'a'});
	await client('items');
	await settleWrites(setup);
	await setup.other().cache.invalidate({tag: 'a'});
	assert.equal((await client('items')).isFromCache, false);
	await settleWrites(setup);
	const [key = ''] = await redis.client.keys('*{tag:*');
	assert.ok(await redis.client.pTTL(key) > (3 * maxMs) - 10_000);
	await cache.invalidate({tag: 'a'}, {soft: true});
	assert.ok(await redis.client.pTTL(key) > (3 * maxMs) - 10_000, 'a soft purge takes nothing from what is stored');
});

/* At random. */

test('whatever is purged and lost while requests are under way, nothing is served that is older than a confirmed purge', async () => {
	await using setup = await setUp({memory: false});
	const {origin, redis} = setup;
	let version = 0;
	origin.handler = async (_request, response) => {
		const body = String(version);
		await delay(Math.random() * 3);
		response.writeHead(200, {'cache-control': 'max-age=60', vary: 'accept-language'}).end(body);
	};

	const processes = [setup, setup.other(), setup.other({memory: 1_000_000})];
	const url = `${origin.url}/items`;
	const step = fc.record({
		who: fc.nat({max: 2}),
		what: fc.constantFrom('get', 'get', 'get', 'purge', 'purge', 'evict', 'clear'),
		language: fc.constantFrom('en', 'de'),
	});
	await fc.assert(fc.asyncProperty(fc.array(step, {minLength: 4, maxLength: 24}), async steps => {
		let confirmed = version;
		const purge = async ({cache}: {cache: RedisCache}, isAll: boolean) => {
			const changed = ++version;
			if (isAll ? await cache.clear() : await cache.delete(url)) {
				confirmed = Math.max(confirmed, changed);
			}
		};

		await Promise.all(steps.map(async ({who, what, language}) => {
			await delay(Math.random() * 6);
			const actor = processes[who];
			assert.ok(actor);
			if (what === 'get') {
				const leastVersion = confirmed;
				const {body} = await actor.client('items', inLanguage(language));
				// With a memory tier, a process may be told a moment later.
				assert.ok(who === 2 || Number(body) >= leastVersion, `${body} after ${leastVersion}`);
			} else if (what === 'evict') {
				const keys = await guards(setup);
				if (keys.length > 0) {
					await redis.client.del(keys);
				}
			} else {
				await purge(actor, what === 'clear');
			}
		}));
		await settleWrites(setup);
		for (const {client} of processes.slice(0, 2)) {
			for (const language of ['en', 'de']) {
				assert.ok(Number((await client('items', inLanguage(language))).body) >= confirmed);
			}
		}
	}), triesOf(40));
});
