import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createServer, request as startRequest, type IncomingMessage, type RequestListener, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test from 'node:test';
import {gzipSync} from 'node:zlib';
import {cacheInfo} from '../source/index.ts';
import {purgeHandler, type PurgeHandler} from '../source/webhook.ts';
import {setUp} from './got/helpers.ts';

const token = 'a-secret-of-more-than-16-characters';

/** As much of Express and of Fastify as these tests use. */
type Express = {
	(): RequestListener & {
		use(handler: unknown): void;
		post(path: string, handler: PurgeHandler): void;
	};
	json(): unknown;
	text(options: {type: string}): unknown;
};

type Fastify = () => {
	post(path: string, handler: PurgeHandler): void;
	ready(): Promise<unknown>;
	routing: RequestListener;
};

const importDefault = async <Value>(name: string): Promise<Value> => {
	const {default: value} = await import(name) as {default: Value};
	return value;
};

/** The servers that the handler is for, each with a route of that handler. */
const servers: Record<string, (handler: PurgeHandler) => Promise<RequestListener>> = {
	'Node\'s http': async handler => handler,
	async Express(handler) {
		const express = await importDefault<Express>('express');
		const app = express();
		app.post('/purge', handler);
		return app;
	},
	async 'Express with express.json()'(handler) {
		const express = await importDefault<Express>('express');
		const app = express();
		app.use(express.json());
		app.post('/purge', handler);
		return app;
	},
	async 'Express with express.text()'(handler) {
		const express = await importDefault<Express>('express');
		const app = express();
		app.use(express.text({type: 'application/json'}));
		app.post('/purge', handler);
		return app;
	},
	async Fastify(handler) {
		const fastify = await importDefault<Fastify>('fastify');
		const app = fastify();
		app.post('/purge', handler);
		await app.ready();
		return (request, response) => {
			app.routing(request, response);
		};
	},
};

const listen = async (listener: RequestListener) => {
	const server: Server = createServer(listener);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;

	return {
		url: `http://127.0.0.1:${port}/purge`,
		async [Symbol.asyncDispose]() {
			server.close();
			server.closeAllConnections();
		},
	};
};

type Sent = {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array<ArrayBuffer>;
};

const authorized = {authorization: `Bearer ${token}`, 'content-type': 'application/json'};

const send = async (url: string, {method = 'POST', headers = authorized, body}: Sent) => {
	const response = await fetch(url, {method, headers, ...body !== undefined && {body}});
	const answer = await response.text();
	return {status: response.status, headers: response.headers, answer: answer === '' ? {} : JSON.parse(answer) as {readonly confirmed?: boolean; readonly error?: string}};
};

const sendJson = async (url: string, what: unknown) => send(url, {body: JSON.stringify(what)});

const setUpWebhook = async (options: Parameters<typeof setUp>[0] = {}) => {
	const setup = await setUp({tagField: 'cache-tag', memory: false, ...options});
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': 'items', etag: '"1"'}).end('body');
	};

	const {client} = setup.other();
	return {
		...setup,
		handler: purgeHandler({cache: setup.cache, token}),
		/** What another process finds. */
		status: async () => cacheInfo(await client('items'))?.status,
	};
};

