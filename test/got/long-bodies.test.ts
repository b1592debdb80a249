import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {hash, randomBytes} from 'node:crypto';
import test from 'node:test';
import {setImmediate as nextTurn, setTimeout as delay} from 'node:timers/promises';
import {cacheInfo, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {holdNext, type Origin} from '../helpers/origin.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

const mib = 1024 * 1024;

const serve = (origin: Origin, body: Uint8Array, headers: Record<string, string> = {}) => {
	origin.handler = (request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'video/mp4', ...headers});
		response.end(request.url.startsWith('/long') ? body : 'short');
	};
};

const eventsOf = (cache: RedisCache) => {
	const events: string[] = [];
	cache.on('error', ({message}) => {
		events.push(message);
	});
	cache.on('degraded', ({message}) => {
		events.push(message);
	});
	return events;
};

/** Keys whose values are longer than any piece, or are written in pieces. */
const longKeys = async ({redis}: Pick<Setup, 'redis'>) => {
	const keys = await redis.client.keys('*');
	return keys.filter(key => key.endsWith(':long') || key.endsWith(':part'));
};

/** Waits until a key is there that the pattern names. */
const untilKey = async ({redis}: Pick<Setup, 'redis'>, pattern: string) => {
	for (let looks = 0; looks < 20_000; looks++) {
		const [key] = await redis.client.keys(pattern);
		if (key !== undefined) {
			return key;
		}

		await nextTurn();
	}

	throw new Error(`There is no key ${pattern}`);
};

/** Waits until nothing is being written in pieces. */
const untilWritten = async (setup: Pick<Setup, 'redis'>) => {
	let quietLooks = 0;
	while (quietLooks < 20) {
		await settleWrites(setup);
		const parts = await setup.redis.client.keys('*:part');
		quietLooks = parts.length === 0 ? quietLooks + 1 : 0;
	}
};

test('a body of 100 MB is stored and answers in every process, and short requests beside it are hits', async () => {
	await using setup = await setUp({maxBodySize: 300 * mib});
	const {client, cache, origin, other} = setup;
	const body = randomBytes(100 * 1000 * 1000);
	const digest = hash('sha1', body);
	serve(origin, body);
	await client('short');
	await settleWrites(setup);
	const second = other();
	const events = [eventsOf(cache), eventsOf(second.cache)];

	const progress = {isOver: false};
	const shortStatuses = new Set<string | undefined>();
	const askShort = async () => {
		while (!progress.isOver) {
			const response = await client('short');
			shortStatuses.add(cacheInfo(response)?.status);
			// A loop without a pause would have a core for itself.
			await delay(20);
		}
	};

	const beside = askShort();
	const statuses: Array<string | undefined> = [];
	for (const ask of [client, client, second.client]) {
		const response = await ask('long', {responseType: 'buffer'});
		assert.equal(hash('sha1', response.body), digest);
		statuses.push(cacheInfo(response)?.status);
	}

	progress.isOver = true;
	await beside;
	assert.deepEqual(events, [[], []]);
	assert.deepEqual(statuses, ['miss', 'hit', 'hit']);
	assert.deepEqual([...shortStatuses], ['hit']);
	assert.equal(origin.requests.length, 2);
	assert.equal(cache.health().counters.unwritten, 0);
	const [key = ''] = await longKeys(setup);
	assert.match(key, /:long$/v);
	assert.ok(await setup.redis.client.pTTL(key) > 60_000);
});

for (const [name, options] of Object.entries({
	'as it is by default': {},
	'without compression': {compression: false},
	encrypted: {encryption: 'a'.repeat(64)},
} satisfies Record<string, RedisCacheOptions>)) {
	test(`a long body that is short when it is compressed, ${name}: every process has it, and a 304 freshens it`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, cache, origin, other} = setup;
		const events = eventsOf(cache);
		serve(origin, Buffer.alloc(6 * mib, 'text '), {etag: '"1"', 'content-type': 'text/plain'});
		await client('long');
		await untilWritten(setup);
		for (const each of [client, other().client]) {
			const response = await each('long', {responseType: 'buffer'});
			assert.deepEqual([cacheInfo(response)?.status, response.body.length], ['hit', 6 * mib]);
		}

		origin.queue({status: 304, headers: {etag: '"1"', 'cache-control': 'max-age=600', 'x-new': 'new'}});
		await client('long', {headers: {'cache-control': 'no-cache'}});
		await untilWritten(setup);
		const {headers, isFromCache} = await other().client('long');
		assert.deepEqual([isFromCache, headers['x-new']], [true, 'new']);
		assert.deepEqual(events, []);
	});
}

