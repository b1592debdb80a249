/* eslint-disable @typescript-eslint/no-loop-func -- `redis` is set once */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {after, before, beforeEach, test} from 'node:test';
import {crc32} from 'node:zlib';
import {RESP_TYPES} from '@redis/client';
import fc from 'fast-check';
import {decode, encode, encodeNumbers, longStringsStart} from '../../source/store/codec/codec.ts';
import {createStore, type StoreOptions} from '../../source/store/create-store.ts';
import {createKeyRing} from '../../source/store/codec/encryption.ts';
import {guardKeyOf} from '../../source/store/ports/guard-token.ts';
import type {TimeToLive} from '../../source/store/ports/records.ts';
import type {Store} from '../../source/store/ports/store.ts';
import type {StoredRecord, VariantIndex, VariantReference} from '../../source/types/stored.ts';
import {index, response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {triesOf} from '../helpers/runs.ts';

/*
The index of a resource with many variants: validating one of them changes its times and its order, not its names.
*/

const key = '{6c1e}';
const nowMs = 1_763_868_000_000;

const variant = (number: number): VariantReference => ({
	id: Buffer.alloc(16, `${number}/`).toString('base64url'),
	keptUntilMs: nowMs + number,
	etag: `"${String(number).padStart(40, '0')}"`,
});

const long = index({vary: ['accept-language'], variants: Array.from({length: 64}, (_, number) => variant(number))});

/** With one variant validated, or one more, in front. */
const withVariant = (current: VariantIndex, number: number, keptUntilMs = nowMs + 1_000_000): VariantIndex => {
	const changed = {...variant(number), keptUntilMs};
	return {...current, variants: [changed, ...current.variants.filter(({id}) => id !== changed.id)]};
};

const isIndex = (record: StoredRecord | undefined): record is VariantIndex => record?.kind === 'index';

const validated = withVariant(long, 3);

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

const open = (options: Partial<StoreOptions> = {}): Store => createStore({
	store: redis.url,
	namespace: 'n',
	timeoutMs: 20_000,
	memoryBytes: 0,
	onEvent(event) {
		if ('error' in event) {
			throw event.error;
		}
	},
	...options,
});

const keyRing = createKeyRing([Buffer.alloc(32, 1)]);

const forms: Record<string, Partial<StoreOptions>> = {
	plain: {},
	encrypted: {keyRing},
	'in memory': {memoryBytes: 1_000_000},
	'in memory, encrypted': {keyRing, memoryBytes: 1_000_000},
};

const read = async (store: Store): Promise<StoredRecord | undefined> => store.peek(key) ?? (await store.get([key]))[0];

const wireKeyOf = async (): Promise<string> => (await redis.client.keys('n:*')).find(wireKey => !wireKey.endsWith(':guard')) ?? '';

const received = async (): Promise<number> => Number(/(?<=total_net_input_bytes:)\d+/v.exec(await redis.client.info('stats'))?.[0]);

/** As a resource does it: in the place of what was read. */
const replace = async (store: Store, replaces: VariantIndex, record: VariantIndex, timeToLive: TimeToLive = 60_000) => {
	const placed = await store.placeGuard(guardKeyOf(key), 0);
	return store.commit({guard: {key: guardKeyOf(key), token: placed?.token ?? ''}, records: [{key, record, timeToLive, replaces}], deletedKeys: []});
};

for (const [name, options] of Object.entries(forms)) {
	test(`64 variants, ${name}: one that is validated is written in less than 2 KiB`, async () => {
		const [store, other] = [open(options), open(options)];
		await other.set(key, long, 60_000);
		const first = await read(store);
		assert.ok(isIndex(first));
		// The script is sent once.
		assert.equal(await replace(store, first, first), 'written');
		await read(store);
		let current = await read(store);
		for (const [number, timeToLive] of [[63, 5_000_000], [0, 5_000_000], [31, 'forever']] as const) {
			assert.ok(isIndex(current));
			const next = withVariant(current, number);
			const earlier = await received();
			assert.equal(await replace(store, current, next, timeToLive), 'written');
			const sent = await received() - earlier;
			assert.ok(sent < 2048, `${sent} bytes`);
			assert.deepEqual(await read(store), next);
			assert.deepEqual(await read(open(options)), next);
			const ttlMs = await redis.client.pTTL(await wireKeyOf());
			assert.equal(timeToLive === 'forever' ? ttlMs === -1 : ttlMs > 4_900_000, true, `${ttlMs}`);
			// Again, without a look in between.
			current = withVariant(next, (number + 1) % 64);
			assert.equal(await replace(store, next, current, timeToLive), 'written');
			assert.ok(await received() - earlier < 3 * 2048);
		}

		assert.deepEqual(await read(other), current);
		await Promise.all([store.close(), other.close()]);
	});

	test(`64 variants, ${name}: one more, one less, and another entity tag are written`, async () => {
		const [store, other] = [open(options), open(options)];
		await store.set(key, long, 60_000);
		let current = long;
		for (const change of [
			withVariant(long, 64),
			{...long, variants: long.variants.slice(1)},
			{...long, variants: long.variants.with(5, {...variant(5), etag: `"${'1'.repeat(40)}"`})},
			{...long, indexId: 'another'},
			{...long, variants: []},
		]) {
			assert.equal(await replace(store, current, change), 'written');
			assert.deepEqual(await other.get([key]), [change]);
			current = change;
		}

		await Promise.all([store.close(), other.close()]);
	});
}

test('touching writes less than 2 KiB', async () => {
	const store = open();
	await store.set(key, long, 60_000);
	const earlier = await received();
	const touched = {...long, variants: long.variants.map(each => ({...each, keptUntilMs: nowMs + 7_000_000}))};
	assert.deepEqual(await store.update(key, () => touched, 7_000_000), {record: touched});
	assert.ok(await received() - earlier < 2048);
	assert.deepEqual(await read(store), touched);
	await store.close();
});

test('a user of Redis without the right to change a part writes the whole, and hears of no fault', async () => {
	await redis.client.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-setrange']);
	const store = open({store: `redis://limited:secret@127.0.0.1:${redis.port}`});
	await store.set(key, long, 60_000);
	assert.equal(await replace(store, long, validated), 'written');
	assert.deepEqual(await read(store), validated);
	await store.close();
});

/* What somebody else does between reading and writing, and what is there in the end. */

type Bytes = ReturnType<typeof Buffer.from>;

const others: Record<string, (other: Store, wireKey: string, value: Bytes) => Promise<unknown>> = {
	'adds a variant': async other => other.set(key, withVariant(long, 64), 60_000),
	'validates another': async other => other.set(key, withVariant(long, 9), 60_000),
	'begins anew': async other => other.set(key, {...long, indexId: 'newer'}, 60_000),
	'stores a response': async other => other.set(key, response(), 60_000),
	'deletes it': async other => other.delete([key]),
	'cuts it': async (_other, wireKey, value) => redis.client.set(wireKey, value.subarray(0, -1)),
	'cuts its strings off': async (_other, wireKey, value) => redis.client.set(wireKey, value.subarray(0, value.readUIntLE(value[7] === 16 ? 8 : 11, 3))),
	'appends to it': async (_other, wireKey) => redis.client.append(wireKey, 'x'),
	'damages its beginning': async (_other, wireKey) => redis.client.setRange(wireKey, 10, 'damage'),
	'makes it empty': async (_other, wireKey) => redis.client.set(wireKey, ''),
	async 'puts a list there'(_other, wireKey) {
		await redis.client.del(wireKey);
		await redis.client.rPush(wireKey, 'x');
	},
};

for (const name of ['plain', 'encrypted']) {
	for (const [what, interfere] of Object.entries(others)) {
		for (const [how, next] of [['validated', validated], ['with one more', withVariant(long, 70)]] as const) {
			test(`an index ${how}, where somebody else ${what} meanwhile, is not written: ${name}`, async () => {
				const [store, other] = [open(forms[name]), open(forms[name])];
				await other.set(key, long, 60_000);
				const wireKey = await wireKeyOf();
				const value = await redis.client.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer}).get(wireKey) as unknown as Bytes;
				const known = await read(store);
				assert.ok(isIndex(known));
				await interfere(other, wireKey, value);
				const dump = await redis.client.dump(wireKey);
				assert.equal(await replace(store, known, next), 'conflict');
				assert.deepEqual(await redis.client.dump(wireKey), dump);
				await Promise.all([store.close(), other.close()]);
			});
		}
	}
}

