/* eslint-disable @typescript-eslint/no-loop-func -- `t` is for what follows a test */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {after, before, beforeEach, test} from 'node:test';
import {createClient} from '@redis/client';
import {encode} from '../../source/store/codec/codec.ts';
import type {StoreOption} from '../../source/store/backends/connection.ts';
import {createStore} from '../../source/store/create-store.ts';
import {createMemoryTier} from '../../source/store/memory/memory.ts';
import type {Store} from '../../source/store/ports/store.ts';
import {index, response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {startScript} from '../helpers/script.ts';

const record = response();

const open = (store: StoreOption, memoryBytes = 1_000_000): Store => createStore({
	store,
	namespace: 'n',
	timeoutMs: 2000,
	memoryBytes,
	cooldownMs: 10,
});

const kindOf = async (store: Store, key = '{a}') => {
	const [found] = await store.get([key]);
	return found?.kind;
};

/** Reads until the condition holds: what Redis tells is on its way. */
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
	while (!await isSo()) {
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}
};

let redis: TestRedis;

before(async () => {
	redis = await startRedis();
});

beforeEach(async () => {
	await redis.client.flushAll();
	await redis.client.configResetStat();
});

after(async () => {
	await redis.stop();
});

/* A clock of one's own, and none of Redis. */

test('a record is there while the connection vouches for it', () => {
	let now = 0;
	const tier = createMemoryTier(100_000, {nowMs: () => now});
	tier.beginReading(['{a}'])([record]);
	assert.equal(tier.get('{a}'), undefined);
	tier.confirmConnection();
	assert.equal(tier.get('{a}')?.kind, 'response');
	now = 999;
	assert.equal(tier.get('{a}')?.kind, 'response');
	now = 1000;
	assert.equal(tier.get('{a}'), undefined);
	tier.confirmConnection();
	assert.equal(tier.get('{a}')?.kind, 'response');
});

test('a response in use asks for another proof before the last one is too old', () => {
	let now = 0;
	let asked = 0;
	const tier = createMemoryTier(100_000, {
		nowMs: () => now,
		onProofDue() {
			asked++;
		},
	});
	tier.confirmConnection();
	tier.beginReading(['{a}'])([record]);
	const askedAt = (time: number, key = '{a}') => {
		now = time;
		tier.get(key);
		return asked;
	};

	assert.deepEqual([askedAt(0), askedAt(499), askedAt(500, '{b}'), askedAt(500), askedAt(999), askedAt(1000)], [0, 0, 0, 1, 2, 2]);
	tier.confirmConnection();
	assert.deepEqual([askedAt(1499), askedAt(1500)], [2, 3]);
});

test('a change that is told while a key is read keeps the old value out', () => {
	const tier = createMemoryTier(100_000);
	tier.confirmConnection();
	const endFirst = tier.beginReading(['{a}', '{b}']);
	const endSecond = tier.beginReading(['{a}']);
	tier.invalidate('{a}');
	const endThird = tier.beginReading(['{a}']);
	endFirst([record, record]);
	assert.equal(tier.get('{a}'), undefined);
	assert.equal(tier.get('{b}')?.kind, 'response');
	endSecond([record]);
	assert.equal(tier.get('{a}'), undefined);
	endThird([index()]);
	assert.equal(tier.get('{a}')?.kind, 'index');
	tier.beginReading(['{a}'])([record]);
	assert.equal(tier.get('{a}')?.kind, 'response');
});

test('a connection that is lost while a key is read keeps the value out', () => {
	const tier = createMemoryTier(100_000);
	tier.confirmConnection();
	const end = tier.beginReading(['{a}']);
	tier.lose();
	tier.confirmConnection();
	end([record]);
	assert.equal(tier.get('{a}'), undefined);
});

test('that nothing lies under a key is known for as long, and no longer than somebody writes it', () => {
	let now = 0;
	const tier = createMemoryTier(100_000, {nowMs: () => now});
	const keys = ['{a}', '{b}', '{c}'];
	const known = () => keys.filter(key => tier.isAbsent(key));
	const end = tier.beginReading(keys);
	tier.invalidate('{b}');
	end(['absent', 'absent', undefined]);
	assert.deepEqual(known(), []);
	tier.confirmConnection();
	assert.deepEqual(known(), ['{a}']);
	now = 1000;
	assert.deepEqual(known(), []);
	tier.confirmConnection();
	assert.equal(tier.get('{a}'), undefined);
	tier.invalidate('{a}');
	assert.deepEqual(known(), []);
	tier.beginReading(['{a}'])(['absent']);
	assert.deepEqual(known(), ['{a}']);
	tier.lose();
	tier.confirmConnection();
	assert.deepEqual(known(), []);
});

