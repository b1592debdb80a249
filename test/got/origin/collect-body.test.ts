import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {PassThrough} from 'node:stream';
import test from 'node:test';
import {collectBody} from '../../../source/got/origin/collect-body.ts';

const maxBytes = 4 * 1024 * 1024;

/** In front of a body, for the head of its value. */
const roomBytes = 1024;

const collect = async (chunks: ReadonlyArray<Uint8Array | string>, expectedBytes: number): Promise<Uint8Array | string> => {
	const body = new PassThrough({encoding: typeof chunks[0] === 'string' ? 'utf8' : undefined});
	const {promise, resolve} = Promise.withResolvers<Uint8Array | string>();
	collectBody(body, {maxBytes, expectedBytes}, resolve);
	for (const chunk of chunks) {
		body.write(chunk);
	}

	body.end();
	return promise;
};

const bytes = Buffer.from(Array.from({length: 100_000}, (_, index) => index % 251));

const chunksOf = (whole: Uint8Array, size: number): Uint8Array[] => Array.from({length: Math.ceil(whole.length / size)}, (_, index) => whole.subarray(index * size, (index + 1) * size));

const expectations: ReadonlyArray<readonly [what: string, expectedBytes: number]> = [
	['as long as expected', bytes.length],
	['not known to be how long', NaN],
	['longer than expected, as what arrives compressed is', 1000],
	['of which nothing is expected', 0],
	['shorter than expected', 200_000],
	['of which more is expected than may be kept', 100 * maxBytes],
];

for (const [what, expectedBytes] of expectations) {
	for (const size of [1, 7, 16_384, 65_536, bytes.length]) {
		test(`a body ${what}, in chunks of ${size}`, async () => {
			const collected = await collect(chunksOf(bytes, size), expectedBytes);
			assert.ok(collected instanceof Uint8Array);
			assert.ok(bytes.equals(collected));
			assert.ok(collected.buffer.byteLength <= (1024 * 1024) + roomBytes, 'takes no more on the word of its head');
		});
	}
}

test('a body that is as long as expected takes its own length, room for a head, and no more', async () => {
	for (const length of [65_536, 1_048_576, 3_000_001]) {
		const collected = await collect(chunksOf(Buffer.alloc(length, 'a'), 65_000), length);
		assert.ok(collected instanceof Uint8Array);
		assert.deepEqual([collected.length, collected.buffer.byteLength], [length, length + roomBytes]);
	}
});

test('a body that is too large is dropped, whatever length was expected', async () => {
	for (const expectedBytes of [10, maxBytes, NaN, 2 * maxBytes]) {
		assert.equal(await collect([Buffer.alloc(maxBytes), Buffer.alloc(1)], expectedBytes), 'too-large');
	}
});

test('text is not what arrived', async () => {
	assert.equal(await collect(['a'], 1), 'incomplete');
});