for (const [name, options] of Object.entries({plain: {}, encrypted: {encryption: 'a'.repeat(64)}, 'without a memory tier': {memory: false}} as const)) {
	test(`a long body, ${name}: another process has it, a range of it, and its variants`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, origin, other} = setup;
		const body = randomBytes(9 * mib);
		serve(origin, body, {vary: 'accept-language', etag: '"1"'});
		await client('long', {responseType: 'buffer', headers: {'accept-language': 'en'}});
		await client('long', {responseType: 'buffer', headers: {'accept-language': 'de'}});
		await untilWritten(setup);
		const asker = other().client;
		for (const language of ['en', 'de']) {
			const response = await asker('long', {responseType: 'buffer', headers: {'accept-language': language}});
			assert.equal(cacheInfo(response)?.status, 'hit');
			assert.ok(body.equals(response.body));
		}

		const part = await asker('long', {responseType: 'buffer', headers: {'accept-language': 'en', range: 'bytes=5000000-5000009'}});
		assert.equal(part.statusCode, 206);
		assert.ok(body.subarray(5_000_000, 5_000_010).equals(part.body));
		assert.equal(origin.requests.length, 2);
	});

	test(`a long body, ${name}: it is listed once, purged, and leaves nothing behind`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, cache, origin, other} = setup;
		serve(origin, randomBytes(9 * mib));
		await client('long');
		await client('long');
		const [entry, ...more] = await Array.fromAsync(other().cache.entries());
		assert.deepEqual([entry?.size, more], [9 * mib, []]);
		assert.equal(await cache.delete(`${origin.url}/long`), true);
		assert.deepEqual(await longKeys(setup), []);
		assert.equal(cacheInfo(await client('long'))?.status, 'miss');
	});

	test(`a long body, ${name}: a purge while it is written refuses it`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, origin, other} = setup;
		serve(origin, randomBytes(64 * mib));
		const asked = client('long', {responseType: 'buffer'});
		await untilKey(setup, '*:part');
		await other().cache.delete(`${origin.url}/long`);
		await asked;
		await untilWritten(setup);
		assert.deepEqual(await longKeys(setup), []);
		assert.deepEqual(await Array.fromAsync(other().cache.entries()), []);
	});

	test(`a long body, ${name}: clear() while it is written refuses it`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, origin, other} = setup;
		serve(origin, randomBytes(64 * mib));
		const asked = client('long', {responseType: 'buffer'});
		await untilKey(setup, '*:part');
		await other().cache.clear();
		await asked;
		await untilWritten(setup);
		assert.deepEqual(await longKeys(setup), []);
	});

	test(`a long body, ${name}: a short one takes its place, and a long one the place of that`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, origin, other} = setup;
		for (const length of [9 * mib, 10, 9 * mib]) {
			serve(origin, randomBytes(length), {'cache-control': 'max-age=60', etag: `"${length}"`});
			const {body} = await client('long', {responseType: 'buffer', context: {cache: {mode: 'reload'}}});
			await untilWritten(setup);
			const response = await other().client('long', {responseType: 'buffer'});
			assert.equal(cacheInfo(response)?.status, 'hit');
			assert.deepEqual(hash('sha1', response.body), hash('sha1', body));
			const keys = await longKeys(setup);
			assert.equal(keys.length, length > 10 ? 1 : 0);
		}
	});

	test(`a long body, ${name}: a 304 freshens it without writing it anew, and touch() and a soft purge hold`, async () => {
		await using setup = await setUp({maxBodySize: 100 * mib, ...options});
		const {client, origin, cache, redis, other} = setup;
		const body = randomBytes(9 * mib);
		origin.handler = (request, response) => {
			const isKnown = request.headers['if-none-match'] === '"1"';
			response.writeHead(isKnown ? 304 : 200, {'cache-control': 'max-age=0', etag: '"1"'});
			response.end(isKnown ? undefined : body);
		};

		await client('long');
		await client('long');
		await settleWrites(setup);
		const inputBytes = async () => Number(/total_net_input_bytes:(?<bytes>\d+)/v.exec(await redis.client.info('stats'))?.groups?.bytes);
		const before = await inputBytes();
		assert.equal(cacheInfo(await other().client('long'))?.status, 'revalidated');
		await settleWrites(setup);
		assert.equal(await cache.touch(`${origin.url}/long`, '1h'), true);
		const response = await other().client('long', {responseType: 'buffer'});
		assert.equal(cacheInfo(response)?.status, 'hit');
		assert.ok(body.equals(response.body));
		assert.equal(await cache.invalidate({prefix: origin.url}, {soft: true}), true);
		assert.equal(cacheInfo(await other().client('long'))?.status, 'revalidated');
		assert.ok(await inputBytes() - before < mib);
	});
}

