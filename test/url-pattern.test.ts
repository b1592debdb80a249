import assert from 'node:assert/strict';
import test from 'node:test';
import {matchesUrlPattern} from '../source/url-pattern.ts';

const table: ReadonlyArray<readonly [pattern: string | RegExp, url: string, isMatch: boolean]> = [
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
	[/\.png$/v, 'https://a.example/logo.png', true],
	[/\.png$/v, 'https://a.example/logo.jpg', false],
];

for (const [pattern, url, isMatch] of table) {
	test(`${String(pattern)} ${isMatch ? 'matches' : 'does not match'} ${url}`, () => {
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