for (const [name, toListener] of Object.entries(servers)) {
	test(`${name}: a purge by tag, URL, origin and prefix is answered when the store has confirmed it`, async () => {
		await using setup = await setUpWebhook();
		const {origin, handler, status} = setup;
		await using server = await listen(await toListener(handler));
		for (const what of [{tag: 'items'}, {tag: ['others', 'items']}, {url: `${origin.url}/items`}, {origin: origin.url}, {prefix: `${origin.url}/it`}]) {
			await status();
			assert.equal(await status(), 'hit');
			const {status: code, headers, answer} = await sendJson(server.url, what);
			assert.deepEqual([code, answer], [200, {confirmed: true}], JSON.stringify(what));
			assert.equal(headers.get('cache-control'), 'no-store');
			assert.equal(await status(), 'miss');
		}

		const {answer} = await sendJson(server.url, {tag: 'items', soft: true});
		assert.deepEqual(answer, {confirmed: true});
		assert.equal(await status(), 'miss');
	});

	test(`${name}: what is wrong with a body is told with 400, and purges nothing`, async () => {
		await using setup = await setUpWebhook();
		const {origin, handler, status} = setup;
		await using server = await listen(await toListener(handler));
		await status();
		const mistakes: ReadonlyArray<readonly [what: unknown, error: RegExp]> = [
			[{}, /Expected exactly one of tag/v],
			[{tag: ''}, /Expected the property `tag` .* to be a string that is not empty/v],
			[{tag: 'items', url: origin.url}, /Expected exactly one of/v],
			[{tags: ['items']}, /Unknown property `tags` in the body: expected one of tag/v],
			[{pattern: '**'}, /Unknown property `pattern` in the body/v],
			[{url: 'items'}, /to be an absolute URL such as .*, got 'items'/v],
			[{origin: `${origin.url}/items`}, /without a path/v],
			[{tag: 'items', soft: 'yes'}, /Expected the property `soft` in the body to be a boolean, got 'yes'/v],
		];
		for (const [what, error] of mistakes) {
			const {status: code, answer} = await sendJson(server.url, what);
			assert.equal(code, 400);
			assert.equal(answer.confirmed, false);
			assert.match(String(answer.error), error);
		}

		assert.equal(await status(), 'hit');
	});

	test(`${name}: a request without the token, or with another one, purges nothing`, async () => {
		await using setup = await setUpWebhook();
		const {handler, status} = setup;
		await using server = await listen(await toListener(handler));
		await status();
		const {authorization: _, ...json} = authorized;
		for (const [given, challenge] of [
			[undefined, 'Bearer'],
			[`Bearer ${token}x`, 'Bearer error="invalid_token"'],
			[`Bearer ${token.slice(0, -1)}`, 'Bearer error="invalid_token"'],
			[`Basic ${token}`, 'Bearer error="invalid_token"'],
			['Bearer', 'Bearer error="invalid_token"'],
			[token, 'Bearer error="invalid_token"'],
		] as const) {
			const {status: code, headers, answer} = await send(server.url, {headers: {...json, ...given !== undefined && {authorization: given}}, body: '{"tag":"items"}'});
			assert.deepEqual([code, headers.get('www-authenticate'), answer.confirmed], [401, challenge, false], given);
			assert.ok(!String(answer.error).includes(token));
		}

		assert.equal(await status(), 'hit');
		const {status: code} = await send(server.url, {headers: {...json, authorization: `bearer  ${token}`}, body: '{"tag":"items"}'});
		assert.equal(code, 200);
	});
}

test('another method, a body that is too large, no JSON or of another type is refused', async () => {
	await using setup = await setUpWebhook();
	await using server = await listen(setup.handler);
	for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
		const {status, headers} = await send(server.url, {method});
		assert.deepEqual([status, headers.get('allow')], [405, 'POST'], method);
	}

	const refused: ReadonlyArray<readonly [sent: Sent, status: number, error: RegExp]> = [
		[{headers: {...authorized, 'content-type': 'text/plain'}, body: '{"tag":"items"}'}, 415, /application\/json/v],
		[{headers: {...authorized, 'content-encoding': 'gzip'}, body: new Uint8Array(gzipSync('{"tag":"items"}'))}, 415, /without Content-Encoding/v],
		[{body: '{"tag":'}, 400, /^The body is no JSON: /v],
		[{body: ''}, 400, /^The body is no JSON: /v],
		[{body: '[]'}, 400, /Expected an object with options in the body/v],
		[{body: 'null'}, 400, /Expected an object with options in the body, got null/v],
		[{body: '{"__proto__": {"tag": "items"}}'}, 400, /Unknown property `__proto__`/v],
		[{body: JSON.stringify({tag: 'x'.repeat(65_536)})}, 413, /larger than 65536 bytes/v],
	];
	for (const [sent, expected, error] of refused) {
		const {status, answer} = await send(server.url, sent);
		assert.equal(status, expected);
		assert.match(String(answer.error), error);
	}

	assert.equal((await send(server.url, {headers: {...authorized, 'content-type': 'Application/JSON; charset=utf-8'}, body: '{"tag":"items"}'})).status, 200);
	assert.equal((await sendJson(server.url, {tag: Array.from({length: 1000}, (_, number) => `tag ${number}`)})).status, 200);
});

