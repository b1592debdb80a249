import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import got, {type Got, type RequestError} from 'got';
import {redisCache} from '../../source/index.ts';
import {replay, UnrecordedRequestError} from '../../source/replay.ts';
import {setUp} from './helpers.ts';

const failureOf = async (request: Promise<unknown>): Promise<UnrecordedRequestError> => {
	const [{reason: error}] = await Promise.allSettled([request]) as [{reason?: RequestError}];
	assert.equal(error?.name, 'RequestError');
	assert.equal(error.code, 'ERR_UNRECORDED_REQUEST');
	assert.ok(error.cause instanceof UnrecordedRequestError);
	assert.equal(error.message, error.cause.message);
	return error.cause;
};

const asked: Record<string, readonly [request: (client: Got) => Promise<unknown>, ...differences: readonly string[]]> = {
	'another method': [async client => client.put('items?page=1'), 'method: recorded \'GET\', requested \'PUT\''],
	'another path': [async client => client('item?page=1'), 'path: recorded \'/items\', requested \'/item\''],
	'another parameter': [async client => client('items?page=2'), 'query parameter `page`: recorded \'1\', requested \'2\''],
	'a parameter more': [async client => client('items?page=1&sort=up'), 'query parameter `sort`: not in the recording, requested with \'up\''],
	'a parameter less': [async client => client('items'), 'query parameter `page`: recorded with \'1\', not in the request'],
	'a parameter twice': [async client => client('items?page=1&page=2'), 'query parameter `page`: recorded \'1\', requested [ \'1\', \'2\' ]'],
	'another body': [
		async client => client.post('search', {json: {query: {name: 'b', tags: ['x', 'z']}, more: 1}}),
		'body at `query.name`: recorded \'a\', requested \'b\'',
		'body at `query.tags[1]`: recorded \'y\', requested \'z\'',
		'body at `more`: not in the recording, requested with 1',
	],
	'no body': [async client => client.post('search'), 'body: recorded with { query: [Object] }, not in the request'],
	'another language': [
		async client => client('language', {headers: {'accept-language': 'de'}}),
		'header field `accept-language`: recorded \'en\', requested \'de\'',
	],
	'a precondition': [
		async client => client('items?page=1', {headers: {'if-none-match': '"a"'}}),
		'header field `if-none-match`: not in the recording, requested with \'"a"\'',
	],
};

for (const [name, [request, ...differences]] of Object.entries(asked)) {
	test(`a request that is not recorded fails with the nearest recording and what differs: ${name}`, async () => {
		await using setup = await setUp();
		setup.origin.handler = ({url}, response) => {
			response.setHeader('vary', url === '/language' ? 'Accept-Language, Accept-Encoding' : 'Accept-Encoding').end();
		};

		const {client} = setup.open({mode: 'record'});
		await client('items?page=1');
		await client('language', {headers: {'accept-language': 'en'}});
		await client.post('search', {json: {query: {name: 'a', tags: ['x', 'y']}}});
		const requestCount = setup.origin.requests.length;
		const error = await failureOf(request(setup.open().client));
		assert.deepEqual(error.differences, differences);
		assert.equal(setup.origin.requests.length, requestCount);
		const {method, url, nearestFile = ''} = error;
		assert.equal(
			error.message,
			`No recording of ${method} ${url} in ${setup.folder}. The nearest is ${path.basename(nearestFile)}, which differs:\n${differences.map(difference => `- ${difference}`).join('\n')}\nRecord it with the mode 'auto' or 'record'.`,
		);
	});
}

test('a request that is not recorded fails in an empty folder, too, also as a stream', async () => {
	const client = got.extend(replay({folder: '/nowhere/at/all'}));
	const expected = 'No recording of GET http://example.com/a?token=REDACTED in /nowhere/at/all. The folder has no recordings.\nRecord it with the mode \'auto\' or \'record\'.';
	assert.equal((await failureOf(client('http://example.com/a?token=secret'))).message, expected);
	assert.equal((await failureOf(client.stream('http://example.com/a?token=secret').toArray())).message, expected);
	const upload = client.stream.post('http://example.com/a?token=secret');
	upload.end('text');
	assert.equal((await failureOf(upload.toArray())).message, expected.replace('GET', 'POST'));
});

test('a cache does not hide that a request is not recorded', async t => {
	await using setup = await setUp();
	t.mock.timers.enable({apis: ['Date'], now: Date.now()});
	setup.origin.queue({headers: {'cache-control': 'max-age=1', etag: '"a"'}, body: 'a'});
	const cache = redisCache({store: 'memory', staleIfError: true});
	await setup.open({mode: 'record'}).client.extend(cache)('a');
	t.mock.timers.setTime(Date.now() + 60_000);
	const error = await failureOf(setup.open().client.extend(cache)('a'));
	assert.deepEqual(error.differences, ['header field `if-none-match`: not in the recording, requested with \'"a"\'']);
});

