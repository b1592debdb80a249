import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import process from 'node:process';
import test from 'node:test';
import got from 'got';
import {Keyv} from 'keyv';
import {
	cacheInfo,
	redisCache,
	type RedisCache,
	type RedisCacheOptions,
} from '../../source/index.ts';
import {followFakeTimers} from '../helpers/deadlines.ts';
import {listen} from '../helpers/listener.ts';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {runScript} from '../helpers/script.ts';
import {settleWrites} from './helpers.ts';

const unhandled: unknown[] = [];
process.on('unhandledRejection', reason => unhandled.push(reason));
process.on('warning', warning => unhandled.push(warning));

const sickStores: Record<string, () => Promise<{url: string; stop(): Promise<void>}>> = {
	async 'refuses connections'() {
		return {url: 'redis://127.0.0.1:1', stop: async () => undefined};
	},
	async 'never answers'() {
		return listen();
	},
	async 'answers garbage'() {
		return listen(socket => {
			socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n\u{0}\u{1}garbage'));
		});
	},
	async 'hangs up'() {
		return listen(socket => socket.destroy());
	},
};

for (const [name, start] of Object.entries(sickStores)) {
	test(`requests succeed uncached with a Redis that ${name}, and an event says so once`, async () => {
		const store = await start();
		await using origin = await startOrigin((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end('body');
		});
		// What fails at once does so in its own words, however busy the machine is.
		const options: RedisCacheOptions = {store: store.url, timeout: name.includes('answers') ? 50 : '10s'};
		const cache = redisCache(options);
		const errors: Error[] = [];
		cache.on('error', error => errors.push(error));
		const client = got.extend({prefixUrl: origin.url}, cache);

		for (let count = 0; count < 10; count++) {
			const response = await client('items');
			assert.equal(response.body, 'body');
			assert.equal(response.isFromCache, false);
		}

		assert.equal(errors.length, 1, errors.map(error => error.message).join('\n'));
		assert.ok(errors[0] instanceof Error);

		// Without a listener, nothing happens.
		const silent = got.extend({prefixUrl: origin.url}, redisCache(options));
		assert.equal(await silent('items').text(), 'body');

		await cache.close();
		await store.stop();
		assert.deepEqual(unhandled, []);
	});
}

for (const [name, open] of Object.entries({
	Redis: (url: string) => url,
	memory: () => 'memory' as const,
	'a Map': () => new Map(),
	'a Keyv': () => new Keyv(),
})) {
	test(`a cache on ${name} that is closed does not say that it stores`, async () => {
		await using origin = await startOrigin((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end('body');
		});
		await using redis = await startRedis();
		const cache = redisCache({store: open(redis.url)});
		const client = got.extend({prefixUrl: origin.url}, cache);
		await client('before');
		await cache.close();
		const response = await client('items');

		assert.deepEqual([cacheInfo(response)?.status, cacheInfo(response)?.notStored, cacheInfo(response)?.expiresAt], ['miss', 'store-unavailable', undefined]);
		assert.doesNotMatch(String(response.headers['cache-status']), /stored;/v);
	});
}

