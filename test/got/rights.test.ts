import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {createCluster} from '@redis/client';
import got from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {startCluster} from '../helpers/cluster.ts';
import {respond, startOrigin, type Origin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {startReplica} from '../helpers/replica.ts';
import {isGot15} from './helpers.ts';

/*
The rights that docs/security.md names are enough, and none of them is missed in silence.
*/

const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
const [rules = [], rulesOfCluster = [], rulesOfReplicas = []] = page.matchAll(/^ACL SETUSER http_cache (?<rules>.+)$/gmv).map(match => match.groups?.rules?.split(' ')).toArray();
const rights = rules.filter(rule => rule.startsWith('+'));
const password = rules.find(rule => rule.startsWith('>'))?.slice(1) ?? '';

/** Redis 7 runs HELLO and AUTH for everybody; EVAL does what EVALSHA does; a head that cannot be replaced alone is sent with the whole value. */
const dispensable = new Set(['+hello', '+auth', '+evalsha', '+setrange']);

/** Of no use to a client of the user's. */
const ofTier = '+client|tracking';

const bodies: ReadonlyMap<string, Uint8Array> = new Map([['/large', randomBytes(40_000)], ['/long', randomBytes(5_000_000)]]);

const startRightsOrigin = async (): Promise<Origin> => startOrigin(({url, headers}, response) => {
	const etag = `"${headers['accept-language'] ?? ''}"`;
	const maxAge = url === '/large' ? 0 : 60;
	const fields = {'cache-control': `max-age=${maxAge}`, 'cache-tag': 'a', etag, ...url === '/vary' && {vary: 'accept-language'}};
	respond(response, headers['if-none-match'] === etag ? {status: 304, headers: fields} : {headers: fields, body: bodies.get(url) ?? 'x'});
});

/** From Redis 7.2 on, node-redis says its name when it connects, and does without. Redis 7.0 knows no such right. */
const isOfName = (entry: readonly unknown[]): boolean => entry.includes('client|setinfo');

const denied = async (servers: readonly TestRedis[]): Promise<unknown[]> => {
	const logs = await Promise.all(servers.map(async ({client}) => client.sendCommand<Array<readonly unknown[]>>(['ACL', 'LOG'])));
	return logs.flat().filter(entry => !isOfName(entry));
};

const setUser = async (servers: readonly TestRedis[], ...given: readonly string[]): Promise<void> => {
	await Promise.all(servers.map(async ({client}) => {
		await client.flushAll();
		await client.sendCommand(['ACL', 'SETUSER', 'http_cache', 'reset', ...given]);
		await client.sendCommand(['ACL', 'LOG', 'RESET']);
	}));
};

/** Everything that a cache does in Redis, and what comes of it. No request may fail for it. */
const useAll = async (origin: Origin, options: RedisCacheOptions) => {
	await using cache = redisCache({timeout: '30s', tagField: 'cache-tag', coalesce: 'fleet', ...options});
	const errors: string[] = [];
	cache.on('error', error => errors.push(error.message));
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	const ask = async (path: string, headers: Record<string, string> = {}) => {
		const response = await client(path, {headers, responseType: 'buffer'});
		assert.ok(Buffer.from(bodies.get(`/${path}`) ?? 'x').equals(response.body));
		return cacheInfo(response)?.status;
	};

	const askTwice = async (path: string, headers?: Record<string, string>) => {
		const first = await ask(path, headers);
		// Without EVALSHA, a script may be sent a round trip later. A long body is waited for.
		if (path !== 'long') {
			await cache.has(`${origin.url}/${path}`);
		}

		return [first, await ask(path, headers)];
	};

	const outcome: Record<string, unknown> = {};
	for (const path of ['plain', 'large', 'long']) {
		outcome[path] = await askTwice(path);
	}

	for (const language of ['de', 'en']) {
		outcome[language] = await askTwice('vary', {'accept-language': language});
	}

	const actions: Record<string, () => Promise<unknown>> = {
		touch: async () => cache.touch(`${origin.url}/large`, '1h'),
		'touch for ever': async () => cache.touch(`${origin.url}/plain`, 'never'),
		list: async () => (await Array.fromAsync(cache.entries())).length,
		statistics: async () => (await cache.fleetStats()).requests > 0,
		delete: async () => cache.delete([`${origin.url}/vary`, `${origin.url}/large`]),
		'unsafe request': async () => client.post('plain').text(),
		'after it': async () => ask('plain'),
		'soft purge': async () => cache.invalidate({tag: 'a'}, {soft: true}),
		purge: async () => cache.invalidate({tag: 'a'}),
		'after that': async () => ask('plain'),
		'purge by prefix': async () => cache.invalidate({prefix: origin.url}),
		clear: async () => cache.clear(),
	};
	for (const [name, action] of Object.entries(actions)) {
		outcome[name] = await action().catch(String);
	}

	return {outcome, errors};
};

const whole = {
	plain: ['miss', 'hit'],
	large: ['miss', 'revalidated'],
	long: ['miss', 'hit'],
	de: ['miss', 'hit'],
	en: ['miss', 'hit'],
	touch: true,
	'touch for ever': true,
	list: 5,
	statistics: true,
	delete: true,
	'unsafe request': 'x',
	'after it': 'miss',
	'soft purge': true,
	purge: true,
	'after that': 'miss',
	'purge by prefix': true,
	clear: true,
};

const nameOf = (right: string): string => right.slice(1).toUpperCase();

/** @param use - With one right fewer, if there is one to leave out. */
const assertEachIsMissed = async (least: readonly string[], use: (missing?: string) => ReturnType<typeof useAll>): Promise<void> => {
	assert.deepEqual(await use(), {outcome: whole, errors: []});
	for (const missing of least) {
		const {outcome, errors} = await use(missing);
		if (dispensable.has(missing)) {
			assert.deepEqual({outcome, errors}, {outcome: whole, errors: []}, missing);
			continue;
		}

		assert.ok(errors.some(error => error.includes(`run ${nameOf(missing)} (NOPERM): grant it with ACL SETUSER <user> ${missing};`)), `without ${missing}: ${JSON.stringify({outcome, errors})}`);
		assert.ok(errors.every(error => error.includes(`run ${nameOf(missing)} `)), errors.join('\n'));
	}
};

// The commands are the same with each got.
const slow = {timeout: 110_000, skip: isGot15};

test('a user of Redis with the rights that docs/security.md names, and no others, can do everything; without one of them, an error names it', slow, async t => {
	await using redis = await startRedis();
	await using origin = await startRightsOrigin();
	assert.ok(rights.length > 10);
	await assertEachIsMissed(rights, async missing => {
		await setUser([redis], ...rules.filter(rule => rule !== missing));
		const used = await useAll(origin, {store: `redis://http_cache:${password}@127.0.0.1:${redis.port}`});
		if (missing === undefined) {
			assert.deepEqual(await denied([redis]), []);
			assert.deepEqual((await redis.client.keys('*')).filter(key => !key.startsWith('http_cache:stats.')), []);
		}

		return used;
	});

	const user = redis.client.duplicate({username: 'http_cache', password});
	user.on('error', () => undefined);
	t.after(() => {
		user.destroy();
	});
	await user.connect();
	await assert.rejects(user.set('another:key', 'x'), /NOPERM/v);
});

test('a cluster: the rights that docs/security.md names are enough; without one of them, an error names it', slow, async () => {
	await using nodes = await startCluster({isReplicated: false});
	await using origin = await startRightsOrigin();
	assert.ok(rulesOfCluster.length > 0);
	const use = async (missing?: string) => {
		await setUser(nodes.masters, ...[...rules, ...rulesOfCluster].filter(rule => rule !== missing && rule !== ofTier));
		const cluster = createCluster({rootNodes: nodes.masters.map(({url}) => ({url})), defaults: {username: 'http_cache', password}});
		try {
			const used = await useAll(origin, {store: cluster});
			if (missing === undefined) {
				assert.deepEqual(await denied(nodes.masters), []);
			}

			return used;
		} finally {
			cluster.destroy();
		}
	};

	await assertEachIsMissed(rights.filter(right => right !== ofTier), use);
	for (const missing of rulesOfCluster) {
		const {errors} = await use(missing);
		assert.ok(errors.some(error => error.includes(`run ${nameOf(missing)} (NOPERM)`)), errors.join('\n'));
	}
});

test('`waitForReplicas`: the rights that docs/security.md names are enough; without one of them, no purge is confirmed, and an error names it', slow, async () => {
	await using redis = await startRedis();
	await using _replica = await startReplica(redis);
	await using origin = await startRightsOrigin();
	assert.equal(rulesOfReplicas.length, 1);
	const use = async (missing?: string) => {
		await setUser([redis], ...[...rules, ...rulesOfReplicas].filter(rule => rule !== missing));
		return useAll(origin, {store: `redis://http_cache:${password}@127.0.0.1:${redis.port}`, waitForReplicas: {count: 1, timeout: '30s'}});
	};

	assert.deepEqual(await use(), {outcome: whole, errors: []});
	assert.deepEqual(await denied([redis]), []);
	for (const missing of [...rulesOfReplicas, '+info']) {
		const {outcome, errors} = await use(missing);
		assert.deepEqual(outcome, {...whole, delete: false, 'soft purge': false, purge: false, 'purge by prefix': false, clear: false});
		assert.ok(errors.some(error => error.includes('`waitForReplicas`') && error.includes(`run ${nameOf(missing)} (NOPERM): grant it with ACL SETUSER <user> ${missing};`)), errors.join('\n'));
	}
});

test('without scripts a process stores nothing, answers with what others store, and its purges come to hold everywhere', slow, async t => {
	await using redis = await startRedis();
	await using origin = await startRightsOrigin();
	const create = (url: string) => {
		const cache = redisCache({store: url, timeout: '30s', tagField: 'cache-tag', memory: false});
		const errors: string[] = [];
		cache.on('error', error => errors.push(error.message));
		const client = got.extend({prefixUrl: origin.url}, cache);
		return {cache, errors, ask: async (path: string) => cacheInfo(await client(path))};
	};

	await setUser([redis], ...rules.filter(rule => rule !== '+eval' && rule !== '+evalsha'));
	const limited = create(`redis://http_cache:${password}@127.0.0.1:${redis.port}`);
	await using _limited = limited.cache;
	const other = create(redis.url);
	await using _other = other.cache;

	await other.ask('a');
	await other.ask('b');
	assert.equal((await limited.ask('a'))?.status, 'hit');
	assert.equal((await limited.ask('c'))?.status, 'miss');
	assert.equal((await limited.ask('c'))?.status, 'miss');
	assert.match(limited.errors.join('\n'), /run EVAL \(NOPERM\)/v);

	const purging = create(`redis://http_cache:${password}@127.0.0.1:${redis.port}`);
	await using _purging = purging.cache;
	assert.equal(await purging.cache.invalidate({tag: 'a'}), true);
	assert.equal((await other.ask('b'))?.status, 'miss');
	assert.equal(await purging.cache.delete(`${origin.url}/b`), false);
	assert.equal(await purging.cache.has(`${origin.url}/b`), false);
	// It tries again when a second has passed.
	const startMs = performance.now();
	t.mock.method(ownTimers, 'now', () => startMs + 2000);
	assert.equal(await purging.cache.has(`${origin.url}/d`), false);
	while (await other.cache.has(`${origin.url}/b`)) {
		await nextTurn();
	}

	await other.ask('a');
	assert.equal(await purging.cache.clear(), true);
	assert.deepEqual((await redis.client.keys('*')).filter(key => !key.startsWith('http_cache:stats.')), []);
});
