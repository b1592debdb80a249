import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {createServer} from 'node:net';
import {once} from 'node:events';
import {Duplex} from 'node:stream';
import {finished} from 'node:stream/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'node:test';
import type {OptionsInit, Request, Response} from 'got';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin, type Handler} from '../helpers/origin.ts';
import {outwait, setUp, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

type Failure = 'status' | 'connection' | 'timeout' | 'no-http';

const failures: Record<Exclude<Failure, 'timeout'>, Handler> = {
	status(_request, response) {
		response.writeHead(503, {'retry-after': '3600'}).end('broken');
	},
	connection(_request, response) {
		response.destroy();
	},
	'no-http'(_request, response) {
		response.socket?.end('no HTTP\r\n\r\n');
	},
};

const reasons = {status: 'error-status', connection: 'network-error', timeout: 'timeout', 'no-http': 'network-error'};

const errors = {status: 'HTTPError', connection: 'RequestError', timeout: 'TimeoutError', 'no-http': 'RequestError'};

const store = async ({client, origin}: Setup, cacheControl: string) => {
	origin.queue({headers: {etag: '"1"', 'cache-control': cacheControl}, body: 'stored'});
	assert.equal((await readStream(client.stream('items'))).body, 'stored');
};

const disconnected: readonly Failure[] = ['connection', 'timeout', 'no-http'];
const always: readonly Failure[] = ['status', ...disconnected];

type Row = {
	readonly cacheControl: string;
	readonly options?: RedisCacheOptions;
	readonly standsIn: readonly Failure[];
};

const table: readonly Row[] = [
	{cacheControl: 'max-age=0', standsIn: disconnected},
	{cacheControl: 'max-age=0, stale-if-error=60', standsIn: always},
	{cacheControl: 'max-age=0', options: {staleIfError: true}, standsIn: always},
	{cacheControl: 'max-age=0', options: {staleIfError: false}, standsIn: []},
	{cacheControl: 'max-age=0, must-revalidate', options: {staleIfError: true}, standsIn: []},
];

for (const {cacheControl, options, standsIn} of table) {
	for (const failure of always) {
		const isStale = standsIn.includes(failure);

		test(`${cacheControl} ${JSON.stringify(options ?? {})}: ${isStale ? 'stands in' : 'does not stand in'} for a failure (${failure})`, async ({mock}) => {
			await using setup = await setUp(options);
			await store(setup, cacheControl);
			const ask = async () => {
				const stream = setup.client.stream('items', failure === 'timeout' ? {timeout: {response: 50}} : {});
				const [answer] = await Promise.all([readStream(stream), finished(stream)]);
				return answer;
			};

			let answer;
			if (failure === 'timeout') {
				answer = outwait(mock, setup.origin, ask);
			} else {
				setup.origin.handler = failures[failure];
				answer = ask();
			}

			if (isStale) {
				const {statusCode, body, isFromCache, info} = await answer;
				assert.deepEqual({statusCode, body, isFromCache, status: info?.status, reason: info?.reason}, {
					statusCode: 200,
					body: 'stored',
					isFromCache: true,
					status: 'stale',
					reason: reasons[failure],
				});
			} else {
				await assert.rejects(answer, {name: errors[failure]});
			}

			assert.equal(setup.origin.requests.length, 2);
		});
	}
}

const closedPort = async () => {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as {port: number};
	server.close();
	await once(server, 'close');

	return port;
};

const unreachable: Record<string, (setup: Setup) => Promise<OptionsInit>> = {
	async 'refuses connections'({origin}) {
		await origin.stop();
		return {};
	},
	async 'has no address'() {
		const options: OptionsInit = {
			dnsLookup: ((_hostname: string, _options: unknown, callback: (error: NodeJS.ErrnoException) => void) => {
				callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), {code: 'ENOTFOUND'}));
			}) as never,
		};

		return options;
	},
};

for (const [name, prepare] of Object.entries(unreachable)) {
	test(`an origin that ${name} is stood in for`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: {etag: '"1"', 'cache-control': 'max-age=0'}, body: 'stored'});
		const url = `http://localhost:${origin.port}/items`;
		const options = {prefixUrl: '', headers: {connection: 'close'}};
		await readStream(client.stream(url, {...options, dnsLookupIpVersion: 4}));

		const stream = client.stream(url, {...options, ...await prepare(setup)});
		const isFinished = finished(stream);
		const retries: unknown[] = [];
		stream.once('retry', (...arguments_: unknown[]) => retries.push(arguments_));
		const {body, info} = await readStream(stream);
		assert.deepEqual({body, reason: info?.reason, retries}, {body: 'stored', reason: 'network-error', retries: []});
		await isFinished;
	});
}

