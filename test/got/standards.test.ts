import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import type {ClientRequest} from 'node:http';
import test from 'node:test';
import got from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin, type PlainResponse} from '../helpers/origin.ts';
import {readStream} from './read-stream.ts';
import {setUp as setUpOnRedis} from './helpers.ts';

/** On the in-memory store: what is shown here is the same on any. */
const setUp = async (options: RedisCacheOptions = {}) => {
	const origin = await startOrigin();
	const cache = redisCache({store: 'memory', ...options});
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);

	return {
		origin,
		client,
		async [Symbol.asyncDispose]() {
			await cache.close();
			await origin.stop();
		},
	};
};

const fresh = (body: string, headers: Record<string, string | string[]> = {}): PlainResponse => ({headers: {'cache-control': 'max-age=60', ...headers}, body});

// https://httpwg.org/http-extensions/draft-ietf-httpbis-safe-method-w-body.html

test('QUERY: its content is part of the key', async () => {
	await using setup = await setUpOnRedis();
	const {client, origin} = setup;
	origin.handler = ({method, body}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end(`${method} ${Buffer.from(body).toString()}`);
	};

	const query = async (options: Record<string, unknown>, from = client) => from('items', {method: 'QUERY', ...options}).text();

	assert.equal(await query({json: {a: 1, b: [1, 2]}}), 'QUERY {"a":1,"b":[1,2]}');
	assert.equal(await query({json: {b: [1, 2], a: 1}}), 'QUERY {"a":1,"b":[1,2]}');
	assert.equal(await query({json: {a: 1, b: [1, 2]}}, setup.other().client), 'QUERY {"a":1,"b":[1,2]}');
	assert.equal(origin.requests.length, 1);

	assert.equal(await query({json: {a: 1, b: [2, 1]}}), 'QUERY {"a":1,"b":[2,1]}');
	assert.equal(await query({form: {a: 1, b: 2}}), 'QUERY a=1&b=2');
	assert.equal(await query({body: 'a=1&b=2'}), 'QUERY a=1&b=2');
	assert.equal(await client('items').text(), 'GET ');
	assert.equal(origin.requests.length, 5);

	assert.equal(await query({form: {b: 2, a: 1}}), 'QUERY a=1&b=2');
	assert.equal(await query({body: 'a=1&b=2'}), 'QUERY a=1&b=2');
	assert.equal(await client('items').text(), 'GET ');
	assert.equal(origin.requests.length, 5);
});

test('QUERY: what describes its content is part of the key', async () => {
	await using setup = await setUpOnRedis();
	const {client, origin, cache} = setup;
	origin.handler = ({headers}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end(`${headers['content-encoding']} ${headers['content-language']} ${headers['content-type']}`);
	};

	const query = (headers: Record<string, string>, body = '[1]') => ({url: `${origin.url}/items`, method: 'QUERY', headers: {'content-type': 'application/json', ...headers}, body} as const);
	const ask = async (headers: Record<string, string>) => {
		const {url: _, ...options} = query(headers);
		return client('items', options).text();
	};

	const answers: ReadonlyArray<readonly [headers: Record<string, string>, expected: string]> = [
		[{}, 'undefined undefined application/json'],
		[{'Content-Encoding': 'gzip'}, 'gzip undefined application/json'],
		[{'Content-Language': 'de'}, 'undefined de application/json'],
		[{'Content-Language': 'en'}, 'undefined en application/json'],
		[{'content-type': 'application/json; profile="a"'}, 'undefined undefined application/json; profile="a"'],
	];
	for (const round of ['missed', 'hit']) {
		for (const [headers, expected] of answers) {
			assert.equal(await ask(headers), expected, round);
		}
	}

	assert.equal(origin.requests.length, answers.length);
	assert.equal(await cache.delete(query({'Content-Language': 'de'})), true);
	assert.equal(await cache.has(query({'content-language': 'DE'})), false);
	assert.equal(await cache.has(query({'content-language': 'EN'}, ' [ 1 ]')), true);
});

