import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {createWriteStream} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {finished, pipeline} from 'node:stream/promises';
import test from 'node:test';
import {brotliCompressSync, deflateSync, gzipSync} from 'node:zlib';
import got, {type HTTPError, type Progress, type Request, type Response} from 'got';
import {cacheInfo, type RedisCacheEvents} from '../../source/index.ts';
import {startOrigin} from '../helpers/origin.ts';
import {
	isGot15,
	passTime,
	setUp,
	settleWrites,
} from './helpers.ts';
import {readStream, type Received} from './read-stream.ts';

const fresh = {'cache-control': 'max-age=60', etag: '"1"'};

const stale = {'cache-control': 'max-age=0', etag: '"1"'};

test('`cacheInfo()` takes the response of a stream', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('content');
	};

	const statuses = [];
	for (let count = 0; count < 2; count++) {
		const stream = client.stream('items');
		await stream.resume().toArray();
		statuses.push(cacheInfo(stream.response)?.status);
	}

	assert.deepEqual(statuses, ['miss', 'hit']);
});

test('a stream fills the cache, and is answered from it', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {...fresh, 'x-many': ['1', '2']}, body: 'content'});

	const first = await readStream(client.stream('items'));
	assert.equal(first.body, 'content');
	assert.equal(first.isFromCache, false);
	assert.equal(first.info?.status, 'miss');
	assert.match(String(first.headers['cache-status']), /^got-redis-cache;fwd=uri-miss;fwd-status=200;.*stored/v);

	const second = await readStream(client.stream('items'));
	assert.deepEqual({status: second.statusCode, body: second.body, isFromCache: second.isFromCache}, {status: 200, body: 'content', isFromCache: true});
	assert.equal(second.headers['x-many'], '1, 2');
	assert.equal(second.headers.etag, '"1"');
	assert.equal(second.info?.status, 'hit');
	assert.match(String(second.headers['cache-status']), /^got-redis-cache;hit;/v);
	assert.equal(origin.requests.length, 1);
});

test('a response that a stream stored answers a promise, and the other way round, in another process too', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: fresh, body: 'by stream'}, {headers: fresh, body: 'by promise'});

	await readStream(client.stream('streamed'));
	await client('awaited');
	await settleWrites(setup);

	const {client: other} = setup.other();
	assert.equal(await other('streamed').text(), 'by stream');
	assert.equal((await readStream(other.stream('awaited'))).body, 'by promise');
	assert.equal(origin.requests.length, 2);
});

const encoders = {gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync};

for (const [coding, encode] of Object.entries(encoders)) {
	test(`a body in ${coding} is stored as the consumer gets it`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const encoded = encode('content');
		origin.handler = (_request, response) => {
			response.writeHead(200, {...fresh, 'content-encoding': coding, 'content-length': encoded.byteLength}).end(encoded);
		};

		for (const isFromCache of [false, true]) {
			const received = await readStream(client.stream('items'));
			assert.equal(received.body, 'content');
			assert.equal(received.isFromCache, isFromCache);
			assert.equal(received.headers['content-encoding'], undefined);
		}

		for (const isFromCache of [false, true]) {
			const received = await readStream(client.stream('items', {decompress: false}));
			assert.equal(received.body, encoded.toString('latin1'));
			assert.equal(received.isFromCache, isFromCache);
			assert.equal(received.headers['content-encoding'], coding);
		}

		assert.equal(origin.requests.length, 2);
	});
}

for (const memory of [false, 1_000_000] as const) {
	test(`a request that begins in the moment a stream ends is answered with the response of the stream (memory: ${memory})`, async () => {
		await using setup = await setUp({memory});
		const {client, origin} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, fresh).end('content');
		};

		const statuses = [];
		for (let count = 0; count < 50; count++) {
			const stream = client.stream(`items/${count}`).resume();
			await once(stream, 'end');
			statuses.push(cacheInfo(await client(`items/${count}`))?.status);
		}

		assert.deepEqual(new Set(statuses), new Set(['hit']));
		assert.equal(origin.requests.length, 50);
	});
}

test('HEAD is answered and stored without a body', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {...fresh, 'content-length': '7'}});

	for (const isFromCache of [false, true]) {
		const received = await readStream(client.stream.head('items'));
		assert.deepEqual({body: received.body, length: received.headers['content-length'], isFromCache: received.isFromCache}, {body: '', length: '7', isFromCache});
		// A stream is stored after its end.
		await settleWrites(setup);
	}

	assert.equal(origin.requests.length, 1);
});