test('a body of more than 64 KiB is refused, also if it does not say how long it is', async () => {
	await using setup = await setUpWebhook();
	await using server = await listen(setup.handler);
	const request = startRequest(server.url, {method: 'POST', headers: authorized});
	request.on('error', () => undefined);
	const answered = once(request, 'response') as Promise<[IncomingMessage]>;
	for (let sent = 0; sent <= 65_536; sent += 8192) {
		request.write(' '.repeat(8192));
	}

	const [response] = await answered;
	assert.equal(response.statusCode, 413);
	assert.match(await text(response), /larger than 65536 bytes/v);
	request.destroy();
});

test('a purge that the store does not confirm is answered with 503, and heeded by the process', async () => {
	await using setup = await setUpWebhook({timeout: 100});
	const {handler, redis, client} = setup;
	await using server = await listen(handler);
	await client('items');
	redis.pause();
	const {status, headers, answer} = await sendJson(server.url, {tag: 'items'});
	assert.deepEqual([status, headers.get('retry-after'), answer.confirmed], [503, '1', false]);
	redis.resume();
	assert.notEqual(cacheInfo(await client('items'))?.status, 'hit');
});

test('a sender that goes away while it sends fails nothing', async () => {
	await using setup = await setUpWebhook();
	const {promise, resolve} = Promise.withResolvers<void>();
	await using server = await listen(async (request, response) => {
		request.once('data', () => {
			sender.destroy();
		});
		await setup.handler(request, response);
		resolve();
	});
	const sender = startRequest(server.url, {method: 'POST', headers: {...authorized, 'content-length': '20'}});
	sender.on('error', () => undefined);
	sender.write('{');
	await promise;
	assert.equal((await sendJson(server.url, {tag: 'items'})).status, 200);
});

test('a body that somebody else has read is told of', async () => {
	await using setup = await setUpWebhook();
	await using server = await listen(async (request, response) => {
		await text(request);
		await setup.handler(request, response);
	});
	const {status, answer} = await sendJson(server.url, {tag: 'items'});
	assert.equal(status, 500);
	assert.match(String(answer.error), /was read before this handler/v);
});

test('a handler with a missing, short or impossible token cannot be made', async () => {
	await using setup = await setUp({store: 'memory'});
	const {cache} = setup;
	const mistakes: ReadonlyArray<readonly [options: unknown, message: RegExp]> = [
		[undefined, /^Expected an object with options in purgeHandler\(\), got undefined$/v],
		[{}, /^Expected the option `cache` in purgeHandler\(\) to be what redisCache\(\) returns, got undefined$/v],
		[{cache: new Map(), token}, /`cache` in purgeHandler\(\) .*, got an object of class Map$/v],
		[{cache}, /^Expected the option `token` in purgeHandler\(\) to be a secret of at least 16 letters, digits and -\._~\+\/, such as `openssl rand -hex 32` makes, got undefined$/v],
		[{cache, token: ''}, /got one of 0 characters$/v],
		[{cache, token: 'short-secret'}, /got one of 12 characters$/v],
		[{cache, token: 'a secret with blanks in it'}, /got one with a character that cannot be sent$/v],
		[{cache, token, path: '/purge'}, /^Unknown option `path` in purgeHandler\(\)/v],
	];
	for (const [options, message] of mistakes) {
		assert.throws(() => purgeHandler(options as never), error => error instanceof TypeError && message.test(error.message) && !/secret with|short-secret/v.test(error.message), String(message));
	}
});
