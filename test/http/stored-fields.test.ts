import assert from 'node:assert/strict';
import test from 'node:test';
import {responseDirectives} from '../../source/http/directives.ts';
import {headersOf} from '../../source/http/header-fields.ts';
import {headersToStore} from '../../source/http/stored-fields.ts';
import type {Settings} from '../../source/http/settings.ts';
import {
	date,
	now,
	responseWith,
	settingsWith,
	type Fields,
} from './helpers.ts';

const namesStored = (fields: Fields, more?: Partial<Settings>): string[] => {
	const response = responseWith({Date: date(), ...fields});
	const settings = settingsWith(more);

	return headersToStore(response, now, settings, responseDirectives(headersOf(response.rawHeaders), settings)).filter((_, index) => index % 2 === 0).slice(1);
};

// RFC 9111 §3.1
const table: ReadonlyArray<readonly [what: string, fields: Fields, names: readonly string[], settings?: Partial<Settings>]> = [
	['what is about the response', {'Content-Foo': '1', 'Set-Cookie2': 'a', 'X-A': ['1', '2']}, ['Content-Foo', 'Set-Cookie2', 'X-A', 'X-A']],
	...['Connection', 'Keep-Alive', 'Proxy-Authenticate', 'Proxy-Authentication-Info', 'Proxy-Authorization', 'Proxy-Connection', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade']
		.map(name => [`not ${name}`, {[name]: 'x', A: '1'}, ['A']] as const),
	['not what Connection lists', {Connection: 'a, B', A: '1', b: '2', C: '3'}, ['C']],
	['not what no-cache lists', {'Cache-Control': 'no-cache="a, b"', A: '1', B: '2', C: '3'}, ['Cache-Control', 'C']],
	['not what private lists, shared', {'Cache-Control': 'private="a"', A: '1', B: '2'}, ['Cache-Control', 'B']],
	['what private lists, private', {'Cache-Control': 'private="a"', A: '1', B: '2'}, ['Cache-Control', 'A', 'B'], {isShared: false}],
	['all, of a user who ignores Cache-Control', {'Cache-Control': 'private="a"', A: '1'}, ['Cache-Control', 'A'], {heedsCacheControl: false}],
	['not what a targeted private lists', {'CDN-Cache-Control': 'private="a"', A: '1'}, ['CDN-Cache-Control'], {targets: ['cdn-cache-control']}],
];

for (const [what, fields, names, settings] of table) {
	test(`stores ${what}`, () => {
		assert.deepEqual(namesStored(fields, settings), names);
	});
}
