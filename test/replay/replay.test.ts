import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import got15 from 'got-15';
import {CookieJar} from 'tough-cookie';
import got, {type Got, type Method, type RequestError} from 'got';
import {replay, type ReplayMode} from '../../source/replay.ts';
import {beginHttp2, startHttp2Origin} from '../helpers/http2-origin.ts';
import {unlessFast} from '../helpers/runs.ts';
import {setUp, type Setup} from './helpers.ts';

/** Runs a scenario with the network, and again without it: the results are the same, and the origin is asked the first time alone. */
const assertReplayed = async <Result>(setup: Setup, scenario: (client: Got) => Promise<Result>, mode: ReplayMode = 'record'): Promise<Result> => {
	const {origin, open} = setup;
	const recorded = await scenario(open({mode}).client);
	const asked = origin.requests.length;
	assert.ok(asked > 0);
	const {client, recorder} = open();
	assert.deepEqual(await scenario(client), recorded);
	assert.equal(origin.requests.length, asked);
	assert.deepEqual(recorder.unused(), []);
	return recorded;
};

for (const mode of ['record', 'auto'] as const) {
	test(`a response of any method is recorded in the mode '${mode}', whatever its status and caching rules, and replayed`, async () => {
		await using setup = await setUp();
		setup.origin.handler = ({method, url}, response) => {
			response.writeHead(Number(url.slice(1)), {'cache-control': 'no-store', 'content-type': 'text/plain', 'x-method': method});
			response.end(['204', '304'].includes(url.slice(1)) ? undefined : `${method} ${url}`);
		};

		const results = await assertReplayed(setup, async client => {
			const given: unknown[] = [];
			for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as Method[]) {
				for (const status of [200, 204, 304, 404, 500]) {
					const {statusCode, statusMessage, headers, body, isFromCache} = await client(String(status), {method, throwHttpErrors: false});
					given.push([statusCode, statusMessage, headers['x-method'], headers['cache-control'], body, isFromCache]);
				}
			}

			return given;
		}, mode);
		assert.deepEqual(results[0], [200, 'OK', 'GET', 'no-store', 'GET /200', false]);
		assert.equal(results.length, 35);
		assert.equal(setup.recordings().length, 35);
	});
}

test('the same request, asked again and again, is replayed in the order of its recordings, and the last one again after that', async () => {
	await using setup = await setUp();
	setup.origin.queue({body: 'pending'}, {body: 'pending'}, {body: 'done'}, {body: 'done'});
	const poll = async (client: Got) => {
		const bodies: string[] = [];
		for (let count = 0; count < 4; count++) {
			bodies.push((await client('job')).body);
		}

		return bodies;
	};

	assert.deepEqual(await assertReplayed(setup, poll), ['pending', 'pending', 'done', 'done']);
	// The last one is not written twice.
	assert.equal(setup.recordings().length, 3);
	const {client} = setup.open();
	assert.deepEqual([...await poll(client), ...await poll(client)].slice(3), Array.from({length: 5}, () => 'done'));
});

test('each hop of a redirect is recorded', async () => {
	await using setup = await setUp();
	setup.origin.queue({status: 302, headers: {location: '/b?token=secret'}}, {status: 307, headers: {location: `${setup.origin.url}/c`}}, {body: 'there'});
	const result = await assertReplayed(setup, async client => {
		const {body, url, redirectUrls} = await client('a');
		return {body, redirects: redirectUrls.length, path: new URL(url).pathname};
	});
	assert.deepEqual(result, {body: 'there', redirects: 2, path: '/c'});
	assert.equal(setup.recordings().length, 3);
	assert.doesNotMatch(JSON.stringify(setup.files()), /secret/v);
});