/** Until nobody has come in between. */
const insist = async (store: Store, change: (current: VariantIndex) => VariantIndex): Promise<void> => {
	for (;;) {
		const [current] = await store.get([key]);
		assert.ok(isIndex(current));
		const result = await replace(store, current, change(current));
		if (result !== 'conflict') {
			assert.equal(result, 'written');
			return;
		}
	}
};

test('damage behind what is replaced is found', async () => {
	for (const options of [forms.plain, forms.encrypted]) {
		const store = open(options);
		await store.set(key, long, 60_000);
		const wireKey = await wireKeyOf();
		await redis.client.setRange(wireKey, await redis.client.strLen(wireKey) - 100, 'damage');
		assert.equal(await replace(store, long, validated), 'written');
		assert.equal(await read(store), undefined);
		await redis.client.flushAll();
		await store.close();
	}
});

test('whatever many do at the same time, no variant is lost, and none is of another index', async () => {
	const stores = [open(), open(), open({memoryBytes: 1_000_000})];
	const reader = open();
	const few = index({variants: long.variants.slice(0, 30)});
	const step = fc.record({who: fc.nat({max: 2}), what: fc.constantFrom('validate', 'validate', 'look', 'add'), which: fc.nat({max: 29})});
	await fc.assert(fc.asyncProperty(fc.array(step, {minLength: 2, maxLength: 12}), async steps => {
		await stores[0]?.set(key, few, 60_000);
		const expected = new Set(few.variants.map(({id}) => id));
		await Promise.all(steps.map(async ({who, what, which}, position) => {
			const store = stores[who];
			assert.ok(store);
			if (what === 'look') {
				assert.ok(isIndex(await read(store)));
			} else if (what === 'validate') {
				await insist(store, current => withVariant(current, which, nowMs + 1000 + position));
			} else {
				expected.add(variant(100 + position).id);
				await insist(store, current => withVariant(current, 100 + position));
			}
		}));
		const found = await read(reader);
		assert.ok(isIndex(found));
		assert.deepEqual(new Set(found.variants.map(({id}) => id)), expected);
		assert.equal(found.variants.length, expected.size);
	}), {numRuns: 60});
	await Promise.all([...stores, reader].map(async store => store.close()));
});

