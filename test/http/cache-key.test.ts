import {Buffer} from 'node:buffer';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {primaryKey} from '../../source/http/cache-key.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import {normalizeEscapes, normalizeUrl} from '../../source/http/url.ts';
import {triesOf} from '../helpers/runs.ts';

type Asked = {
	readonly method?: string;
	readonly url?: string;
	readonly type?: string;
	/** Further header fields. */
	readonly fields?: HeaderFields;
	readonly body?: string | Uint8Array;
	readonly extra?: string;
	readonly host?: string;
};

const ignoredParameters: ReadonlySet<string> = new Set(['api_key', 'sig']);

const key = ({method = 'GET', url = 'https://example.com/', type, fields, body, extra, host}: Asked, ignored: ReadonlySet<string> = ignoredParameters): string =>
	primaryKey({method, url, headers: {'content-type': type, host, ...fields}}, {ignoredParameters: ignored}, {body, extra});

const at = (rest: string): Asked => ({url: `https://example.com/${rest}`});
const json = (body: string): Asked => ({method: 'QUERY', type: 'application/json', body});
const form = (body: string): Asked => ({method: 'QUERY', type: 'application/x-www-form-urlencoded', body});

const withFields = (fields: HeaderFields): Asked => ({method: 'QUERY', type: 'text/plain', body: 'a', fields});

const same: ReadonlyArray<readonly [first: Asked, second: Asked]> = [
	[{method: 'GET'}, {method: 'HEAD'}],
	[at('?a=1&b=2'), at('?b=2&a=1')],
	[at('?a=1&b=2&a=2'), at('?a=1&a=2&b=2')],
	[at('?a=1#top'), at('?a=1')],
	[at('#top'), at('')],
	[{url: 'https://user:password@example.com/'}, {url: 'https://example.com/'}],
	[{url: 'https://user:p@ss@example.com/?a=@'}, {url: 'https://example.com/?a=@'}],
	// Ignored parameters, there or not
	[at('?api_key=1'), at('?api_key=2')],
	[at('?api_key=1'), at('')],
	[at('?API_Key=1&a=1'), at('?a=1')],
	[at('?api%5Fkey=1&a=1'), at('?a=1')],
	[at('?%61=1&b=2'), at('?b=2&%61=1')],
	[at('?api_key&a=1'), at('?a=1')],
	// RFC 3986 §6.2.2: escapes of unreserved characters, and the case of escapes
	[at('%7Eme'), at('~me')],
	[at('%7eme'), at('~me')],
	[at('caf%c3%a9'), at('caf%C3%A9')],
	[at('a%2fb'), at('a%2Fb')],
	[at('%41%2D%2e%5f%30'), at('A-._0')],
	[at('?q=%7e&%7Ea=1'), at('?~a=1&q=~')],
	[at('?%61=1'), at('?a=1')],
	[at('?%61%5fkey=1&a=%31'), at('?a=1&a_key=1')],
	[at('?a=%25%37e'), at('?a=%257e')],
	[at('?a=100%&b=%7E'), at('?a=100%&b=~')],
	[{host: 'example.com'}, {}],
	[{host: 'Other.example'}, {host: 'other.example'}],
	// Bodies
	[json('{"a": 1, "b": [1, 2]}'), json(' {"b":[1,2],"a":1} ')],
	[json(String.raw`{"\u0061": "\u00e9"}`), json('{"a":"é"}')],
	[json('{"a": {"c": 1, "b": 2}}'), json('{"a":{"b":2,"c":1}}')],
	[json('{"a": 1, "api_key": 2}'), json('{"a":1}')],
	[json('{"a": 1}'), {...json('{"a":1}'), type: 'Application/JSON; charset=utf-8'}],
	[json('{"a":1}'), {...json(''), body: Buffer.from('{"a":1}')}],
	[form('a=1&b=2'), form('b=2&a=1')],
	[form('a=1&sig=x'), form('a=1')],
	[{method: 'QUERY', body: 'é'}, {method: 'QUERY', body: Buffer.from('é')}],
	// What says no more of a body than its bytes do
	[json('{"a": 1}'), {...json('{"a":1}'), type: 'application/json;charset="UTF-8" ;'}],
	[json('{"a": 1}'), {...json('{"a": 1}'), fields: {'content-length': '8', 'content-digest': 'sha-256=:x:', 'content-md5': 'x', 'content-language': undefined}}],
	[{body: 'a', type: 'text/plain; charset=ISO-8859-1'}, {body: 'a', type: 'Text/Plain; Charset=iso-8859-1'}],
	[withFields({'content-encoding': 'GZIP, br'}), withFields({'content-encoding': ['gzip', 'br']})],
	[withFields({'content-language': 'de-AT'}), withFields({'content-language': 'de-at '})],
	// Without content they describe nothing
	[{fields: {'content-encoding': 'gzip'}}, {}],
];