test('a response that is retried is recorded with the one that follows', async () => {
	await using setup = await setUp();
	setup.origin.queue({status: 503}, {status: 503}, {body: 'up again'});
	const result = await assertReplayed(setup, async client => {
		const {body, retryCount} = await client('a', {retry: {limit: 2, backoffLimit: 1}});
		return {body, retryCount};
	});
	assert.deepEqual(result, {body: 'up again', retryCount: 2});
});

test('an HTTP error is replayed as one, with its body', async () => {
	await using setup = await setUp();
	setup.origin.queue({status: 422, headers: {'content-type': 'application/json'}, body: '{"field":"name"}'});
	const result = await assertReplayed(setup, async client => {
		const [{reason}] = await Promise.allSettled([client.post('a', {json: {}, responseType: 'json'})]) as [{reason?: RequestError}];
		return [reason?.name, reason?.response?.statusCode, reason?.response?.body];
	});
	assert.deepEqual(result, ['HTTPError', 422, {field: 'name'}]);
});

const bodies: Record<string, Uint8Array> = {
	empty: new Uint8Array(),
	'every byte': Uint8Array.from({length: 256}, (_, byte) => byte),
	text: Buffer.from('a line\r\nü 😀\n'),
	latin1: Buffer.from('caf\u{E9}', 'latin1'),
	'compact JSON': Buffer.from(String.raw`{"b":[1,{"a":"ü \u0041 \" "}],"a":1e2,"__proto__":null}`),
	'JSON with whitespace': Buffer.from('{ "a":1,\n"b" : [ ] }'),
	'JSON with many digits': Buffer.from('{"id":12345678901234567890,"a":1.0}'),
	'JSON with a name twice': Buffer.from('{"a":1,"a":2}'),
	'JSON with numbers as names': Buffer.from('{"b":1,"2":1,"1":1}'),
	'no JSON': Buffer.from('{'),
	'a byte order mark': Buffer.from('\u{FEFF}{"a":1}'),
	long: Buffer.alloc(3_000_000, 'abc\u{0}'),
};

for (const [name, body] of Object.entries(bodies)) {
	test(`a body comes back byte by byte: ${name}`, name === 'long' ? unlessFast : {}, async () => {
		await using setup = await setUp();
		const types = ['application/json; charset=utf-8', 'text/plain', 'image/png', undefined];
		const codings: ReadonlyArray<readonly [string | undefined, Uint8Array]> = [
			[undefined, body],
			['gzip', gzipSync(body)],
			['br', brotliCompressSync(body)],
			['unknown', body],
			['gzip', Buffer.from('not gzip')],
		];
		for (const [coding, encoded] of codings) {
			for (const type of types) {
				setup.origin.queue({headers: {...type && {'content-type': type}, ...coding !== undefined && {'content-encoding': coding}}, body: encoded});
			}
		}

		const results = await assertReplayed(setup, async client => {
			const given: Uint8Array[] = [];
			for (const [index, [, encoded]] of codings.entries()) {
				for (const type of types.keys()) {
					const isBroken = Buffer.from(encoded).toString() === 'not gzip';
					const {rawBody} = await client(`a/${index}/${type}`, {decompress: !isBroken});
					given.push(rawBody);
				}
			}

			return given;
		});
		assert.equal(results.length, 20);
		for (const [index, rawBody] of results.entries()) {
			assert.ok(Buffer.from(rawBody).equals(index < 16 ? body : Buffer.from('not gzip')), `${index}`);
		}
	});
}

test('a stream is recorded and replayed, uploads too', async () => {
	await using setup = await setUp();
	const large = Buffer.alloc(2_000_000, 'x');
	setup.origin.handler = ({method, body}, response) => {
		response.writeHead(200, {'content-type': 'text/plain', 'x-length': body.length}).end(method === 'GET' ? large : 'thanks');
	};

	for (const mode of ['record', 'auto'] as const) {
		const results = await assertReplayed(setup, async client => {
			const download = Buffer.concat(await client.stream('large').toArray());
			const upload = client.stream.post('large', {headers: {'content-type': 'text/plain'}});
			for (const part of ['one', 'two', large]) {
				upload.write(part);
			}

			upload.end();
			return [download.equals(large), Buffer.concat(await upload.toArray()).toString(), upload.response?.headers['x-length']];
		}, mode);
		assert.deepEqual(results, [true, 'thanks', String(large.length + 6)]);
	}
});

