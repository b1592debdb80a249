import assert from 'node:assert/strict';
import test from 'node:test';
import {contentRangeOf, selectRange, suffixLengthOf} from '../../source/http/range.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import {date, requestWith, storedWith, type Fields, type StoreOptions} from './helpers.ts';

const whole: Fields = {'Cache-Control': 'max-age=60', ETag: '"a"', 'Last-Modified': date(-1000)};
const middle: Fields = {...whole, 'Content-Range': 'bytes 3-6/10'};
const held: StoreOptions = {statusCode: 206, body: '3456'};

const describe = (headers: HeaderFields, fields: Fields, more?: StoreOptions, method?: string): string => {
	const selection = selectRange(requestWith(headers, method), storedWith(fields, more));

	return selection.kind === 'part' ? `${selection.range.firstByte}-${selection.range.lastByte}/${selection.range.completeLength}` : selection.kind;
};

// Of ten bytes; RFC 9110 §14.1.2
const ofWhole: ReadonlyArray<readonly [range: string, expected: string]> = [
	['bytes=0-1', '0-1/10'],
	['bytes=0-0', '0-0/10'],
	['bytes=1-', '1-9/10'],
	['bytes=-1', '9-9/10'],
	['bytes=-100', '0-9/10'],
	['bytes=0-100', '0-9/10'],
	['bytes=9-', '9-9/10'],
	['Bytes=0-1', '0-1/10'],
	['bytes= 0-1 ', '0-1/10'],
	['bytes=0-1,', '0-1/10'],
	['bytes=10-', 'unsatisfiable'],
	['bytes=100-200', 'unsatisfiable'],
	['bytes=-0', 'unsatisfiable'],
	['bytes=0-1,3-4', 'not-stored'],
	// What cannot be read is ignored, RFC 9110 §14.2
	['', 'whole'],
	['bytes', 'whole'],
	['bytes=', 'whole'],
	['bytes=-', 'whole'],
	['bytes=a-b', 'whole'],
	['bytes=4-2', 'whole'],
	['bytes=0 - 1', 'whole'],
	['bytes=0-9999999999999999', 'whole'],
	['items=0-1', 'whole'],
];

for (const [range, expected] of ofWhole) {
	test(`\`${range}\` of a whole: ${expected}`, () => {
		assert.equal(describe({range}, whole), expected);
	});
}

// Of bytes 3 to 6 of ten
const ofPart: ReadonlyArray<readonly [range: string | undefined, expected: string]> = [
	[undefined, 'not-stored'],
	['bytes=3-6', '3-6/10'],
	['bytes=4-5', '4-5/10'],
	['bytes=2-4', 'not-stored'],
	['bytes=4-7', 'not-stored'],
	['bytes=4-', 'not-stored'],
	['bytes=-2', 'not-stored'],
	['bytes=20-', 'unsatisfiable'],
	['items=0-1', 'not-stored'],
];

for (const [range, expected] of ofPart) {
	test(`\`${range}\` of a part: ${expected}`, () => {
		assert.equal(describe({range}, middle, held), expected);
	});
}

// RFC 9110 §13.1.5
const conditions: ReadonlyArray<readonly [ifRange: string, fields: Fields, expected: string]> = [
	['"a"', whole, '0-1/10'],
	['"b"', whole, 'whole'],
	['W/"a"', whole, 'whole'],
	['W/"a"', {...whole, ETag: 'W/"a"'}, 'whole'],
	['"a"', {...whole, ETag: 'W/"a"'}, 'whole'],
	['"a"', {'Cache-Control': 'max-age=60'}, 'whole'],
	[date(-1000), whole, '0-1/10'],
	[date(-999), whole, 'whole'],
	[date(-1001), whole, 'whole'],
	// A date is strong if it is a second older than the response, RFC 9110 §8.8.2.2.
	[date(0), {...whole, 'Last-Modified': date(0)}, 'whole'],
];

for (const [ifRange, fields, expected] of conditions) {
	test(`If-Range: ${ifRange} for ${JSON.stringify(fields)}: ${expected}`, () => {
		assert.equal(describe({range: 'bytes=0-1', 'if-range': ifRange}, fields), expected);
	});
}

test('ranges are for GET and for what has content', () => {
	assert.equal(describe({range: 'bytes=0-1'}, whole, {}, 'HEAD'), 'whole');
	assert.equal(describe({range: 'bytes=0-1'}, whole, {statusCode: 404}), 'whole');
	assert.equal(describe({range: 'bytes=0-'}, whole, {body: ''}), 'unsatisfiable');
});

test('reads Content-Range', () => {
	assert.deepEqual(contentRangeOf({'content-range': 'Bytes 0-4/10'}), {firstByte: 0, lastByte: 4, completeLength: 10});

	for (const field of ['', 'bytes 0-4/*', 'bytes */10', 'bytes 4-0/10', 'bytes 0-10/10', 'bytes 0-4', 'bytes=0-4/10', 'bytes 0-4/10, bytes 5-9/10', 'bytes -1-4/10']) {
		assert.equal(contentRangeOf({'content-range': field}), undefined, field);
	}
});

test('knows a suffix range', () => {
	assert.equal(suffixLengthOf({range: 'bytes=-5'}), 5);
	assert.equal(suffixLengthOf({range: 'bytes=0-5'}), undefined);
	assert.equal(suffixLengthOf({}), undefined);
});