test('QUERY is safe: it invalidates nothing', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(fresh('got'), {status: 200, headers: {location: '/items'}, body: 'queried'});

	await client('items');
	await client.query('items', {json: {}});

	assert.equal(await client('items').text(), 'got');
	assert.equal(origin.requests.length, 2);
});

test('QUERY is validated with its content', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'found'}, {status: 304, headers: {etag: '"1"'}});
	const query = async () => client('items', {method: 'QUERY', json: {a: 1}});

	await query();
	const response = await query();

	assert.deepEqual([response.body, cacheInfo(response)?.status], ['found', 'revalidated']);
	const [, validation] = origin.requests;
	assert.deepEqual([validation?.method, String(Buffer.from(validation?.body ?? [])), validation?.headers['if-none-match']], ['QUERY', '{"a":1}', '"1"']);
});

// RFC 9110 §9.3.3

test('POST with explicit freshness and its own Content-Location answers GET', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(fresh('before'), fresh('after', {'content-location': '/items'}));

	await client('items');
	assert.equal((await client.post('items', {json: {a: 1}})).body, 'after');

	const response = await client('items');
	assert.deepEqual([response.body, cacheInfo(response)?.status], ['after', 'hit']);
	assert.equal((await client.head('items')).statusCode, 200);
	assert.equal(origin.requests.length, 2);

	// A POST itself is never answered from what is stored.
	origin.queue(fresh('again'));
	assert.equal((await client.post('items', {json: {a: 1}})).body, 'again');
});

for (const [what, response] of [
	['without explicit freshness', {headers: {'content-location': '/items', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT'}, body: 'after'}],
	['without Content-Location', fresh('after')],
	['of another resource', fresh('after', {'content-location': '/items/1'})],
] as const) {
	test(`POST ${what} answers nothing`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(response, fresh('got'));

		await client.post('items', {json: {a: 1}});
		assert.equal(await client('items').text(), 'got');
	});
}

// RFC 9110 §15.2

test('interim responses are passed on and never stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = (_request, response) => {
		response.writeEarlyHints({link: '</style.css>; rel=preload'});
		response.writeProcessing();
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('final');
	};

	const seen: number[] = [];
	const watch = (request: ClientRequest) => {
		request.on('information', ({statusCode}) => {
			seen.push(statusCode);
		});
	};

	const ask = async (path: string) => {
		const promise = client(path);
		void promise.on('request', watch);
		return promise;
	};

	assert.equal((await ask('items')).statusCode, 200);
	assert.deepEqual(seen, [103, 102]);

	const hit = await ask('items');
	assert.deepEqual([hit.statusCode, hit.body, hit.isFromCache, hit.headers.link], [200, 'final', true, undefined]);
	assert.deepEqual(seen, [103, 102]);

	const stream = client.stream('others');
	void once(stream, 'request').then(([request]) => {
		watch(request as ClientRequest);
	});
	assert.equal((await readStream(stream)).body, 'final');
	assert.deepEqual(seen, [103, 102, 103, 102]);
	assert.equal(origin.requests.length, 2);
});

// RFC 9211

test('Cache-Status is appended to what caches before it have written, and never stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(fresh('body', {'cache-status': ['ReverseProxy; hit', '"far cache"; fwd=miss']}));

	const {headers} = await client('items');
	assert.match(String(headers['cache-status']), /^ReverseProxy; hit, "far cache"; fwd=miss, got-redis-cache;fwd=uri-miss;fwd-status=200;ttl=\d+;stored;key="[^"]+";detail=stored$/v);

	for (const ask of [async () => client('items'), async () => readStream(client.stream('items'))]) {
		const hit = await ask();
		assert.match(String(hit.headers['cache-status']), /^ReverseProxy; hit, "far cache"; fwd=miss, got-redis-cache;hit;ttl=\d+;key="[^"]+";detail=fresh$/v);
	}
});