for (const cacheControl of ['max-age=60', 'no-store']) {
	test(`the target of a redirect is stood in for, once it is out of reach (redirect: ${cacheControl})`, async () => {
		await using setup = await setUp();
		await using target = await startOrigin();
		const {client, origin} = setup;
		const content = 'x'.repeat(200_000);
		origin.handler = (_request, response) => {
			response.writeHead(301, {'cache-control': cacheControl, location: `${target.url}/items`}).end();
		};

		target.queue({headers: {etag: '"1"', 'cache-control': 'max-age=0', connection: 'close'}, body: content});
		await readStream(client.stream('moved'));
		await target.stop();

		const stream = client.stream('moved');
		const isFinished = finished(stream);
		const [response] = await once(stream, 'response') as [Response];
		assert.equal(cacheInfo(response)?.reason, 'network-error');
		// Reads nothing until all is told of the connection that there is to tell.
		for (let turn = 0; turn < 20; turn++) {
			await nextTurn();
		}

		const chunks = await stream.toArray() as Uint8Array[];
		assert.equal(Buffer.concat(chunks).toString(), content);
		await isFinished;
	});
}

test('a connection that breaks while the request is written is stood in for', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0');

	const broken = () => new Duplex({
		read() {
			// Nothing comes.
		},
		write(_chunk, _encoding, callback) {
			callback(Object.assign(new Error('write EPIPE'), {code: 'EPIPE'}));
		},
	});
	const stream = setup.client.stream('items', {createConnection: broken as never});
	const isFinished = finished(stream);
	const {body, info} = await readStream(stream);
	assert.deepEqual({body, reason: info?.reason}, {body: 'stored', reason: 'network-error'});
	await isFinished;
});

test('nothing stands in for an answer to who went away', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0');
	const {client, origin} = setup;
	const {promise: areAsked, resolve: asked} = Promise.withResolvers<void>();
	origin.handler = () => {
		if (origin.requests.length === 3) {
			asked();
		}
	};

	const controller = new AbortController();
	const [aborted, destroyed] = [client.stream('items', {signal: controller.signal}), client.stream('items')];
	const responses: Request[] = [];
	for (const stream of [aborted, destroyed]) {
		stream.once('response', () => responses.push(stream));
	}

	await areAsked;
	const error = once(aborted, 'error');
	const isClosed = once(destroyed, 'close');
	controller.abort();
	destroyed.destroy();
	assert.equal(((await error) as Error[])[0]?.name, 'AbortError');
	await isClosed;
	assert.deepEqual(responses, []);
});

test('a failure that answers without end is not waited for', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0, stale-if-error=60');
	const {client, origin} = setup;
	const {promise: isClosed, resolve: closed} = Promise.withResolvers<void>();
	origin.handler = (_request, response) => {
		response.writeHead(503);
		const write = () => {
			while (response.write(new Uint8Array(65_536))) {
				// As much as fits.
			}
		};

		response.on('drain', write).once('close', closed);
		write();
	};

	assert.equal((await readStream(client.stream('items'))).body, 'stored');
	await isClosed;
});

test('a timeout of the connection does not cut a stale answer short', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const content = 'x'.repeat(200_000);
	origin.queue({headers: {etag: '"1"', 'cache-control': 'max-age=0, stale-if-error=60'}, body: content}, (_request, response) => {
		// A failure whose body never ends.
		response.writeHead(503).write('broken');
	});
	await readStream(client.stream('items'));

	const stream = client.stream('items', {timeout: {socket: 50}});
	const [response] = await once(stream, 'response') as [{request: {ip: string}}];
	assert.ok(response);
	// The connection is given up while nobody reads.
	const native = (stream as unknown as {_request: NodeJS.EventEmitter & {destroyed: boolean}})._request;
	if (!native.destroyed) {
		await once(native, 'close');
	}

	let body = '';
	for await (const chunk of stream) {
		body += String(chunk);
	}

	assert.equal(body, content);
});

test('a body that fails in the middle is the consumer’s to see', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0, stale-if-error=60');
	const {client, origin} = setup;
	origin.queue((_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', etag: '"2"', 'content-length': 10}).write('half');
		response.once('drain', () => undefined);
		setImmediate(() => response.destroy());
	});

	await assert.rejects(readStream(client.stream('items')), {code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'});
	// What was stored before still is.
	origin.handler = failures.connection;
	assert.equal((await readStream(client.stream('items'))).body, 'stored');
});

test('no port is left to a request that was never connected', async () => {
	await using setup = await setUp();
	const {client} = setup;
	const port = await closedPort();
	await assert.rejects(readStream(client.stream(`http://127.0.0.1:${port}`, {prefixUrl: ''})), {code: 'ECONNREFUSED'});
});
