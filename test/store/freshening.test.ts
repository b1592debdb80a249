/* eslint-disable @typescript-eslint/no-loop-func -- `redis` is set once */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {after, before, beforeEach, test} from 'node:test';
import fc from 'fast-check';
import {decode, encode, encodeHead, decodeHead, longBodyLength} from '../../source/store/codec/codec.ts';
import {createStore, type StoreOptions} from '../../source/store/create-store.ts';
import {createKeyRing} from '../../source/store/codec/encryption.ts';
import type {Store} from '../../source/store/ports/store.ts';
import type {StoredRecord, StoredResponse} from '../../source/types/stored.ts';
import {policy, response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {triesOf} from '../helpers/runs.ts';

/*
A response that was validated: its body stays where it lies.
*/

const key = '{6c1e}';

let redis: TestRedis;

before(async () => {
	redis = await startRedis();
});

beforeEach(async () => {
	await redis.client.flushAll();
});

after(async () => {
	await redis.stop();
});

/** Encrypted values have names of their own. */
const wireKeyOf = async (): Promise<string> => (await redis.client.keys('n:*'))[0] ?? '';

const open = (options: Partial<StoreOptions> = {}): Store => createStore({
	store: redis.url,
	namespace: 'n',
	timeoutMs: 20_000,
	memoryBytes: 0,
	isCompressing: false,
	...options,
});

const ringOf = (...keys: readonly Uint8Array[]) => {
	const ring = createKeyRing(keys);
	assert.ok(ring);
	return ring;
};

const keyRing = ringOf(Buffer.alloc(32, 1));
const forms: Record<string, Partial<StoreOptions>> = {
	plain: {},
	compressed: {isCompressing: true},
	encrypted: {keyRing},
	'compressed and encrypted': {isCompressing: true, keyRing},
	'in memory': {memoryBytes: 64 * 1024 * 1024},
	'in memory, compressed and encrypted': {isCompressing: true, keyRing, memoryBytes: 64 * 1024 * 1024},
};

/** Half of it compresses, so that what lies in Redis is long in any form. */
const bodyOf = (length: number): Uint8Array => Buffer.from(randomBytes(length / 2).toString('hex'));

const read = async (store: Store): Promise<StoredResponse> => {
	const record = store.peek(key) ?? (await store.get([key]))[0];
	assert.ok(record?.kind === 'response'); // eslint-disable-line node-test/prefer-equality-assertion -- narrows the type
	return record;
};

/** Writes a response whose body may stay where it lies. */
const write = async (store: Store, record: StoredResponse, ttlMs: number | 'forever'): Promise<boolean> => await store.update(key, () => record, ttlMs) !== undefined;

const isFound = (record: StoredRecord | undefined): record is StoredResponse => record?.kind === 'response';

const freshen = (stored: StoredResponse, version = 2): StoredResponse => ({
	...stored,
	rawHeaders: [...stored.rawHeaders, 'x-version', String(version)],
	policy: policy({responseTimeMs: stored.policy.responseTimeMs + (version * 1000), isNoCache: true}),
	versions: ['aaaaaaaa', `b${version}`],
});

/** Compares bodies without a message that would print them. */
const assertIs = (actual: StoredResponse, expected: StoredResponse): void => {
	assert.ok(Buffer.from(actual.body).equals(expected.body));
	assert.deepEqual({...actual, body: undefined}, {...expected, body: undefined});
};

const assertBetween = (actual: number, least: number, most: number): void => {
	assert.ok(actual >= least, `${actual}`);
	assert.ok(actual <= most, `${actual}`);
};

const received = async (): Promise<number> => Number(/(?<=total_net_input_bytes:)\d+/v.exec(await redis.client.info('stats'))?.[0]);

for (const [name, options] of Object.entries(forms)) {
	test(`4 MiB, ${name}: what is validated is written in less than 4 KiB`, async () => {
		const [store, other] = [open(options), open(options)];
		await other.set(key, response({body: bodyOf(4 * 1024 * 1024)}), 60_000);
		// The second time from memory, where there is one.
		await read(store);
		const stored = await read(store);
		const {body} = await read(other);

		const earlier = await received();
		const freshened = freshen(stored);
		assert.equal(await write(store, freshened, 5_000_000), true);
		assert.ok(await received() - earlier < 4096);
		const ttlMs = await redis.client.pTTL(await wireKeyOf());
		assertBetween(ttlMs, 4_900_000, 5_000_000);
		assertIs(await read(store), freshened);
		assertIs(await read(open(options)), {...freshened, body});

		// Again, and without a look in between.
		const again = freshen(freshened, 3);
		assert.equal(await write(store, again, 'forever'), true);
		const last = freshen(freshened, 4);
		assert.equal(await write(store, last, 'forever'), true);
		assert.ok(await received() - earlier < 3 * 4096);
		assert.equal(await redis.client.pTTL(await wireKeyOf()), -1);
		assertIs(await read(store), last);
		await Promise.all([store.close(), other.close()]);
	});
}

test('a compressed body is not sent again, however short it has become', async () => {
	const [writer, store] = [open({isCompressing: true}), open({isCompressing: true})];
	await writer.set(key, response({body: Buffer.from(randomBytes(4096).toString('hex').repeat(3))}), 60_000);
	const length = await redis.client.strLen(await wireKeyOf());
	assertBetween(length, 4096, longBodyLength - 1);

	const freshened = freshen(await read(store));
	const earlier = await received();
	assert.equal(await write(store, freshened, 60_000), true);
	assert.ok(await received() - earlier < 2048);
	assert.equal(await redis.client.strLen(await wireKeyOf()), length);
	assertIs(await read(writer), freshened);
	await Promise.all([writer.close(), store.close()]);
});

test('a store that holds it in memory hears of it', async () => {
	const [store, other] = [open({memoryBytes: 1_000_000}), open({memoryBytes: 1_000_000})];
	await store.set(key, response({body: bodyOf(100_000)}), 60_000);
	await read(other);
	assert.equal(other.peek(key)?.kind, 'response');
	const freshened = freshen(await read(store));
	await write(store, freshened, 60_000);
	assert.equal(store.peek(key), undefined);
	await other.get(['{another}']);
	assert.equal(other.peek(key), undefined);
	assertIs(await read(other), freshened);
	await Promise.all([store.close(), other.close()]);
});

test('touching and marking write no body either', async () => {
	const store = open();
	await store.set(key, response({body: bodyOf(1_000_000)}), 60_000);
	const earlier = await received();
	const updated = await store.update(key, current => isFound(current) ? freshen(current) : undefined, 'keep');
	assert.ok(updated);
	const ttlMs = await redis.client.pTTL(await wireKeyOf());
	assertBetween(ttlMs, 50_000, 60_000);
	await store.update(key, current => isFound(current) ? freshen(current, 3) : undefined, 'forever');
	assert.ok(await received() - earlier < 4 * 4096);
	assert.equal(await redis.client.pTTL(await wireKeyOf()), -1);
	assert.equal((await read(store)).rawHeaders.at(-1), '3');
	await store.close();
});

test('a head that does not fit is written with its body', async () => {
	const store = open();
	await store.set(key, response({body: bodyOf(100_000)}), 60_000);
	const stored = await read(store);
	const longer = {...freshen(stored), tags: ['x'.repeat(200)]};
	assert.equal(await write(store, longer, 60_000), true);
	assertIs(await read(store), longer);
	await store.close();
});

test('a user of Redis without the right to change a part writes the whole, and hears of no fault', async () => {
	await redis.client.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-setrange']);
	const events: unknown[] = [];
	const store = open({store: `redis://limited:secret@127.0.0.1:${redis.port}`, onEvent: event => events.push(event)});
	await store.set(key, response({body: bodyOf(100_000)}), 60_000);
	const freshened = freshen(await read(store));
	assert.equal(await write(store, freshened, 60_000), true);
	assertIs(await read(store), freshened);
	assert.deepEqual(events, []);
	await store.close();
});

test('a response that was encrypted with a former key is encrypted anew when it is freshened', async () => {
	const [oldKey, newKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
	const [old, rotated, young] = [open({keyRing: ringOf(oldKey)}), open({keyRing: ringOf(newKey, oldKey)}), open({keyRing: ringOf(newKey, Buffer.alloc(32, 3), oldKey)})];
	await old.set(key, response({body: bodyOf(100_000)}), 60_000);
	const stored = await read(rotated);
	const freshened = freshen(stored);
	await write(rotated, freshened, 60_000);
	const [unreadable] = await old.get([key]);
	assert.equal(unreadable?.kind, undefined);
	assertIs(await read(young), freshened);
	await Promise.all([old, rotated, young].map(async store => store.close()));
});

/* What somebody else does between reading and writing. */

const others: Record<string, (other: Store, wireKey: string, value: Readonly<ReturnType<typeof Buffer.from>>) => Promise<unknown>> = {
	'replaces it': async other => other.set(key, response({body: Buffer.alloc(100_000, 'other')}), 60_000),
	'replaces it by one as long': async other => other.set(key, response({body: bodyOf(100_000)}), 60_000),
	'freshens it': async other => write(other, freshen(await read(other), 7), 60_000),
	'deletes it': async other => other.delete([key]),
	'cuts it': async (_other, wireKey, value) => redis.client.set(wireKey, value.subarray(0, -1)),
	'cuts its body off': async (_other, wireKey, value) => redis.client.set(wireKey, value.subarray(0, value.readUIntLE(8, 3))),
	'cuts its head': async (_other, wireKey, value) => redis.client.set(wireKey, value.subarray(0, 100)),
	'appends to it': async (_other, wireKey) => redis.client.append(wireKey, 'x'),
	'damages its head': async (_other, wireKey) => redis.client.setRange(wireKey, 60, 'damage'),
	'damages its body': async (_other, wireKey) => redis.client.setRange(wireKey, 30_000, 'damage'),
	async 'makes it another type'(_other, wireKey) {
		await redis.client.del(wireKey);
		await redis.client.lPush(wireKey, 'x');
	},
	'makes it empty': async (_other, wireKey) => redis.client.set(wireKey, ''),
};

for (const name of ['plain', 'compressed and encrypted']) {
	for (const [what, interfere] of Object.entries(others)) {
		test(`somebody else ${what} meanwhile: ${name}`, async () => {
			const [store, other] = [open(forms[name]), open(forms[name])];
			await other.set(key, response({body: bodyOf(100_000)}), 60_000);
			const wireKey = await wireKeyOf();
			const value = await redis.client.withTypeMapping({36: Buffer}).get(wireKey) as unknown as ReturnType<typeof Buffer.from>;
			const freshened = freshen(await read(store));
			await interfere(other, wireKey, value);
			assert.equal(await write(store, freshened, 60_000), true);
			const [found] = await other.get([key]);
			if (what === 'damages its body') {
				assert.equal(found?.kind, undefined);
			} else {
				assert.ok(isFound(found));
				assertIs(found, freshened);
			}

			await Promise.all([store.close(), other.close()]);
		});
	}
}

test('whatever two do at the same time, a body stays with its own head', async () => {
	const stores = [open(), open(), open({memoryBytes: 1_000_000})];
	const bodies = Array.from({length: 4}, () => bodyOf(20_000));
	const recordOf = (number: number, version: number) => response({body: bodies[number] ?? Buffer.alloc(0), statusMessage: String(number), rawHeaders: ['x-version', String(version)]});
	const step = fc.record({who: fc.nat({max: 2}), what: fc.constantFrom('replace', 'freshen', 'freshen', 'delete', 'touch'), which: fc.nat({max: 3})});
	let version = 0;
	const take = async ({who, what, which}: {who: number; what: string; which: number}) => {
		const store = stores[who];
		assert.ok(store);
		const found = store.peek(key) ?? (await store.get([key]))[0];
		if (isFound(found)) {
			assert.ok(Buffer.from(found.body).equals(bodies[Number(found.statusMessage)] ?? Buffer.alloc(0)));
		}

		if (what === 'delete') {
			await store.delete([key]);
		} else if (what === 'replace' || !isFound(found)) {
			await store.set(key, recordOf(which, ++version), 60_000);
		} else if (what === 'touch') {
			await store.update(key, current => isFound(current) ? {...current, policy: policy({freshnessLifetimeSeconds: version})} : undefined, 'keep');
		} else {
			await write(store, {...found, rawHeaders: ['x-version', String(++version)]}, 60_000);
		}
	};

	await fc.assert(fc.asyncProperty(fc.array(step, {minLength: 2, maxLength: 8}), async steps => {
		await Promise.all(steps.map(async each => take(each)));
	}), triesOf(150));
	await Promise.all(stores.map(async store => store.close()));
});

test('of two writes, the later one holds, and a deletion holds against the writes before it', async () => {
	const store = open();
	const stored = response({body: bodyOf(100_000)});
	const newer = response({body: Buffer.from('newer')});
	assert.deepEqual(await Promise.all([store.set(key, stored, 60_000), store.set(key, newer, 60_000)]), [true, true]);
	assertIs(await read(store), newer);

	const wireKey = await wireKeyOf();
	void store.set(key, stored, 60_000);
	assert.equal(await store.delete([key]), true);
	assert.equal(await redis.client.exists(wireKey), 0);
	await store.close();
});

/* The format. */

const text = fc.string({unit: 'binary', maxLength: 60});
const headers = fc.array(text, {maxLength: 8}).map(values => values.flatMap(value => ['x-field', value]));

test('a head that fits takes the place of another', () => {
	const body = bodyOf(longBodyLength);
	fc.assert(fc.property(headers, headers, fc.boolean(), (first, second, isPacked) => {
		const bytes = encode(response({rawHeaders: first, body}), key, isPacked ? {packed: body} : {});
		const head = decodeHead(bytes, key);
		assert.ok(head);
		const next = response({rawHeaders: second, body});
		const replacement = encodeHead(next, key, head);
		const needed = encode({...next, body: Buffer.alloc(0)}, key).length;
		if (replacement === undefined) {
			assert.ok(needed > head.headLength - 3);
			return;
		}

		assert.equal(replacement.length, head.headLength);
		bytes.set(replacement);
		assert.equal(decodeHead(bytes, key)?.isCompressed, isPacked);
		if (!isPacked) {
			assert.deepEqual(decode(bytes, key), {...next, body});
		}

		// Behind another body it is none.
		bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
		assert.equal(decode(bytes, key), undefined);
	}), triesOf(200));
});

test('a long or compressed body leaves its head room to grow, a short one does not', () => {
	const roomOf = (length: number, packed?: Uint8Array) =>
		(decodeHead(encode(response({body: Buffer.alloc(length)}), key, {packed}), key)?.headLength ?? 0) - encode(response({body: Buffer.alloc(0)}), key).length;
	assert.ok(roomOf(longBodyLength - 1) < 4);
	assertBetween(roomOf(longBodyLength), 60, 128);
	assertBetween(roomOf(longBodyLength - 1, Buffer.alloc(100)), 60, 128);
});
