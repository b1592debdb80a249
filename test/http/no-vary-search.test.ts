import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {primaryKey} from '../../source/http/cache-key.ts';
import {isEquivalent, simplifiedUrl, urlVariation, type SearchVariance} from '../../source/http/no-vary-search.ts';
import {triesOf} from '../helpers/runs.ts';

const variationOf = (field: string): SearchVariance => {
	const variation = urlVariation(field);
	assert.ok(variation, field);

	return variation;
};

const at = (query: string): string => `https://example.com/items${query}`;

const fields: ReadonlyArray<readonly [field: string, isExcept: boolean, names: readonly string[]]> = [
	['params', true, []],
	['params=?1', true, []],
	['params, except=()', true, []],
	['except=()', true, []],
	['params, except=("c")', true, ['c']],
	['except=("c")', true, ['c']],
	['except=("c" "d"), key-order', true, ['c', 'd']],
	['params=("a")', false, ['a']],
	['params=("a" "b")', false, ['a', 'b']],
	['params=("a";q=1 "a")', false, ['a']],
	['params=(), key-order', false, []],
	['key-order', false, []],
	['key-order=?1', false, []],
	['key-order;a=1', false, []],
	['key-order=?0, params=("a")', false, ['a']],
	[' params=("a") ,\tkey-order ', false, ['a']],
	// What later documents may add
	['params=("a"), something=("else")', false, ['a']],
	// The last one counts, RFC 9651 §4.2.2
	['params=(), params=("a")', false, ['a']],
	// Names are spelled as in a URL
	['params=("%C3%A9+%E6%B0%97")', false, ['é 気']],
	['params=("%61" "100%" "%zz" "a&b=c" "")', false, ['a', '100%', '%zz', 'a&b=c', '']],
	['params=("%EF%BB%BFa")', false, ['\u{FEFF}a']],
];

for (const [field, isExcept, names] of fields) {
	test(`No-Vary-Search: ${field}`, () => {
		assert.deepEqual(urlVariation(field), {field, isExcept, names: new Set(names)});
	});
}

for (const field of [
	undefined,
	'',
	'unknown',
	'key-order=?0',
	'params=()',
	'params=?0',
	'params=?0, key-order',
	'params="a"',
	'params=a',
	'params=1',
	'params=(a)',
	'params=("a" 1)',
	'params=("a" ?1)',
	'params=("%ff")',
	'params=("a"), except=("b")',
	'params=(), except=()',
	'params=?0, except=("a")',
	'except',
	'except=?0',
	'except="a"',
	'except=(a)',
	'params, except=(a)',
	'params, except',
	'key-order="a"',
	'key-order=1',
	'key-order=(?1)',
	'params=("a"',
	'params=("a"),',
	'Params',
	'params=("é")',
	'params;',
	`params=("${'a'.repeat(5000)}")`,
]) {
	test(`No-Vary-Search: ${String(field).slice(0, 50)} says nothing`, () => {
		assert.equal(urlVariation(field), undefined);
	});
}

const equivalent: ReadonlyArray<readonly [field: string, first: string, second: string]> = [
	['params', '?a=1', ''],
	['params', '?a=1', '?b=2&c=3'],
	['params=("a")', '?a=1&b=2', '?b=2&a=3'],
	['params=("a")', '?a=1', ''],
	['params=("a")', '?a', ''],
	['params=("a b")', '?a+b=1', '?a%20b=2'],
	['params=("é")'.replace('é', '%c3%a9'), '?%C3%A9=1', ''],
	['except=("c")', '?a=1&c=2', '?c=2&b=1'],
	['except=("c")', '?a=1', ''],
	['except=("c")', '?c=1&a=x&c=2', '?c=1&c=2'],
	// The draft's own examples: how a query is spelled does not matter any more
	['key-order', '', '?'],
	['key-order', '?a=x', '?%61=%78'],
	['key-order', '?a=é', '?a=%C3%A9'],
	['key-order', '?a=%f6', '?a=%ef%bf%bd'],
	['key-order', '?a=x&&&&', '?a=x'],
	['key-order', '?a=', '?a'],
	['key-order', '?a=%20', '?a=+'],
	['key-order', '?a=+', '?a= &'],
	['key-order', '?a=1&b=2', '?b=2&a=1'],
	['params=("x")', '?a=1&b=2', '?b=2&a=1'],
];

for (const [field, first, second] of equivalent) {
	test(`${field}: ${first} is ${second}`, () => {
		assert.ok(isEquivalent(at(first), at(second), variationOf(field)));
		assert.ok(isEquivalent(at(first), at(first), undefined));
		assert.ok(!isEquivalent(at(first), at(second), undefined));
	});
}