for (const [first, second] of same) {
	test(`${JSON.stringify(first)} has the key of ${JSON.stringify(second)}`, () => {
		assert.equal(key(first), key(second));
	});
}

const different: ReadonlyArray<readonly [first: Asked, second: Asked]> = [
	[{method: 'GET'}, {method: 'QUERY'}],
	[at('a'), at('b')],
	[at('a'), at('A')],
	[{url: 'http://example.com/'}, {url: 'https://example.com/'}],
	[{url: 'https://example.com:8443/'}, {url: 'https://example.com/'}],
	[at('?a=1'), at('?a=2')],
	[at('?a=1'), at('')],
	[at('?'), at('')],
	[at('?a='), at('')],
	[at('?a='), at('?a')],
	[at('?a=1&a=2'), at('?a=2&a=1')],
	[at('?a=1&%61=2'), at('?%61=2&a=1')],
	[at('?%ff=1&%fe=2'), at('?%fe=2&%ff=1')],
	// Reserved characters are none of their escapes
	...[...':/?#[]@!$&\'()*+,;='].map(character => [at(`a${character}b`), at(`a%${character.codePointAt(0)?.toString(16)}b`)] as const),
	[at('a%2Fb'), at('a%252Fb')],
	[at('%2561'), at('%61')],
	[at('%2561'), at('a')],
	[at('?a=%20'), at('?a=+')],
	[at('%C3%A9'), at('%C3%AA')],
	[at('%00'), at('')],
	// A percent sign that begins no escape stays one
	[at('%%361'), at('%61')],
	[at('%6%31'), at('%61')],
	[at('%6%31'), at('a')],
	[at('%a%7E'), at('%A%7E')],
	[at('?a=1&b=2'), at('?a=2&b=1')],
	[at('?a=1&b=2'), at('?a=1%26b=2')],
	[at('?a=b&c'), at('?a=b%26c')],
	[at('?a=1&&b=2'), at('?a=1&b=2')],
	[at('?A=1'), at('?a=1')],
	[at('?not_api_key=1'), at('')],
	// RFC 9110 §7.1
	[{host: 'other.example'}, {}],
	[{host: 'other.example'}, {host: 'another.example'}],
	[{host: 'example.com:8443'}, {}],
	[{host: ''}, {}],
	// Unix sockets
	[{url: 'http://unix/var/a.sock:/path'}, {url: 'http://unix/var/b.sock:/path'}],
	[{url: 'unix:/var/a.sock:/path'}, {url: 'unix:/var/b.sock:/path'}],
	// What the user's key function adds
	[{extra: 'a'}, {}],
	[{extra: ''}, {}],
	[{extra: 'a'}, {extra: 'b'}],
	[{extra: 'a', body: 'b'}, {extra: 'ab', body: ''}],
	[{extra: 'a', body: 'b'}, {extra: 'a bytes  b'}],
	// Bodies
	[{body: ''}, {}],
	[{body: 'a'}, {body: 'b'}],
	[{method: 'QUERY'}, {method: 'QUERY', body: ''}],
	[json('[1, 2]'), json('[2, 1]')],
	[json('{"a": null}'), json('{}')],
	[json('{"a": 1}'), json('{"a": "1"}')],
	[json('{"a": 1}'), json('{"a": 1.0}')],
	[json('12345678901234567890'), json('12345678901234567891')],
	[json('{"a": 1, "a": 2}'), json('{"a": 2}')],
	[json('{"a": 1, "a": 2}'), json('{"a": 2, "a": 1}')],
	[json('{"a": {"api_key": 1}}'), json('{"a": {}}')],
	[json('{"a": 1}'), {...json('{"a": 1}'), type: 'application/vnd.api+json'}],
	[json('{"a":1}'), {...json('{"a":1}'), type: 'text/plain'}],
	[json('a&b'), json('b&a')],
	[json('"a"'), json('"b"')],
	[form('a=1'), form('a=2')],
	[form('a=1&a=2'), form('a=2&a=1')],
	[form('a=1'), json('a=1')],
	[{body: Buffer.from([0xFF])}, {body: Buffer.from([0xFE])}],
	[{body: Buffer.from([0xFF])}, {body: Buffer.from('ÿ')}],
	[{...json(''), body: Buffer.from([0x22, 0xFF, 0x22])}, {...json(''), body: Buffer.from([0x22, 0xFE, 0x22])}],
	// What the content means, RFC 9110 §8
	[withFields({'content-encoding': 'gzip'}), withFields({})],
	[withFields({'content-encoding': 'gzip'}), withFields({'content-encoding': 'deflate'})],
	[withFields({'content-encoding': 'gzip, br'}), withFields({'content-encoding': 'br, gzip'})],
	[withFields({'content-language': 'en'}), withFields({})],
	[withFields({'content-language': 'en'}), withFields({'content-language': 'de'})],
	[withFields({'content-language': 'gzip'}), withFields({'content-encoding': 'gzip'})],
	[withFields({'content-language': ''}), withFields({})],
	[withFields({'content-location': '/a'}), withFields({'content-location': '/A'})],
	[withFields({'content-range': 'bytes 0-0/2'}), withFields({'content-range': 'bytes 1-1/2'})],
	[withFields({'content-disposition': 'form-data; name=a'}), withFields({'content-disposition': 'form-data; name=b'})],
	[withFields({soapaction: '"urn:read"'}), withFields({soapaction: '"urn:delete"'})],
	// Encoded bytes are no text, even if they look like it
	[{...json('{"a":1}'), fields: {'content-encoding': 'x'}}, {...json('{"a": 1}'), fields: {'content-encoding': 'x'}}],
	[{...json('{"a":1}'), type: 'application/json; charset=utf-7'}, {...json('{"a": 1}'), type: 'application/json; charset=utf-7'}],
	[{...json('[]'), type: 'application/json; charset=utf-16'}, json('[]')],
	[{...json('[]'), type: 'application/json; profile="a"'}, json('[]')],
	[{...json('[]'), type: 'application/json; profile="a"'}, {...json('[]'), type: 'application/json; profile="A"'}],
	[{...json('[]'), type: 'application/json; version=1'}, {...json('[]'), type: 'application/json; version=2'}],
	[{...form('a=%E4'), type: 'application/x-www-form-urlencoded; charset=iso-8859-1'}, form('a=%E4')],
	[{...form('a=1'), type: 'application/x-www-form-urlencoded; v=1'}, form('a=1')],
	[{body: '--A--a', type: 'multipart/form-data; boundary=A'}, {body: '--A--a', type: 'multipart/form-data; boundary=a'}],
];

