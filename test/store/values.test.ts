import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {test} from 'node:test';
import {crc32, zstdCompressSync} from 'node:zlib';
import fc from 'fast-check';
import {encode, headLengthOf, type EncodedRecord} from '../../source/store/codec/codec.ts';
import {compressBody, largestBody} from '../../source/store/codec/compression.ts';
import {createStore} from '../../source/store/create-store.ts';
import {
	createKeyRing,
	parseKey,
	seal,
	type KeyRing,
} from '../../source/store/codec/encryption.ts';
import {createNaming} from '../../source/store/naming.ts';
import {createValues, type Eventually} from '../../source/store/codec/values.ts';
import {type StoredRecord} from '../../source/types/stored.ts';
import {
	anyChanges,
	forge,
	partsOf,
	stepsDuring,
	withChanges,
} from '../helpers/forge.ts';
import {index, response} from '../helpers/records.ts';
import {startRedis} from '../helpers/redis.ts';
import {triesOf} from '../helpers/runs.ts';

const key = '{6c1e}';

const ringOf = (...keys: ReadonlyArray<Uint8Array | string>): KeyRing => {
	const ring = createKeyRing(keys);
	assert.ok(ring);
	return ring;
};

const firstKey = Buffer.alloc(32, 1);
const secondKey = Buffer.alloc(32, 2);
const ring = ringOf(firstKey);

const forms = [
	{isCompressing: false, keyRing: undefined},
	{isCompressing: true, keyRing: undefined},
	{isCompressing: false, keyRing: ring},
	{isCompressing: true, keyRing: ring},
].map(form => ({name: JSON.stringify({compression: form.isCompressing, encryption: form.keyRing !== undefined}), values: createValues({...form, prefix: 'n:'})}));

const plain = (record: StoredRecord | undefined): unknown => record?.kind === 'response' ? {...record, body: Buffer.from(record.body).toString('base64')} : record;

const sizes = [0, 1, 2047, 2048, 5000, 131_072, 131_073, 524_288, 524_289, 2_000_000];
const anyBody = fc.oneof(
	fc.uint8Array({maxLength: 3000}),
	fc.tuple(fc.uint8Array({minLength: 1, maxLength: 40}), fc.constantFrom(...sizes)).map(([pattern, size]) => new Uint8Array(Buffer.alloc(size, pattern))),
);

for (const {name, values} of forms) {
	test(`a value that is written is read again ${name}`, async () => {
		await fc.assert(fc.asyncProperty(anyBody, fc.string(), async (body, anyKey) => {
			const record = response({body});
			const bytes = await values.write(record, anyKey);
			assert.deepEqual(plain(await values.read(bytes, anyKey)), plain(record));
			const head = values.readHead(bytes.subarray(0, headLengthOf(bytes)), anyKey);
			assert.deepEqual(plain(head?.record), plain(response({body: new Uint8Array(0)})));
			assert.equal(head?.bodyLength, body.length);
		}), {numRuns: 60});
		assert.deepEqual(await values.read(await values.write(index(), key), key), index());
	});

	test(`damage is a miss, never an exception nor another body ${name}`, async () => {
		const record = response({body: Buffer.from(JSON.stringify(Array.from({length: 300}, (_, id) => ({id, name: `item ${id}`}))))});
		const bytes = Buffer.from(await values.write(record, key));
		const position = fc.nat(bytes.length - 1);
		const damage = fc.oneof(
			fc.tuple(position, fc.integer({min: 1, max: 255})).map(([at, bits]) => {
				const changed = Buffer.from(bytes);
				// eslint-disable-next-line no-bitwise -- bits are what is flipped
				changed[at] = (changed[at] ?? 0) ^ bits;
				return changed;
			}),
			position.map(end => bytes.subarray(0, end)),
			fc.tuple(position, fc.uint8Array({minLength: 1, maxLength: 20})).map(([at, inserted]) => Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])),
			fc.tuple(position, fc.integer({min: 1, max: 20})).map(([at, count]) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)])),
			fc.uint8Array({maxLength: 200}).map(all => Buffer.from(all)),
		);
		await fc.assert(fc.asyncProperty(damage, async damaged => {
			const read = await values.read(damaged, key);
			assert.ok(read === undefined || damaged.equals(bytes));
			values.readHead(damaged, key);
		}), triesOf(1500));
	});

	test(`a value is good for its own key alone ${name}`, async () => {
		assert.equal(await values.read(await values.write(response(), key), '{6c1f}'), undefined);
	});
}

