import assert from 'node:assert/strict';
import test from 'node:test';
import {
	fieldValue,
	filterRawHeaders,
	headersOf,
	perConnectionFieldNames,
	rawFieldValue,
} from '../../source/http/header-fields.ts';

test('joins repeated fields, but for Set-Cookie', () => {
	const headers = headersOf(['Vary', 'A', 'Set-Cookie', 'a=1', 'vary', 'B', 'set-cookie', 'b=2', 'X', '']);

	assert.deepEqual({...headers}, {vary: 'A, B', 'set-cookie': ['a=1', 'b=2'], x: ''});
});

test('takes a field named after a part of the language for a field', () => {
	const headers = headersOf(['__proto__', 'a', 'constructor', 'b', '__proto__', 'c']);

	assert.equal(fieldValue(headers, '__proto__'), 'a, c');
	assert.equal(fieldValue(headers, 'constructor'), 'b');
	assert.equal(fieldValue({}, 'constructor'), undefined);
	assert.equal(fieldValue({}, '__proto__'), undefined);
	assert.equal(Object.getPrototypeOf({}), Object.prototype);
});

test('ignores a name without a value', () => {
	assert.deepEqual({...headersOf(['A', '1', 'B'])}, {a: '1'});
	assert.equal(rawFieldValue(['A', '1', 'B'], 'b'), undefined);
});

test('finds one field without reading the others', () => {
	assert.equal(rawFieldValue(['Vary', 'A', 'Date', 'x', 'VARY', 'B'], 'vary'), 'A, B');
	assert.equal(rawFieldValue(['Vary', 'A'], 'date'), undefined);
	// A value is not a name.
	assert.equal(rawFieldValue(['X', 'vary', 'Y', 'b'], 'vary'), undefined);
});

test('names the fields that end with the connection', () => {
	const names = perConnectionFieldNames('close, X-Hop ,  "');

	assert.deepEqual(['connection', 'keep-alive', 'transfer-encoding', 'proxy-authenticate', 'x-hop', 'close'].filter(name => !names.has(name)), []);
	assert.equal(names.has('content-type'), false);
	assert.equal(perConnectionFieldNames(undefined).has('x-hop'), false);
});

test('filters fields in order, as they were written', () => {
	assert.deepEqual(filterRawHeaders(['A', '1', 'b', '2', 'A', '3'], name => name === 'a'), ['A', '1', 'A', '3']);
});
