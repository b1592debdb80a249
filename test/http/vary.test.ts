import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type {HeaderFields} from '../../source/http/message.ts';
import {
	isSelected,
	selectedBy,
	selectingFieldNames,
	selectingHeaders,
	variantId,
} from '../../source/http/vary.ts';
import {requestWith, storedWith} from './helpers.ts';

const names: ReadonlyArray<readonly [vary: string | undefined, matchHeaders: readonly string[], expected: readonly string[] | '*' | undefined]> = [
	[undefined, [], undefined],
	['', [], undefined],
	[' , ', [], undefined],
	['Accept', [], ['accept']],
	['B, a ,B', [], ['a', 'b']],
	[undefined, ['x'], ['x']],
	['Accept', ['x', 'accept'], ['accept', 'x']],
	['*', [], '*'],
	['Accept, *', ['x'], '*'],
];

for (const [vary, matchHeaders, expected] of names) {
	test(`Vary: ${vary} and [${matchHeaders.join(', ')}] select by ${String(expected)}`, () => {
		const rawHeaders = vary === undefined ? [] : ['VARY', vary];

		assert.deepEqual(selectingFieldNames(rawHeaders, matchHeaders), expected);
		assert.deepEqual(selectingFieldNames(vary === undefined ? {} : {vary}, matchHeaders), expected);
	});
}

type Pair = readonly [name: string, first: HeaderFields[string], second: HeaderFields[string]];

const sameVariant: readonly Pair[] = [
	// RFC 9111 §4.1: whitespace and combined lines
	['foo', '1,2', ' 1, 2 '],
	['foo', '1, 2', ['1', '2']],
	['foo', 'a b', ' a b\t'],
	['foo', '"a, b",c', '"a, b" , c'],
	// RFC 9110 §12.5.4: case and weights
	['accept-language', 'en, de;q=0.5', 'de;q=0.5, en'],
	['accept-language', 'en, de, *;q=0, fr;q=0.5', '*;q=0, en, fr;q=0.5, de'],
	['accept-language', 'EN;Q=0.5', 'en;q=0.5'],
	['accept-language', 'en, de', 'eN, De'],
	['accept-language', 'en, de', ' en ,   de'],
	['accept-language', 'en;q=1.0, de ; q=0.50', 'de;q=0.5,en'],
	['accept-encoding', 'gzip, br', 'GZIP;q=1,br;q=1.000'],
	['accept-charset', 'utf-8, *;q=0', '*;q=0.000, UTF-8'],
	// RFC 9110 §12.5.1
	['accept', 'text/html, application/json;q=0.9', 'application/json; q=0.90, TEXT/HTML'],
	['accept', 'text/html;level="1,2"', 'text/html ; LEVEL="1,2"'],
	['authorization', 'Bearer abc', ' Bearer abc '],
];

const otherVariant: readonly Pair[] = [
	['foo', '1', '2'],
	['foo', '1', undefined],
	['foo', '', undefined],
	['foo', '1, 2', '2, 1'],
	['foo', 'a', 'A'],
	['foo', 'a b', 'a  b'],
	['foo', '"a, b"', '"a,b"'],
	['foo', '1,,2', '1,2'],
	['accept-language', 'en, de', 'en'],
	// Servers prefer the first of equals
	['accept-language', 'en, de', 'de, en'],
	['accept-language', 'en;q=0.5, de;q=0.50', 'de;q=0.5, en;q=0.5'],
	['accept-language', 'en, *', '*, en'],
	['accept-language', 'en, de, en', 'en, en, de'],
	['accept-encoding', 'gzip, br', 'br, gzip'],
	['accept-charset', 'utf-8, *;q=0, *', '*, *;q=0, utf-8'],
	['accept', 'text/html, application/json', 'application/json, text/html'],
	['accept', 'text/*, text/html', 'text/html, text/*'],
	// Not certain: what is no weight, two of them, and what stands behind one
	['accept-language', 'en;q=2, de;q=0.5', 'de;q=0.5, en;q=2'],
	['accept-language', 'en;q, de;q=0.5', 'de;q=0.5, en;q'],
	['accept-language', 'en;q =1, de;q=0.5', 'de;q=0.5, en;q =1'],
	['accept-language', 'en;q=0.5;q=0.7, de;q=0.6', 'de;q=0.6, en;q=0.5;q=0.7'],
	['accept', 'text/html;q=1;level=1', 'text/html;level=1'],
	['accept', 'text/html;a="b", text/plain;q=0.5', 'text/plain;q=0.5, text/html;a="b"'],
	['accept-language', 'en, de', 'en, de;q=0.5'],
	['accept-language', 'en;q=0', 'en'],
	['accept-language', 'en;q=2', 'en'],
	['accept', 'text/html;level=1', 'text/html;level=2'],
	['accept', 'text/html;level=A', 'text/html;level=a'],
	['accept', 'text/html;level="1,2"', 'text/html;level="1, 2"'],
	// A quotation mark that is never closed
	['accept', 'b,",""', 'b,"","'],
	['authorization', 'Bearer abc', 'Bearer abC'],
	['authorization', 'Bearer abc', 'bearer abc'],
	['cookie', 'a=1, b', 'a=1,b'],
];

