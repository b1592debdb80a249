import assert from 'node:assert/strict';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer as createHttpServer} from 'node:http';
import {connect, createServer as createHttp2Server} from 'node:http2';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {Readable} from 'node:stream';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {describe, test, type TestContext} from 'node:test';
import got, {AbortError, type Got, type OptionsInit, type Response} from 'got';
import {CookieJar} from 'tough-cookie';
import {redisCache} from '../../source/index.ts';
import {respond, startOrigin, type Handler, type Origin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {describeResponse, openHandles, type Difference} from './differential.ts';
import {isGot15} from './helpers.ts';

const date = new Date().toUTCString();
const fresh = {date, 'cache-control': 'max-age=600'};

/** A client without the cache and one with it. */
const clientsOf = (t: TestContext, options: OptionsInit = {}) => {
	const cache = redisCache({store: 'memory'});
	t.after(async () => cache.close());
	return {cache, plain: got.extend(options), cached: got.extend(options, cache)};
};

const originOf = async (t: TestContext, handler: Handler): Promise<Origin> => {
	const origin = await startOrigin(handler);
	t.after(async () => origin.stop());
	return origin;
};

const assertSame = (actual: Response, expected: Response, difference: Difference) => {
	const {options: {hooks, ...options}, ...seen} = describeResponse(actual, difference);
	const {options: {hooks: expectedHooks, ...expectedOptions}, ...expectedSeen} = describeResponse(expected, difference);
	assert.deepEqual({...seen, options}, {...expectedSeen, options: expectedOptions});
};

describe('cookies', () => {
	test('a hit puts no stored cookie back into the jar, and shows it nevertheless', async (t: TestContext) => {
		const origin = await originOf(t, ({url}, response) => {
			respond(response, url === '/to' ? {status: 301, headers: {...fresh, 'set-cookie': 'hop=1', location: '/items'}} : {headers: {...fresh, 'set-cookie': ['a=1', 'b=2; Path=/']}, body: 'body'});
		});
		const {cached} = clientsOf(t, {prefixUrl: origin.url});
		for (const url of ['items', 'to']) {
			const first = new CookieJar();

			const miss = await cached(url, {cookieJar: first}) as Response;

			t.assert.match(await first.getCookieString(origin.url), url === 'to' ? /hop=1/v : /a=1; b=2/v);

			const jar = new CookieJar();
			const redirects: unknown[] = [];

			const hit = await cached(url, {
				cookieJar: jar,
				hooks: {beforeRedirect: [(_options, response) => {
					redirects.push((response as Response).headers['set-cookie']);
				}]},
			}) as Response;
			t.assert.strictEqual(hit.isFromCache, true);

			t.assert.strictEqual(await jar.getCookieString(origin.url), '');
			t.assert.deepStrictEqual(hit.headers['set-cookie'], miss.headers['set-cookie']);
			t.assert.deepStrictEqual(redirects, url === 'to' ? [['hop=1']] : []);
		}
	});

	test('the cookies of a 304 do get into the jar', async (t: TestContext) => {
		const origin = await originOf(t, ({headers}, response) => {
			const fields = {date, etag: '"1"', 'cache-control': 'max-age=0'};
			respond(response, headers['if-none-match'] ? {status: 304, headers: {...fields, 'set-cookie': 'b=2'}} : {headers: fields, body: 'body'});
		});
		const {cached} = clientsOf(t, {prefixUrl: origin.url});
		const cookieJar = new CookieJar();
		await cached('items', {cookieJar});
		const response = await cached('items', {cookieJar}) as Response;
		t.assert.strictEqual(response.statusCode, 200);
		t.assert.strictEqual(response.isFromCache, true);
		t.assert.strictEqual(await cookieJar.getCookieString(origin.url), 'b=2');
	});

	test('a request with a cookie of the jar is another variant where the response says so', async (t: TestContext) => {
		const origin = await originOf(t, ({headers}, response) => {
			respond(response, {headers: {...fresh, vary: 'cookie'}, body: headers.cookie ?? 'none'});
		});
		const {cached} = clientsOf(t, {prefixUrl: origin.url});
		const cookieJar = new CookieJar();
		t.assert.strictEqual(await cached('items', {cookieJar}).text(), 'none');
		await cookieJar.setCookie('a=1', origin.url);
		t.assert.strictEqual(await cached('items', {cookieJar}).text(), 'a=1');
		t.assert.strictEqual(await cached('items').text(), 'none');
		t.assert.strictEqual(origin.requests.length, 2);
	});
});

describe('bodies that can be read once', () => {
	async function * chunks() {
		yield new Uint8Array([97]);
		yield new Uint8Array([98]);
	}

	const bodies: Record<string, () => OptionsInit['body']> = {
		'a stream': () => Readable.from([new Uint8Array([97]), new Uint8Array([98])]),
		'a generator': () => chunks(),
		'a web stream': () => new Blob(['ab']).stream() as never,
	};
	for (const [name, body] of Object.entries(bodies)) {
		for (const method of ['POST', 'PUT', 'QUERY'] as const) {
			test(`${name}, ${method}`, async (t: TestContext) => {
				const origin = await originOf(t, (request, response) => {
					respond(response, {headers: fresh, body: request.body});
				});
				const {plain, cached} = clientsOf(t, {prefixUrl: origin.url});
				t.assert.strictEqual(await plain('items', {method, body: body()}).text(), 'ab');
				t.assert.strictEqual(await cached('items', {method, body: body()}).text(), 'ab');
				t.assert.strictEqual(await cached('items', {method, body: body()}).text(), 'ab');
				t.assert.strictEqual(origin.requests.length, 3);
			});
		}
	}
});

describe('other ways to the origin', () => {
	test('a Unix socket is part of what is asked for', async (t: TestContext) => {
		const directory = await mkdtemp(path.join(tmpdir(), 'differential-'));
		t.after(async () => rm(directory, {recursive: true}));
		const urls = await Promise.all(['a', 'b'].map(async name => {
			const server = createHttpServer((request, response) => {
				respond(response, {headers: fresh, body: `${name} ${request.url}`});
			}).listen(path.join(directory, name));
			t.after(() => {
				server.close();
			});
			await once(server, 'listening');

			return `unix:${path.join(directory, name)}:/items?x=1`;
		}));
		const {plain, cached} = clientsOf(t, {enableUnixSockets: true, retry: {limit: 0}});
		for (const [index, url] of urls.entries()) {
			const expected = await plain(url) as Response;

			const miss = await cached(url) as Response;

			const hit = await cached(url) as Response;
			t.assert.strictEqual(miss.body, `${['a', 'b'][index]} /items?x=1`);
			assertSame(miss, expected, 'none');
			t.assert.strictEqual(hit.isFromCache, true);
			assertSame(hit, miss, 'stored');
		}
	});

	test('a response over a Unix socket is found, listed and purged by the URL that was asked for', async (t: TestContext) => {
		const directory = await mkdtemp(path.join(tmpdir(), 'differential-'));
		t.after(async () => rm(directory, {recursive: true}));
		const server = createHttpServer((_request, response) => {
			respond(response, {headers: fresh, body: 'x'});
		}).listen(path.join(directory, 'a'));
		t.after(() => {
			server.close();
		});
		await once(server, 'listening');
		const cache = redisCache('memory');
		const client = got.extend({enableUnixSockets: true}, cache);
		const url = `unix:${path.join(directory, 'a')}:/items?x=1`;
		const purges = [
			async () => cache.delete(url),
			async () => cache.invalidate({url}),
			async () => cache.invalidate({prefix: `unix:${directory}/`}),
		];
		for (const purge of purges) {
			await client(url);
			t.assert.strictEqual((await client(url)).isFromCache, true);
			t.assert.strictEqual((await cache.get(url))?.statusCode, 200);
			t.assert.strictEqual((await Array.fromAsync(cache.entries({url}))).length, 1);
			t.assert.strictEqual(await purge(), true);
			t.assert.strictEqual(await cache.get(url), undefined);
		}
	});

	test('HTTP/2', async (t: TestContext) => {
		// Got 15 speaks it over TLS alone.
		if (isGot15) {
			return;
		}

		const server = createHttp2Server((request, response) => {
			const fields = {date, etag: '"1"', 'cache-control': request.url === '/validated' ? 'max-age=0' : 'max-age=600'};
			if (request.headers['if-none-match'] === undefined) {
				response.writeHead(200, {...fields, 'set-cookie': ['a=1', 'b=2']}).end('body');
			} else {
				response.writeHead(304, fields).end();
			}
		}).listen(0, '127.0.0.1');
		await once(server, 'listening');
		const prefixUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		const h2session = connect(prefixUrl);
		t.after(() => {
			h2session.destroy();
			server.close();
		});
		const {plain, cached} = clientsOf(t, {prefixUrl, h2session});
		for (const [url, difference] of [['fresh', 'stored'], ['validated', 'validated']] as const) {
			const expected = await plain(url) as Response;

			const miss = await cached(url) as Response;

			const second = await cached(url) as Response;
			t.assert.strictEqual(miss.httpVersion, '2.0');
			assertSame(miss, expected, 'none');
			t.assert.strictEqual(second.isFromCache, true);
			assertSame(second, miss, difference);
		}
	});
});

describe('cancellation', () => {
	type Moment = (controller: AbortController, promise: Promise<unknown> & {on: (event: never, listener: () => void) => unknown}) => unknown;
	const moments: Record<string, Moment> = {
		'at once'(controller) {
			controller.abort();
		},
		async 'in the next turn'(controller) {
			await nextTurn();
			controller.abort();
		},
		'when the request is made'(controller, promise) {
			promise.on('request' as never, () => {
				controller.abort();
			});
		},
		'when the response comes'(controller, promise) {
			promise.on('downloadProgress' as never, () => {
				controller.abort();
			});
		},
	};

	for (const [name, abort] of Object.entries(moments)) {
		for (const isStored of [false, true]) {
			test(`${name}, ${isStored ? 'stored' : 'not stored'}`, async (t: TestContext) => {
				const origin = await originOf(t, (_request, response) => {
					respond(response, {headers: isStored ? fresh : {'cache-control': 'no-store'}, body: 'body'});
				});
				const {plain, cached} = clientsOf(t, {prefixUrl: origin.url});
				await cached('items');
				const outcomes = await Promise.all([plain, cached].map(async client => {
					const controller = new AbortController();
					const promise = client('items', {signal: controller.signal});
					void abort(controller, promise);
					const [outcome] = await Promise.allSettled([promise]);
					return outcome;
				}));
				const [expected, actual] = outcomes;
				if (expected?.status === 'rejected' && actual?.status === 'rejected') {
					const {code, message} = expected.reason as AbortError;
					t.assert.ok(actual.reason instanceof AbortError);
					t.assert.strictEqual(actual.reason.code, code);
					t.assert.strictEqual(actual.reason.message, message);
				} else {
					// No request is made for what is stored, and it may be there before it is no longer wanted.
					t.assert.ok(isStored || actual?.status === expected?.status);
				}

				t.assert.strictEqual(await cached('items').text(), 'body');
			});
		}
	}
});

describe('pagination', () => {
	const pages = async (t: TestContext) => originOf(t, ({url}, response) => {
		const page = Number(new URL(url, 'http://origin').searchParams.get('page') ?? 1);
		const link = page < 4 ? {link: `</items?page=${page + 1}>; rel="next"`} : {};
		respond(response, {headers: {...fresh, ...link, 'content-type': 'application/json'}, body: JSON.stringify([page * 2, (page * 2) + 1])});
	});
	const settings: Record<string, OptionsInit> = {
		links: {},
		'responseType json': {responseType: 'json', pagination: {transform: ({body}) => body as number[]}},
		resolveBodyOnly: {resolveBodyOnly: true},
		'a limit': {pagination: {countLimit: 3}},
		searchParams: {pagination: {paginate: ({response, currentItems}) => currentItems.length > 0 && response.url.includes('page=3') ? false : {searchParams: {page: Number(new URL(response.url).searchParams.get('page') ?? 1) + 1}}}},
	};
	for (const [name, options] of Object.entries(settings)) {
		test(name, async (t: TestContext) => {
			const origin = await pages(t);
			const {plain, cached} = clientsOf(t, {prefixUrl: origin.url});
			const all = async (client: Got) => client.paginate.all<number>('items', options as never);
			const expected = await all(plain);
			t.assert.ok(expected.length > 2);
			t.assert.deepStrictEqual(await all(cached), expected);
			origin.requests.length = 0;
			t.assert.deepStrictEqual(await all(cached), expected);
			t.assert.strictEqual(origin.requests.length, 0);
		});
	}
});

test('a request leaves behind what it leaves without the cache', async (t: TestContext) => {
	const origin = await originOf(t, ({url}, response) => {
		respond(response, url === '/404' ? {status: 404} : {headers: fresh, body: 'body'});
	});
	const {signal} = new AbortController();
	const added: string[] = [];
	const removed: string[] = [];
	t.mock.method(signal, 'addEventListener', function (this: AbortSignal, ...arguments_: Parameters<AbortSignal['addEventListener']>) {
		added.push(arguments_[0]);
		AbortSignal.prototype.addEventListener.apply(this, arguments_);
	});
	t.mock.method(signal, 'removeEventListener', function (this: AbortSignal, ...arguments_: Parameters<AbortSignal['removeEventListener']>) {
		removed.push(arguments_[0]);
		AbortSignal.prototype.removeEventListener.apply(this, arguments_);
	});
	const {cached} = clientsOf(t, {prefixUrl: origin.url, signal, timeout: {request: 60_000, response: 60_000}, throwHttpErrors: false, agent: {}});
	await cached('items');
	const handlesBefore = openHandles().filter(name => name === 'Timeout');
	for (let call = 0; call < 20; call++) {
		await Promise.all([cached('items'), cached('404'), cached(`items?${call}`)]);
	}

	await nextTurn();
	t.assert.deepStrictEqual(openHandles().filter(name => name === 'Timeout'), handlesBefore);
	t.assert.ok(removed.length >= added.length - 1, 'a listener for each that was added');
});

test('on a real Redis too', async (t: TestContext) => {
	await using redis = await startRedis();
	const origin = await originOf(t, ({headers, url}, response) => {
		const fields = {date, etag: '"1"', 'x-twice': ['1', '2'], 'content-type': 'application/json', 'cache-control': url.startsWith('/validated') ? 'max-age=0' : 'max-age=600'};
		respond(response, headers['if-none-match'] === '"1"' ? {status: 304, headers: fields} : {status: url.startsWith('/404') ? 404 : 200, headers: fields, body: '{"a":"\u{E9}\u{1F600}"}'});
	});
	const plain = got.extend({prefixUrl: origin.url});
	const options: OptionsInit[] = [{}, {responseType: 'json'}, {responseType: 'buffer'}, {decompress: false}, {encoding: 'latin1'}, {method: 'HEAD'}];
	await using first = redisCache({store: redis.url, timeout: '5s'});
	await using second = redisCache({store: redis.url, timeout: '5s'});
	let keys = 0;
	const waitForKey = async () => {
		keys++;
		while (await redis.client.dbSize() < keys) {
			await nextTurn();
		}
	};

	for (const url of ['fresh', 'validated', '404']) {
		for (const [index, option] of options.entries()) {
			const request = [`${url}/${index}`, {throwHttpErrors: false, ...option}] as const;

			const expected = await plain(...request) as Response;

			const miss = await plain.extend(first)(...request) as Response;
			assertSame(miss, expected, 'none');

			await nextTurn();

			await waitForKey();

			const hit = await plain.extend(second)(...request) as Response;
			t.assert.strictEqual(hit.isFromCache, true, request[0]);
			assertSame(hit, miss, url === 'validated' ? 'validated' : 'stored');
		}
	}
});