test('a value that is not ours is a miss and is replaced', async () => {
	await using origin = await startOrigin((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end(`body ${origin.requests.length}`);
	});
	await using redis = await startRedis();
	const client = got.extend({prefixUrl: origin.url}, redisCache({store: redis.url, memory: false, timeout: '10s'}));
	await client('items');
	await settleWrites({redis});
	const keys = await redis.client.keys('*');
	// What a purge would change is there, too.
	const key = keys.find(each => !/\{origin:|:guard$/v.test(each)) ?? '';
	const {client: raw} = redis;
	const spoil: Record<string, () => Promise<unknown>> = {
		foreign: async () => raw.set(key, '{"value":"not ours"}'),
		empty: async () => raw.set(key, ''),
		truncated: async () => raw.set(key, String(await raw.getRange(key, 0, 20))),
		async 'of another type'() {
			await raw.del(key);
			return raw.hSet(key, 'a', 'b');
		},
	};

	for (const [name, change] of Object.entries(spoil)) {
		origin.requests.length = 0;
		await change();
		assert.equal(await client('items').text(), 'body 1', name);
		assert.equal(await client('items').text(), 'body 1', name);
		assert.equal(origin.requests.length, 1, name);
	}
});

const script = `
	import got from 'got';
	import {redisCache} from './source/index.ts';
	const client = got.extend(redisCache({store: process.env.STORE, timeout: Number(process.env.TIMEOUT)}));
	const started = performance.now();
	for (let count = 0; count < 2; count++) {
		const response = await client(process.env.ORIGIN);
		console.log(response.body, response.isFromCache);
	}
	const done = performance.now();
	// Shorter than any patience of node-redis's, longer than a busy machine takes.
	process.on('exit', () => console.log(performance.now() - done < 4000 ? 'exits' : 'lingers'));
`;

test('a script that is done exits by itself, and not before', async () => {
	await using redis = await startRedis();
	await using origin = await startOrigin((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('body');
	});

	assert.deepEqual(await runScript(script, {env: {STORE: redis.url, ORIGIN: origin.url, TIMEOUT: '10000'}}), {code: 0, stdout: 'body false\nbody true\nexits\n', stderr: ''});
});

for (const name of ['refuses connections', 'never answers', 'answers garbage']) {
	test(`a script that is done exits by itself with a Redis that ${name}`, async () => {
		const store = await sickStores[name]!();
		await using origin = await startOrigin((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end('body');
		});

		const ended = await runScript(script, {env: {STORE: store.url, ORIGIN: origin.url, TIMEOUT: '100'}});
		await store.stop();
		assert.deepEqual(ended, {code: 0, stdout: 'body false\nbody false\nexits\n', stderr: ''});
	});
}

test('timers that are not Node\'s own, such as jsdom\'s numbers, fail no request when Redis is down', async t => {
	await using origin = await startOrigin((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('body');
	});
	const start = setTimeout;
	const timers: NodeJS.Timeout[] = [];
	t.after(() => {
		for (const timer of timers) {
			clearTimeout(timer);
		}
	});
	// `clearTimeout()` takes a number too.
	t.mock.method(globalThis, 'setTimeout', (...given: Parameters<typeof setTimeout>) => {
		const timer = start(...given);
		timers.push(timer);
		return Number(timer);
	});

	const client = got.extend({prefixUrl: origin.url}, redisCache({store: 'redis://127.0.0.1:1', timeout: '10s'}));

	for (let count = 0; count < 10; count++) {
		assert.equal(await client('items').text(), 'body');
	}

	assert.deepEqual(unhandled, []);
});

for (const [by, purge] of [
	['URL', async (cache, url) => cache.delete(url)],
	['tag', async cache => cache.invalidate({tag: 'a'})],
	['tag, softly', async cache => cache.invalidate({tag: 'a'}, {soft: true})],
] satisfies Array<[string, (cache: RedisCache, url: string) => Promise<boolean>]>) {
	test(`a full Redis is degraded once, however often something is purged by ${by}`, async t => {
		const [origin, redis] = await Promise.all([startOrigin(), startRedis({args: ['--maxmemory', '4mb']})]);
		t.after(async () => Promise.all([origin.stop(), redis.stop()]));
		origin.handler = (_request, response) => {
			respond(response, {headers: {'cache-control': 'max-age=60', 'cache-tag': 'a'}, body: 'x'.repeat(50_000)});
		};

		await using cache = redisCache({store: redis.url, timeout: '10s', tagField: 'cache-tag', compression: false});
		const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
		const events: string[] = [];
		for (const name of ['error', 'degraded', 'recovered'] as const) {
			cache.on(name, () => events.push(name));
		}

		let count = 0;
		const ask = async () => client(String(count++));
		while (!events.includes('degraded')) {
			await ask();
		}

		// From here on, nothing that a purge removes makes room: on a busy machine, the cache tries to write again meanwhile.
		await redis.client.configSet('maxmemory', '1');
		for (let round = 0; round < 40; round++) {
			await purge(cache, `${origin.url}/${round}`);
			await ask();
			await ask();
			await ask();
		}

		// The second error is that of the purges.
		assert.deepEqual(events, ['error', 'degraded', 'error']);
		assert.equal(cache.health().state, 'read-only');
	});
}

test('a full Redis in which each purge makes a little room: one error of writes, degraded once, recovered once when it takes all writes', async t => {
	const [origin, redis] = await Promise.all([startOrigin(), startRedis({args: ['--maxmemory', '4mb']})]);
	t.after(async () => Promise.all([origin.stop(), redis.stop()]));
	origin.handler = (_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: randomBytes(50_000)});
	};

	await using cache = redisCache({store: redis.url, timeout: '10s', compression: false, memory: false});
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	const events: string[] = [];
	for (const name of ['error', 'degraded', 'recovered'] as const) {
		cache.on(name, (error?: unknown) => events.push(String(error).includes('a purge was not confirmed') ? 'unconfirmed purge' : name));
	}

	const eventsOfWrites = () => events.filter(name => name !== 'unconfirmed purge');
	let count = 0;
	const ask = async () => client(String(count++));
	t.mock.timers.enable({apis: ['setTimeout']});
	followFakeTimers(t.mock);
	while (!events.includes('degraded')) {
		await ask();
	}

	const outcomes = new Set<unknown>();
	for (let round = 0; round < 15; round++) {
		// Longer than any cooldown.
		t.mock.timers.tick(5000);
		for (let purge = 0; purge < 3; purge++) {
			await cache.delete(`${origin.url}/${(3 * round) + purge}`);
			for (let asked = 0; asked < 3; asked++) {
				outcomes.add(cacheInfo(await ask())?.notStored);
			}
		}

		assert.equal(cache.health().state, 'read-only');
	}

	assert.deepEqual(outcomes, new Set(['store-unavailable', undefined]), 'it was written to, and refused again');
	assert.deepEqual(eventsOfWrites(), ['error', 'degraded']);
	await redis.client.configSet('maxmemory', '0');
	while (!events.includes('recovered')) {
		t.mock.timers.tick(5000);
		await ask();
	}

	assert.deepEqual(eventsOfWrites(), ['error', 'degraded', 'recovered']);
	assert.ok(events.length <= 4, 'a purge that was not confirmed is told once');
});
