import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {getEventListeners, once} from 'node:events';
import {IncomingMessage, type ServerResponse} from 'node:http';
import {Readable, Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'node:test';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import got, {type OptionsInit, type Request, type Response} from 'got';
import {cacheInfo, type CacheInfo} from '../../source/index.ts';
import type {Handler} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

const fresh = {'cache-control': 'max-age=60', etag: '"1"'};

/** Of responses. */
const storedKeys = async (setup: Setup): Promise<string[]> => {
	await settleWrites(setup);
	const keys = await setup.redis.client.keys('*');
	// What a purge would change is there before anything is stored.
	return keys.filter(key => !/\{origin:|:guard$/v.test(key));
};

/** Sends the head and half of the body; the rest is `finish`'s business. */
const half = (headers: Record<string, string | number>, finish?: (response: ServerResponse) => void): Handler => (_request, response) => {
	response.writeHead(200, {...fresh, ...headers});
	response.write('half ', () => finish?.(response));
};

const destroy = (response: ServerResponse) => {
	response.destroy();
};

const cut = (content: Uint8Array, headers: Record<string, string | number> = {}): Handler => (_request, response) => {
	response.writeHead(200, {...fresh, ...headers}).end(content);
};

type BrokenCase = {
	readonly handler: Handler;
	readonly options?: OptionsInit;
	/** What the consumer does with the first chunk. */
	readonly onData?: (stream: Request) => void;
};

const text = 'content '.repeat(10_000);

const broken: Record<string, BrokenCase> = {
	'is cut short of its Content-Length': {handler: half({'content-length': 100}, destroy)},
	'is cut short between two chunks': {handler: half({}, destroy)},
	'is cut short, compressed': {handler: half({'content-encoding': 'gzip', 'content-length': 100}, destroy)},
	'ends in the middle of gzip': {handler: cut(gzipSync(text).subarray(0, -10), {'content-encoding': 'gzip'})},
	'ends in the middle of brotli': {handler: cut(brotliCompressSync(text).subarray(0, -3), {'content-encoding': 'br'})},
	'is no gzip at all': {handler: cut(Buffer.from('plain'), {'content-encoding': 'gzip'})},
	'takes longer than the timeout': {handler: half({}), options: {timeout: {read: 50}}},
	'stops for longer than the timeout': {handler: half({}), options: {timeout: {socket: 50}}},
	'is still coming when the request times out': {handler: half({}), options: {timeout: {request: 200}}},
	'is left by its consumer': {
		handler: half({}),
		onData(stream) {
			stream.destroy();
		},
	},
	'is left by its consumer with an error': {
		handler: half({}),
		onData(stream) {
			stream.destroy(new Error('enough'));
		},
	},
	'is left by its consumer when all of it has arrived': {
		handler: cut(Buffer.alloc(150_000)),
		onData(stream) {
			stream.destroy();
		},
	},
	'comes with two different lengths': {
		handler(_request, response) {
			response.socket?.end('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody');
		},
	},
};

const outcomeOf = async (stream: Request, onData?: (stream: Request) => void): Promise<'read' | {name: string; code: string | undefined}> => {
	try {
		for await (const _chunk of stream) {
			onData?.(stream);
		}

		return 'read';
	} catch (error) {
		const {name, code} = error as NodeJS.ErrnoException;
		return {name, code};
	}
};

for (const [name, {handler, options, onData}] of Object.entries(broken)) {
	test(`a body that ${name} fails as it does without the cache, and is not stored`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const plain = got.extend({prefixUrl: origin.url, retry: {limit: 0}});
		origin.handler = handler;

		const expected = await outcomeOf(plain.stream('items', options), onData);
		assert.deepEqual(await outcomeOf(client.stream('items', options), onData), expected);
		assert.notEqual(expected, 'read');
		assert.deepEqual(await storedKeys(setup), []);
	});
}

test('a body that its consumer aborts is not stored, and its signal is left alone', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = half({});
	const controller = new AbortController();
	const stream = client.stream('items', {signal: controller.signal});

	assert.deepEqual(await outcomeOf(stream, () => {
		controller.abort();
	}), {name: 'AbortError', code: 'ERR_ABORTED'});
	assert.deepEqual(await storedKeys(setup), []);
	assert.deepEqual(getEventListeners(controller.signal, 'abort'), []);
});

