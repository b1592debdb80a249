import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {canonicalJson} from '../../source/http/canonical-json.ts';

const table: ReadonlyArray<readonly [text: string, expected: string | undefined]> = [
	[' null ', 'null'],
	['[ 1 , 2.50 , -1e3 ,\n12345678901234567890 ]', '[1,2.50,-1e3,12345678901234567890]'],
	['{ "b" : [ ] , "a" : { } }', '{"a":{},"b":[]}'],
	['{"b":1,"a":2,"b":3}', '{"a":2,"b":1,"b":3}'],
	[String.raw`"\u0061\/\"\\"`, String.raw`"a/\"\\"`],
	['"{[,:]} "', '"{[,:]} "'],
	['{"KEY":1,"a":{"key":2}}', '{"a":{"key":2}}'],
	['{"key":1}', '{}'],
	['[{"key":1}]', '[{"key":1}]'],
	['', undefined],
	['{', undefined],
	['[1,]', undefined],
	['{\'a\':1}', undefined],
];

for (const [text, expected] of table) {
	test(`${text} is ${expected ?? 'left as it is'}`, () => {
		assert.equal(canonicalJson(text, new Set(['key'])), expected);
	});
}

test('keeps the value, and is its own canonical form', () => {
	fc.assert(fc.property(fc.jsonValue(), fc.nat(4), (value, indentation) => {
		const text = JSON.stringify(value, undefined, indentation);
		const canonical = canonicalJson(text, new Set()) ?? '';

		assert.deepEqual(JSON.parse(canonical), JSON.parse(text));
		assert.equal(canonicalJson(canonical, new Set()), canonical);
	}));
});

test('has room for strings of many megabytes', () => {
	const text = JSON.stringify('"'.repeat(10_000_000));

	assert.equal(canonicalJson(text, new Set()), text);
});

test('leaves deeper nesting than anyone needs as it is', () => {
	assert.equal(canonicalJson('['.repeat(5000) + ']'.repeat(5000), new Set()), undefined);
});