for (const [first, second] of different) {
	test(`${JSON.stringify(first)} has another key than ${JSON.stringify(second)}`, () => {
		assert.notEqual(key(first), key(second));
	});
}

test('a key depends on nothing else, today and after an upgrade', () => {
	// Another key would leave all that is stored behind.
	const keys: ReadonlyArray<readonly [Asked, string]> = [
		[{}, 'BrlWYid2fct1RO7CzfYy-k'],
		[at('items?b=2&a=1'), '-gfjwi7DFUhK4D62S7IB_h'],
		[{extra: 'a'}, 'eYoqHy0oXpwJ65pzVU1vAq'],
		[json('{"b": 1, "a": 2.50}'), 'J--0p5d8xmTM0Kh0HzK2qL'],
		[{...json('[1, 2]'), type: 'application/json; charset=utf-8'}, 'KQE9EcBqpfk6d9I2P4QcHO'],
		[form('b=2&a=1'), 'i71psiGP9vt4GyHdOghIEh'],
		[{method: 'QUERY', body: 'a', type: 'Text/Plain; Charset=ISO-8859-1'}, 'Kb7qMB8hk1DBrf2tTke29J'],
		[{method: 'QUERY', body: 'a'}, 'YsQj7FOf6Yswl_3siXM-vp'],
	];

	for (const [asked, expected] of keys) {
		assert.equal(key(asked), expected, JSON.stringify(asked));
	}
});

