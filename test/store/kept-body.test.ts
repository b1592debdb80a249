import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {test} from 'node:test';
import fc from 'fast-check';
import {decode, encode} from '../../source/store/codec/codec.ts';
import {allocateBody, keepBody, takeRoom} from '../../source/store/codec/kept-body.ts';
import {createValues} from '../../source/store/codec/values.ts';
import {response} from '../helpers/records.ts';

/*
A body that is kept is part of the value that is made of it, and the value is the same as of any other body.
*/

const key = '{6c1e}';

const sizes = [0, 1, 32_767, 32_768, 32_769, 100_000];

/** As long as a head may be that fits into the room, or longer. */
const headers = (length: number): string[] => ['x-long', 'x'.repeat(length)];

test('the value of a kept body is that of any other body with the same bytes', () => {
	fc.assert(fc.property(fc.constantFrom(...sizes), fc.nat({max: 2000}), (size, headLength) => {
		const bytes = randomBytes(size);
		const record = response({body: bytes, rawHeaders: headers(headLength)});
		const value = encode(record, key);
		assert.ok(encode({...record, body: keepBody(bytes)}, key, {sharesBody: true}).equals(value));
		assert.deepEqual(Buffer.from((decode(value, key) as typeof record).body), bytes);
	}), {numRuns: 60});
});

test('a kept body is a copy: what becomes of the bytes that it was made of is nothing to it', () => {
	for (const size of sizes) {
		const bytes = randomBytes(size);
		const expected = Buffer.from(bytes);
		const body = keepBody(bytes);
		bytes.fill(0);
		assert.ok(expected.equals(body), `${size} bytes`);
	}
});

test('the value of a long kept body takes no further bytes, and that of a second record leaves the first as it is', () => {
	const body = keepBody(randomBytes(100_000));
	const unshared = encode(response({body, rawHeaders: headers(10)}), key);
	assert.notEqual(unshared.buffer, body.buffer, 'unless it may share them');
	const first = encode(response({body, rawHeaders: headers(10)}), key, {sharesBody: true});
	assert.ok(unshared.equals(first));
	assert.equal(first.buffer, body.buffer);
	const expected = Buffer.from(first);

	const second = encode(response({body, rawHeaders: headers(20)}), key, {sharesBody: true});
	assert.notEqual(second.buffer, body.buffer);
	assert.ok(first.equals(expected));
	assert.ok(Buffer.from((decode(second, key) as ReturnType<typeof response>).body).equals(body));
});

test('a part of a kept body, and a body with a head beyond its room, are copied', () => {
	const body = allocateBody(100_000).fill(1);
	assert.notEqual(encode(response({body: body.subarray(1)}), key, {sharesBody: true}).buffer, body.buffer);
	assert.notEqual(encode(response({body, rawHeaders: headers(2000)}), key, {sharesBody: true}).buffer, body.buffer);
	assert.equal(takeRoom(body, 1025), undefined);
	assert.equal(takeRoom(body, 1024)?.length, 101_024);
	assert.equal(takeRoom(body, 1), undefined);
});

test('room in front of a body holds nothing of what was in memory before', () => {
	const around = takeRoom(allocateBody(100_000), 1024);
	assert.ok(around?.subarray(0, 1024).equals(Buffer.alloc(1024)));
});

test('values that only the cache can reach have no checksum of their body, and one of their head', async () => {
	const values = createValues({isCompressing: false, keyRing: undefined, isPrivate: true, prefix: ''});
	const record = response({body: randomBytes(50_000)});
	const bytes = Buffer.from(await values.write(record, key));
	const read = await values.read(bytes, key);
	assert.deepEqual(read?.kind === 'response' && Buffer.from(read.body), record.body);

	const damaged = Buffer.from(bytes);
	damaged[10] = (damaged[10] ?? 0) + 1;
	assert.equal(await values.read(damaged, key), undefined);
	assert.equal(await createValues({isCompressing: false, keyRing: undefined, prefix: ''}).read(bytes, key), undefined, 'others take it for damaged');
});
