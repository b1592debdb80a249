import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {request as httpRequest, type ServerResponse} from 'node:http';
import process from 'node:process';
import {Readable} from 'node:stream';
import test, {suite} from 'node:test';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {gzipSync} from 'node:zlib';
import got, {type Got, type OptionsInit, type RequestError, type RequestPromise, type Response} from 'got';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import type {Handler} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

const fresh = {'cache-control': 'max-age=60', etag: '"1"'};

const bombBytes = 40_000_000;
const bomb = gzipSync(Buffer.alloc(bombBytes));

const raw = (...lines: string[]): Handler => (_request, response) => {
	response.socket?.end([...lines, '', 'body'].join('\r\n'));
};

/** Writes for as long as anybody reads. */
const flood = (response: ServerResponse, chunk: Uint8Array) => {
	const write = () => {
		while (response.write(chunk)) {
			// As much as fits.
		}
	};

	response.on('drain', write);
	write();
};

/** A response of a request function's own, with no more to it than this. */
const responseLike = (properties: Record<string, unknown>): OptionsInit => ({
	request: () => Object.assign(Readable.from([Buffer.from('content')]), properties) as never,
});

type Way = 'promise' | 'stream';

type Case = {
	readonly handler?: Handler;
	readonly options?: OptionsInit;
	readonly cache?: RedisCacheOptions;
	/** Default: nothing is. */
	readonly isStored?: boolean;
	/** Default: all. */
	readonly ways?: readonly Way[];
};

const cases: Record<string, Case> = {
	'a response-like without anything': {options: responseLike({})},
	'a response-like without header fields': {options: responseLike({statusCode: 200})},
	'a response-like with header fields that are none': {options: responseLike({statusCode: 200, headers: null, rawHeaders: null})},
	// To a promise, got says so itself wherever there is a hook that it would have to be given.
	'a response-like without a status code': {options: responseLike({headers: fresh}), ways: ['stream']},
	'two different lengths': {handler: raw('HTTP/1.1 200 OK', 'Cache-Control: max-age=60', 'Content-Length: 4', 'Content-Length: 5')},
	'two different lengths in one field': {handler: raw('HTTP/1.1 200 OK', 'Cache-Control: max-age=60', 'Content-Length: 4, 5')},
	'two different lengths, to a lenient parser': {
		handler: raw('HTTP/1.1 200 OK', 'Cache-Control: max-age=60', 'Content-Length: 4', 'Content-Length: 5'),
		options: {request: (url, options, callback) => httpRequest(url, {...options, insecureHTTPParser: true} as never, callback as never)},
	},
	'a length beside chunks': {handler: raw('HTTP/1.1 200 OK', 'Cache-Control: max-age=60', 'Content-Length: 4', 'Transfer-Encoding: chunked')},
	'no status line': {handler: raw('nonsense')},
	'ten thousand chunks of a byte each': {
		handler(_request, response) {
			response.writeHead(200, fresh);
			for (let index = 0; index < 10_000; index++) {
				response.write(String(index % 10));
			}

			response.end();
		},
		isStored: true,
	},
	'a gzip bomb': {
		handler(_request, response) {
			response.writeHead(200, {...fresh, 'content-encoding': 'gzip', 'content-length': bomb.byteLength}).end(bomb);
		},
		cache: {maxBodySize: 100_000},
	},
	'an origin that never begins': {handler: () => undefined, options: {timeout: {request: 300}}},
	'an origin that never ends its header': {
		handler(_request, response) {
			response.socket?.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX-Long: ');
			const timer = setInterval(() => response.socket?.write('x'), 20);
			response.socket?.once('close', () => {
				clearInterval(timer);
			});
		},
		options: {timeout: {request: 300}},
	},
	'an origin that never ends': {
		handler(_request, response) {
			response.writeHead(200, fresh);
			const timer = setInterval(() => response.write('x'), 20);
			response.once('close', () => {
				clearInterval(timer);
			});
		},
		options: {timeout: {request: 300}},
	},
	'an origin that never ends in one go': {
		handler(_request, response) {
			response.writeHead(200, fresh);
			flood(response, Buffer.alloc(1000, 'x'));
		},
		options: {timeout: {request: 300}},
		cache: {maxBodySize: 100_000},
	},
};

/** Of responses. */
const storedKeys = async (setup: Setup): Promise<string[]> => {
	await settleWrites(setup);
	const keys = await setup.redis.client.keys('*');
	// What a purge would change is there before anything is stored.
	return keys.filter(key => !/\{origin:|:guard$/v.test(key));
};

const outcomeOf = async (answer: () => Promise<Pick<Response, 'statusCode' | 'body'>>) => {
	try {
		const {statusCode, body} = await answer();
		return {statusCode, body};
	} catch (error) {
		const {name, code, message} = error as RequestError;
		return {name, code, message};
	}
};

const calls: Record<Way, (client: Got, options: OptionsInit) => ReturnType<typeof outcomeOf>> = {
	promise: async (client, options) => outcomeOf(async () => client('items', options) as unknown as RequestPromise<Response>),
	stream: async (client, options) => outcomeOf(async () => readStream(client.stream('items', options))),
};

await suite('bad input leads to what it leads to without the cache', () => {
	for (const [name, {handler, options = {}, cache, isStored = false, ways = ['promise', 'stream'] as const}] of Object.entries(cases)) {
		for (const way of ways) {
			test(`${name}, ${way}`, async () => {
				await using setup = await setUp(cache);
				const {client, origin} = setup;
				origin.handler = handler ?? origin.handler;
				const plain = got.extend({prefixUrl: origin.url, retry: {limit: 0}});

				const expected = await calls[way](plain, options);
				assert.deepEqual(await calls[way](client, options), expected);
				assert.equal((await storedKeys(setup)).length > 0, isStored);
			});
		}
	}
});

await suite('memory', () => {
	test('stays flat while a gzip bomb goes by', async () => {
		setFlagsFromString('--expose-gc');
		const collect = runInNewContext('gc') as () => void;
		await using setup = await setUp({maxBodySize: 1_000_000});
		const {client, origin} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, {...fresh, 'content-encoding': 'gzip'}).end(bomb);
		};

		const used = () => {
			collect();
			return process.memoryUsage().arrayBuffers;
		};

		const before = used();
		const stream = client.stream('items');
		const [response] = await once(stream, 'response') as [Response];
		let size = 0;
		let most = 0;
		for await (const chunk of stream) {
			const {byteLength} = chunk as Uint8Array;
			if (Math.floor(size / 2_000_000) !== Math.floor((size + byteLength) / 2_000_000)) {
				most = Math.max(most, used() - before);
			}

			size += byteLength;
		}

		assert.equal(size, bombBytes);
		assert.equal(cacheInfo(response)?.notStored, 'too-large');
		// The copy, up to twice while it grows, and what is on its way in between.
		assert.ok(most < 5_000_000, `${most} bytes more`);
	});
});