test('it is bounded in bytes, and keeps alive no more than them', () => {
	const tier = createMemoryTier(10_000);
	tier.confirmConnection();
	const socketRead = Buffer.alloc(65_536);
	const keys = Array.from({length: 30}, (_, number) => `{${number}}`);
	tier.beginReading(keys)(keys.map(() => response({body: socketRead.subarray(100, 200)})));
	const kept = keys.map(key => tier.get(key)).filter(found => found !== undefined);
	assert.equal(kept.length > 3 && kept.length < 10, true);
	assert.equal(kept.every(found => found.kind === 'response' && found.body.buffer.byteLength === 100), true);
	tier.beginReading(['{large}'])([response({body: Buffer.alloc(20_000)})]);
	assert.equal(tier.get('{large}'), undefined);
});

const decoding = (tier: ReturnType<typeof createMemoryTier>) => {
	let count = 0;
	return (key: string) => {
		const found = tier.get(key);
		assert.equal(found?.kind, 'response');
		const {body} = found;
		const text = tier.text(body, () => {
			count++;
			return new TextDecoder().decode(body);
		});
		return {text, count};
	};
};

test('a long body is made text of once, for as long as it is held', () => {
	const tier = createMemoryTier(200_000);
	tier.confirmConnection();
	const read = decoding(tier);
	const texts = {'{short}': 'a'.repeat(1000), '{long}': 'b'.repeat(50_000)};
	for (const [key, text] of Object.entries(texts)) {
		tier.beginReading([key])([response({body: Buffer.from(text)})]);
	}

	assert.deepEqual([read('{long}'), read('{long}')], [{text: texts['{long}'], count: 1}, {text: texts['{long}'], count: 1}]);
	assert.deepEqual([read('{short}'), read('{short}')], [{text: texts['{short}'], count: 2}, {text: texts['{short}'], count: 3}]);
	tier.beginReading(['{long}'])([response({body: Buffer.from('c'.repeat(50_000))})]);
	assert.deepEqual(read('{long}'), {text: 'c'.repeat(50_000), count: 4});
});

test('text takes the room that bodies leave, and no more', () => {
	const tier = createMemoryTier(200_000);
	tier.confirmConnection();
	const read = decoding(tier);
	const add = (keys: readonly string[]) => {
		tier.beginReading(keys)(keys.map(key => response({body: Buffer.from(key.repeat(10_000))})));
	};

	const countsOf = (keys: readonly string[]) => keys.map(key => read(key).count);
	add(['{1}', '{2}', '{3}']);
	assert.deepEqual(countsOf(['{1}', '{2}', '{3}']), [1, 2, 3]);
	assert.deepEqual(countsOf(['{1}', '{2}', '{3}']), [3, 3, 3]);
	// All bodies are there, and the oldest text makes room for one.
	add(['{4}']);
	assert.deepEqual(countsOf(['{2}', '{3}', '{1}', '{1}']), [3, 3, 4, 5]);
	// There is none for twice as many bytes as the body has.
	const wide = createMemoryTier(200_000);
	wide.confirmConnection();
	const readWide = decoding(wide);
	wide.beginReading(['{€}'])([response({body: Buffer.from('€'.repeat(45_000))})]);
	assert.deepEqual([readWide('{€}').count, readWide('{€}').count], [1, 2]);
});

/* With Redis. */

test('a response that was read is there without another command', async () => {
	const store = open(redis.url);
	await store.set('{a}', record, 60_000);
	assert.equal(store.peek('{a}'), undefined);
	assert.equal(await kindOf(store), 'response');
	const commands = async () => /cmdstat_get:calls=\d+/v.exec(await redis.client.info('commandstats'))?.[0];
	const earlier = await commands();
	assert.equal(store.peek('{a}')?.kind, 'response');
	assert.equal(await commands(), earlier);
	await store.close();
	assert.equal(store.peek('{a}'), undefined);
});

const changes: Record<string, (other: Store) => Promise<unknown>> = {
	deletes: async other => other.delete(['{a}']),
	replaces: async other => other.set('{a}', index(), 60_000),
	clears: async other => other.clear(),
	flushes: async () => redis.client.flushAll(),
	expires: async () => redis.client.pExpire('n:{a}', 1),
	renames: async () => redis.client.rename('n:{a}', 'elsewhere'),
};

for (const [change, make] of Object.entries(changes)) {
	test(`somebody else ${change} a key: it is gone from memory`, async () => {
		const [store, other] = [open(redis.url), open(redis.url)];
		await other.set('{a}', record, 60_000);
		assert.equal(await kindOf(store), 'response');
		assert.equal(store.peek('{a}')?.kind, 'response');
		await make(other);
		// The tier believes itself for a second at most; a PING keeps it believing, so that only Redis's word can end this.
		await until(async () => {
			await store.get(['{ping}']);
			return store.peek('{a}')?.kind !== 'response';
		});
		await Promise.all([store.close(), other.close()]);
	});
}

