import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {test} from 'node:test';
import {DatabaseSync} from 'node:sqlite';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import {cacheInfo, type Purgeable, type RedisCacheOptions} from '../../source/index.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/** A generic adapter of Keyv's on a real database: no peeking, no swapping. */
const sqliteAdapter = (): KeyvStoreAdapter => {
	const database = new DatabaseSync(':memory:');
	database.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT)');
	return {
		opts: {url: '', dialect: 'sqlite'},
		namespace: undefined,
		on() {
			return this;
		},
		get: async (key: string) => database.prepare('SELECT value FROM entries WHERE key = ?').get(key)?.value as never,
		async set(key: string, value: string) {
			database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)').run(key, value);
		},
		delete: async (key: string) => database.prepare('DELETE FROM entries WHERE key = ?').run(key).changes > 0,
		async clear() {
			database.exec('DELETE FROM entries');
		},
		async * iterator() {
			for (const {key, value} of database.prepare('SELECT * FROM entries').all()) {
				yield [key, value];
			}
		},
	} as unknown as KeyvStoreAdapter;
};

const stores: Record<string, () => RedisCacheOptions> = {
	Redis: () => ({}),
	'Redis without memory': () => ({memory: false}),
	'a Map': () => ({store: new Map()}),
	'memory (Keyv)': () => ({store: new Keyv()}),
	'a Keyv adapter': () => ({store: sqliteAdapter()}),
};

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

const purges: Record<string, (url: string) => Purgeable> = {
	tag: () => ({tag: 'a'}),
	group: url => ({group: 'g', origin: url}),
	origin: url => ({origin: url}),
	prefix: url => ({prefix: `${url}/a`}),
	pattern: () => ({pattern: /\/a$/v}),
	olderThan: () => ({olderThan: new Date(Date.now() + 60_000)}),
};

for (const [name, options] of Object.entries(stores)) {
	for (const [by, what] of Object.entries(purges)) {
		test(`${name}: purging by ${by}`, async () => {
			await using setup = await setUp({tagField: 'Cache-Tag', ...options()});
			serve(setup);
			const {cache, origin} = setup;
			const other = setup.other();
			assert.equal(await ask(setup, 'a'), 'miss 1');
			assert.equal(await ask(setup, 'a'), 'hit 1');
			await settleWrites(setup);

			assert.equal(await cache.invalidate({tag: 'b'}), true);
			assert.equal(await ask(setup, 'a'), 'hit 1', 'another tag');

			assert.equal(await cache.invalidate(what(origin.url)), true);
			assert.equal(await cache.has(`${origin.url}/a`, {stale: true}), false);
			assert.equal(await ask(other, 'a'), 'miss 2', 'another process');
			assert.equal(await ask(setup, 'a'), 'hit 2');
		});

		test(`${name}: purging softly by ${by}`, async () => {
			await using setup = await setUp({tagField: 'Cache-Tag', staleIfError: true, ...options()});
			serve(setup);
			const {cache, origin} = setup;
			assert.equal(await ask(setup, 'a'), 'miss 1');
			await settleWrites(setup);

			assert.equal(await cache.invalidate(what(origin.url), {soft: true}), true);
			assert.equal(await cache.has(`${origin.url}/a`), false);
			assert.equal(await cache.has(`${origin.url}/a`, {stale: true}), true);
			origin.queue({status: 503});
			assert.equal(await ask(setup, 'a'), 'stale 1', 'stands in for an error');
			origin.queue({status: 304, headers: {etag: '"1"', 'cache-control': 'max-age=60'}});
			assert.equal(await ask(setup, 'a'), 'revalidated 1');
			assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
			assert.equal(await ask(setup, 'a'), 'hit 1');
		});
	}

	test(`${name}: what is on its way while it is purged is not stored`, async () => {
		for (const purge of [
			async ({cache, origin}: Setup) => cache.delete(`${origin.url}/a`),
			async ({cache}: Setup) => cache.invalidate({tag: 'a'}),
			async ({cache, origin}: Setup) => cache.invalidate({origin: origin.url}),
		]) {
			await using setup = await setUp({tagField: 'Cache-Tag', ...options()});
			serve(setup);
			const {origin} = setup;
			const other = setup.other();
			const answer = Promise.withResolvers<void>();
			const arrival = Promise.withResolvers<void>();
			const {handler} = origin;
			origin.handler = async (...parameters) => {
				arrival.resolve();
				await answer.promise;
				return handler(...parameters);
			};

			const early = ask(other, 'a');
			await arrival.promise;
			assert.equal(await purge(setup), true);
			answer.resolve();
			assert.equal(await early, 'miss 1');
			await settleWrites(setup);
			assert.equal(await ask(setup, 'a'), 'miss 2');
			// A tag that was purged a moment ago and was not known before the response came is trusted the next time.
			await ask(setup, 'a');
			assert.match(await ask(setup, 'a'), /^hit [23]$/v);
		}
	});
}

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

test('two processes: after one has purged by tag, the other does not give what was purged', async t => {
	await using setup = await setUp({tagField: 'cache-tag'});
	serve(setup);
	const {redis} = setup;
	const child = spawn(process.execPath, ['--input-type=module', '--eval', `
		import {redisCache} from '${new URL('../../source/index.ts', import.meta.url).href}';
		const cache = redisCache('${redis.url}');
		process.on('message', async name => {
			process.send(await cache.invalidate({tag: name}));
		});
		process.send('ready');
	`], {stdio: ['ignore', 'inherit', 'inherit', 'ipc']});
	t.after(() => {
		child.kill('SIGKILL');
	});
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
	await using setup = await setUp({memory: false, timeout: 100, tagField: 'cache-tag'});
	serve(setup);
	const {cache, redis} = setup;
	assert.equal(await ask(setup, 'a'), 'miss 1');
	assert.equal(await ask(setup, 'a'), 'hit 1');
	redis.pause();
	assert.equal(await cache.invalidate({tag: 'a'}), false);
	redis.resume();
	assert.notEqual(await ask(setup, 'a'), 'hit 1');
});

test('what is stored can be read, kept longer and listed', async () => {
	for (const options of [{}, {store: new Map()}, {store: sqliteAdapter()}] as RedisCacheOptions[]) {
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

test('listing reads no bodies from Redis', async () => {
	await using setup = await setUp();
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

test('who asks after a purge is not given what was on its way before it', async () => {
	await using setup = await setUp({memory: false, tagField: 'cache-tag'});
	serve(setup, {'cache-control': 'max-age=0, stale-while-revalidate=0'});
	const {cache, origin} = setup;
	await ask(setup, 'a');
	serve(setup);
	const answer = Promise.withResolvers<void>();
	const arrival = Promise.withResolvers<void>();
	const {handler} = origin;
	origin.handler = async (...parameters) => {
		arrival.resolve();
		await answer.promise;
		return handler(...parameters);
	};

	const early = ask(setup, 'a');
	await arrival.promise;
	await cache.invalidate({tag: 'a'});
	origin.handler = handler;
	const late = ask(setup, 'a');
	await cache.has(`${origin.url}/b`);
	answer.resolve();
	const [earlyBody, lateBody] = await Promise.all([early, late]);
	assert.notEqual(earlyBody, lateBody);
});

test('what is not purgeable is refused', async () => {
	await using setup = await setUp();
	for (const wrong of [{}, {tag: 'a', origin: 'http://a'}, {group: 'g'}, {nonsense: 1}, {olderThan: 'x'}]) {
		await assert.rejects(setup.cache.invalidate(wrong as never), TypeError);
	}
});
