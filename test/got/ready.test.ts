import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {createClient, createCluster} from '@redis/client';
import got from 'got';
import {Keyv} from 'keyv';
import {
	redisCache,
	StoreError,
	type RedisCache,
	type RedisCacheOptions,
} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {startCluster} from '../helpers/cluster.ts';
import {listen} from '../helpers/listener.ts';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {unlessFast} from '../helpers/runs.ts';
import {runScript} from '../helpers/script.ts';

let redis: TestRedis;

before(async () => {
	redis = await startRedis();
});

after(async () => {
	await redis.stop();
});

/** A user of Redis who may do everything but this. */
const userWithout = async (...rules: readonly string[]): Promise<string> => {
	const name = `user-${rules.join('').replaceAll(/[^a-z]/gv, '-')}`;
	await redis.client.sendCommand(['ACL', 'SETUSER', name, 'on', '>hunter2', '~*', '+@all', ...rules]);
	return `redis://${name}:hunter2@127.0.0.1:${redis.port}`;
};

test('a Redis is ready if it can be read and written to, and nothing is left there', async () => {
	await redis.client.flushAll();
	for (const options of [{}, {coalesce: 'fleet'}, {encryption: 'ab'.repeat(32)}, {memory: false}] as const) {
		await using cache = redisCache({store: redis.url, ...options});
		assert.equal(cache.health().state, 'unknown');
		assert.deepEqual(await cache.ready(), {store: redis.url, warnings: []});
		assert.equal(cache.health().state, 'ok');
		assert.deepEqual(await redis.client.keys('*'), []);
	}
});

test('a store is unknown until it has answered', async () => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
	});
	await using cache = redisCache({store: redis.url, timeout: '10s'});
	assert.equal(cache.health().state, 'unknown');
	await got.extend(cache)(origin.url);
	assert.equal(cache.health().state, 'ok');

	await using away = redisCache('redis://127.0.0.1:1');
	assert.equal(away.health().state, 'unknown');
	await got.extend(away)(origin.url);
	assert.equal(away.health().state, 'unavailable');
	assert.match(
		JSON.stringify(away.health()),
		/"lastError":\{"name":"StoreError","message":"got-redis-cache: connect ECONNREFUSED 127\.0\.0\.1:1 \(store: redis:\/\/127\.0\.0\.1:1\)\. Nothing listens there/v,
	);

	for (const store of ['memory', new Map()] as const) {
		await using local = redisCache(store);
		assert.equal(local.health().state, 'ok', 'the memory of the process needs no proof');
	}
});

const otherStores: Record<string, readonly [open: () => RedisCacheOptions['store'], address: string]> = {
	memory: [() => 'memory', 'memory'],
	'a Map': [() => new Map(), 'a Map'],
	'a Keyv': [() => new Keyv(), 'Keyv with Map'],
	'an adapter': [() => createAdapter(), 'Keyv with Object'],
};

for (const [name, [open, address]] of Object.entries(otherStores)) {
	test(`a store that is no Redis is ready: ${name}`, async () => {
		const store = open();
		await using cache = redisCache({store});
		assert.deepEqual(await cache.ready(), {store: address, warnings: []});
		assert.deepEqual(await Array.fromAsync(cache.entries()), []);
	});
}

test('a client of the user\'s and a cluster are ready', unlessFast, async () => {
	await using cluster = await startCluster({isReplicated: false});
	const clients = [createClient({url: redis.url}), createCluster({rootNodes: cluster.masters.map(({url}) => ({url}))})];
	for (const client of clients) {
		client.on('error', () => undefined);
		await using cache = redisCache({store: client, coalesce: 'fleet'});
		const {warnings} = await cache.ready();
		assert.deepEqual(warnings, []);
		client.destroy();
	}

	for (const master of cluster.masters) {
		assert.deepEqual(await master.client.keys('*'), []);
	}
});

type Failure = {readonly open: () => RedisCacheOptions['store'] | Promise<RedisCacheOptions['store']>; readonly message: RegExp; readonly state?: string};