test('a key is 22 characters that are safe anywhere, and tells no secret', () => {
	assert.match(key({url: 'https://user:secret@example.com/?api_key=secret', extra: 'secret'}), /^[\w\-]{22}$/v);
});

test('a URL is shown without userinfo and ignored parameters', () => {
	assert.equal(normalizeUrl('https://user:secret@example.com/a?sig=secret&b=1&a=2#x', ignoredParameters), 'https://example.com/a?a=2&b=1');
	assert.equal(normalizeUrl('https://user@example.com', ignoredParameters), 'https://example.com');
});

const name = fc.constantFrom('a', 'b', 'A', 'api_key', 'sig', '', '%61', '%');
const parameter = fc.oneof(name, fc.tuple(name, fc.constantFrom('', '1', '2', '=')).map(pair => pair.join('=')));
const parameters = fc.array(parameter, {minLength: 1, maxLength: 5});
const isIgnored = (each: string): boolean => /^(?:api_key|sig)(?:=|$)/v.test(each);

const nameOf = (each: string): string => (each.split('=', 1)[0] ?? '').replace('%61', 'a');

/** All that a server may tell apart: the parameters of each name, in order. */
const meaning = (list: readonly string[]): string =>
	JSON.stringify(Object.entries(Object.groupBy(list.map(each => each.replace('%61', 'a')), each => `name ${nameOf(each)}`)).toSorted(([first], [second]) => (first < second ? -1 : 1)));

test('a URL is its own normal form once it is normalised, and so is the beginning of it', () => {
	const escape = fc.nat(255).map(code => `%${code.toString(16).padStart(2, '0')}`);
	const part = fc.oneof(fc.constantFrom('%', '%%', '%6', '%2', '%7', '/', '?', '&', '=', 'a', '1', 'E', '~'), escape);
	const text = fc.array(part, {maxLength: 8}).map(parts => parts.join(''));

	fc.assert(fc.property(text, text, (first, second) => {
		const once = normalizeEscapes(first);
		const url = `https://example.com/${first}`;

		assert.equal(normalizeEscapes(once), once);
		assert.equal(normalizeUrl(normalizeUrl(url)), normalizeUrl(url));
		assert.equal(decodeLoosely(once), decodeLoosely(first), 'it means the same to a server that decodes it');
		// Where no escape is cut in two.
		fc.pre(!/%[\da-f]?$/iv.test(first));
		assert.ok(normalizeEscapes(first + second).startsWith(once));
	}), triesOf(5000));
});

/** As lenient servers do: what is no escape is left as it is. */
const decodeLoosely = (escaped: string): string => escaped.replaceAll(/%(?<code>[\da-f]{2})/giv, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));