test('progress is told on a miss and on a hit', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {...fresh, 'content-length': '7'}, body: 'content'});

	for (const isFromCache of [false, true]) {
		const stream = client.stream('items');
		const progress: Progress[] = [];
		stream.on('downloadProgress', (each: Progress) => progress.push(each));
		const received = await readStream(stream);
		assert.equal(received.isFromCache, isFromCache);
		assert.deepEqual([progress[0], progress.at(-1)], [{percent: 0, transferred: 0, total: 7}, {percent: 1, transferred: 7, total: 7}]);
	}
});

test('a hit is piped into a file', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const content = 'x'.repeat(300_000);
	origin.queue({headers: fresh, body: content});
	const directory = await mkdtemp(path.join(tmpdir(), 'stream-test-'));
	try {
		for (const name of ['miss', 'hit']) {
			const file = path.join(directory, name);
			await pipeline(client.stream('items'), createWriteStream(file));
			assert.equal(await readFile(file, 'utf8'), content);
		}
	} finally {
		await rm(directory, {recursive: true});
	}

	assert.equal(origin.requests.length, 1);
});

test('a stream is piped into a server’s response with status and header', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{status: 203, headers: {...stale, 'x-origin': 'yes'}, body: 'content'},
		{status: 304, headers: {etag: '"1"'}},
		{status: 304, headers: {...fresh, etag: '"1"'}},
	);
	const gateway = createServer((_request, response) => {
		client.stream('items').pipe(response);
	}).listen(0, '127.0.0.1');
	await once(gateway, 'listening');
	try {
		const {port} = gateway.address() as AddressInfo;
		for (const status of ['fwd=uri-miss', 'fwd=stale', 'fwd=stale', 'hit']) {
			const response = await got(`http://127.0.0.1:${port}`);
			assert.deepEqual({status: response.statusCode, body: response.body, header: response.headers['x-origin']}, {status: 203, body: 'content', header: 'yes'});
			assert.match(String(response.headers['cache-status']), new RegExp(status, 'v'));
		}
	} finally {
		gateway.close();
		gateway.closeAllConnections();
	}

	assert.equal(origin.requests.length, 3);
});

test('a miss reaches the consumer with its first byte, not with its last', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const {promise: isRead, resolve: read} = Promise.withResolvers<void>();
	origin.handler = async (_request, response) => {
		response.writeHead(200, fresh).write('first ');
		// The rest is sent only to who has read the beginning.
		await isRead;
		response.end('last');
	};

	let body = '';
	for await (const chunk of client.stream('items')) {
		body += String(chunk);
		read();
	}

	assert.equal(body, 'first last');
	assert.equal((await readStream(client.stream('items'))).isFromCache, true);
});

test('a stale response is validated: the consumer sees it, never the 304', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {...stale, 'x-version': '1'}, body: 'content'}, {status: 304, headers: {...fresh, 'x-version': '2'}});
	await readStream(client.stream('items'));

	const stream = client.stream('items', {headers: {'x-mine': 'yes'}});
	const {statusCode, headers, body, isFromCache, info} = await readStream(stream);
	assert.deepEqual({statusCode, body, isFromCache, version: headers['x-version'], status: info?.status}, {
		statusCode: 200,
		body: 'content',
		isFromCache: true,
		version: '2',
		status: 'revalidated',
	});
	assert.match(String(headers['cache-status']), /fwd=stale;fwd-status=304;.*stored/v);
	assert.equal(origin.requests[1]?.headers['if-none-match'], '"1"');
	assert.equal(stream.options.headers['if-none-match'], undefined);

	// Freshened.
	assert.equal((await readStream(client.stream('items'))).info?.status, 'hit');
	assert.equal(origin.requests.length, 2);
});

test('a stale response that was replaced at the origin is replaced here', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: stale, body: 'old'}, {headers: {...fresh, etag: '"2"'}, body: 'new'});
	await readStream(client.stream('items'));

	const {body, isFromCache, info} = await readStream(client.stream('items'));
	assert.deepEqual({body, isFromCache, status: info?.status}, {body: 'new', isFromCache: false, status: 'miss'});
	assert.equal((await readStream(client.stream('items'))).body, 'new');
	assert.equal(origin.requests.length, 2);
});

