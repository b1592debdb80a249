import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheGroups, invalidationBy, isSafe} from '../../source/http/invalidation.ts';
import {requestWith, responseWith, url, type Fields} from './helpers.ts';

// RFC 9111 §4.4
const table: ReadonlyArray<readonly [what: string, method: string, statusCode: number, fields: Fields, urls: readonly string[] | undefined]> = [
	...['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH', 'UNKNOWN'].map(method => [method, method, 200, {}, [url]] as const),
	...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'].map(method => [method, method, 200, {}, undefined] as const),
	...[201, 204, 301, 303, 399].map(statusCode => [String(statusCode), 'POST', statusCode, {}, [url]] as const),
	...[100, 400, 404, 500, 503, 599].map(statusCode => [String(statusCode), 'POST', statusCode, {}, undefined] as const),
	['Location', 'POST', 201, {Location: '/items/1'}, [url, 'https://example.com/items/1']],
	['Content-Location', 'PUT', 200, {'Content-Location': 'other?a=1'}, [url, 'https://example.com/other?a=1']],
	['both', 'POST', 201, {Location: '/a', 'Content-Location': '/b'}, [url, 'https://example.com/a', 'https://example.com/b']],
	['itself', 'POST', 201, {Location: url, 'Content-Location': '#here'}, [url]],
	['another host', 'POST', 201, {Location: 'https://evil.example/items'}, [url]],
	['another port', 'POST', 201, {Location: 'https://example.com:8443/items/1'}, [url]],
	['another scheme', 'POST', 201, {Location: 'http://example.com/items/1'}, [url]],
	['a host hidden in a path', 'POST', 201, {Location: '//evil.example/items'}, [url]],
	['a user in the authority', 'POST', 201, {Location: 'https://user:password@example.com/items/1'}, [url, 'https://example.com/items/1']],
	['no URL', 'POST', 201, {Location: 'https://[', 'Content-Location': 'http://'}, [url]],
	['two Locations', 'POST', 201, {Location: ['https://a b', '/c']}, [url]],
];

for (const [what, method, statusCode, fields, urls] of table) {
	test(`${method} and ${statusCode}, ${what}: ${urls ? 'invalidates' : 'nothing'}`, () => {
		assert.deepEqual(invalidationBy(requestWith({}, method), responseWith(fields, statusCode))?.urls, urls);
	});
}

test('a URL that is none invalidates itself and throws nothing', () => {
	assert.deepEqual(invalidationBy({method: 'POST', url: 'nowhere', headers: {}}, responseWith({Location: '/a'})), {urls: ['nowhere'], groups: []});
});

// RFC 9875
const lists: ReadonlyArray<readonly [field: string | readonly string[], groups: readonly string[]]> = [
	['"a", "b"', ['a', 'b']],
	[['"a"', '"b"'], ['a', 'b']],
	['"a";param=1', ['a']],
	['"a b, c"', ['a b, c']],
	['', []],
	['a, "b"', ['b']],
	['"a", 1, ("c")', ['a']],
	['"a', []],
	['"a", "b" "c"', []],
];

for (const [field, groups] of lists) {
	test(`the groups in \`${String(field)}\``, () => {
		assert.deepEqual(invalidationBy(requestWith({}, 'POST'), responseWith({'Cache-Group-Invalidation': field}))?.groups, groups);
		assert.deepEqual(cacheGroups(responseWith({'Cache-Groups': field}).rawHeaders), groups);
	});
}

test('a safe request invalidates no group', () => {
	assert.equal(invalidationBy(requestWith(), responseWith({'Cache-Group-Invalidation': '"a"'})), undefined);
	assert.equal(isSafe('GET'), true);
});