test('a long body that is removed from Redis while it is written leaves nothing', async () => {
	await using setup = await setUp({maxBodySize: 100 * mib});
	const {client, origin, redis} = setup;
	serve(origin, randomBytes(64 * mib));
	const asked = client('long', {responseType: 'buffer'});
	await redis.client.unlink(await untilKey(setup, '*:part'));
	await asked;
	await settleWrites(setup);
	assert.deepEqual(await longKeys(setup), []);
});

test('parts of a long body expire by themselves if the process ends while it writes them', async () => {
	await using setup = await setUp({maxBodySize: 100 * mib});
	const {client, origin, redis} = setup;
	serve(origin, randomBytes(64 * mib));
	const asked = client('long', {responseType: 'buffer'});
	const key = await untilKey(setup, '*:part');
	const ttlMs = await redis.client.pTTL(key);
	assert.ok(ttlMs > 0);
	assert.ok(ttlMs <= 60_000);
	await asked;
});

test('two long bodies are too much together: the one that is not stored is told of with its URL, once, and counted', async () => {
	await using setup = await setUp({maxBodySize: 100 * mib});
	const {client, cache, origin} = setup;
	const events = eventsOf(cache);
	serve(origin, randomBytes(40 * mib));
	const first = holdNext(origin);
	const asked = [client('long1?token=a')];
	await first.arrived;
	asked.push(client('long2'));
	first.release();
	await Promise.all(asked);
	await untilWritten(setup);
	assert.equal(events.length, 1);
	assert.match(
		events[0] ?? '',
		/^got-redis-cache: The response of http:\/\/127\.0\.0\.1:\d+\/long\d\S* was not stored, with 41943040 bytes: Others of its size are being written\. Lower `maxBodySize`/v,
	);
	assert.equal(cache.health().counters.unwritten, 1);
});

test('a response whose header fields are beyond the bound is said not to be stored', async () => {
	await using setup = await setUp({tagField: 'cache-tag'});
	const {client, origin} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'x-long': 'x'.repeat(10_000)});
		response.end('a');
	};

	const response = await client('long', {context: {cache: {tags: ['ł'.repeat(150_000)]}}});
	assert.equal(cacheInfo(response)?.notStored, 'too-large');
});

for (const [name, refuseWrites] of Object.entries<(redis: TestRedis) => Promise<unknown>>({
	'a Redis is full': async ({client}) => client.configSet('maxmemory', '1'),
	'a Redis is a replica': async ({client}) => client.sendCommand(['REPLICAOF', '127.0.0.1', '1']),
})) {
	test(`once ${name}, and known to be read-only, a response is said not to be stored, in Cache-Status too`, async () => {
		await using setup = await setUp();
		const {client, cache, redis, origin} = setup;
		serve(origin, Buffer.from('a'));
		await client('first');
		await refuseWrites(redis);
		const isDegraded = Promise.withResolvers<void>();
		cache.once('degraded', () => {
			isDegraded.resolve();
		});
		await Promise.all(Array.from({length: 4}, async (_, position) => client(`refused${position}`)));
		await isDegraded.promise;
		const response = await client('first', {context: {cache: {mode: 'reload'}}});
		assert.equal(cache.health().state, 'read-only');
		assert.equal(cacheInfo(response)?.notStored, 'store-unavailable');
		assert.doesNotMatch(String(response.headers['cache-status']), /stored/v);
	});
}