test('a 304 that speaks of something else is asked about again, without validators', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: stale, body: 'old'}, {status: 304, headers: {etag: '"other"'}}, {headers: {...fresh, etag: '"2"'}, body: 'new'});
	await readStream(client.stream('items'));

	const {statusCode, body, isFromCache} = await readStream(client.stream('items'));
	assert.deepEqual({statusCode, body, isFromCache}, {statusCode: 200, body: 'new', isFromCache: false});
	assert.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, '"1"', undefined]);
	assert.equal((await readStream(client.stream('items'))).body, 'new');
	assert.equal(origin.requests.length, 3);
});

for (const [name, fail, expected] of [
	['is refused', 'destroy', 'ECONNRESET'],
	['is never answered', 'wait', 'ETIMEDOUT'],
] as const) {
	test(`an error is the consumer’s where the second question ${name}`, async ({mock}) => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const {promise: isClosed, resolve: closed} = Promise.withResolvers<void>();
		const {promise: isAsked, resolve: asked} = Promise.withResolvers<void>();
		origin.queue({headers: stale, body: 'old'}, {status: 304, headers: {etag: '"other"'}}, (_request, response) => {
			response.once('close', closed);
			if (fail === 'destroy') {
				response.destroy();
			}

			asked();
		});
		await readStream(client.stream('items'));

		// The time passes once it has come so far.
		mock.timers.enable({apis: ['setTimeout']});
		const rejection = assert.rejects(readStream(client.stream('items', {timeout: {request: 200}})), {code: expected});
		await isAsked;
		await (fail === 'wait' ? passTime(mock, rejection) : rejection);
		// Nothing goes on behind his back.
		await isClosed;
		assert.equal(origin.requests.length, 3);
	});
}

test('the consumer’s own precondition is answered as he asked', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: stale, body: 'content'}, {status: 304, headers: {...fresh, etag: '"1"'}});
	await readStream(client.stream('items'));
	const own = {headers: {'if-none-match': '"1"'}};

	const asked = await readStream(client.stream('items', own));
	assert.deepEqual({status: asked.statusCode, body: asked.body, isFromCache: asked.isFromCache}, {status: 304, body: '', isFromCache: false});

	// The 304 has freshened what is stored.
	const answered = await readStream(client.stream('items', own));
	assert.deepEqual({status: answered.statusCode, isFromCache: answered.isFromCache}, {status: 304, isFromCache: true});
	assert.equal((await readStream(client.stream('items'))).body, 'content');
	assert.equal(origin.requests.length, 2);
});

test('each hop of a redirect is an exchange of its own', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{status: 302, headers: {...stale, location: '/target'}, body: 'this way'},
		{headers: stale, body: 'target'},
		{status: 304, headers: {etag: '"1"'}},
		{status: 304, headers: {etag: '"1"'}},
	);

	for (const status of ['miss', 'revalidated']) {
		const stream = client.stream('moved');
		const redirects: unknown[] = [];
		stream.on('redirect', (_options, {statusCode}: Response) => redirects.push(statusCode));
		const received = await readStream(stream);
		assert.deepEqual({status: received.info?.status, body: received.body, redirects}, {status, body: 'target', redirects: [302]});
		assert.deepEqual(stream.redirectUrls.map(String), [`${origin.url}/target`]);
	}

	assert.deepEqual(origin.requests.map(({url}) => url), ['/moved', '/target', '/moved', '/target']);
	assert.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, undefined, '"1"', '"1"']);
});

test('a stored redirect that is fresh is followed without asking', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({status: 301, headers: {...fresh, location: '/target'}}, {headers: fresh, body: 'target'});

	for (const isFromCache of [false, true]) {
		const stream = client.stream('moved');
		const received = await readStream(stream);
		assert.deepEqual({body: received.body, isFromCache: received.isFromCache, url: stream.response?.url}, {body: 'target', isFromCache, url: `${origin.url}/target`});
	}

	assert.equal(origin.requests.length, 2);
});

test('an error status fails a stream, and is stored where it may be', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({status: 404, headers: fresh, body: 'nothing here'});

	for (const status of ['miss', 'hit']) {
		const stream = client.stream('items');
		await assert.rejects(readStream(stream), (error: HTTPError) => {
			assert.equal(error.name, 'HTTPError');
			assert.equal(error.response.body, 'nothing here');
			assert.equal(cacheInfo(error.response)?.status, status);
			assert.match(String(error.response.headers['cache-status']), status === 'hit' ? /hit/v : /stored/v);
			return true;
		});
	}

	const {statusCode, body, isFromCache} = await readStream(client.stream('items', {throwHttpErrors: false}));
	assert.deepEqual({statusCode, body, isFromCache}, {statusCode: 404, body: 'nothing here', isFromCache: true});
	assert.equal(origin.requests.length, 1);
});

