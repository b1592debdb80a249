import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {createCluster} from '@redis/client';
import got from 'got';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {startCluster} from '../helpers/cluster.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import {startRedis} from '../helpers/redis.ts';
import {startReplica} from '../helpers/replica.ts';
import {isGot15} from './helpers.ts';
import {
	denied,
	setUser,
	startRightsOrigin,
	useAll,
	whole,
} from './rights-helpers.ts';

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

/** Besides, for the second connection on which it hears of changes. */
const rightsOfIoredis = ['+info', '+subscribe', '&__redis__:invalidate', '+client|id', '+ping'];

test('a client of ioredis: the rights that docs/security.md names, and those of its second connection, are enough; without one of them, an error names it', slow, async () => {
	await using redis = await startRedis();
	await using origin = await startRightsOrigin();
	await assertEachIsMissed(rights, async missing => {
		await setUser([redis], ...[...rules, ...rightsOfIoredis].filter(rule => rule !== missing));
		const client = newestIoredis.open(`redis://http_cache:${password}@127.0.0.1:${redis.port}`);
		try {
			const used = await useAll(origin, {store: client});
			if (missing === undefined) {
				assert.deepEqual(await denied([redis]), []);
			}

			return used;
		} finally {
			client.disconnect();
		}
	});
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