test('compressed values are read whether or not the cache compresses', async () => {
	const record = response({body: Buffer.alloc(5000, 'ab')});
	const bytes = await createValues({isCompressing: true, keyRing: undefined, prefix: ''}).write(record, key);
	assert.ok(bytes.length < 400);
	assert.deepEqual(plain(await createValues({isCompressing: false, keyRing: undefined, prefix: ''}).read(bytes, key)), plain(record));
});

test('a body that compression does not make smaller is not compressed', async () => {
	const text = Buffer.alloc(300_000, 'Always the same. ');
	const typed = (type: string, body: Uint8Array = text) => compressBody({rawHeaders: ['content-type', type], body});
	for (const type of ['image/png', 'Image/JPEG', 'video/mp4', 'audio/mpeg', 'font/woff2', 'application/zip', 'application/gzip']) {
		assert.equal(typed(type), undefined, type);
	}

	for (const type of ['application/json', 'text/html; charset=utf-8', 'image/svg+xml', 'image/bmp', 'audio/wav', 'font/ttf', '', 'application/octet-stream']) {
		const compressed = await typed(type);
		assert.ok(compressed, type);
		assert.ok(compressed.length < 1000, type);
	}

	assert.equal(typed('text/plain', text.subarray(0, 2047)), undefined);
	assert.ok(typed('text/plain', text.subarray(0, 2048)));
	assert.equal(typed('text/plain', randomBytes(5000)), undefined);
	assert.equal(typed('text/plain', randomBytes(300_000)), undefined);
	assert.equal(await typed('text/plain', Buffer.concat([randomBytes(200_000), text.subarray(0, 20_000), randomBytes(200_000)])), undefined);
});

test('a body that grows beyond what it says, or beyond any bound, is refused', async () => {
	const values = createValues({isCompressing: true, keyRing: undefined, prefix: ''});
	/** A record that says `claimed` of a body that is `actual` bytes long. */
	const bomb = (claimed: number, actual: number) => {
		const body = new Uint8Array(0);
		Object.defineProperty(body, 'length', {value: claimed});
		return encode(response({body}), key, {packed: zstdCompressSync(Buffer.alloc(actual))});
	};

	assert.ok(await values.read(bomb(200_000, 200_000), key), 'the helper makes what can be read');
	assert.ok(await values.read(bomb(2000, 2000), key));
	for (const [claimed, actual] of [[2000, 100_000_000], [200_000, 100_000_000], [2000, 1999], [200_000, 199_999], [largestBody + 1, largestBody + 1], [0, 100_000]] as const) {
		// Not the record itself: a message would print it.
		const record = await values.read(bomb(claimed, actual), key);
		assert.equal(record?.kind, undefined, `${claimed}, ${actual}`);
	}
});

test('a key is 32 bytes in one of three forms', () => {
	const bytes = randomBytes(32);
	for (const form of [bytes, new Uint8Array(bytes), bytes.toString('hex'), bytes.toString('hex').toUpperCase(), bytes.toString('base64'), bytes.toString('base64url')]) {
		assert.deepEqual(Buffer.from(parseKey(form) ?? []), bytes);
	}

	for (const wrong of ['', 'x', bytes.subarray(1), Buffer.alloc(33), bytes.toString('hex').slice(2), `${bytes.toString('base64')}A`, 'é'.repeat(64), 32, undefined, {}]) {
		assert.equal(parseKey(wrong), undefined);
	}
});