const different: ReadonlyArray<readonly [field: string, first: string, second: string]> = [
	['params=("a")', '?b=1', '?b=2'],
	['params=("a")', '?b=1', ''],
	['params=("a")', '?A=1', ''],
	['params=("a")', '?b=1&b=2', '?b=2&b=1'],
	['params=("a")', '?a%3D=1', ''],
	['except=("c")', '?c=1', '?c=2'],
	['except=("c")', '?c=1', ''],
	['except=("c")', '?c=1', '?c=1&c=1'],
	['key-order', '?a=1', '?a=1&b=2'],
	['key-order', '?a=1&a=2', '?a=2&a=1'],
	['key-order', '?=', ''],
	['key-order', '?a=%26b=1', '?a&b=1'],
	['key-order', '??a=1', '?a=1'],
];

for (const [field, first, second] of different) {
	test(`${field}: ${first} is not ${second}`, () => {
		assert.ok(!isEquivalent(at(first), at(second), variationOf(field)));
	});
}

test('other paths and origins are never equivalent', () => {
	const variation = variationOf('params');

	for (const other of ['https://example.com/item?a', 'https://example.com/items/?a', 'http://example.com/items?a', 'https://example.com:8443/items?a', 'https://example.org/items?a']) {
		assert.ok(!isEquivalent(at('?a'), other, variation));
	}
});

test('a key for equivalent URLs is none of a URL, nor one by another field', () => {
	const keyOf = (query: string, variation?: SearchVariance) => primaryKey({method: 'GET', url: at(query), headers: {}}, {ignoredParameters: new Set()}, {searchVariance: variation});
	const keys = [keyOf(''), keyOf('?a'), ...['params', 'params=("a")', 'except=()'].map(field => keyOf('?a', variationOf(field)))];

	assert.equal(new Set(keys).size, keys.length);
	assert.match(keys.at(-1) ?? '', /^\?[\w\-]{22}$/v);
	// Whatever stands in a name
	assert.notEqual(keyOf('?a=1', variationOf('params=("#")')), keyOf('?a=2', variationOf('params=("#")')));
	assert.notEqual(keyOf('?a=1', variationOf('params=("&")')), keyOf('?a=2', variationOf('params=("&")')));
});

const name = fc.constantFrom('a', 'b', 'A', '', '%61', '%', '+', '%20', 'é', '%C3%A9', '%ff', '&', '=');
const value = fc.constantFrom('', '1', '2', '=', '%31', '+', '%20', '%ff', '\u{FFFD}');
const parameter = fc.oneof(name, fc.tuple(name, value).map(pair => pair.join('=')));
const query = fc.oneof(fc.constant(''), fc.array(parameter, {maxLength: 5}).map(list => `?${list.join('&')}`));
const field = fc.tuple(
	fc.constantFrom('params', 'except', 'params, except', 'key-order, params', 'key-order, except'),
	fc.array(fc.constantFrom('a', 'b', '', '%61', '+', '%C3%A9', '%'), {maxLength: 3}),
).map(([key, names]) => `${key}=(${names.map(each => `"${each}"`).join(' ')})`);

/** The draft's own steps, one after the other, with the parser of the URL standard spelled out. */
const pairsOf = (url: string): Array<readonly [string, string]> => {
	const decode = (text: string) => {
		const bytes = [...new TextEncoder().encode(text.replaceAll('+', ' '))];
		const decoded: number[] = [];
		while (bytes.length > 0) {
			const hex = bytes[0] === 0x25 ? String.fromCodePoint(...bytes.slice(1, 3)) : '';
			if (/^[\da-f]{2}$/iv.test(hex)) {
				bytes.splice(0, 3);
				decoded.push(Number.parseInt(hex, 16));
			} else {
				decoded.push(bytes.shift()!);
			}
		}

		return new TextDecoder('utf-8', {ignoreBOM: true}).decode(Uint8Array.from(decoded));
	};

	return url.slice(at('?').length).split('&').filter(Boolean).map(part => {
		const equals = part.indexOf('=');
		return [decode(equals === -1 ? part : part.slice(0, equals)), decode(equals === -1 ? '' : part.slice(equals + 1))] as const;
	});
};

const counting = (url: string, {isExcept, names}: SearchVariance): string =>
	JSON.stringify(
		pairsOf(url)
			.filter(([each]) => names.has(each) === isExcept)
			.toSorted(([first], [second]) => (first < second ? -1 : Number(first > second))),
	);

test('two URLs are equivalent exactly if the draft says so, and then have one key', () => {
	fc.assert(fc.property(field, query, query, (text, first, second) => {
		const variation = urlVariation(text);
		const [one, other] = [at(first), at(second)];
		const isSame = variation === undefined ? one === other : counting(one, variation) === counting(other, variation);

		assert.equal(isEquivalent(one, other, variation), isSame);
		const [key, otherKey] = [one, other].map(url => primaryKey({method: 'GET', url, headers: {}}, {ignoredParameters: new Set()}, {searchVariance: variation}));
		assert.ok(variation === undefined || (key === otherKey) === isSame);
	}), triesOf(3000));
});

test('a simplified URL is its own', () => {
	fc.assert(fc.property(field, query, (text, search) => {
		const variation = urlVariation(text);
		fc.pre(variation !== undefined);
		const simplified = simplifiedUrl(at(search), variation);

		assert.equal(simplifiedUrl(simplified, variation), simplified);
	}), triesOf(1000));
});
