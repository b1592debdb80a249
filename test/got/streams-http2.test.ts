import assert from 'node:assert/strict';
import {once} from 'node:events';
import {
	connect,
	constants,
	createServer,
	type Http2ServerRequest,
	type Http2ServerResponse,
	type ServerHttp2Session,
} from 'node:http2';
import type {AddressInfo} from 'node:net';
import test from 'node:test';
import {RequestError} from 'got';
import {outwait, setUp} from './helpers.ts';
import {readStream} from './read-stream.ts';

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** An HTTP/2 origin without TLS, and the session that leads to it. */
const startHttp2Origin = async () => {
	const requests: Http2ServerRequest[] = [];
	const sessions = new Set<ServerHttp2Session>();
	const origin = {
		requests,
		handler: ((_request, response) => response.end()) as Handler,
	};
	const server = createServer((request, response) => {
		requests.push(request);
		origin.handler(request, response);
	});
	server.on('session', session => sessions.add(session));
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const session = connect(url);

	return Object.assign(origin, {
		options: {prefixUrl: url, h2session: session},
		async [Symbol.asyncDispose]() {
			const closed = once(server, 'close');
			session.destroy();
			for (const each of sessions) {
				each.destroy();
			}

			server.close();
			await closed;
		},
	});
};

const stored: Handler = ({headers}, response) => {
	if (headers['if-none-match'] === undefined) {
		response.writeHead(200, {'cache-control': 'max-age=0, stale-if-error=60', etag: '"1"'});
		response.end('content');
	} else {
		response.writeHead(304, {etag: '"1"'});
		response.end();
	}
};

/** Without a handler, it never answers. */
const cases: Record<string, {handler?: Handler; reason: string}> = {
	'a 304': {handler: stored, reason: 'not-modified'},
	'a 503': {
		handler(_request, response) {
			response.writeHead(503);
			response.end('broken');
		},
		reason: 'error-status',
	},
	'a reset': {
		handler(_request, response) {
			response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
		},
		reason: 'network-error',
	},
	silence: {reason: 'timeout'},
};

for (const [name, {handler, reason}] of Object.entries(cases)) {
	test(`over HTTP/2, the stored response answers in place of ${name}`, async ({mock}) => {
		await using setup = await setUp();
		await using origin = await startHttp2Origin();
		const {client} = setup;
		const {options} = origin;
		origin.handler = stored;
		assert.equal((await readStream(client.stream('items', options))).info?.status, 'miss');

		origin.handler = handler ?? stored;
		const {statusCode, body, isFromCache, info} = await (handler
			? readStream(client.stream('items', options))
			: outwait(mock, origin, async () => readStream(client.stream('items', {...options, timeout: {response: 100}}))));
		assert.deepEqual({statusCode, body, isFromCache, reason: info?.reason}, {statusCode: 200, body: 'content', isFromCache: true, reason});
		assert.equal(origin.requests[1]?.headers['if-none-match'], '"1"');
		assert.equal(origin.requests.length, 2);
	});
}

test('over HTTP/2, a body that is reset is not stored', async () => {
	await using setup = await setUp();
	await using origin = await startHttp2Origin();
	const {client} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'});
		response.write('half ', () => {
			response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
		});
	};

	for (let count = 1; count <= 2; count++) {
		await assert.rejects(readStream(client.stream('items', origin.options)), RequestError);
		assert.equal(origin.requests.length, count);
	}
});

test('over HTTP/2, a session of the caller’s own stays open when the origin is asked again', async () => {
	await using setup = await setUp();
	await using origin = await startHttp2Origin();
	const {client} = setup;
	const {options} = origin;
	for (const url of ['promise', 'stream']) {
		const ask = async (): Promise<unknown> => url === 'stream' ? (await readStream(client.stream(url, options))).body : client(url, options).text();
		origin.handler = stored;
		assert.equal(await ask(), 'content');
		origin.handler = ({headers}, response) => {
			response.writeHead(headers['if-none-match'] === undefined ? 200 : 304, {etag: '"2"'});
			response.end(headers['if-none-match'] === undefined ? 'new' : '');
		};

		assert.equal(await ask(), 'new');
	}

	assert.equal(origin.requests.length, 6);
	assert.deepEqual([options.h2session.closed, options.h2session.destroyed], [false, false]);
});
