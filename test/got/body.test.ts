import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import test from 'node:test';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import type {Response} from 'got';
import {cacheInfo} from '../../source/index.ts';
import {setUp} from './helpers.ts';

const observe = ({statusCode, statusMessage, headers, rawHeaders, body, rawBody, url, ok, httpVersion}: Response) => {
	// These say what the cache did.
	const {age, 'cache-status': _, ...others} = headers;
	const isOurs = (name: string) => name === 'Age' || name === 'Cache-Status';
	const nameAt = (fields: readonly string[], index: number) => String(fields[index - (index % 2)]);

	return {
		statusCode,
		statusMessage,
		headers: others,
		rawHeaders: rawHeaders.filter((_field, index) => !isOurs(nameAt(rawHeaders, index)) && Object.hasOwn(headers, nameAt(rawHeaders, index).toLowerCase())),
		body,
		bodyPrototype: Object.getPrototypeOf(new Object(body)) as unknown,
		rawBody,
		rawBodyPrototype: Object.getPrototypeOf(rawBody) as unknown,
		url,
		ok,
		httpVersion,
	};
};

const perConnection = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const withoutConnection = ({headers, rawHeaders, ...others}: ReturnType<typeof observe>) => ({
	...others,
	headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !perConnection.has(name))),
	rawHeaders: rawHeaders.filter((_, index) => !perConnection.has(String(rawHeaders[index - (index % 2)]).toLowerCase())),
});

const everyByte = new Uint8Array(256).map((_, index) => index);

const bodies = {
	json: {headers: {'content-type': 'application/json'}, body: '{"a":[1,2,{"b":"ü"}]}'},
	text: {headers: {'content-type': 'text/plain; charset=utf-8'}, body: 'grüße 👋'},
	bytes: {headers: {'content-type': 'application/octet-stream'}, body: everyByte},
	random: {headers: {}, body: randomBytes(200_000)},
	empty: {headers: {}, body: ''},
	gzip: {headers: {'content-encoding': 'gzip', 'content-type': 'application/json'}, body: gzipSync('{"gzip":true}')},
	brotli: {headers: {'content-encoding': 'br', 'content-type': 'application/json'}, body: brotliCompressSync('{"br":true}')},
	repeated: {headers: ['Set-Cookie', 'a=1', 'X-Many', '1', 'X-Many', '2', 'Set-Cookie', 'b=2', 'ETag', '"x"', 'Cache-Control', 'public'], body: 'x'},
} as const;

const forms = {
	default: {},
	text: {responseType: 'text'},
	json: {responseType: 'json'},
	buffer: {responseType: 'buffer'},
	latin1: {encoding: 'latin1'},
	lenient: {throwHttpErrors: false},
	encoded: {decompress: false},
} as const;

const fieldLines = (headers: Readonly<Record<string, string>> | readonly string[]) => Array.isArray(headers) ? headers as string[] : Object.entries(headers).flat();

for (const [bodyName, {headers, body}] of Object.entries(bodies)) {
	for (const [formName, options] of Object.entries(forms)) {
		const isJson = ['json', 'empty', 'gzip', 'brotli'].includes(bodyName);
		if (formName === 'json' && !isJson) {
			continue;
		}

		test(`${bodyName} as ${formName}: a hit is what the miss was`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			const lifetime = ['Cache-Control', 'max-age=60'];
			origin.queue({headers: [...lifetime, ...fieldLines(headers)], body});

			const miss = await client('items', options as never) as Response;
			const missed = observe(miss);
			const hit = await client('items', options as never) as Response;
			assert.equal(hit.isFromCache, true);
			assert.deepEqual(withoutConnection(observe(hit)), withoutConnection(missed));

			const elsewhere = await setup.other().client('items', options as never) as Response;
			assert.equal(elsewhere.isFromCache, true);
			assert.deepEqual(withoutConnection(observe(elsewhere)), withoutConnection(missed));
			assert.equal(origin.requests.length, 1);
		});
	}
}

