import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {inspect} from 'node:util';
import fc from 'fast-check';
import {isCovered, matchesUrlPattern, whyNoUrlPattern, type UrlPattern} from '../../source/options/url-pattern.ts';
import {triesOf} from '../helpers/runs.ts';

const table: ReadonlyArray<readonly [pattern: UrlPattern, url: string, isMatch: boolean]> = [
	['api.example.com', 'https://api.example.com/items', true],
	['api.example.com', 'http://api.example.com/', true],
	['api.example.com', 'https://api.example.com.evil.example/', false],
	['api.example.com', 'https://evil.example/api.example.com', false],
	['api.example.com', 'https://api.example.com:8443/', true],
	['api.example.com:8443', 'https://api.example.com:8443/', true],
	['api.example.com:8443', 'https://api.example.com/', false],
	['api.example.com:443', 'https://api.example.com/', true],
	['api.example.com:80', 'http://api.example.com/', true],
	['api.example.com:80', 'https://api.example.com/', false],
	['api.example.com:*', 'https://api.example.com/', true],
	['API.Example.com', 'https://api.example.com/', true],
	['https://api.example.com', 'https://api.example.com/', true],
	['https://api.example.com', 'http://api.example.com/', false],
	['api.example.com/prices', 'https://api.example.com/prices', true],
	['api.example.com/prices', 'https://api.example.com/prices/today?currency=eur', true],
	['api.example.com/prices', 'https://api.example.com/items', false],
	['api.example.com/Prices', 'https://api.example.com/prices', false],
	['*.example.com', 'https://api.example.com/', true],
	['*.example.com', 'https://example.com/', false],
	['*.example.com', 'https://evil.example/.example.com', false],
	['*', 'https://anything.example/at/all', true],
	['*/static', 'https://a.example/static/logo.png', true],
	['*/static', 'https://a.example/other/static', false],
	['a.example/*/logo', 'https://a.example/x/y/logo.png', true],
	['a.example/*/logo', 'https://a.example/logo', false],
	['a.example/*b*b', 'https://a.example/b', false],
	['a.example/*b*b', 'https://a.example/bb', true],
	['a*a', 'http://a/', false],
	['a*a', 'http://aa/', true],
	['a.example/items?page=1', 'https://a.example/items?page=1', true],
	['/static/*', 'https://a.example/static/logo.png', true],
	['/static/*', 'http://b.example:8080/static/?v=1', true],
	['/static/*', 'https://a.example/other/static/logo.png', false],
	['/*/logo', 'https://a.example/x/logo.png', true],
	['localhost/items', 'http://localhost:3000/items', true],
	['http://api', 'http://api:3000/items', true],
	['api:*/items', 'https://api/items/5', true],
	['unix:///run', 'unix:/run/docker.sock:/info', true],
	['[2001:db8::*]:443', 'https://[2001:db8::1]/', true],
	[new URLPattern({pathname: '/static/*'}), 'https://a.example/static/logo.png', true],
	[new URLPattern({pathname: '/static/*'}), 'https://a.example/items', false],
	[new URLPattern('https://*.example/items/:id([0-9]+)'), 'https://a.example/items/5', true],
	[new URLPattern('https://*.example/items/:id([0-9]+)'), 'https://a.example/items/five', false],
	['a.example/?url=https://b.example', 'https://a.example/?url=https://b.example/x', true],
	// RFC 3986 §6.2.2
	['a.example/~me', 'https://a.example/%7Eme/items', true],
	['a.example/%7eme', 'https://a.example/~me/items', true],
	['*/caf%c3%a9*%7e', 'https://a.example/caf%C3%A9/~', true],
	['a.example/a%2fb', 'https://a.example/a%2Fb', true],
	['a.example/a%2Fb', 'https://a.example/a/b', false],
	[/\/~me$/v, 'https://a.example/%7Eme', true],
	[/\.png$/v, 'https://a.example/logo.png', true],
	[/\.png$/v, 'https://a.example/logo.jpg', false],
];

