import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {setUp} from './helpers.ts';

test('a fresh response is reused without a socket', async ({mock}) => {
	// By its `Date`, what is sent at the end of a second is a second old when it arrives.
	mock.timers.enable({apis: ['Date'], now: 1_800_000_000_000});
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60', date: new Date().toUTCString(), 'x-custom': 'a'}, body: 'body'});

	const miss = await client('items');
	assert.equal(miss.isFromCache, false);
	assert.equal(cacheInfo(miss)?.status, 'miss');
	assert.equal(cacheInfo(miss)?.reason, 'not-stored');
	assert.equal(cacheInfo(miss)?.notStored, undefined);

	// With the origin gone, a socket would be an error.
	await origin.stop();
	const hit = await client('items');
	assert.equal(hit.isFromCache, true);
	assert.equal(hit.statusCode, 200);
	assert.equal(hit.body, 'body');
	assert.equal(hit.headers['x-custom'], 'a');
	assert.equal(hit.headers.age, '0');
	assert.equal(cacheInfo(hit)?.status, 'hit');
	assert.equal(cacheInfo(hit)?.reason, 'fresh');
	assert.equal(origin.requests.length, 1);
});

test('another process is answered from the same Redis', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'body'});

	await client('items');
	const {body, isFromCache} = await setup.other().client('items');

	assert.deepEqual({body, isFromCache}, {body: 'body', isFromCache: true});
	assert.equal(origin.requests.length, 1);
});

test('another namespace sees nothing', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: '1'}, {headers: {'cache-control': 'max-age=60'}, body: '2'});

	await client('items');
	const {body, isFromCache} = await setup.other({namespace: 'other'}).client('items');

	assert.deepEqual({body, isFromCache}, {body: '2', isFromCache: false});
});