const failures: Record<string, Failure> = {
	'the address is wrong': {
		open: () => 'redis://user:hunter2@127.0.0.1:1',
		message: /ECONNREFUSED .*\(store: redis:\/\/127\.0\.0\.1:1\)\. Nothing listens there/v,
		state: 'unavailable',
	},
	'the host of a client of the user\'s is wrong': {
		open: () => createClient({url: 'redis://127.0.0.1:1', socket: {reconnectStrategy: false}}),
		message: /ECONNREFUSED .*Nothing listens there/v,
		state: 'unavailable',
	},
	'it has no TLS': {
		open: () => ({url: redis.url.replace('redis:', 'rediss:'), socket: {connectTimeout: 200}}),
		message: /A Redis without TLS has a redis: URL/v,
		state: 'unavailable',
	},
	'the password is wrong': {
		open: () => `redis://nobody:hunter2@127.0.0.1:${redis.port}`,
		message: /(?:WRONGPASS|AUTH).*Are user and password right\?/v,
		state: 'unavailable',
	},
	'its user may not read': {open: async () => userWithout('-mget'), message: /run MGET \(NOPERM\): grant it/v},
	'its user may not write': {open: async () => userWithout('-eval', '-evalsha'), message: /run EVAL \(NOPERM\): grant it/v},
	'its user may not delete': {open: async () => userWithout('-unlink'), message: /run UNLINK \(NOPERM\): grant it/v},
	'its user may not use the keys': {open: async () => userWithout('resetkeys', '~other:*'), message: /access the cache's keys \(NOPERM\)/v},
	'an adapter gives back something else': {
		open: () => createAdapter(adapter => ({get: async key => (await adapter.get(key))?.replace(/"value":".*?"/v, '"value":"AAAA"')})),
		message: /did not give back what was written/v,
	},
	'an adapter keeps what is deleted': {
		open: () => createAdapter(() => ({delete: async () => true})),
		message: /still has what was removed/v,
	},
};

for (const [name, {open, message, state = 'unknown'}] of Object.entries(failures)) {
	test(`a store is not ready, and the error says what to do, if ${name}`, async () => {
		const store = await open();
		await using cache = redisCache({store, timeout: '10s'});
		await assert.rejects(cache.ready(), (error: unknown) => {
			assert.ok(error instanceof StoreError);
			assert.match(error.message, /^got-redis-cache: /v);
			assert.match(error.message, message);
			assert.doesNotMatch(error.message, /hunter2/v);
			assert.equal(cache.health().lastError, error);
			return true;
		});
		assert.equal(cache.health().state === 'ok' ? 'unknown' : cache.health().state, state);
	});
}

test('a Redis that wants a password and is given none is unavailable, whatever is asked first', async () => {
	await using locked = await startRedis();
	await locked.client.configSet('requirepass', 'hunter2');
	const url = 'http://example.com/a';
	const questions: Record<string, (cache: RedisCache) => Promise<unknown>> = {
		ready: async cache => cache.ready(),
		get: async cache => cache.get(url),
		delete: async cache => cache.delete(url),
		entries: async cache => Array.fromAsync(cache.entries()),
	};
	for (const [name, ask] of Object.entries(questions)) {
		await using cache = redisCache({store: locked.url, timeout: '10s'});
		await ask(cache).catch(() => undefined);
		const {state, lastError} = cache.health();
		assert.equal(state, 'unavailable', name);
		assert.match(String(lastError?.message), /^got-redis-cache: NOAUTH .*Are user and password right\?/v);
	}
});

for (const [name, [args, message]] of Object.entries({
	'a full Redis': [['--maxmemory', '1'], /OOM.*raise `maxmemory`/v],
	'a replica': [['--replicaof', '127.0.0.1', '1'], /READONLY.*give the address of its master/v],
} as const)) {
	test(`a store that takes no writes is not ready: ${name}`, async () => {
		await using sick = await startRedis({args});
		await using cache = redisCache(sick.url);
		await assert.rejects(cache.ready(), {name: 'StoreError', message});
	});
}

const warnings: Record<string, readonly [options: () => Promise<RedisCacheOptions>, args: readonly string[], message: RegExp]> = {
	'it evicts nothing': [async () => ({}), ['--maxmemory', '100mb'], /`maxmemory-policy noeviction`/v],
	'it is not bounded, and nothing expires': [async () => ({ttl: false}), [], /`ttl: false`.*no `maxmemory`/v],
};

for (const [name, [options, args, message]] of Object.entries(warnings)) {
	test(`a store is ready, with a warning, if ${name}`, async () => {
		await using own = await startRedis({args});
		await using cache = redisCache({store: own.url, ...await options()});
		const {store, warnings: given} = await cache.ready();
		assert.equal(given.length, 1);
		assert.match(given[0] ?? '', message);
		assert.match(given[0] ?? '', /^got-redis-cache: .*\(store: redis:/v);
		assert.equal(store, own.url);
	});
}

for (const [name, [rule, options, message]] of Object.entries({
	'its user may not list': ['-scan', {}, /cannot be listed, as `entries\(\)`.*scan/v],
	'its user may not see the policy': ['-info', {}, /`maxmemory-policy` of Redis cannot be read.*info/v],
	'its user may not take leases': ['-pttl', {coalesce: 'fleet'}, /`coalesce: 'fleet'`.*PTTL/v],
} as const)) {
	test(`a store is ready, with a warning, if ${name}`, async () => {
		await using cache = redisCache({store: await userWithout(rule), ...options});
		const {warnings: given} = await cache.ready();
		assert.match(given.at(-1) ?? '', message);
	});
}

test('an adapter that cannot list is ready, with a warning', async () => {
	await using cache = redisCache(createAdapter(() => ({iterator: undefined})));
	const {warnings: given} = await cache.ready();
	assert.match(given.join('\n'), /^got-redis-cache: What is stored cannot be listed, .*The store cannot list its keys/v);
});

test('a store that was given up is in use again when it is found ready', async () => {
	await using own = await startRedis();
	await using cache = redisCache(own.url);
	const events: string[] = [];
	cache.on('degraded', () => events.push('degraded')).on('recovered', () => events.push('recovered'));
	await own.kill();
	await assert.rejects(cache.ready(), StoreError);
	assert.equal(cache.health().state, 'unavailable');
	await own.restart();
	await cache.ready();
	assert.equal(cache.health().state, 'ok');
	assert.deepEqual(events, ['degraded', 'recovered']);
});

test('the event `closed` comes once, when close() has ended the connection', async () => {
	const cache = redisCache(redis.url);
	const states: string[] = [];
	cache.on('closed', () => {
		states.push(cache.health().state);
	});
	await cache.ready();
	await Promise.all([cache.close(), cache.close()]);
	await cache.close();

	assert.deepEqual(states, ['closed']);
});

test('a cache that is closed is not ready', async () => {
	const cache = redisCache(redis.url);
	await cache.close();
	await assert.rejects(cache.ready(), {name: 'StoreError', message: /The cache is closed/v});
});

test('a script that waits for a store waits for the answer', unlessFast, async () => {
	await using silent = await listen();
	const {code, stdout} = await runScript(`
		import {redisCache} from './source/index.ts';
		const cache = redisCache({store: {url: ${JSON.stringify(silent.url)}, socket: {connectTimeout: 100}}});
		await cache.ready().catch(error => console.log(error.message));
	`);
	assert.match(stdout, /did not answer within 100 ms/v);
	assert.equal(code, 0);
});