test('every shortcut gives on a hit what it gave on the miss', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = (_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('{"items":[1,2]}');
	};

	const shortcuts = {
		json: async () => client('json').json(),
		text: async () => client('text').text(),
		buffer: async () => client('buffer').buffer(),
		resolveBodyOnly: async () => client('body', {resolveBodyOnly: true, responseType: 'json'}),
		paginate: async () => client.paginate.all('paginate', {pagination: {transform: ({body}) => (JSON.parse(body as string) as {items: number[]}).items, paginate: () => false}}),
	};

	for (const [name, ask] of Object.entries(shortcuts)) {
		assert.deepEqual(await ask(), await ask(), name);
	}

	// `.json()` asks for JSON where nothing else is asked for.
	assert.equal(origin.requests.length, Object.keys(shortcuts).length);
});

test('pages are cached each for itself', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({url}, response) => {
		const page = Number(new URL(url, origin.url).searchParams.get('page') ?? 1);
		response.setHeader('cache-control', 'no-cache');
		response.setHeader('etag', `"${page}"`);
		if (page < 3) {
			response.setHeader('link', `</items?page=${page + 1}>; rel="next"`);
		}

		response.end(JSON.stringify([page]));
	};

	const all = async () => client.paginate.all<number>('items');
	assert.deepEqual(await all(), [1, 2, 3]);
	origin.handler = ({headers}, response) => {
		response.writeHead(headers['if-none-match'] === undefined ? 500 : 304, {etag: headers['if-none-match']}).end();
	};

	assert.deepEqual(await all(), [1, 2, 3]);
	assert.deepEqual(origin.requests.slice(3).map(({headers}) => headers['if-none-match']), ['"1"', '"2"', '"3"']);
});

test('an error response is an error on a hit too', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({status: 404, headers: {'cache-control': 'max-age=60'}, body: 'nothing here'});

	for (const isFromCache of [false, true]) {
		await assert.rejects(client('items'), (error: {name: string; response: Response<string>}) => {
			assert.equal(error.name, 'HTTPError');
			assert.equal(error.response.body, 'nothing here');
			assert.equal(error.response.isFromCache, isFromCache);
			assert.equal(cacheInfo(error.response)?.status, isFromCache ? 'hit' : 'miss');
			return true;
		});
	}
});

test('a caller\'s changes to a response do not change the stored one', async () => {
	await using setup = await setUp({store: 'memory'});
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60', 'x-list': 'a'}, body: 'body'});

	for (const isFromCache of [false, true, true]) {
		const response = await client('items', {responseType: 'buffer'});
		assert.equal(response.isFromCache, isFromCache);
		assert.equal(new TextDecoder().decode(response.body), 'body');
		assert.equal(response.headers['x-list'], 'a');
		assert.equal(response.statusCode, 200);

		response.body.fill(0);
		response.rawBody.fill(0);
		response.headers['x-list'] = 'changed';
		response.rawHeaders.length = 0;
		response.statusCode = 500;
	}
});

test('a caller\'s changes to a revalidated response do not change the stored one', async () => {
	await using setup = await setUp({store: 'memory'});
	const {client, origin} = setup;
	origin.handler = ({headers}, response) => {
		if (headers['if-none-match'] === undefined) {
			response.writeHead(200, {'cache-control': 'no-cache', etag: '"1"'}).end('body');
		} else {
			response.writeHead(304, {etag: '"1"'}).end();
		}
	};

	for (const isFromCache of [false, true, true]) {
		const response = await client('items', {responseType: 'buffer'});
		assert.equal(response.isFromCache, isFromCache);
		assert.equal(new TextDecoder().decode(response.body), 'body');
		response.body.fill(0);
	}
});

test('a body larger than `maxBodySize` is handed on and not stored', async () => {
	await using setup = await setUp({maxBodySize: 10});
	const {client, origin} = setup;
	origin.handler = ({url}, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('x'.repeat(Number(url.slice(1))));
	};

	await client('10');
	assert.equal((await client('10')).isFromCache, true);
	const large = await client('11');
	assert.equal(large.body, 'x'.repeat(11));
	assert.equal(cacheInfo(large)?.notStored, 'too-large');
	assert.equal((await client('11')).isFromCache, false);
});
