import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import got, {type Got} from 'got';
import {fileNameOf, slug} from '../../source/fixtures/file-name.ts';
import {compactJson} from '../../source/fixtures/body-file.ts';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {replay} from '../../source/replay.ts';
import {triesOf, unlessFast} from '../helpers/runs.ts';
import {setUp} from './helpers.ts';

test('a recording is JSON with sorted header fields, without secrets and what changes each time', async () => {
	await using setup = await setUp();
	let count = 0;
	setup.origin.handler = (_request, response) => {
		count++;
		response.setHeader('date', new Date(count * 1e9).toUTCString());
		response.setHeader('expires', new Date((count * 1e9) + 60_000).toUTCString());
		response.setHeader('age', count);
		response.setHeader('X-API-Key', 'secret-1');
		response.setHeader('set-cookie', [`a=secret-2-${count}; Path=/; Expires=${new Date((count * 1e9) + 7_200_000).toUTCString()}`, 'b=']);
		response.setHeader('content-type', 'application/json');
		response.setHeader('cache-control', 'public');
		response.end('{"ok":true,"session":"secret-3"}');
	};

	const scenario = async () => {
		const {client} = setup.open({mode: 'record', ignoreParameters: ['now'], secrets: ['session', 'X-Tenant'], matchHeaders: ['accept']});
		await client.post('login', {
			searchParams: {now: count, access_token: `secret-4-${count}`, page: 1},
			headers: {authorization: `Bearer secret-5-${count}`, cookie: 'c=secret-6', 'x-tenant': 'secret-7', accept: 'application/json'},
			json: {now: count, user: 'me', password: `secret-8-${count}`, nested: [{client_secret: 'secret-9', session: 'secret-0'}]},
		});
		await client.post('token', {form: {grant_type: 'password', password: `secret-a-${count}`}});
	};

	await scenario();
	const files = setup.files();
	assert.doesNotMatch(JSON.stringify(files), /secret-/v);
	const [body = '', login = ''] = Object.keys(files);
	assert.equal(files[body], '{\n\t"ok": true,\n\t"session": "REDACTED"\n}\n');
	assert.deepEqual(JSON.parse(files[login] ?? ''), {
		request: {
			method: 'POST',
			url: `${setup.origin.url}/login?access_token=REDACTED&page=1`,
			headers: {accept: 'application/json'},
			json: {user: 'me', password: 'REDACTED', nested: [{client_secret: 'REDACTED', session: 'REDACTED'}]},
		},
		response: {
			status: 200,
			headers: {
				'cache-control': 'public',
				'content-type': 'application/json',
				'set-cookie': ['a=REDACTED; Path=/; Max-Age=0', 'b='],
				'x-api-key': 'REDACTED',
			},
			expiresAfterSeconds: 60,
			body,
			bodyFormat: 'compact JSON',
		},
	});
	assert.match(Object.values(files).join(''), /"form": "grant_type=password&password=REDACTED"/v);

	// Recorded again, there is nothing for a diff to show.
	await scenario();
	assert.deepEqual(setup.files(), files);

	// Other secrets find the same recordings.
	count = 100;
	const {client} = setup.open({ignoreParameters: ['now'], secrets: ['session']});
	const {statusCode} = await client.post('login?now=5&page=1&access_token=other', {
		headers: {authorization: 'Basic x', accept: 'application/json'},
		json: {user: 'me', now: 'x', nested: [{session: 'other', client_secret: 'other'}], password: 'other'},
	});
	assert.equal(statusCode, 200);
	assert.equal(count, 100);
});

test('a body, a status and a header field that a person has edited are replayed as edited', async () => {
	await using setup = await setUp();
	setup.origin.queue({headers: {'content-type': 'application/json', 'content-length': '8', etag: '"a"'}, body: '{"id":1}'});
	await setup.open({mode: 'record'}).client('a');
	const [bodyName = '', name = ''] = Object.keys(setup.files());
	const file = path.join(setup.folder, name);
	writeFileSync(path.join(setup.folder, bodyName), '{\n\t"id": 12345678901234567890, "more": " "\n}\n');
	writeFileSync(file, readFileSync(file, 'utf8').replace('"status": 200', '"status": 418').replace('"etag":', '"x-own": "yes",\n"etag":'));
	const {statusCode, statusMessage, headers, body} = await setup.open().client('a', {throwHttpErrors: false});
	assert.deepEqual([statusCode, statusMessage, headers['x-own'], headers['content-length'], body], [418, 'I\'m a Teapot', 'yes', '38', '{"id":12345678901234567890,"more":" "}']);
});