test('two queries share a key exactly if they mean the same', () => {
	fc.assert(fc.property(parameters, parameters, (first, second) => {
		const [one, other] = [first, second].map(list => meaning(list.filter(each => !isIgnored(each))));

		assert.equal(key(at(`?${first.join('&')}`)) === key(at(`?${second.join('&')}`)), one === other);
	}), triesOf(2000));
});

test('a query in another order has the same key', () => {
	const distinct = fc.uniqueArray(parameter, {selector: nameOf, maxLength: 6, minLength: 1});

	fc.assert(fc.property(distinct.chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, {minLength: list.length}))), ([list, shuffled]) => {
		assert.equal(key(at(`?${list.join('&')}`)), key(at(`?${shuffled.join('&')}`)));
	}));
});

test('two JSON values share a key exactly if they are equal', () => {
	const value = fc.jsonValue({maxDepth: 2, noUnicodeString: false, depthSize: 'xsmall'});

	fc.assert(fc.property(value, value, fc.nat(8), (first, second, indentation) => {
		const [one, other] = [JSON.stringify(first), JSON.stringify(second)];
		const canonical = (text: string): string => JSON.stringify(JSON.parse(text, (_, each: unknown) => (
			each !== null && typeof each === 'object' && !Array.isArray(each) ? Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)) : each
		)));

		assert.equal(key(json(one), new Set()), key(json(JSON.stringify(first, undefined, indentation)), new Set()));
		// An object and the list of its entries are told apart by their first character.
		assert.equal(key(json(one), new Set()) === key(json(other), new Set()), one.startsWith(other.slice(0, 1)) && canonical(one) === canonical(other));
	}), triesOf(400));
});

test('any request has a key', () => {
	fc.assert(fc.property(fc.string(), fc.string({unit: 'binary'}), fc.string(), fc.uint8Array(), (url, text, type, bytes) => {
		assert.match(key({url, type, body: bytes, method: 'QUERY'}), /^[\w\-]{22}$/v);
		assert.match(key({url: `https://example.com/${url}`, type, body: text}), /^[\w\-]{22}$/v);
	}));
});

test('the deepest JSON is compared byte by byte', () => {
	const deep = (depth: number, core: string): Asked => json('['.repeat(depth) + core + ']'.repeat(depth));

	assert.equal(key(deep(5000, '1')), key(deep(5000, '1')));
	assert.notEqual(key(deep(5000, '1')), key(deep(5000, '2')));
});

// Long enough that a quadratic rule would not come back.
const length = 1_000_000;
const long: Readonly<Record<string, Asked>> = {
	parameters: at(`?${'a=1&'.repeat(length / 4)}`),
	separators: at(`?${'&'.repeat(length)}`),
	'percent signs': at(`?${'%'.repeat(length)}`),
	'escaped names': at(`?${'%61%5F=1&'.repeat(length / 9)}`),
	'question marks': at('?'.repeat(length)),
	slashes: at('/'.repeat(length)),
	dots: at('../'.repeat(length / 3)),
	'at signs': {url: `https://${'@'.repeat(length)}example.com/`},
	'number signs': at('#'.repeat(length)),
	'a host': {host: 'a.'.repeat(length / 2)},
	'form fields': form('a=1&'.repeat(length / 4)),
	'JSON members': json(`{${Array.from({length: length / 10}, (_, index) => `"a${index}":1`).join(',')}}`),
	'nested JSON': json('['.repeat(length)),
	'quotation marks': json('"'.repeat(length)),
	escapes: json(`"${String.raw`\\"`.repeat(length / 2)}"`),
	'a content type': {...json('{}'), type: `application/${'a+'.repeat(length / 2)}`},
	'what a key function adds': {extra: 'a'.repeat(length)},
};

for (const [what, asked] of Object.entries(long)) {
	test(`a megabyte of ${what}`, () => {
		assert.match(key(asked), /^[\w\-]{22}$/v);
	});
}
