import {Buffer} from 'node:buffer';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type {StoredHead} from '../../source/http/outcome.ts';
import {mergeInto} from '../../source/http/freshen.ts';
import {
	combinableRange,
	combine,
	completed,
	withBytes,
} from '../../source/http/partial.ts';
import type {StoredResponse} from '../../source/types/stored.ts';
import {
	date,
	defaultSettings,
	now,
	requestWith,
	storedWith,
	valueOf,
	type Fields,
} from './helpers.ts';

const text = '0123456789';
const fields: Fields = {'Cache-Control': 'max-age=60', ETag: '"a"'};

const partOf = (firstByte: number, lastByte: number, more: Fields = {}): StoredResponse => storedWith(
	{...fields, 'Content-Range': `bytes ${firstByte}-${lastByte}/${text.length}`, ...more},
	{statusCode: 206, body: text.slice(firstByte, lastByte + 1)},
);

const headOf = ({body, ...head}: StoredResponse): StoredHead => head;
const bodyOf = (stored: StoredResponse | undefined): string | undefined => stored && Buffer.from(stored.body).toString();

const join = (stored: StoredResponse, {statusCode, rawHeaders, body}: Pick<StoredResponse, 'statusCode' | 'rawHeaders' | 'body'>): StoredResponse | undefined => {
	const response = {statusCode, statusMessage: '', httpVersion: '1.1', rawHeaders};
	const range = combinableRange(stored, response);
	const merged = mergeInto(stored, {request: requestWith(), response, requestTimeMs: now, responseTimeMs: now, settings: defaultSettings});
	const combined = range && combine(stored, range, body);

	return combined && withBytes(merged.stored, combined);
};

test('two parts make a whole, in either order', () => {
	for (const whole of [join(partOf(0, 4), partOf(5, 9)), join(partOf(5, 9), partOf(0, 4)), join(partOf(0, 6), partOf(3, 9))]) {
		assert.equal(bodyOf(whole), text);
		assert.equal(whole?.statusCode, 200);
		assert.equal(whole.range, undefined);
		assert.equal(valueOf(whole.rawHeaders, 'content-length'), '10');
		assert.equal(valueOf(whole.rawHeaders, 'content-range'), undefined);
	}
});

test('two parts make a larger part', () => {
	const larger = join(partOf(2, 4), partOf(5, 7));

	assert.equal(bodyOf(larger), '234567');
	assert.equal(larger?.statusCode, 206);
	assert.deepEqual(larger.range, {firstByte: 2, lastByte: 7, completeLength: 10});
	assert.equal(valueOf(larger.rawHeaders, 'content-length'), '6');
	assert.equal(valueOf(larger.rawHeaders, 'content-range'), 'bytes 2-7/10');
});

test('a part of a stored whole is the whole', () => {
	assert.equal(bodyOf(join(storedWith(fields, {body: text}), partOf(2, 4))), text);
});

test('the new part brings its header fields, the stored one keeps the others', () => {
	const whole = join(partOf(0, 4, {A: '1', B: '1'}), partOf(5, 9, {B: '2', 'Cache-Control': 'max-age=5'}));

	assert.equal(valueOf(whole?.rawHeaders ?? [], 'a'), '1');
	assert.equal(valueOf(whole?.rawHeaders ?? [], 'b'), '2');
	assert.equal(whole?.policy.freshnessLifetimeSeconds, 5);
});

test('a digest of a part is none of the whole', () => {
	assert.equal(valueOf(join(partOf(0, 4, {'Content-Digest': 'a'}), partOf(5, 9))?.rawHeaders ?? [], 'content-digest'), undefined);
});

test('header fields that name the stored response stay when a part is merged', () => {
	const stored = {...partOf(0, 4), tags: ['t'], indexId: 'g'};

	assert.deepEqual(join(stored, partOf(5, 9))?.tags, ['t']);
	assert.equal(join(stored, partOf(5, 9))?.indexId, 'g');
});

// RFC 9111 §3.4
const apart: ReadonlyArray<readonly [why: string, stored: StoredResponse, part: StoredResponse]> = [
	['a gap', partOf(0, 3), partOf(5, 9)],
	['another entity tag', partOf(0, 4), partOf(5, 9, {ETag: '"b"'})],
	['weak entity tags', partOf(0, 4, {ETag: 'W/"a"'}), partOf(5, 9, {ETag: 'W/"a"'})],
	['no validator', partOf(0, 4, {ETag: ''}), partOf(5, 9, {ETag: ''})],
	['a date as old as the response', partOf(0, 4, {ETag: '', 'Last-Modified': date(0)}), partOf(5, 9, {ETag: '', 'Last-Modified': date(0)})],
	['another length', partOf(0, 4), partOf(5, 9, {'Content-Range': 'bytes 5-9/11'})],
	['a part that is no part', partOf(0, 4), storedWith(fields)],
	['a stored response of another kind', storedWith(fields, {statusCode: 404}), partOf(0, 4)],
];

for (const [why, stored, part] of apart) {
	test(`does not combine: ${why}`, () => {
		assert.equal(join(stored, part), undefined);
	});
}

test('combines by a strong date', () => {
	const dated = {ETag: '', 'Last-Modified': date(-1)};

	assert.equal(bodyOf(join(partOf(0, 4, dated), partOf(5, 9, dated))), text);
});

test('a part that was cut short is not combined', () => {
	assert.equal(join(partOf(0, 4), {...partOf(5, 9), body: Buffer.from('567')}), undefined);
});

test('combining gives the bytes of the representation, whatever the parts', () => {
	const bounds = fc.tuple(fc.nat(9), fc.nat(9)).map(([first, second]) => [Math.min(first, second), Math.max(first, second)] as const);

	fc.assert(fc.property(bounds, bounds, ([first, last], [nextFirst, nextLast]) => {
		const union = join(partOf(first, last), partOf(nextFirst, nextLast));
		const isAdjacent = first <= nextLast + 1 && nextFirst <= last + 1;

		assert.equal(bodyOf(union), isAdjacent ? text.slice(Math.min(first, nextFirst), Math.max(last, nextLast) + 1) : undefined);
	}));
});

test('a head and its body make a stored response if they fit', () => {
	const complete = (stored: StoredResponse, body: string, range?: string): StoredResponse | undefined => completed(requestWith({range}), headOf(stored), Buffer.from(body));
	const sized = storedWith({...fields, 'Content-Length': '10'}, {body: text});

	assert.equal(bodyOf(complete(sized, text)), text);
	assert.equal(complete(sized, '012'), undefined);
	assert.equal(complete(sized, `${text}0`), undefined);
	assert.equal(bodyOf(complete(storedWith(fields), '012')), '012');
	assert.equal(bodyOf(complete(storedWith({...fields, 'Content-Length': '10'}, {request: requestWith({}, 'HEAD'), body: ''}), '')), '');
});

test('a part that breaks off is kept as far as it arrived', () => {
	const rangeOf = (body: string, range?: string) => {
		const {firstByte, lastByte} = completed(requestWith({range}), headOf(partOf(4, 9)), Buffer.from(body))?.range ?? {};

		return firstByte === undefined ? undefined : `${firstByte}-${lastByte}`;
	};

	assert.equal(rangeOf('456789'), '4-9');
	assert.equal(rangeOf('456'), '4-6');
	assert.equal(rangeOf(''), undefined);
	assert.equal(rangeOf('4567890'), undefined);
	assert.equal(rangeOf('56789', 'bytes=-5'), '5-9');
	assert.equal(rangeOf('45678', 'bytes=4-9'), '4-8');
});
