import assert from 'node:assert/strict';
import {once} from 'node:events';
import {
	request as httpRequest,
	type ClientRequest,
	type IncomingMessage,
	type RequestOptions,
	type ServerResponse,
} from 'node:http';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import got, {type Got, type OptionsInit, type OptionsOfTextResponseBody} from 'got';
import {cacheInfo, redisCache} from '../../../source/index.ts';
import {createAdapter} from '../../helpers/adapter.ts';
import {respond, startOrigin} from '../../helpers/origin.ts';
import {setUp} from '../helpers.ts';
import {readStream} from '../read-stream.ts';

/*
What the cache does between got and the origin, for promises and streams alike: got is given the stored response in place of what the origin said, and nothing else of it shows.
*/

const stale = {headers: {'cache-control': 'max-age=0, stale-if-error=60', etag: '"1"'}, body: 'stored'};
const notModified = {status: 304, headers: {etag: '"1"'}};

type Given = {readonly statusCode: number; readonly body: string; readonly status: string | undefined};

const kinds: Record<'promise' | 'stream', (client: Got, options?: OptionsInit) => Promise<Given>> = {
	async promise(client, options) {
		const response = await client('items', options as OptionsOfTextResponseBody);
		return {statusCode: response.statusCode, body: response.body, status: cacheInfo(response)?.status};
	},
	async stream(client, options) {
		const {statusCode, body, info} = await readStream(client.stream('items', options));
		return {statusCode, body, status: info?.status};
	},
};

for (const [kind, ask] of Object.entries(kinds)) {
	test(`a hook behind the cache, a listener and the options see no validator, and the origin does: ${kind}`, async () => {
		await using setup = await setUp();
		const {origin} = setup;
		const seen: unknown[] = [];
		const client = setup.client.extend({
			hooks: {
				beforeRequest: [({headers}) => {
					seen.push(headers['if-none-match']);
				}],
				afterResponse: [response => {
					seen.push(response.statusCode, response.request.options.headers['if-none-match']);
					return response;
				}],
			},
		});
		origin.queue(stale, notModified);
		await ask(client);
		assert.deepEqual(await ask(client), {statusCode: 200, body: 'stored', status: 'revalidated'});
		assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
		assert.deepEqual(seen, kind === 'promise' ? [undefined, 200, undefined, undefined, 200, undefined] : [undefined, undefined]);
	});

	test(`a listener of the native request sees the stored response in place of a 304: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale, notModified);
		await ask(client);
		const statusCodes: unknown[] = [];
		const options = {
			request(url: URL, native: RequestOptions, callback?: (response: IncomingMessage) => void): ClientRequest {
				const request = httpRequest(url, native, callback);
				request.on('response', ({statusCode}) => statusCodes.push(statusCode));
				return request;
			},
		};

		assert.equal((await ask(client, options)).status, 'revalidated');
		assert.deepEqual(statusCodes, [200]);
	});

	for (const [what, answer, expected] of [
		['a 304', notModified, {statusCode: 200, body: 'stored', status: 'revalidated'}],
		['a failure', {status: 503}, {statusCode: 200, body: 'stored', status: 'stale'}],
		['another response', {headers: {'cache-control': 'max-age=60'}, body: 'new'}, {statusCode: 200, body: 'new', status: 'miss'}],
	] as const) {
		test(`a request function that returns a response instead of a request is given ${what}: ${kind}`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			origin.queue(stale, answer);
			await ask(client);
			const options = {
				async request(url: URL, native: RequestOptions): Promise<IncomingMessage> {
					const request = httpRequest(url, native).end();
					const [response] = await once(request, 'response') as [IncomingMessage];
					return response;
				},
			};

			assert.deepEqual(await ask(client, options), expected);
			assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
		});
	}

	test(`a request function that returns a response is called again, without validators, where a 304 does not go with what is stored: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale, {status: 304, headers: {etag: '"2"'}}, {headers: {'cache-control': 'max-age=60', etag: '"2"'}, body: 'new'});
		await ask(client);
		const options = {
			async request(url: URL, native: RequestOptions): Promise<IncomingMessage> {
				const request = httpRequest(url, native).end();
				const [response] = await once(request, 'response') as [IncomingMessage];
				return response;
			},
		};

		const statusCodes: unknown[] = [];
		setup.cache.on('exchange', ({forwardStatus}) => statusCodes.push(forwardStatus));
		assert.deepEqual(await ask(client, options), {statusCode: 200, body: 'new', status: 'miss'});
		assert.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, '"1"', undefined]);
		// It is stored.
		assert.equal((await ask(client)).status, 'hit');
		assert.equal(statusCodes[0], 200);
	});

	test(`the second answer invalidates, and is stored, as a first one is: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale, {status: 304, headers: {etag: '"2"'}}, {headers: {'cache-control': 'max-age=60', etag: '"2"'}, body: 'new'});
		await ask(client);
		assert.deepEqual(await ask(client), {statusCode: 200, body: 'new', status: 'miss'});
		assert.deepEqual(await ask(client), {statusCode: 200, body: 'new', status: 'hit'});
		assert.equal(origin.requests.length, 3);
	});
}

/** Has the store take its time once the origin was asked about what is stored, until `release()`. */
const setUpSlowStore = async () => {
	const origin = await startOrigin();
	let released: Promise<void> | undefined;
	const store = createAdapter(({get}) => ({
		async get(key) {
			await released;
			return get(key);
		},
	}));
	const cache = redisCache({store, timeout: '10s', memory: false});
	const {promise, resolve} = Promise.withResolvers<void>();
	origin.queue({headers: {'cache-control': 'max-age=0, must-revalidate', etag: '"1"'}, body: 'stored'}, (_request, response) => {
		released = promise;
		respond(response, {status: 304, headers: {etag: '"2"'}});
	});

	return {
		origin,
		client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache),
		release: resolve,
		async [Symbol.asyncDispose]() {
			await Promise.all([cache.close(), origin.stop()]);
		},
	};
};

for (const [kind, ask] of Object.entries(kinds)) {
	for (const name of ['request', 'response']) {
		test(`\`timeout.${name}\` is over between a 304 that does not go with what is stored and the second request: ${kind}`, async () => {
			await using setup = await setUpSlowStore();
			const {client, origin, release} = setup;
			await ask(client);
			await assert.rejects(ask(client, {timeout: {[name]: 300}}), {name: 'TimeoutError', event: name});
			release();
			await nextTurn();
			assert.equal(origin.requests.length, 2);
		});
	}

	test(`a listener that destroys the request between a 304 that does not go with what is stored and the second request fails it: ${kind}`, async () => {
		await using setup = await setUpSlowStore();
		const {client, origin, release} = setup;
		await ask(client);
		const destroying = client.extend({
			request(url: URL, native: RequestOptions, callback?: (response: IncomingMessage) => void): ClientRequest {
				const request = httpRequest(url, native, callback);
				request.once('socket', socket => socket.once('data', () => setImmediate(() => request.destroy())));
				return request;
			},
		});
		await assert.rejects(ask(destroying), {name: 'ReadError', code: 'ECONNRESET'});
		release();
		await nextTurn();
		assert.equal(origin.requests.length, 2);
	});
}