test('Cache-Status says why the request went forward and what the origin said', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{headers: {'cache-control': 'max-age=0', etag: '"1"', vary: 'accept'}, body: '1'},
		{status: 304, headers: {etag: '"1"'}},
		{headers: {'cache-control': 'no-store', vary: 'accept'}, body: '2'},
		{headers: {'cache-control': 'max-age=60'}, body: '3'},
		{status: 204},
	);

	const statusOf = async (options: Record<string, unknown> = {}) => {
		const {headers} = await client('items', {headers: {accept: 'a'}, throwHttpErrors: false, ...options});
		return String(headers['cache-status']).replace(/;key="[^"]+"/v, '').replace(/ttl=-?\d+/v, 'ttl');
	};

	assert.equal(await statusOf(), 'got-redis-cache;fwd=uri-miss;fwd-status=200;ttl;stored;detail=stored');
	assert.equal(await statusOf(), 'got-redis-cache;fwd=stale;fwd-status=304;ttl;stored;detail=not-modified');
	assert.equal(await statusOf({headers: {accept: 'b'}}), 'got-redis-cache;fwd=vary-miss;fwd-status=200;detail=no-store');
	assert.equal(await statusOf({context: {cache: {mode: 'reload'}}}), 'got-redis-cache;fwd=request;fwd-status=200;ttl;stored;detail=stored');
	assert.equal(await statusOf({method: 'DELETE'}), 'got-redis-cache;fwd=method;fwd-status=204;detail=method');
	assert.equal(await statusOf({headers: {'cache-control': 'only-if-cached'}}), 'got-redis-cache;detail=only-if-cached');
});

test('Cache-Status has the name that the user gives it, or is left alone', async () => {
	for (const [cacheStatus, expected] of [['edge', /^edge;hit/v], ['my cache', /^"my cache";hit/v], [false, /^undefined$/v]] as const) {
		await using setup = await setUp({cacheStatus});
		const {client, origin} = setup;
		origin.queue(fresh('body'));

		await client('items');
		const {headers} = await client('items');
		assert.match(String(headers['cache-status']), expected);
	}
});

// RFC 9213

test('of the targeted fields, the first of the user\'s that is there decides', async () => {
	await using setup = await setUp({targets: ['edge-cache-control', 'cdn-cache-control']});
	const {client, origin} = setup;
	const response = (headers: Record<string, string>): PlainResponse => ({headers, body: 'body'});
	const isStored = async (headers: Record<string, string>) => {
		origin.queue(response(headers));
		const path = `items/${origin.requests.length}`;
		await client(path);
		const {body} = await client(path, {headers: {'cache-control': 'only-if-cached'}, throwHttpErrors: false});
		return body === 'body';
	};

	assert.equal(await isStored({'cache-control': 'no-store', 'cdn-cache-control': 'max-age=60'}), true);
	assert.equal(await isStored({'cache-control': 'max-age=60', 'cdn-cache-control': 'no-store'}), false);
	assert.equal(await isStored({'cdn-cache-control': 'no-store', 'edge-cache-control': 'max-age=60'}), true);
	assert.equal(await isStored({'edge-cache-control': 'no-store', 'cdn-cache-control': 'max-age=60'}), false);
	assert.equal(await isStored({'edge-cache-control': '&', 'cdn-cache-control': 'max-age=60'}), true);
	assert.equal(await isStored({'other-cache-control': 'max-age=60', 'cache-control': 'no-store'}), false);
});

// RFC 8246

test('an immutable response is not validated for a reload while it is fresh', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(fresh('body', {'cache-control': 'max-age=60, immutable', etag: '"1"'}), {status: 304, headers: {etag: '"1"'}});

	await client('items');
	const reload = await client('items', {headers: {'cache-control': 'max-age=0'}});
	assert.deepEqual([cacheInfo(reload)?.status, cacheInfo(reload)?.reason], ['hit', 'immutable']);

	// RFC 8246 §2 leaves what is asked for explicitly.
	await client('items', {headers: {'cache-control': 'no-cache'}});
	assert.equal(origin.requests.length, 2);
});