test('a stream that its reader leaves is no recording', async () => {
	await using setup = await setUp();
	const {client} = setup.open({mode: 'record'});
	setup.origin.handler = (_request, response) => {
		response.writeHead(200).write('x'.repeat(1000));
	};

	const stream = client.stream('endless');
	await stream.iterator({destroyOnReturn: true}).next();
	stream.destroy();
	await nextTurn();
	await setup.origin.stop();
	assert.deepEqual(setup.recordings(), []);
});

test('a response that breaks off is no recording, nor is a failure of the network', async () => {
	await using setup = await setUp();
	const {client} = setup.open({mode: 'record'});
	setup.origin.queue((_request, response) => {
		response.writeHead(200, {'content-length': 100}).write('half');
		setImmediate(() => {
			response.destroy();
		});
	});
	await assert.rejects(client('a'), {name: 'ReadError'});
	await setup.origin.stop();
	await assert.rejects(client('b'), {code: 'ECONNREFUSED'});
	assert.deepEqual(setup.recordings(), []);
});

test('a failure that a person has written in place of a response is replayed', async () => {
	await using setup = await setUp();
	await writeFile(path.join(setup.folder, 'down.json'), JSON.stringify({request: {method: 'get', url: `${setup.origin.url}/a`}, error: {code: 'ECONNRESET', message: 'the line is dead'}}));
	await writeFile(path.join(setup.folder, 'down.2.json'), JSON.stringify({request: {method: 'get', url: `${setup.origin.url}/a`}, response: {status: 200}}));
	const {client} = setup.open();
	await assert.rejects(client('a'), {name: 'RequestError', code: 'ECONNRESET', message: 'the line is dead'});
	assert.equal((await client('a')).statusCode, 200);
	const {client: retrying} = setup.open({}, {retry: {limit: 1, backoffLimit: 1}});
	assert.equal((await retrying('a')).retryCount, 1);
});

test('cookies of a replayed response get into the jar, without their values', async () => {
	await using setup = await setUp();
	setup.origin.handler = ({headers}, response) => {
		response.setHeader('set-cookie', ['session=top-secret; Path=/; HttpOnly; Expires=Wed, 01 Jan 2098 00:00:00 GMT', 'theme=; Max-Age=60', 'old=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT']);
		response.end(headers.cookie === undefined ? 'none' : 'some');
	};

	const scenario = async (client: Got) => {
		const cookieJar = new CookieJar();
		const first = await client('a', {cookieJar});
		const second = await client('b', {cookieJar});
		return [first.body, second.body, (await cookieJar.getCookieString(setup.origin.url)).replace('top-secret', 'REDACTED')];
	};

	assert.deepEqual(await assertReplayed(setup, scenario), ['none', 'some', 'session=REDACTED; theme=']);
	assert.doesNotMatch(JSON.stringify(setup.files()), /top-secret/v);
});

test('pagination is replayed', async () => {
	await using setup = await setUp();
	setup.origin.handler = ({url}, response) => {
		const page = Number(new URL(url, setup.origin.url).searchParams.get('page') ?? 1);
		response.writeHead(200, {'content-type': 'application/json', ...page < 3 && {link: `<${setup.origin.url}/items?page=${page + 1}&api_key=secret>; rel="next"`}});
		response.end(JSON.stringify([page]));
	};

	assert.deepEqual(await assertReplayed(setup, async client => client.paginate.all<number>('items')), [1, 2, 3]);
	assert.doesNotMatch(JSON.stringify(setup.files()), /secret/v);
});