for (const [pattern, url, isMatch] of table) {
	test(`${inspect(pattern, {depth: 0, breakLength: Infinity})} ${isMatch ? 'matches' : 'does not match'} ${url}`, () => {
		assert.equal(whyNoUrlPattern(pattern), undefined);
		assert.equal(matchesUrlPattern(pattern, url), isMatch);
	});
}

test('a regular expression with state matches each time', () => {
	const pattern = /png/gv;

	assert.equal(matchesUrlPattern(pattern, 'https://a.example/png'), true);
	assert.equal(matchesUrlPattern(pattern, 'https://a.example/png'), true);
});

test('a pattern of many wildcards takes no time to speak of', () => {
	const pattern = `a.example/${'*a'.repeat(1000)}b`;

	assert.equal(matchesUrlPattern(pattern, `https://a.example/${'a'.repeat(50_000)}`), false);
});

const form = 'the form is [scheme://]host[:port][/path], as in \'*.example.com/items\'';
const regularExpression = 'a regular expression is tried on the whole URL, which begins with its scheme';

const mistakes: ReadonlyArray<readonly [pattern: unknown, why: string]> = [
	['', '\'\', which matches no URL: \'*\' matches every URL'],
	[' ', '\' \', which matches no URL: \'*\' matches every URL'],
	['/x', '\'/x\', which matches no URL: for a path of every origin, write \'*/x\' or \'/x*\''],
	['//a.example/x', '\'//a.example/x\', which matches no URL: for the host, write \'a.example/x\''],
	['https//x', '\'https//x\', which matches no URL: with a scheme, write \'https://x\''],
	['https:/x/*', '\'https:/x/*\', which matches no URL: with a scheme, write \'https://x/*\''],
	['HTTP:x', '\'HTTP:x\', which matches no URL: with a scheme, write \'HTTP://x\''],
	['https', '\'https\', which matches no URL: with a scheme, write \'https://*\''],
	['https:///x', '\'https:///x\', which matches no URL: a URL has the form \'https://x/\''],
	['ftp://a.example', '\'ftp://a.example\', which matches no URL: a scheme is http://, https:// or unix://, or it is left out'],
	['*://a.example', '\'*://a.example\', which matches no URL: a scheme is http://, https:// or unix://, or it is left out'],
	['a.example/a b', '\'a.example/a b\', which matches no URL: a URL has the form \'a.example/a%20b\''],
	['a.example/x#y', '\'a.example/x#y\', which matches no URL: a URL has the form \'a.example/x\''],
	['a.example/x/../y', '\'a.example/x/../y\', which matches no URL: a URL has the form \'a.example/y\''],
	['a.example?x=secret', '\'a.example?…\', which matches no URL: a URL has the form \'a.example/?…\''],
	['münchen.example', '\'münchen.example\', which matches no URL: a URL has the form \'xn--mnchen-3ya.example\''],
	['user:secret@a.example', `'…@a.example', which matches no URL: ${form}`],
	['https://user:secret@a.example/x?secret', `'https://…@a.example/x?…', which matches no URL: ${form}`],
	['a.example:99999', `'a.example:99999', which matches no URL: ${form}`],
	[' a.example', `' a.example', which matches no URL: ${form}`],
	['/^items/', '\'/^items/\', which matches no URL: a regular expression stands without quotation marks'],
	[/^\/static/v, String.raw`/^\/static/v, which matches no URL: ${regularExpression}`],
	[/^api/v, `/^api/v, which matches no URL: ${regularExpression}`],
	['prices', '\'prices\', which may be a host or a path: for a path of every origin, write \'/prices*\'; for the host, \'prices:*\''],
	['api/items/*', '\'api/items/*\', which may be a host or a path: for a path of every origin, write \'/api/items/*\'; for the host, \'api:*/items/*\''],
	[5, '5'],
	[undefined, 'undefined'],
	[new URL('https://user:secret@a.example/'), '\'https://…@a.example/\''],
	[['a.example'], 'an array'],
];