for (const [name, validator, condition, value] of [
	['an entity tag', {etag: '"v1"'}, 'if-none-match', '"v1"'],
	['a weak entity tag', {etag: 'W/"v1"'}, 'if-none-match', 'W/"v1"'],
	['a date', {'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT'}, 'if-modified-since', 'Thu, 01 Jan 2026 00:00:00 GMT'],
] as const) {
	test(`a stale response is validated by ${name}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(
			{headers: {...validator, 'cache-control': 'max-age=0', 'x-version': '1', 'x-kept': 'kept'}, body: 'body'},
			{status: 304, headers: {...validator, 'cache-control': 'max-age=60', 'x-version': '2', 'x-new': 'new'}},
		);

		const miss = await client('items');
		const revalidated = await client('items');
		assert.equal(origin.requests[0]?.headers[condition], undefined);
		assert.equal(origin.requests[1]?.headers[condition], value);
		assert.equal(revalidated.statusCode, 200);
		assert.equal(revalidated.body, 'body');
		assert.equal(revalidated.isFromCache, true);
		assert.deepEqual(revalidated.rawBody, miss.rawBody);
		assert.equal(revalidated.headers['x-version'], '2');
		assert.equal(revalidated.headers['x-kept'], 'kept');
		assert.equal(revalidated.headers['x-new'], 'new');
		assert.equal(cacheInfo(revalidated)?.status, 'revalidated');
		assert.equal(revalidated.request.options.headers[condition], undefined);

		// The 304 made it fresh.
		const hit = await client('items');
		assert.equal(cacheInfo(hit)?.status, 'hit');
		assert.equal(hit.headers['x-version'], '2');
		assert.equal(origin.requests.length, 2);
	});
}

test('a stale response that has changed is replaced', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{headers: {etag: '"v1"', 'cache-control': 'max-age=0'}, body: 'old'},
		{headers: {etag: '"v2"', 'cache-control': 'max-age=60'}, body: 'new'},
	);

	await client('items');
	const changed = await client('items');
	assert.equal(changed.body, 'new');
	assert.equal(changed.isFromCache, false);
	assert.equal((await client('items')).body, 'new');
	assert.equal(origin.requests.length, 2);
});

test('a 304 for something else is never the answer', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(
		{headers: {etag: '"v1"', 'cache-control': 'max-age=0'}, body: 'old'},
		{status: 304, headers: {etag: '"v9"'}},
		{headers: {etag: '"v9"', 'cache-control': 'max-age=60'}, body: 'new'},
	);

	await client('items');
	const {statusCode, body} = await client('items');

	assert.deepEqual({statusCode, body}, {statusCode: 200, body: 'new'});
	assert.equal(origin.requests[2]?.headers['if-none-match'], undefined);
});

test('variants that alternate all hit', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({headers}, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.setHeader('vary', 'Accept-Language');
		response.end(`in ${headers['accept-language'] ?? 'any language'}`);
	};

	const languages = ['en', 'de', undefined, 'fr'];
	const ask = async (from = client) => {
		for (const language of languages) {
			assert.equal(await from('items', {headers: {'accept-language': language}}).text(), `in ${language ?? 'any language'}`);
		}
	};

	await ask();
	await ask();
	await ask(setup.other().client);
	assert.equal(origin.requests.length, languages.length);
});

test('a request that would change the resource invalidates what is stored of it', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const fresh = (body: string) => ({headers: {'cache-control': 'max-age=60'}, body});
	origin.queue(fresh('before'), {status: 204}, fresh('after'));

	await client('items');
	await client.put('items', {json: {}});

	assert.equal(await client('items').text(), 'after');
	assert.equal(await client('items').text(), 'after');
	assert.equal(origin.requests.length, 3);
});

test('a request that fails to change the resource invalidates nothing', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'before'}, {status: 409});

	await client('items');
	await client.put('items', {json: {}, throwHttpErrors: false});

	assert.equal(await client('items').text(), 'before');
});

test('`delete()` removes every variant of a URL, for everyone', async () => {
	await using setup = await setUp();
	const {client, origin, cache, redis} = setup;
	origin.handler = (_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.setHeader('vary', 'accept-language');
		response.end(String(origin.requests.length));
	};

	for (const language of ['en', 'de']) {
		await client('items', {headers: {'accept-language': language}});
	}

	assert.equal(await cache.delete(`${origin.url}/items`), true);
	const keys = await redis.client.keys('*');
	assert.deepEqual(keys.filter(key => !/\{origin:|:guard$/v.test(key)), []);
	assert.equal(await setup.other().client('items', {headers: {'accept-language': 'en'}}).text(), '3');
});

test('`clear()` removes the namespace and nothing else', async () => {
	await using setup = await setUp({namespace: 'a'});
	const {client, origin, cache, redis} = setup;
	origin.handler = (_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('body');
	};

	await Promise.all([client('items'), setup.other({namespace: 'a:b'}).client('items'), setup.other({namespace: 'ab'}).client('items')]);
	await redis.client.set('a', 'not ours');
	await cache.clear();

	const keys = (await redis.client.keys('*')).filter(key => !key.includes('{origin:') && !key.endsWith(':guard'));
	assert.deepEqual(keys.map(key => key.replace(/\{[\w\-]+\}/v, '{…}')).toSorted(), ['a', 'a:b:{…}', 'ab:{…}']);
});

test('options of a request', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	let version = 0;
	origin.handler = ({headers}, response) => {
		if (headers['if-none-match'] !== undefined) {
			response.writeHead(304, {etag: headers['if-none-match']}).end();
			return;
		}

		version++;
		response.writeHead(200, {'cache-control': 'max-age=60', etag: `"${version}"`}).end(String(version));
	};

	const ask = async (cache: Record<string, unknown>) => {
		const response = await client('items', {context: {cache}, throwHttpErrors: false});
		return [response.statusCode, response.body, cacheInfo(response)?.status, cacheInfo(response)?.reason];
	};

	assert.deepEqual(await ask({onlyIfCached: true}), [504, '', 'unavailable', 'only-if-cached']);
	assert.deepEqual(await ask({mode: 'only-if-cached'}), [504, '', 'unavailable', 'only-if-cached']);
	assert.deepEqual(await ask({readOnly: true}), [200, '1', 'miss', 'not-stored']);
	assert.deepEqual(await ask({disabled: true}), [200, '2', 'bypass', 'disabled']);
	assert.deepEqual(await ask({mode: 'no-store'}), [200, '3', 'bypass', 'no-store']);
	assert.deepEqual(await ask({}), [200, '4', 'miss', 'not-stored']);
	assert.deepEqual(await ask({}), [200, '4', 'hit', 'fresh']);
	assert.deepEqual(await ask({onlyIfCached: true}), [200, '4', 'hit', 'fresh']);
	assert.deepEqual(await ask({mode: 'no-cache'}), [200, '4', 'revalidated', 'not-modified']);
	assert.deepEqual(await ask({alwaysRevalidate: true}), [200, '4', 'revalidated', 'not-modified']);
	assert.deepEqual(await ask({mode: 'reload'}), [200, '5', 'miss', 'reload']);
	assert.deepEqual(await ask({}), [200, '5', 'hit', 'fresh']);
	await assert.rejects(ask({mode: 'sometimes'}), {message: /`mode` in `context.cache` to be one of/v});
});

test('got does not wait to ask once more for what only the cache was asked for', async () => {
	await using setup = await setUp();
	let retries = 0;
	const client = setup.client.extend({
		retry: {limit: 2, backoffLimit: 1},
		hooks: {
			beforeRetry: [() => {
				retries++;
			}],
		},
	});
	await assert.rejects(client('items', {context: {cache: {onlyIfCached: true}}}), {name: 'HTTPError', message: /504/v});
	assert.equal(retries, 0);

	setup.origin.queue({status: 504});
	setup.origin.queue({body: 'x'});
	await client('items');
	assert.equal(retries, 1);
});

test('options of the cache decide what is stored', async () => {
	await using setup = await setUp({
		expireAfter: ({headers}) => headers['x-lifetime'] === undefined ? undefined : '1m',
		ignoredParameters: ['access-token'],
		matchHeaders: ['x-tenant'],
		filter: ({url}) => !url.includes('private'),
	});
	const {client, origin, redis} = setup;
	origin.handler = (_request, response) => {
		response.setHeader('x-lifetime', 'short');
		response.end(String(origin.requests.length));
	};

	assert.equal(await client('items?access-token=a&page=1').text(), '1');
	assert.equal(await client('items?page=1&ACCESS-TOKEN=b').text(), '1');
	assert.equal(await client('items?page=1', {headers: {'x-tenant': '7'}}).text(), '2');
	assert.equal(await client('items?page=1', {headers: {'x-tenant': '7'}}).text(), '2');
	assert.equal(await client('private').text(), '3');
	assert.equal(await client('private').text(), '4');

	// Long enough not to be in a hash by chance.
	for (const key of await redis.client.keys('*')) {
		assert.doesNotMatch(`${key} ${await redis.client.get(key)}`, /access-token/iv);
	}
});