test('the first key encrypts, all decrypt, and others are a miss', async () => {
	const withRing = (keyRing: KeyRing | undefined, prefix = 'n:') => createValues({isCompressing: false, keyRing, prefix});
	const old = await withRing(ringOf(firstKey)).write(response(), key);
	const rotated = withRing(ringOf(secondKey, firstKey));
	const young = await rotated.write(response(), key);
	assert.deepEqual(plain(await rotated.read(old, key)), plain(response()));
	assert.deepEqual(plain(await withRing(ringOf(secondKey)).read(young, key)), plain(response()));
	assert.equal(await withRing(ringOf(firstKey)).read(young, key), undefined, 'a key that is missing');
	assert.equal(await withRing(undefined).read(young, key), undefined, 'no encryption');
	assert.equal(await rotated.read(await withRing(undefined).write(response(), key), key), undefined, 'not encrypted');
	assert.equal(await withRing(ringOf(firstKey), 'other:').read(old, key), undefined, 'another namespace');

	const impostor = Buffer.from(young);
	impostor.set(old.subarray(2, 6), 2);
	assert.equal(await rotated.read(impostor, key), undefined, 'the id of another key');
});

test('an encrypted value tells nothing, and is never the same twice', async () => {
	const values = createValues({isCompressing: true, keyRing: ring, prefix: 'n:'});
	const record = response({statusMessage: 'Quite all right', body: Buffer.from('secret '.repeat(200))});
	const [first, second] = [Buffer.from(await values.write(record, key)), Buffer.from(await values.write(record, key))];
	// Long enough not to be there by chance.
	for (const text of ['secret', 'example.com', 'application/json', 'Quite all right']) {
		assert.equal(first.includes(text), false, text);
	}

	assert.notDeepEqual(first.subarray(11), second.subarray(11));
	// The head of one with the body of the other.
	const headLength = headLengthOf(first) ?? 0;
	assert.equal(await values.read(Buffer.concat([first.subarray(0, headLength), second.subarray(headLength)]), key), undefined);
	assert.ok(await values.read(first, key));
});

test('a checksum does not let a forged value pass for an encrypted one', async () => {
	const values = createValues({isCompressing: false, keyRing: ring, prefix: 'n:'});
	const forged = Buffer.from(encode(response(), key));
	forged[7] = 16;
	forged.writeUInt32LE(crc32(forged.subarray(6, forged.readUIntLE(8, 3)), crc32(key)), 2);
	assert.equal(await values.read(forged, key), undefined);
});

test('whatever somebody forges who has the key, reading never throws and takes no more steps than it has bytes', async () => {
	const values = createValues({isCompressing: true, keyRing: ring, prefix: 'n:'});
	const longIndex = index({variants: Array.from({length: 64}, (_, position) => ({id: `variant ${position}`, keptUntilMs: 1, etag: '"1"'}))});
	const records = fc.constantFrom<EncodedRecord>(response(), response({body: Buffer.alloc(5000, 'ab'), tags: ['\u{1F600}']}), index(), longIndex);
	const lengths = fc.option(fc.record({at: fc.constantFrom(8, 11), value: fc.constantFrom(0, 17, 18, 55, 300, 262_144, 0xFF_FF_FF)}), {nil: undefined});

	await fc.assert(
		fc.asyncProperty(
			records,
			anyChanges,
			fc.record({flags: fc.option(fc.nat({max: 15}), {nil: undefined}), length: lengths, cut: fc.nat(400)}),
			async (record, changes, {flags, length, cut}) => {
				const parts = withChanges(partsOf(encode(record, key, {checksum: () => 0})), changes);
				const forged = forge({...parts, key: undefined, ...(flags !== undefined && {flags})});
				const claimed = forged.readUIntLE(8, 3);
				if (length) {
					forged.writeUIntLE(length.value, length.at, 3);
				}

				const sealed = await seal(ring, forged, Math.min(forged.length, cut % 3 === 0 ? cut : claimed), `n:${key}`);
				let read: Eventually<StoredRecord | undefined>;
				const steps = stepsDuring(() => {
					read = values.read(sealed, key);
					values.readHead(sealed, key);
				});
				assert.ok(steps <= (4 * sealed.length) + 100, `${steps} steps for ${sealed.length} bytes`);
				await read;
			},
		),
		triesOf(1000),
	);
});