await suite('a pattern that matches no URL is told so', () => {
	for (const [pattern, why] of mistakes) {
		test(why, () => {
			assert.equal(whyNoUrlPattern(pattern), why);
		});
	}

	test('a regular expression that may match a URL is taken', () => {
		for (const pattern of [/^https?:/v, /^h/v, /^http/iv, /^[a-z]+:/v, /^(?:https|wss):/v, /^.+\/static/v, /^x?https/v, /\/static/v, /^\/a|b/v, /^a/mv]) {
			assert.equal(whyNoUrlPattern(pattern), undefined, String(pattern));
		}
	});

	const character = fc.constantFrom(...'a1.*:/?=-%#@[] AéXx');
	const word = fc.string({unit: character, maxLength: 8});

	test('no URL matches a string that is refused, but for one that is a mistake in itself', () => {
		const url = fc.tuple(fc.constantFrom('http://', 'https://'), word, word).map(parts => parts.join('')).filter(text => URL.canParse(text)).map(text => new URL(text).href);
		fc.assert(fc.property(word, url, (pattern, given) => {
			fc.pre(!/^\/|^https?(?:[\/:]|$)/iv.test(pattern) && whyNoUrlPattern(pattern)?.includes('which matches no URL') === true);
			assert.equal(matchesUrlPattern(pattern, given), false);
		}), triesOf(2000));
	});

	test('a part of a URL is a pattern for it', () => {
		const path = fc.webUrl({withQueryParameters: true, withFragments: false}).map(text => new URL(text));
		fc.assert(fc.property(path, fc.nat(), ({href, host, pathname, search}, cut) => {
			const rest = (pathname + search).slice(0, cut % 40);
			for (const pattern of [host, `${host}${rest}`, `*${rest}`, `${host}*`, `/*${rest.slice(1)}`]) {
				assert.equal(whyNoUrlPattern(pattern), undefined, pattern);
				assert.equal(matchesUrlPattern(pattern, href), true, pattern);
			}
		}), triesOf(400));
	});
});

await suite('a pattern covers another one', () => {
	const covered: ReadonlyArray<readonly [pattern: UrlPattern, by: UrlPattern, isCovered: boolean]> = [
		['a.example/prices', 'a.example', true],
		['a.example', 'a.example/prices', false],
		['a.example:8443', 'a.example', true],
		['a.example', 'a.example:8443', false],
		['https://a.example', 'a.example', true],
		['a.example', 'https://a.example', false],
		['*.b.example', '*.example', true],
		['*.example', '*.b.example', false],
		['/static/*', '*', true],
		['a.example/%7Eme', 'a.example/~', true],
		[/a/v, '*', false],
		['a.example', /a/v, false],
	];

	for (const [pattern, by, expected] of covered) {
		test(`${inspect(pattern)} ${expected ? 'is' : 'is not'} covered by ${inspect(by)}`, () => {
			assert.equal(isCovered(pattern, by), expected);
		});
	}

	test('if it does, it matches what that one matches', () => {
		const part = fc.string({unit: fc.constantFrom(...'ab*'), minLength: 1, maxLength: 3});
		const pattern = fc.tuple(fc.constantFrom('', 'http://'), part, fc.constantFrom('', ':80', ':8*'), fc.constantFrom('', '/', '/a', '/*b')).map(parts => parts.join(''));
		const letters = fc.string({unit: fc.constantFrom(...'ab'), minLength: 1, maxLength: 3});
		const url = fc.tuple(fc.constantFrom('http://', 'https://'), letters, fc.constantFrom('', ':81'), fc.constantFrom('/', '/a', '/ab')).map(parts => parts.join(''));
		fc.assert(fc.property(pattern, pattern, fc.array(url, {minLength: 20, maxLength: 20}), (inner, outer, urls) => {
			fc.pre(isCovered(inner, outer));
			assert.deepEqual(urls.filter(each => matchesUrlPattern(inner, each) && !matchesUrlPattern(outer, each)), []);
		}), triesOf(200));
	});
});