/* The format. */

const text = fc.string({unit: 'binary', maxLength: 40});
const variants = fc.uniqueArray(fc.record({id: text, keptUntilMs: fc.nat(), etag: text}), {selector: ({id}) => id, minLength: 1, maxLength: 64});

test('a prefix of the strings takes the place of another, whatever the order and the times', () => {
	fc.assert(fc.property(variants.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, {minLength: all.length}), fc.nat())), ([all, shuffled, keptUntilMs]) => {
		const bytes = encode(index({variants: all}), key);
		const length = bytes.readUIntLE(11, 3);
		const next = index({variants: shuffled.map(each => ({...each, keptUntilMs}))});
		const numbers = encodeNumbers(next, key, {strings: bytes.subarray(length), length});
		assert.equal(longStringsStart(bytes), bytes.length - length < 1024 ? undefined : length);
		const whole = encode(next, key);
		if (numbers === undefined) {
			assert.notEqual(whole.length, bytes.length);
			return;
		}

		assert.deepEqual(Buffer.concat([numbers, bytes.subarray(length)]), whole);
		assert.deepEqual(decode(whole, key), next);
	}), triesOf(300));
});

test('an index whose order is none is refused', () => {
	const bytes = encode(index({variants: [variant(1), variant(2), variant(3)]}), key);
	const lastPlace = bytes.readUIntLE(11, 3) - 1;
	const place = bytes.readUInt8(lastPlace);
	const decoded = [place, (place + 1) % 3, 3, 127].map(changed => {
		bytes[lastPlace] = changed;
		bytes.writeUInt32LE(crc32(bytes.subarray(6), crc32(key)), 2);
		return decode(bytes, key)?.kind;
	});
	assert.deepEqual(decoded, ['index', undefined, undefined, undefined]);
});