test('an encrypted head beyond the longest is not decrypted, and neither is what an index does not say', async () => {
	const values = createValues({isCompressing: false, keyRing: ring, prefix: 'n:'});
	const sealed = async (bytes: Uint8Array, headLength: number) => seal(ring, bytes, headLength, `n:${key}`);
	const longest = encode(response({rawHeaders: ['x', 'y'.repeat(262_000)]}), key, {checksum: () => 0});
	assert.ok(await values.read(await sealed(longest, headLengthOf(longest) ?? 0), key));
	assert.equal(await values.read(await sealed(Buffer.alloc(1_000_000), 1_000_000), key), undefined);
	assert.equal(headLengthOf(await sealed(Buffer.alloc(1_000_000), 1_000_000)), undefined, 'nobody reads that far');

	const encoded = encode(index({vary: ['x'.repeat(2000)]}), key, {checksum: () => 0});
	const numbersLength = encoded.readUIntLE(11, 3);
	assert.ok(await values.read(await sealed(encoded, numbersLength), key));
	assert.equal(await values.read(await sealed(Buffer.concat([encoded, Buffer.alloc(1_000_000)]), numbersLength), key), undefined);
});

test('names of keys are keyed hashes that keep a resource together', () => {
	const nameOf = createNaming(ringOf(secondKey, firstKey));
	const name = nameOf('{abc}');
	assert.match(name, /^\{~[\w\-]{22}\}$/v);
	assert.equal(nameOf('{abc}:HEAD'), `${name}:HEAD`);
	assert.equal(nameOf('{abc}:guard'), `${name}:guard`);
	const variant = nameOf('{abc}:x9');
	assert.ok(variant.startsWith(`${name}:~`));
	assert.equal(variant.includes('x9'), false);
	assert.equal(nameOf(variant), variant);
	assert.equal(nameOf(name), name);
	assert.notEqual(nameOf('{abd}'), name);
	assert.equal(createNaming(ringOf(firstKey))('{abc}'), name, 'the last key names');
	assert.notEqual(createNaming(ringOf(secondKey))('{abc}'), name);
});

test('writes of a key keep their order, however long each takes to be encoded', async () => {
	await using redis = await startRedis();
	const store = createStore({store: redis.url, namespace: 'n', timeoutMs: 5000, memoryBytes: 0, isCompressing: true});
	const written = await Promise.all([3_000_000, 10, 200_000, 20].map(async size => store.set(key, response({body: Buffer.alloc(size, 'ab')}), 60_000)));
	assert.deepEqual(written, [true, true, true, true]);
	const [record] = await store.get([key]);
	assert.ok(record?.kind === 'response'); // eslint-disable-line node-test/prefer-equality-assertion -- narrows the type
	assert.equal(record.body.length, 20);

	const writing = store.set(key, response({body: Buffer.alloc(3_000_000, 'ab')}), 60_000);
	assert.equal(await store.delete([key]), true);
	await writing;
	assert.deepEqual(await store.get([key]), [undefined], 'a deletion stays behind the write before it');
	void store.set(key, response({body: Buffer.alloc(3_000_000, 'ab')}), 60_000);
	await store.close();
	assert.equal(await redis.client.exists('n:{6c1e}'), 1, 'what is being encoded is written before the end');
});