test('a body that its consumer cannot take is not stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = cut(Buffer.alloc(1_000_000));
	const full = new Writable({
		write(_chunk, _encoding, callback) {
			callback(new Error('disk full'));
		},
	});

	await assert.rejects(pipeline(client.stream('items'), full), {message: 'disk full'});
	assert.deepEqual(await storedKeys(setup), []);
});

test('a signal that many streams share keeps no listener of theirs', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{headers: {...fresh, 'cache-control': 'max-age=0, stale-if-error=60'}, body: 'content'},
		{status: 304, headers: {etag: '"1"'}},
		{status: 503},
		(_request, response) => {
			response.destroy();
		},
		{status: 304, headers: {...fresh}},
	);
	const {signal} = new AbortController();

	for (const status of ['miss', 'revalidated', 'stale', 'stale', 'revalidated', 'hit']) {
		assert.equal((await readStream(client.stream('items', {signal}))).info?.status, status);
	}

	assert.deepEqual(getEventListeners(signal, 'abort'), []);
});

const lengths: Record<string, (body: Uint8Array) => Handler> = {
	'with Content-Length': body => cut(body, {'content-length': body.byteLength}),
	'in chunks': body => (_request, response) => {
		response.writeHead(200, fresh).write(body.subarray(0, 1));
		response.end(body.subarray(1));
	},
	compressed: body => cut(gzipSync(body), {'content-encoding': 'gzip'}),
};

for (const [name, make] of Object.entries(lengths)) {
	test(`a body of \`maxBodySize\` is stored, a larger one passes through untouched (${name})`, async () => {
		await using setup = await setUp({maxBodySize: 100_000});
		const {client, origin} = setup;
		const [fits, exceeds] = ['a'.repeat(100_000), 'b'.repeat(100_001)];

		origin.handler = make(Buffer.from(fits));
		assert.equal((await readStream(client.stream('fits'))).body, fits);
		const hit = await readStream(client.stream('fits'));
		assert.deepEqual({isFromCache: hit.isFromCache, isSame: hit.body === fits}, {isFromCache: true, isSame: true});

		origin.handler = make(Buffer.from(exceeds));
		const {body, info} = await readStream(client.stream('exceeds'));
		assert.deepEqual({isSame: body === exceeds, notStored: info?.notStored}, {isSame: true, notStored: 'too-large'});
		assert.equal((await readStream(client.stream('exceeds'))).isFromCache, false);
		assert.equal(origin.requests.length, 3);
	});
}

test('a gzip bomb is kept no further than `maxBodySize`', async () => {
	await using setup = await setUp({maxBodySize: 100_000});
	const {client, origin} = setup;
	const bomb = gzipSync(Buffer.alloc(50_000_000));
	assert.ok(bomb.byteLength < 100_000);
	origin.handler = cut(bomb, {'content-encoding': 'gzip', 'content-length': bomb.byteLength});

	const stream = client.stream('items');
	const [response] = await once(stream, 'response') as [Response & Readable];
	assert.equal(response.listenerCount('data'), 1);
	const seen = new Map<number, CacheInfo['notStored']>();
	let size = 0;
	for await (const chunk of stream) {
		size += (chunk as Uint8Array).byteLength;
		seen.set(response.listenerCount('data'), cacheInfo(response)?.notStored);
	}

	assert.equal(size, 50_000_000);
	// Nobody collects any more, long before the end.
	assert.deepEqual([...seen], [[1, undefined], [0, 'too-large']]);
	assert.deepEqual(await storedKeys(setup), []);
});

test('an origin that never ends is read for as long as the consumer likes', async () => {
	await using setup = await setUp({maxBodySize: 100_000});
	const {client, origin} = setup;
	const {promise: isClosed, resolve: closed} = Promise.withResolvers<void>();
	origin.handler = (_request, response) => {
		response.writeHead(200, fresh);
		const write = () => {
			while (response.write(Buffer.alloc(65_536))) {
				// As much as fits.
			}
		};

		response.on('drain', write).once('close', closed);
		write();
	};

	let size = 0;
	const stream = client.stream('items');
	for await (const chunk of stream) {
		size += (chunk as Uint8Array).byteLength;
		if (size > 20_000_000) {
			break;
		}
	}

	await isClosed;
	assert.deepEqual(await storedKeys(setup), []);
});