test('Redis is asked whether a response in use is still there, without reading it again', async () => {
	const store = open(redis.url);
	await store.set('{a}', record, 60_000);
	assert.equal(await kindOf(store), 'response');
	// What it asks for does not exist.
	const questions = async () => Number(/keyspace_misses:(?<count>\d+)/v.exec(await redis.client.info('stats'))?.groups?.count);
	const earlier = await questions();
	await until(async () => {
		// A busy machine may take longer than Redis is believed.
		if (store.peek('{a}') === undefined) {
			await kindOf(store);
		}

		return await questions() > earlier;
	});
	await store.close();
});

test('one\'s own writes and deletions are seen at once', async () => {
	const store = open(redis.url);
	await store.set('{a}', record, 60_000);
	assert.equal(await kindOf(store), 'response');
	const writing = store.set('{a}', index(), 60_000);
	assert.equal(store.peek('{a}'), undefined);
	await writing;
	assert.equal(await kindOf(store), 'index');
	const deleting = store.delete(['{a}']);
	assert.equal(store.peek('{a}'), undefined);
	assert.equal(await kindOf(store), undefined);
	await deleting;
	await store.close();
});

test('a lost connection empties the tier', async () => {
	const store = open(redis.url);
	await store.set('{a}', record, 60_000);
	assert.equal(await kindOf(store), 'response');
	await redis.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
	await until(() => store.peek('{a}') === undefined);
	await redis.client.del('n:{a}');
	await store.get(['{ping}']);
	assert.equal(store.peek('{a}'), undefined);
	assert.equal(await kindOf(store), undefined);
	await store.close();
});

test('readers and writers at random: nobody sees what was replaced before', async () => {
	const [store, other] = [open(redis.url), open(redis.url)];
	const versionOf = (found: Awaited<ReturnType<Store['get']>>[number]) => found?.kind === 'response' ? found.statusCode : 0;
	let confirmed = 0;
	for (let version = 1; version <= 300; version++) {
		const confirmedBefore = confirmed;
		const writing = other.set('{a}', response({statusCode: version}), 60_000);
		const readings = Array.from({length: version % 5}, async () => store.get(['{a}']));
		for (const [found] of await Promise.all(readings)) {
			assert.equal(versionOf(found) >= confirmedBefore, true);
		}

		await writing;
		confirmed = version;
		// What Redis told before this reply has arrived with it.
		await store.get(['{other}']);
		const peeked = store.peek('{a}');
		assert.equal(peeked === undefined || versionOf(peeked) === confirmed, true);
	}

	await Promise.all([store.close(), other.close()]);
});

test('two processes: after one has purged, no read in the other gives the purged body', async t => {
	const child = startScript(t, `
			import {createStore} from '${new URL('../../source/store/create-store.ts', import.meta.url).href}';
			const store = createStore({store: '${redis.url}', namespace: 'n', timeoutMs: 2000, memoryBytes: 1e6});
			process.on('message', async ({id, key}) => {
				process.send({id, isDeleted: await store.delete([key])});
			});
			process.send({id: -1});
		`);
	await once(child, 'message');
	const store = open(redis.url);
	for (let round = 0; round < 50; round++) {
		const key = `{${round}}`;
		await store.set(key, record, 60_000);
		assert.equal(await kindOf(store, key), 'response');
		assert.equal(store.peek(key)?.kind, 'response');
		child.send({id: round, key});
		await once(child, 'message');
		// The purge was confirmed elsewhere: whatever was read from Redis since says so.
		await store.get(['{other}']);
		assert.equal(store.peek(key), undefined);
	}

	await store.close();
});

test('where Redis does not tell, there is no tier', async t => {
	const untracked = await startRedis({args: ['--rename-command', 'CLIENT', '']});
	t.after(untracked.stop);
	const client = createClient({url: redis.url});
	t.after(() => {
		client.destroy();
	});
	const stores: Record<string, Store> = {
		'an old server': open(untracked.url),
		'the user\'s client': open(client),
		'RESP 2': open({url: redis.url, RESP: 2}),
		'switched off': open(redis.url, 0),
	};
	for (const [name, store] of Object.entries(stores)) {
		assert.equal(await store.set('{a}', record, 60_000), true, name);
		assert.equal(await kindOf(store), 'response', name);
		assert.equal(store.peek('{a}'), undefined, name);
		await store.close();
	}
});

test('a value that is damaged does not get into memory', async () => {
	const store = open(redis.url);
	await redis.client.set('n:{a}', encode(record, '{a}').subarray(1));
	assert.equal(await kindOf(store), undefined);
	assert.equal(store.peek('{a}'), undefined);
	await store.close();
});