test('a multipart body is the same whatever its boundary, and a JSON one whatever the order of its members', async () => {
	await using setup = await setUp();
	const form = () => {
		const data = new FormData();
		data.set('name', 'value');
		data.set('file', new Blob(['content'], {type: 'text/plain'}), 'a.txt');
		return data;
	};

	setup.origin.handler = (_request, response) => {
		response.end();
	};

	const {client} = setup.open({mode: 'record'});
	await client.post('upload', {body: form()});
	await client.post('json', {json: {a: 1, b: {c: 2, d: 3}}});
	await client.post('bytes', {body: Uint8Array.of(0, 255, 1)});
	const again = setup.open().client;
	assert.equal((await again.post('upload', {body: form()})).statusCode, 200);
	assert.equal((await again.post('json', {json: {b: {d: 3, c: 2}, a: 1}})).statusCode, 200);
	assert.equal((await again.post('bytes', {body: Uint8Array.of(0, 255, 1)})).statusCode, 200);
	await assert.rejects(again.post('bytes', {body: Uint8Array.of(0, 255, 2)}), {code: 'ERR_UNRECORDED_REQUEST'});
	assert.equal(setup.origin.requests.length, 3);
});

test('variants that the response names in Vary are kept apart, and header fields can be ignored', async () => {
	await using setup = await setUp();
	setup.origin.handler = ({headers}, response) => {
		response.setHeader('vary', 'Accept-Language, Authorization, X-Trace').end(headers['accept-language'] ?? 'none');
	};

	const bodies = async (client: Got) => {
		const given: string[] = [];
		for (const [index, language] of ['de', 'en', undefined].entries()) {
			given.push((await client('a', {headers: {...language !== undefined && {'accept-language': language}, 'x-trace': String(index + setup.origin.requests.length), authorization: 'x'}})).body);
		}

		return given;
	};

	assert.deepEqual(await bodies(setup.open({mode: 'record', ignoreHeaders: ['X-Trace']}).client), ['de', 'en', 'none']);
	const {client} = setup.open({ignoreHeaders: ['X-Trace']});
	assert.equal((await client('a', {headers: {'accept-language': 'en'}})).body, 'en');
	assert.deepEqual(await bodies(client), ['de', 'en', 'none']);
});

test('names of files are safe for every file system', unlessFast, () => {
	const names = fc.record({method: fc.constantFrom('GET', 'POST', 'M-SEARCH'), url: fc.oneof(fc.webUrl({withQueryParameters: true, withFragments: true}), fc.string({unit: 'grapheme', maxLength: 300}), fc.constantFrom('http://con/', 'http://a/../..', 'http://COM1.example/', 'http://a/%2e%2e%2f', 'http://a/%'))});
	fc.assert(fc.property(names, request => {
		const name = fileNameOf(request, JSON.stringify(request));
		assert.doesNotMatch(name, /[^\w\-.]/v);
		assert.match(name, /^\w.*-[\da-f]{12}$/v);
		assert.equal(name, name.toLowerCase());
		assert.ok(name.length <= 110, name);
		assert.doesNotMatch(name, /^(?:aux|con|nul|prn|com\d|lpt\d)\./v);
	}), triesOf(500));
	assert.deepEqual(['', '...', 'Con', 'a--', 'A ü B'].map(text => slug(text)), ['_', '_', '_con', 'a', 'a-b']);
	// URLs that differ in case alone.
	assert.notEqual(fileNameOf({method: 'GET', url: 'http://a/B'}, 'http://a/B'), fileNameOf({method: 'GET', url: 'http://a/b'}, 'http://a/b'));
});

test('JSON without whitespace says the same', () => {
	fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t', ' \n'), (value, indent) => {
		assert.equal(compactJson(JSON.stringify(value, undefined, indent)), JSON.stringify(value));
	}), triesOf(500));
});

test('a cache asks the recorder in place of the origin, and judges what it replays as if it came now', async t => {
	await using setup = await setUp();
	const {origin} = setup;
	origin.handler = ({headers}, response) => {
		response.setHeader('date', new Date().toUTCString());
		response.setHeader('etag', '"a"').setHeader('cache-control', 'max-age=60');
		response.writeHead(headers['if-none-match'] === '"a"' ? 304 : 200).end(headers['if-none-match'] === '"a"' ? undefined : 'body');
	};

	const scenario = async (mode: 'record' | 'replay') => {
		const client = got.extend({prefixUrl: origin.url}, redisCache('memory'), replay({folder: setup.folder, mode}));
		const ask = async () => {
			const response = await client('a');
			return [cacheInfo(response)?.status, response.body];
		};

		const first = [await ask(), await ask()];
		t.mock.timers.setTime(Date.now() + 61_000);
		return [...first, await ask(), await ask()];
	};

	t.mock.timers.enable({apis: ['Date'], now: Date.now()});
	const expected = [['miss', 'body'], ['hit', 'body'], ['revalidated', 'body'], ['hit', 'body']];
	const recorded = await scenario('record');
	assert.deepEqual(recorded, expected);
	assert.equal(setup.recordings().length, 2);
	assert.equal(origin.requests.length, 2);
	// Years later, too.
	t.mock.timers.setTime(Date.now() + 1e11);
	assert.deepEqual(await scenario('replay'), recorded);
	assert.equal(origin.requests.length, 2);
});