const nonsense: Record<string, readonly [content: unknown, message: string | RegExp]> = {
	'no JSON': ['{', /^.*a\.json: is no JSON: /v],
	'no object': [[], 'expected an object, got []'],
	'another file': [{name: 'x'}, 'unknown member `name`: expected one of request, response, error'],
	'no request': [{response: {}}, 'expected `request` to be an object, got undefined'],
	'no response': [{request: {method: 'GET', url: 'http://a.example'}}, 'expected a `response`, or an `error` in its place'],
	'an unknown method': [{request: {method: 'GETS', url: 'http://a.example'}, response: {status: 200}}, 'expected `request.method` to be a method, such as \'GET\', got \'GETS\''],
	'no URL': [{request: {method: 'GET', url: '/a'}, response: {status: 200}}, 'expected `request.url` to be an absolute URL, got \'/a\''],
	'two contents': [{request: {method: 'GET', url: 'http://a.example', json: 1, text: ''}, response: {status: 200}}, '`request` has `json` and `text`: expected one of them'],
	'a status that is none': [{request: {method: 'GET', url: 'http://a.example'}, response: {status: 20}}, 'expected `response.status` to be a final status code, such as 200, got 20'],
	'a header field with a line break': [{request: {method: 'GET', url: 'http://a.example'}, response: {status: 200, headers: {a: 'b\r\nc: d'}}}, 'expected `response.headers` to be an object with a string, or an array of strings, for each header field, got { a: \'b\\r\\nc: d\' }'],
	'a header field that is a number': [{request: {method: 'GET', url: 'http://a.example'}, response: {status: 200, headers: {a: 1}}}, 'expected `response.headers` to be an object with a string, or an array of strings, for each header field, got { a: 1 }'],
	'a body in another folder': [{request: {method: 'GET', url: 'http://a.example'}, response: {status: 200, body: '../a'}}, 'expected `response.body` to be the name of a file in the same folder, got \'../a\''],
	'a failure without a code': [{request: {method: 'GET', url: 'http://a.example'}, error: {message: 'x'}}, 'expected `error.code` to be a code of Node.js, such as \'ECONNRESET\', got undefined'],
};

for (const [name, [content, message]] of Object.entries(nonsense)) {
	test(`a recording that a person has edited into nonsense fails requests, and names the file: ${name}`, async () => {
		await using setup = await setUp();
		const file = path.join(setup.folder, 'a.json');
		await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
		for (const mode of ['replay', 'auto', 'record'] as const) {
			const {client, recorder} = setup.open({mode});
			setup.origin.handler = (_request, response) => {
				response.end();
			};

			const expected = typeof message === 'string' ? `${file}: ${message}` : message;
			assert.throws(() => recorder.unused(), {name: 'FileError', message: expected, file});
			await assert.rejects(client('a'), {name: 'RequestError', message: expected});
		}
	});
}

test('a body that is missing, or no JSON, fails the request that needs it, and names the file', async () => {
	await using setup = await setUp();
	const write = async (name: string, response: unknown) =>
		writeFile(path.join(setup.folder, `${name}.json`), JSON.stringify({request: {method: 'GET', url: `${setup.origin.url}/${name}`}, response}));
	await write('good', {status: 200});
	await write('missing', {status: 200, body: 'missing.body.txt'});
	await write('broken', {status: 200, body: 'broken.body.json', bodyFormat: 'compact JSON'});
	await writeFile(path.join(setup.folder, 'broken.body.json'), '{"a": }');
	const {client} = setup.open();
	assert.equal((await client('good')).statusCode, 200);
	await assert.rejects(client('missing'), {message: `${path.join(setup.folder, 'missing.body.txt')}: the file is missing, and missing.json names it as the body of its response`});
	await assert.rejects(client('broken'), {message: /broken\.body\.json: is no JSON: .*\. If that is what you want, remove `bodyFormat` from broken\.json$/v});
});

for (const [options, message] of [
	[undefined, 'Expected an object with options in replay(), got undefined'],
	[{}, 'Expected the option `folder` in replay() to be the path of a folder, such as \'test/fixtures\', got undefined'],
	[{folder: ''}, 'Expected the option `folder` in replay() to be the path of a folder, such as \'test/fixtures\', got \'\''],
	[
		{folder: 'a', mod: 'auto'},
		'Unknown option `mod` in replay(): expected one of mode, matchHeaders, folder, ignoreParameters, ignoreHeaders, secrets',
	],
	[{folder: 'a', mode: 'once'}, 'Expected the option `mode` in replay() to be \'replay\', \'record\' or \'auto\', got \'once\''],
	[{folder: 'a', ignoreParameters: 'a'}, 'Expected the option `ignoreParameters` in replay() to be an array of names, got \'a\''],
	[{folder: 'a', matchHeaders: ['a b']}, 'Expected the option `matchHeaders` in replay() to be an array of names of header fields, got [ \'a b\' ]'],
	[
		{folder: 'a', matchHeaders: ['Authorization']},
		'The option `matchHeaders` in replay() names `Authorization`, a secret, which is not written and can\'t distinguish recordings: leave it out, or use a folder for each user',
	],
] as const) {
	test(message, () => {
		assert.throws(() => replay(options as never), {name: 'TypeError', message});
	});
}