test('a response over HTTP/2 is recorded and replayed', async () => {
	await using setup = await setUp();
	const origin = await startHttp2Origin();
	try {
		origin.queue({headers: {'content-type': 'text/plain'}, body: 'two'}, {status: 201, body: 'posted'}, (stream => {
			beginHttp2(stream, {});
			stream.write('half', () => {
				stream.close(2);
			});
		}));
		const scenario = async (mode: ReplayMode) => {
			const {client} = setup.open({mode}, {prefixUrl: origin.url, http2: true, https: {certificateAuthority: origin.certificate}});
			const [{body, statusCode}, posted] = [await client('a'), await client.post('b', {body: 'x'})];
			return [body, statusCode, posted.body, posted.statusCode];
		};

		const recorded = await scenario('record');
		assert.deepEqual(recorded, ['two', 200, 'posted', 201]);
		assert.equal(origin.requests.length, 2);
		assert.deepEqual(await scenario('replay'), recorded);
		assert.deepEqual(await scenario('auto'), recorded);
		assert.equal(origin.requests.length, 2);
		assert.equal(setup.recordings().length, 2);
		await assert.rejects(setup.open({mode: 'record'}, {prefixUrl: origin.url, http2: true, https: {certificateAuthority: origin.certificate}}).client('c'), {name: /Error/v});
		assert.equal(setup.recordings().length, 2);
	} finally {
		await origin.stop();
	}
});

test('an HTTPS response is replayed without a connection', async () => {
	await using setup = await setUp();
	await writeFile(path.join(setup.folder, 'a.json'), JSON.stringify({request: {method: 'GET', url: 'https://api.example.com/a'}, response: {status: 200, body: 'a.body.txt'}}));
	await writeFile(path.join(setup.folder, 'a.body.txt'), 'hello');
	const client = got.extend(replay({folder: setup.folder}));
	const {body, headers, timings} = await client('https://api.example.com/a');
	assert.deepEqual([body, headers['content-length']], ['hello', '5']);
	assert.ok(Math.abs(Date.parse(headers.date ?? '') - Date.now()) < 60_000);
	assert.notEqual(timings?.phases.total, undefined);
	assert.equal((await client('https://api.example.com/a', {http2: true})).body, 'hello');
});

test('a request function of the user\'s is asked, and what it gives is recorded', async () => {
	await using setup = await setUp();
	const {Readable} = await import('node:stream');
	let count = 0;
	const request = () => {
		count++;
		return Object.assign(Readable.from([Buffer.from('own')]), {statusCode: 203, headers: {'x-own': 'yes'}, rawHeaders: []}) as never;
	};

	const recorded = await setup.open({mode: 'record'}, {request}).client('a');
	const {statusCode, body, headers} = await setup.open({}, {request}).client('a');
	assert.deepEqual([recorded.body, statusCode, body, headers['x-own'], count], ['own', 203, 'own', 'yes', 1]);
});

test('got 15 records and replays', async () => {
	await using setup = await setUp();
	setup.origin.queue({status: 302, headers: {location: '/b'}}, {body: 'fifteen'}, {status: 201});
	const scenario = async (mode: ReplayMode) => {
		const client = got15.extend({prefixUrl: setup.origin.url, retry: {limit: 0}}, replay({folder: setup.folder, mode}) as never);
		return [(await client('a')).body, (await client.post('c', {json: {a: 1}})).statusCode];
	};

	assert.deepEqual(await scenario('record'), ['fifteen', 201]);
	assert.deepEqual(await scenario('replay'), ['fifteen', 201]);
	assert.deepEqual(await scenario('auto'), ['fifteen', 201]);
	assert.equal(setup.origin.requests.length, 3);
});

