import {Buffer} from 'node:buffer';
import assert from 'node:assert/strict';
import test from 'node:test';
import {construct} from '../../source/http/construct.ts';
import type {HeaderFields} from '../../source/http/message.ts';
import {
	afterSeconds,
	date,
	requestWith,
	storedWith,
	valueOf,
	type Fields,
	type StoreOptions,
} from './helpers.ts';

type Row = {
	readonly what: string;
	readonly stored?: Fields;
	readonly storedMore?: StoreOptions;
	readonly request?: HeaderFields;
	readonly method?: string;
	readonly statusCode: number;
	readonly body: string;
	/** `undefined` is absence. */
	readonly fields?: Readonly<Record<string, string | undefined>>;
};

const sized = {'Content-Length': '10', 'Content-Type': 'text/plain', 'Content-Encoding': 'identity', 'Content-Location': '/a', ETag: '"a"'};
const described = {'content-type': 'text/plain', etag: '"a"', 'content-location': '/a'};
const bare = {'content-type': undefined, 'content-length': undefined, 'content-encoding': undefined, etag: '"a"', 'content-location': '/a', 'cache-control': 'max-age=60', date: date(), vary: 'Foo'};

const table: readonly Row[] = [
	{what: 'a stored response', stored: sized, statusCode: 200, body: '0123456789', fields: {...described, 'content-length': '10', age: '5', date: date()}},
	{what: 'another status code', storedMore: {statusCode: 404}, statusCode: 404, body: '0123456789'},
	{what: 'HEAD', stored: sized, method: 'HEAD', statusCode: 200, body: '', fields: {...described, 'content-length': '10'}},
	{what: 'Age upon Age', stored: {Age: '30'}, statusCode: 200, body: '0123456789', fields: {age: '35'}},
	{what: 'Age that came twice', stored: {Age: ['30', '0']}, statusCode: 200, body: '0123456789', fields: {age: '35'}},

	// RFC 9110 §15.4.5
	{what: 'a matching precondition', stored: {...sized, Vary: 'Foo'}, request: {'if-none-match': '"a"'}, statusCode: 304, body: '', fields: {...bare, age: '5'}},
	{what: 'a matching precondition of HEAD', stored: sized, method: 'HEAD', request: {'if-none-match': '"a"'}, statusCode: 304, body: ''},
	{what: 'a precondition that does not match', stored: sized, request: {'if-none-match': '"b"'}, statusCode: 200, body: '0123456789'},
	{what: 'a precondition that fails', stored: {...sized, Vary: 'Foo'}, request: {'if-match': '"b"'}, statusCode: 412, body: '', fields: bare},

	// RFC 9110 §15.3.7
	{what: 'a range', stored: sized, request: {range: 'bytes=2-4'}, statusCode: 206, body: '234', fields: {...described, 'content-length': '3', 'content-range': 'bytes 2-4/10', age: '5'}},
	{what: 'a range, without a digest of the whole', stored: {...sized, 'Content-MD5': 'a', 'Content-Digest': 'b', 'Repr-Digest': 'c'}, request: {range: 'bytes=2-4'}, statusCode: 206, body: '234', fields: {'content-md5': undefined, 'content-digest': undefined, 'repr-digest': 'c'}},
	{what: 'a suffix range', stored: sized, request: {range: 'bytes=-3'}, statusCode: 206, body: '789', fields: {'content-length': '3', 'content-range': 'bytes 7-9/10'}},
	{what: 'a range of a part', stored: {ETag: '"a"', 'Content-Range': 'bytes 3-6/10', 'Content-Length': '4'}, storedMore: {statusCode: 206, body: '3456'}, request: {range: 'bytes=4-5'}, statusCode: 206, body: '45', fields: {'content-length': '2', 'content-range': 'bytes 4-5/10'}},
	{what: 'a range whose condition fails', stored: sized, request: {range: 'bytes=2-4', 'if-range': '"b"'}, statusCode: 200, body: '0123456789', fields: {'content-range': undefined}},
	{what: 'a precondition before a range', stored: sized, request: {range: 'bytes=2-4', 'if-none-match': '"a"'}, statusCode: 304, body: ''},

	// RFC 9110 §15.5.17
	{what: 'a range beyond the end', stored: sized, request: {range: 'bytes=10-'}, statusCode: 416, body: '', fields: {'content-range': 'bytes */10', 'content-type': undefined, 'content-length': undefined}},
];

for (const {what, stored: fields, storedMore, request = {}, method, statusCode, body, fields: expected = {}} of table) {
	test(`${what}: ${statusCode}`, () => {
		const stored = storedWith({'Cache-Control': 'max-age=60', ...fields}, storedMore);
		const response = construct(requestWith(request, method), stored, afterSeconds(5));

		assert.equal(response.statusCode, statusCode);
		assert.equal(Buffer.from(response.body).toString(), body);
		for (const [name, value] of Object.entries(expected)) {
			assert.equal(valueOf(response.rawHeaders, name), value, name);
		}
	});
}

test('header fields keep their order, case and repetition', () => {
	const stored = storedWith({'cache-control': 'max-age=60', 'Set-Cookie': ['a=1', 'b=2'], 'X-Case': 'A'});

	assert.deepEqual(construct(requestWith(), stored, afterSeconds(1.9)).rawHeaders, [...stored.rawHeaders, 'Age', '1']);
	assert.equal(stored.rawHeaders.includes('Age'), false);
});

test('a body is never copied', () => {
	const stored = storedWith({'Cache-Control': 'max-age=60'});

	assert.equal(construct(requestWith(), stored, afterSeconds(1)).body, stored.body);
	assert.equal(construct(requestWith({range: 'bytes=1-2'}), stored, afterSeconds(1)).body.buffer, stored.body.buffer);
});