for (const [kind, ask] of Object.entries(kinds)) {
	test(`a failure whose body stops is not waited for, and its connection is closed: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const {promise: isClosed, resolve} = Promise.withResolvers<void>();
		origin.queue(stale, (_request, response) => {
			response.once('close', resolve).writeHead(503).write('half');
		});
		await ask(client);
		assert.equal((await ask(client)).status, 'stale');
		await isClosed;
	});
}

test('a stand-in for a 304 has the timings and the address of the request that was made', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(stale, notModified);
	await client('items');
	const {timings, ip, isFromCache} = await client('items');
	assert.deepEqual([isFromCache, ip, typeof timings?.phases.total], [true, '127.0.0.1', 'number']);
});

test('a stored redirect is validated, and followed after a 304', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({status: 301, headers: {location: '/other', 'cache-control': 'no-cache', etag: '"r"'}}, {body: 'first'}, {status: 304, headers: {etag: '"r"'}}, {body: 'second'});
	assert.equal((await client('items')).body, 'first');
	const response = await client('items');
	assert.deepEqual([response.body, origin.requests.at(-2)?.headers['if-none-match']], ['second', '"r"']);
	assert.deepEqual(cacheInfo(response)?.hops.map(({status}) => status), ['revalidated', 'miss']);
});

/** How a body ends before it is whole, after the head was given to got. */
const breaks: Record<string, {readonly options?: OptionsInit; answer(response: ServerResponse): void}> = {
	'with a length, breaks off': {
		answer(response) {
			response.writeHead(200, {'content-length': '10'}).write('half', () => response.destroy());
		},
	},
	'in chunks, breaks off': {
		answer(response) {
			response.writeHead(200).write('half', () => response.destroy());
		},
	},
	...Object.fromEntries(['read', 'request', 'socket'].map(name => [`stops, beyond \`timeout.${name}\``, {
		options: {timeout: {[name]: 300}},
		answer(response: ServerResponse) {
			response.writeHead(200, {'content-length': '10'}).write('half');
		},
	}])),
};

for (const [how, {options, answer}] of Object.entries(breaks)) {
	test(`a stale response stands in for a promise whose body ${how}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale);
		await client('items');
		origin.handler = (_request, response) => {
			answer(response);
		};

		const response = await client('items', options as OptionsOfTextResponseBody);
		assert.deepEqual([response.body, cacheInfo(response)?.status], ['stored', 'stale']);
		assert.equal(origin.requests.length, 2);
	});
}

for (const [kind, ask] of Object.entries(kinds)) {
	for (const connection of ['close', 'keep-alive']) {
		test(`a response to a PUT is whole, though Redis confirms the purge after the connection is done with it (${connection}): ${kind}`, async () => {
			await using setup = await setUp({memory: false});
			const {client, origin, redis} = setup;
			origin.handler = (_request, response) => {
				respond(response, {headers: {'cache-control': 'max-age=60', connection}, body: 'content'});
			};

			await ask(client);
			redis.pause();
			const put = ask(client, {method: 'PUT', body: 'new'});
			while (origin.requests.length < 2) {
				await nextTurn();
			}

			for (let turn = 0; turn < 200; turn++) {
				// The response arrives, and its connection may close.
				await nextTurn();
			}

			redis.resume();

			assert.equal((await put).body, 'content');
			assert.notEqual((await ask(client)).status, 'hit');
		});
	}
}
