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

/** How many characters `Array#join()` makes meanwhile. */
const charactersJoinedDuring = (run: () => void): number => {
	const {prototype} = Array;
	const {join} = prototype;
	let count = 0;
	const counting = function (this: unknown[], separator?: string): string {
		const result = Reflect.apply(join, this, [separator]);
		count += result.length;

		return result;
	};

	Object.assign(prototype, {join: counting});
	try {
		run();
	} finally {
		Object.assign(prototype, {join});
	}

	return count;
};

test('no text is joined anew for each level that it is nested in', () => {
	const nestings: ReadonlyArray<readonly [open: string, close: string]> = [['[', ']'], ['{"b":1,"a":', '}'], ['{"a":[', ']}']];

	for (const [open, close] of nestings) {
		const depth = Math.floor(190 / close.length);
		const text = open.repeat(depth) + JSON.stringify('a'.repeat(100_000)) + close.repeat(depth);
		let canonical: string | undefined;
		const joined = charactersJoinedDuring(() => {
			canonical = canonicalJson(text, new Set());
		});

		assert.deepEqual(JSON.parse(canonical ?? ''), JSON.parse(text));
		assert.ok(joined <= 2 * text.length, `${joined} characters were joined for a text of ${text.length}`);
	}
});

test('has room for strings of many megabytes', () => {
	const text = JSON.stringify('"'.repeat(10_000_000));

	assert.equal(canonicalJson(text, new Set()), text);
});

test('leaves deeper nesting than anyone needs as it is', () => {
	assert.equal(canonicalJson('['.repeat(5000) + ']'.repeat(5000), new Set()), undefined);
});