test('a replayed request is cancelled, and times out, as any other', async () => {
	await using setup = await setUp();
	const {client} = setup.open();
	const controller = new AbortController();
	controller.abort();
	await assert.rejects(client('a', {signal: controller.signal}), {code: 'ERR_ABORTED'});
	await assert.rejects(client('a', {timeout: {request: 10_000, response: 10_000, socket: 10_000, connect: 10_000, lookup: 10_000, send: 10_000, read: 10_000}}), {code: 'ERR_UNRECORDED_REQUEST'});
});

test('the mode \'auto\' records what is missing, and asks nothing else', async () => {
	await using setup = await setUp();
	setup.origin.handler = ({url, body}, response) => {
		response.end(`${url} ${Buffer.from(body).toString()}`);
	};

	const {client} = setup.open({mode: 'auto'});
	await client('a');
	await client.post('a', {body: 'x'});
	const again = setup.open({mode: 'auto'}).client;
	assert.equal((await again('a')).body, '/a ');
	assert.equal((await again.post('a', {body: 'x'})).body, '/a x');
	assert.equal((await again.post('a', {body: 'y'})).body, '/a y');
	assert.equal((await again('b')).body, '/b ');
	assert.deepEqual(setup.origin.requests.map(({method, url, body}) => [method, url, Buffer.from(body).toString()]), [['GET', '/a', ''], ['POST', '/a', 'x'], ['POST', '/a', 'y'], ['GET', '/b', '']]);
	assert.equal(setup.recordings().length, 4);
});

test('the mode \'record\' replaces what was recorded before, and \'unused()\' lists and \'removeUnused()\' removes the rest', async () => {
	await using setup = await setUp();
	const {origin, folder} = setup;
	origin.queue({body: '1'}, {body: '2'}, {headers: {'content-type': 'text/html'}, body: 'page'});
	const first = setup.open({mode: 'record'}).client;
	for (const place of ['a', 'a', 'gone']) {
		await first(place);
	}

	assert.equal(setup.recordings().length, 3);
	origin.queue({headers: {'content-type': 'application/json'}, body: '3'});
	const {client, recorder} = setup.open({mode: 'record'});
	await client('a');
	assert.equal(setup.recordings().length, 2);
	const unused = recorder.unused();
	assert.deepEqual(unused.map(({method, url}) => [method, url]), [['GET', `${origin.url}/gone`]]);
	assert.ok(existsSync(path.join(folder, unused[0]?.file ?? '')));
	assert.deepEqual(recorder.removeUnused(), unused);
	assert.deepEqual(recorder.unused(), []);
	// The body of the former response had another ending.
	assert.deepEqual(Object.keys(setup.files()).map(name => name.replace(/^.*-[\da-f]{12}/v, '')), ['.body.json', '.json']);
});

test('a response that cannot be written fails its request', async () => {
	await using setup = await setUp();
	setup.origin.handler = (_request, response) => {
		response.end('body');
	};

	const file = path.join(setup.folder, 'file');
	await writeFile(file, '');
	for (const mode of ['record', 'auto', 'replay'] as const) {
		await assert.rejects(setup.open({mode, folder: file}).client('a'), {message: /^.*file: the folder of recordings can't be read: ENOTDIR/v});
	}

	// The folder becomes a file while the response is on its way.
	const {client} = setup.open({mode: 'record', folder: path.join(setup.folder, 'later')});
	setup.origin.handler = async (_request, response) => {
		await writeFile(path.join(setup.folder, 'later'), '');
		response.end('body');
	};

	await assert.rejects(client('a'), {message: /EEXIST|ENOTDIR/v});
});

test('two clients of one recorder, and requests that are made with the options of others, are recorded once', async () => {
	await using setup = await setUp();
	setup.origin.handler = (_request, response) => {
		response.end('a');
	};

	const {client, recorder} = setup.open({mode: 'record'});
	const twice = client.extend(recorder);
	const {request} = await twice('a');
	await got(undefined as never, undefined, request.options);
	assert.equal(setup.origin.requests.length, 2);
	assert.equal(setup.recordings().length, 1);
});