const isSame = ([name, first, second]: Pair): boolean => {
	const stored = storedWith({'Cache-Control': 'max-age=60', Vary: name}, {request: requestWith({[name]: first}), settings: {isShared: false}});

	return isSelected(requestWith({[name]: second}), stored, []);
};

for (const pair of sameVariant) {
	test(`${pair[0]}: ${String(pair[1])} is the variant of ${String(pair[2])}`, () => {
		assert.equal(isSame(pair), true);
	});
}

for (const pair of otherVariant) {
	test(`${pair[0]}: ${String(pair[1])} is another variant than ${String(pair[2])}`, () => {
		assert.equal(isSame(pair), false);
	});
}

test('fields that are not named do not select', () => {
	const stored = storedWith({'Cache-Control': 'max-age=60', Vary: 'Foo'}, {request: requestWith({foo: '1', bar: '1'})});

	assert.deepEqual(stored.selectingHeaders, {foo: '1'});
	assert.equal(isSelected(requestWith({foo: '1', bar: '2'}), stored, []), true);
});

test('credentials are kept as a digest', () => {
	const selecting = selectingHeaders(['authorization', 'cookie', 'proxy-authorization'], {authorization: 'Bearer secret', cookie: 'id=secret', 'proxy-authorization': 'Basic secret'});

	assert.deepEqual(Object.keys(selecting), ['authorization', 'cookie', 'proxy-authorization']);
	assert.equal(JSON.stringify(selecting).includes('secret'), false);
});

test('a field named after a part of the language selects like any other', () => {
	const headers = JSON.parse('{"__proto__": "1"}') as HeaderFields;
	const selecting = selectingHeaders(['__proto__', 'constructor'], headers);

	assert.deepEqual(Object.entries(selecting), [['__proto__', '1']]);
	const stored = storedWith({'Cache-Control': 'max-age=60', Vary: '__proto__, constructor'}, {request: requestWith(headers)});
	assert.equal(isSelected(requestWith(headers), stored, []), true);
	assert.equal(isSelected(requestWith(), stored, []), false);
});

test('`Vary: *` selects nothing, and nothing is kept for it', () => {
	const stored = storedWith({'Cache-Control': 'max-age=60'});

	assert.equal(isSelected(requestWith(), {...stored, rawHeaders: ['Vary', '*']}, []), false);
	assert.deepEqual(selectedBy({vary: '*'}, [], requestWith({a: '1'})), {});
});

test('a variant has one name', () => {
	assert.equal(variantId({a: '1', b: '2'}), variantId({b: '2', a: '1'}));
	assert.equal(variantId({}), variantId({}));
	assert.match(variantId({a: '1'}), /^[\w\-]{22}$/v);
});

test('different variants have different names', () => {
	const record = fc.dictionary(fc.string({maxLength: 3}), fc.string({maxLength: 3}), {maxKeys: 3, noNullPrototype: true});

	fc.assert(fc.property(record, record, (first, second) => {
		const [one, other] = [first, second].map(each => JSON.stringify(Object.entries(each).toSorted(([name], [next]) => (name < next ? -1 : 1))));

		assert.equal(variantId(first) === variantId(second), one === other);
	}));
});

test('normalising twice is normalising once', () => {
	const value = fc.string({unit: fc.constantFrom('a', 'B', ',', ';', '=', 'q', '1', '0', '.', ' ', '"', '\\')});

	for (const name of ['foo', 'accept', 'accept-language']) {
		fc.assert(fc.property(value, text => {
			const [once = ''] = Object.values(selectingHeaders([name], {[name]: text}));

			assert.equal(selectingHeaders([name], {[name]: once})[name], once);
		}), {examples: [['"a,","']]});
	}
});