test('ten thousand chunks of a byte each are stored as one body', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, fresh);
		for (let index = 0; index < 10_000; index++) {
			response.write(String(index % 10));
		}

		response.end();
	};

	const expected = '0123456789'.repeat(1000);
	for (const isFromCache of [false, true]) {
		const received = await readStream(client.stream('items'));
		assert.equal(received.body, expected);
		assert.equal(received.isFromCache, isFromCache);
	}

	assert.equal(origin.requests.length, 1);
});

test('the consumer sets the pace', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const size = 12_000_000;
	const {promise: isBlocked, resolve: blocked} = Promise.withResolvers<void>();
	let sent = 0;
	origin.handler = (_request, response) => {
		response.writeHead(200, {...fresh, 'content-length': size});
		const write = () => {
			while (sent < size) {
				sent += 100_000;
				if (!response.write(Buffer.alloc(100_000, 'x'))) {
					blocked();
					return;
				}
			}

			response.end();
		};

		response.on('drain', write);
		write();
	};

	const stream = client.stream('items');
	const [response] = await once(stream, 'response') as [Response & Readable];
	await isBlocked;
	for (let turn = 0; turn < 100; turn++) {
		await nextTurn();
	}

	// Nothing flows while nobody reads.
	assert.equal(response.readableFlowing, false);
	assert.ok(response.readableLength < 1_000_000);
	assert.ok(sent < size);

	let received = 0;
	for await (const chunk of stream) {
		received += (chunk as Uint8Array).byteLength;
	}

	assert.equal(received, size);
	assert.equal((await readStream(client.stream('items'))).body, 'x'.repeat(size));
	assert.equal(origin.requests.length, 1);
});

test('a consumer\'s changes to its bytes are not stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = cut(Buffer.from('content'));

	for await (const chunk of client.stream('items')) {
		(chunk as Uint8Array).fill(0);
	}

	for (let count = 0; count < 2; count++) {
		assert.equal((await readStream(client.stream('items'))).body, 'content');
	}

	assert.equal(origin.requests.length, 1);
});

test('bytes that the consumer has decoded in got’s place are not stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = cut(Buffer.from([0xFF, 0xFE]));
	const stream = client.stream('items');
	stream.once('response', (response: Readable) => response.setEncoding('utf8'));

	await outcomeOf(stream);
	assert.deepEqual(await storedKeys(setup), []);
});

test('a body that the cache could not see all of is not stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = cut(Buffer.from('content'));
	const stream = client.stream('items');
	stream.once('response', (response: Readable) => response.removeAllListeners('data'));

	assert.equal((await readStream(stream)).body, 'content');
	assert.deepEqual(await storedKeys(setup), []);
});

test('a body that says of itself that it is not complete is not stored', async () => {
	await using setup = await setUp();
	const body = Object.assign(Readable.from([Buffer.from('content')]), {statusCode: 200, headers: fresh, rawHeaders: Object.entries(fresh).flat(), complete: false});

	assert.equal((await readStream(setup.client.stream('items', {request: () => body as never}))).body, 'content');
	assert.deepEqual(await storedKeys(setup), []);
});

/** What a request function of the user's may give got in place of a request. */
const responseLike = (headers: Record<string, string>, body: string, statusCode = 200): IncomingMessage => {
	const message = new IncomingMessage(null as never);
	Object.assign(message, {statusCode, headers, rawHeaders: Object.entries(headers).flat(), httpVersion: '1.1', complete: true});
	message._read = () => undefined;
	message.push(body);
	message.push(null);

	return message;
};

test('a response of the user’s own making is stored, unless it is shorter than it says', async () => {
	await using setup = await setUp();
	const {client} = setup;
	const options = (length: string): OptionsInit => ({
		strictContentLength: false,
		request: () => responseLike({...fresh, 'content-length': length}, 'content'),
	});

	assert.equal((await readStream(client.stream('short', options('8')))).body, 'content');
	assert.deepEqual(await storedKeys(setup), []);
	assert.equal((await readStream(client.stream('whole', options('7')))).body, 'content');
	assert.equal((await readStream(client.stream('whole'))).info?.status, 'hit');
});

test('a response-like without a header fails as it does without the cache', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const plain = got.extend({prefixUrl: origin.url, retry: {limit: 0}});
	const options: OptionsInit = {request: () => Readable.from(['content']) as never};

	const expected = await outcomeOf(plain.stream('items', options));
	assert.deepEqual(await outcomeOf(client.stream('items', options)), expected);
	assert.deepEqual(await storedKeys(setup), []);
});