test('the attempt of a consumer who retries uses the cache as the first one did', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: stale, body: 'old'}, {status: 503}, {status: 304, headers: {...fresh, etag: '"1"'}});
	await readStream(client.stream('items'));

	const read = async (stream: Request): Promise<Received> => new Promise((resolve, reject) => {
		stream.once('retry', (_count: number, _error: unknown, createRetryStream: () => Request) => {
			resolve(read(createRetryStream()));
		});
		readStream(stream).then(resolve).catch(reject);
	});

	const {body, info} = await read(client.stream('items', {retry: {limit: 1, backoffLimit: 1}}));
	assert.deepEqual({body, status: info?.status}, {body: 'old', status: 'revalidated'});
	assert.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, '"1"', '"1"']);
	assert.equal((await readStream(client.stream('items'))).info?.status, 'hit');
});

test('a retry is the consumer’s alone: the cache adds no listener', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const plain = got.extend({prefixUrl: origin.url, retry: {limit: 0}});
	origin.handler = (_request, response) => {
		response.writeHead(200, fresh).end('content');
	};

	const listeners = (stream: Request) => Object.fromEntries(stream.eventNames().map(name => [name, stream.listenerCount(name)]));
	const [cached, uncached] = [client.stream('items'), plain.stream('items')];
	assert.deepEqual(listeners(cached), listeners(uncached));
	assert.deepEqual(Object.keys(cached), Object.keys(uncached));
	cached.once('retry', () => undefined);
	await Promise.all([readStream(cached), readStream(uncached)]);
});

test('a successful upload purges what is stored, before its response is told', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({method, body}, response) => {
		response.writeHead(200, fresh).end(`${method} ${Buffer.from(body).toString()}`);
	};

	await readStream(client.stream('items'));
	const upload = client.stream.post('items');
	upload.end('new');
	const [response] = await once(upload, 'response') as [Response];
	assert.equal(response.statusCode, 200);
	assert.equal(await client('items').text(), 'GET ');
	assert.equal(origin.requests.length, 3);

	upload.resume();
	await finished(upload);
});

test('the content of a piped QUERY is not part of the key, so it is not answered from the cache', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({body}, response) => {
		response.writeHead(200, fresh).end(Buffer.from(body).toString());
	};

	for (const content of ['one', 'two']) {
		const stream = client.stream('items', {method: 'QUERY'});
		stream.end(content);
		assert.equal((await readStream(stream)).body, content);
	}

	assert.equal(origin.requests.length, 2);
});

test('a missing part is asked for as the consumer asked', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({headers}, response) => {
		const {first, last} = /^bytes=(?<first>\d+)-(?<last>\d+)$/v.exec(String(headers.range))!.groups!; // The test asks for one range.
		const part = '0123456789'.slice(Number(first), Number(last) + 1);
		response.writeHead(206, {...fresh, 'content-range': `bytes ${first}-${last}/10`}).end(part);
	};

	const ask = async (range: string) => {
		const {statusCode, body, isFromCache} = await readStream(client.stream('items', {headers: {range}}));
		return {statusCode, body, isFromCache};
	};

	assert.deepEqual(await ask('bytes=0-4'), {statusCode: 206, body: '01234', isFromCache: false});
	assert.deepEqual(await ask('bytes=1-3'), {statusCode: 206, body: '123', isFromCache: true});
	assert.deepEqual(await ask('bytes=3-7'), {statusCode: 206, body: '34567', isFromCache: false});
	assert.deepEqual(origin.requests.map(({headers}) => headers.range), ['bytes=0-4', 'bytes=3-7']);
	assert.deepEqual(await ask('bytes=0-7'), {statusCode: 206, body: '01234567', isFromCache: true});
});

test('a missing part of what has changed in the meantime is the consumer’s as it comes', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const part = (etag: string, body: string, range: string) => ({status: 206, headers: {...fresh, etag, 'content-range': `bytes ${range}/10`}, body});
	origin.queue(part('"1"', '01234', '0-4'), part('"2"', 'defgh', '3-7'));

	await readStream(client.stream('items', {headers: {range: 'bytes=0-4'}}));
	const {statusCode, body} = await readStream(client.stream('items', {headers: {range: 'bytes=3-7'}}));
	assert.deepEqual({statusCode, body}, {statusCode: 206, body: 'defgh'});
	assert.equal(origin.requests.length, 2);
});

test('a stream is refreshed in the background', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=0, stale-while-revalidate=60', etag: '"1"'}, body: 'old'});
	await readStream(client.stream('items'));
	const {promise: isAsked, resolve: asked} = Promise.withResolvers<void>();
	origin.queue((_request, response) => {
		response.writeHead(200, fresh).end('new');
		response.once('finish', asked);
	});

	assert.equal((await readStream(client.stream('items'))).body, 'old');
	await isAsked;
	let body;
	do {
		body = await client('items').text();
	} while (body === 'old');

	assert.equal(body, 'new');
	assert.equal(origin.requests.length, 2);
});

test('a cookie jar is given what the origin says now, not what it once said', async () => {
	// Got 15 loses the body of a stream while it waits for its cookie jar.
	if (isGot15) {
		return;
	}

	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{headers: {'cache-control': 'public, max-age=0', etag: '"1"', 'set-cookie': 'first=1'}, body: 'content'},
		{status: 304, headers: {etag: '"1"'}},
		{status: 304, headers: {'cache-control': 'public, max-age=60', etag: '"1"', 'set-cookie': 'second=2'}},
	);
	const given: string[] = [];
	const cookieJar = {
		async getCookieString() {
			return '';
		},
		async setCookie(cookie: string) {
			given.push(cookie);
		},
	};

	const seen = [];
	for (let count = 0; count < 4; count++) {
		const {headers, body} = await readStream(client.stream('items', {cookieJar}));
		assert.equal(body, 'content');
		seen.push(headers['set-cookie']);
	}

	assert.deepEqual(given, ['first=1', 'second=2']);
	assert.deepEqual(seen, [['first=1'], ['first=1'], ['second=2'], ['second=2']]);
	assert.equal(origin.requests.length, 3);
});

test('the cache twice is the cache once', async () => {
	await using setup = await setUp();
	const {client, cache, origin} = setup;
	const other = setup.other().cache;
	origin.queue({headers: stale, body: 'content'}, {status: 304, headers: {...fresh, etag: '"1"'}});
	const twice = client.extend(cache, other, other);

	for (const status of ['miss', 'revalidated', 'hit']) {
		const {body, info, headers} = await readStream(twice.stream('items'));
		assert.deepEqual({body, status: info?.status}, {body: 'content', status});
		assert.doesNotMatch(String(headers['cache-status']), /,/v);
	}

	assert.equal(origin.requests.length, 2);
});

test('a validator is added where the answer can be replaced: not without the handler of the cache, but with a request function of the user\'s', async () => {
	await using setup = await setUp();
	const {client, cache, origin} = setup;
	origin.queue({headers: stale, body: 'content'});
	await readStream(client.stream('items'));
	origin.handler = ({headers}, response) => {
		response.writeHead(headers['if-none-match'] ? 304 : 200, stale).end('content');
	};

	const withoutHandler = got.extend({prefixUrl: origin.url, hooks: cache.hooks});
	assert.equal((await readStream(withoutHandler.stream('items'))).statusCode, 200);
	assert.equal(origin.requests.at(-1)?.headers['if-none-match'], undefined);
	const request = () => undefined;
	const {statusCode, body, info} = await readStream(client.stream('items', {request}));
	assert.deepEqual([statusCode, body, info?.status], [200, 'content', 'revalidated']);
	assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
});

test('a filter that throws fails the stream with its error', async () => {
	await using setup = await setUp({
		filter(_request, response) {
			if (response) {
				throw new Error('of the user’s');
			}

			return true;
		},
	});
	const {client, origin} = setup;
	origin.queue({headers: fresh, body: 'content'});

	await assert.rejects(readStream(client.stream('items')), {message: 'The function `filter` of redisCache() threw: of the user’s'});
});

test('a store that is down costs a stream nothing', async () => {
	await using origin = await startOrigin((_request, response) => {
		response.writeHead(200, fresh).end('content');
	});
	await using setup = await setUp();
	const errors: Array<RedisCacheEvents['error']> = [];
	setup.cache.on('error', error => errors.push([error]));
	await setup.redis.kill();

	for (let count = 0; count < 2; count++) {
		const {body, isFromCache} = await readStream(setup.client.stream(origin.url, {prefixUrl: ''}));
		assert.deepEqual({body, isFromCache}, {body: 'content', isFromCache: false});
	}

	assert.equal(origin.requests.length, 2);
});
