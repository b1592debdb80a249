import assert from 'node:assert/strict';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import test, {after} from 'node:test';
import {gzipSync} from 'node:zlib';
import fc from 'fast-check';
import got, {type Got, type Response} from 'got';
import {CookieJar} from 'tough-cookie';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin, type PlainResponse} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {triesOf} from '../helpers/runs.ts';
import {isGot15, settleWrites} from './helpers.ts';

// Always the same: two calls may lie in two seconds.
const date = new Date().toUTCString();
const lifetime = {'cache-control': 'max-age=3600', date};

const resources: Record<string, PlainResponse> = {
	json: {headers: {...lifetime, 'content-type': 'application/json'}, body: '{"items":[1,"ü",null]}'},
	text: {headers: {...lifetime, 'x-list': ['a', 'b'], etag: '"1"'}, body: '\u{FEFF}grüße'},
	bytes: {headers: lifetime, body: new Uint8Array(256).map((_, index) => index)},
	large: {headers: lifetime, body: `[${'"0123456789",'.repeat(5000)}1]`},
	empty: {headers: lifetime},
	gzip: {headers: {...lifetime, 'content-encoding': 'gzip'}, body: gzipSync('[1]')},
	vary: {headers: {...lifetime, vary: 'accept, accept-language', 'set-cookie': ['a=1', 'b=2']}, body: '[]'},
	noContent: {status: 204, headers: lifetime},
	created: {status: 201, headers: lifetime, body: '{}'},
	gone: {status: 410, headers: lifetime, body: '{"error":"gone"}'},
	moved: {status: 301, headers: {...lifetime, location: '/json'}},
	stale: {headers: {date, 'cache-control': 'max-age=0, stale-while-revalidate=3600', etag: '"1"'}, body: '[]'},
	noCache: {headers: {date, 'cache-control': 'no-cache', etag: '"1"'}, body: '[]'},
	noStore: {headers: {date, 'cache-control': 'no-store'}, body: '[]'},
};

const origin = await startOrigin(({url}, response) => {
	const {status = 200, headers = {}, body = ''} = resources[new URL(url, origin.url).pathname.slice(1)] ?? {status: 404};
	response.sendDate = false;
	response.writeHead(status, headers as Record<string, string>).end(body);
});
after(async () => {
	await origin.stop();
});

type Call = {
	readonly resource: string;
	readonly query: string | undefined;
	readonly options: Record<string, unknown>;
	readonly shortcut: 'json' | 'text' | 'buffer' | undefined;
	readonly isListening: boolean;
	readonly isPaginated: boolean;
};

/** Few at a time: most of them exclude the fast path. */
const someOf = (options: Record<string, readonly unknown[]>) => fc
	.subarray(Object.entries(options), {maxLength: 3})
	.chain(chosen => fc.record(Object.fromEntries(chosen.map(([name, values]) => [name, fc.constantFrom(...values)]))));

const calls: fc.Arbitrary<Call> = fc.record({
	resource: fc.constantFrom(...Object.keys(resources), 'missing'),
	query: fc.constantFrom(undefined, undefined, 'a=1&b=2', 'b=2&a=1', '?'),
	options: someOf({
		responseType: ['text', 'json', 'buffer'],
		encoding: ['latin1', 'base64', 'utf8'],
		resolveBodyOnly: [true],
		throwHttpErrors: [false],
		followRedirect: [false],
		decompress: [false],
		headers: [{accept: 'text/plain'}, {'accept-language': 'de'}, {range: 'bytes=1-3'}, {'if-none-match': '"1"'}, {'cache-control': 'no-cache'}, {'user-agent': undefined}, {'x-list': ['a', 'b']}],
		searchParams: [{page: 1}],
		parseJson: [(text: string) => ({parsed: text.length}), () => {
			throw new Error('no JSON of mine');
		}],
		context: [{}, {user: 1}, {cache: {mode: 'no-cache'}}, {cache: {mode: 'only-if-cached'}}, {cache: {disabled: true}}, {cache: {onlyIfCached: true}}],
		retry: [{limit: 0}],
		timeout: [{request: 10_000}],
		signal: [new AbortController().signal, AbortSignal.abort()],
		hooks: [{}, {afterResponse: [(response: Response) => response]}],
		username: ['user'],
	}),
	shortcut: fc.constantFrom(undefined, undefined, 'json', 'text', 'buffer'),
	isListening: fc.nat(4).map(number => number === 0),
	isPaginated: fc.nat(9).map(number => number === 0),
});

const comparedFields = [
	'statusCode',
	'statusMessage',
	'httpVersion',
	'httpVersionMajor',
	'httpVersionMinor',
	'url',
	'requestUrl',
	'redirectUrls',
	'isFromCache',
	'ip',
	'retryCount',
	'ok',
	'complete',
	'aborted',
	'trailers',
	'rawTrailers',
	'fromCache',
] as const;

/** The two ways are gone at different times. */
const withoutTime = (text: string | undefined) => text?.replace(/(?<=ttl=)-?\d+/v, 'n');

const describeResponse = (response: Response) => {
	const {body, rawBody, request, headers, rawHeaders, ...others} = response;
	const {options} = request;

	return {
		body,
		bodyPrototype: Object.getPrototypeOf(new Object(body)) as unknown,
		rawBody,
		rawBodyPrototype: Object.getPrototypeOf(rawBody) as unknown,
		prototype: Object.getPrototypeOf(response) as unknown,
		headers: {...headers, age: typeof headers.age, 'cache-status': withoutTime(String(headers['cache-status']))},
		rawHeaders: rawHeaders.map((text, index) => rawHeaders[index - 1] === 'Age' ? 'n' : withoutTime(text)),
		fields: comparedFields.map(name => [name, Reflect.has(response, name), (response as never)[name]]),
		ownNames: Object.keys(others).filter(name => !name.startsWith('_')).toSorted(),
		hasTimings: response.timings !== undefined,
		requestPrototype: Object.getPrototypeOf(request) as unknown,
		requestResponse: request.response === response,
		optionHeaders: {...options.headers},
		options: [options.method, String(options.url), options.responseType, options.encoding, options.context, options.throwHttpErrors, options.retry.limit],
		info: cacheInfo(response) && {...cacheInfo(response), age: undefined, storedAt: undefined, expiresAt: undefined},
	};
};

const describeError = (error: Error & {code?: string; response?: Response; options?: unknown}) => ({
	name: error.name,
	code: error.code,
	// Ports and the like stand in some.
	message: error.message.slice(0, 30),
	response: error.response && describeResponse(error.response),
});

const run = async (client: Got, {resource, query, options, shortcut, isListening, isPaginated}: Call) => {
	const url = query === undefined ? resource : `${resource}?${query}`;
	const events: unknown[] = [];
	try {
		if (isPaginated) {
			return {result: await client.paginate.all(url, {...options, pagination: {transform: ({body}) => [body], paginate: () => false}})};
		}

		const promise = client(url, options as never) as unknown as Promise<Response> & {on(event: string, listener: (value: unknown) => void): unknown} & Record<string, () => Promise<unknown>>;
		if (isListening) {
			for (const event of ['request', 'response', 'redirect', 'downloadProgress']) {
				promise.on(event, value => {
					events.push(event === 'downloadProgress' ? value : event);
				});
			}
		}

		const parsed = shortcut === undefined ? undefined : await promise[shortcut]?.();
		const result = await promise;

		return {parsed, events, result: options.resolveBodyOnly ? result : describeResponse(result)};
	} catch (error) {
		return {events, error: describeError(error as Error)};
	}
};

const pair = (options: RedisCacheOptions) => [true, false].map(fastPath => got.extend({prefixUrl: origin.url, retry: {limit: 0}}, redisCache({timeout: '10s', ...options, fastPath})));

test('thousands of calls, down both ways, from memory', async () => {
	const [fast, ordinary] = pair({store: 'memory'}) as [Got, Got];
	// The class of got's requests is learnt from one.
	await Promise.all([fast('json'), ordinary('json')]);

	await fc.assert(fc.asyncProperty(calls, async call => {
		for (let turn = 0; turn < 3; turn++) {
			assert.deepEqual(await run(fast, call), await run(ordinary, call));
		}
	}), triesOf(1000));
});

// The two share a Redis, where a refresh in the background may end before or after the other asks.
const settled = calls.filter(({resource}) => resource !== 'stale');

for (const [name, memory] of [['Redis', false], ['memory before Redis', undefined]] as const) {
	test(`calls down both ways, from ${name}`, async () => {
		await using redis = await startRedis();
		const [fast, ordinary] = pair({store: redis.url, memory}) as [Got, Got];
		await Promise.all([fast('json'), ordinary('json')]);
		await fc.assert(fc.asyncProperty(settled, async call => {
			await run(ordinary, call);
			// The two have a connection each.
			await settleWrites({redis});
			const expected = await run(ordinary, call);
			assert.deepEqual(await run(fast, call), expected);
			assert.deepEqual(await run(fast, call), expected);
		}), triesOf(200));
	});
}

const isDirect = (response: Response) => typeof Object.getOwnPropertyDescriptor(response, 'request')?.get === 'function';

const eligible = async (extend: (client: Got) => Got = client => client, call: (client: Got) => Promise<Response> = async client => client('json')) => {
	const client = extend(got.extend({prefixUrl: origin.url}, redisCache('memory')));
	await call(client);
	return isDirect(await call(client));
};

test('a hit starts no request', async () => {
	assert.equal(await eligible(), true);
	assert.equal(await eligible(client => client.extend({headers: {accept: 'text/html'}})), true);
});

test('after many requests that the filter excludes, a hit is found the ordinary way, and the next one starts no request', async () => {
	const client = got.extend({prefixUrl: origin.url}, redisCache({store: 'memory', filter: ({url}) => !url.includes('?')}));
	await client('json');
	assert.equal(isDirect(await client('json')), true);
	for (let number = 0; number < 100; number++) {
		assert.equal(cacheInfo(await client(`json?${number}`))?.reason, 'filtered');
	}

	const hits = [await client('json'), await client('json')];
	assert.deepEqual(hits.map(hit => isDirect(hit)), [false, true]);
	assert.deepEqual(hits.map(hit => cacheInfo(hit)?.status), ['hit', 'hit']);
});

test('a fragment is part of its URL', async () => {
	const client = got.extend(redisCache('memory'));
	const url = `${origin.url}/json#part`;
	const expected = await got(url);
	await client(url);

	const hit = await client(url);
	assert.equal(isDirect(hit), true);
	assert.deepEqual([hit.url, hit.requestUrl.href], [expected.url, expected.requestUrl.href]);
});

test('who would see a request is not passed by', async () => {
	assert.equal(await eligible(client => client.extend({hooks: {beforeRequest: [() => undefined]}})), false);
	assert.equal(await eligible(client => client.extend({hooks: {afterResponse: [response => response]}})), false);
	assert.equal(await eligible(client => client.extend({handlers: [(options, next) => next(options)]})), false);
	assert.equal(await eligible(client => client.extend({handlers: [(options, next) => next(options)]}).extend({headers: {a: 'b'}})), false);
	assert.equal(await eligible(client => client.extend({cookieJar: new CookieJar()})), false);
	assert.equal(await eligible(client => client.extend({cache: new Map()})), false);
	assert.equal(await eligible(undefined, async client => client('json', {method: 'HEAD'})), false);
	assert.equal(await eligible(undefined, async client => client('json', {hooks: {beforeError: [error => error]}})), false);
	assert.equal(await eligible(undefined, async client => client('json').on('response', () => undefined)), false);

	const listener = () => undefined;
	subscribe('got:response:start', listener);
	assert.equal(await eligible(), false);
	unsubscribe('got:response:start', listener);
	assert.equal(await eligible(), true);
});

test('a handler before the cache sees the call and may change the answer', async () => {
	// Got 15 parses its own response, whatever a handler makes of it.
	if (isGot15) {
		return;
	}

	let count = 0;
	const client = got.extend({
		prefixUrl: origin.url,
		handlers: [async (options, next) => {
			count++;
			const response = await next(options) as Response;
			response.rawBody = new TextEncoder().encode('{"changed":true}');
			return response as never;
		}],
	}, redisCache('memory'));

	for (let turn = 1; turn <= 3; turn++) {
		assert.deepEqual(await client('json').json(), {changed: true});
		assert.equal(count, turn);
	}
});

test('a listener that is taken back does not count', async () => {
	const client = got.extend({prefixUrl: origin.url}, redisCache('memory'));
	await client('json');
	const listener = () => undefined;

	assert.equal(isDirect(await client('json').on('response', listener).off('response', listener)), true);
});

test('nobody takes a call that is answered directly for a stream\'s', async () => {
	const seen: boolean[] = [];
	const client = got.extend({
		prefixUrl: origin.url,
		handlers: [(options, next) => {
			const result = next(options);
			seen.push(options.isStream, Object.keys(options).includes('isStream'));
			options.isStream = false;
			return result;
		}],
	}, redisCache('memory'));
	await client('json');
	const promise = client('json');

	assert.equal(isDirect(await promise), true);
	assert.deepEqual(seen, [false, false, false, false]);
	const plain = got(`${origin.url}/json`);
	await plain;
	assert.deepEqual(Object.keys(promise).toSorted(), Object.keys(plain).toSorted());
});

for (const store of ['memory', 'redis'] as const) {
	test(`a caller that asks for one answer after the other keeps nobody else waiting, ${store}`, async () => {
		await using redis = await startRedis();
		const client = got.extend({prefixUrl: origin.url}, redisCache({store: store === 'redis' ? redis.url : store, timeout: '10s'}));
		await client('json');
		await settleWrites({redis});
		await client('json');
		const loop = {hasTurned: false};
		setImmediate(() => {
			loop.hasTurned = true;
		});

		for (let count = 0; !loop.hasTurned; count++) {
			assert.equal(isDirect(await client('json')), true);
			assert.ok(count < 5000);
		}
	});
}

test('a caller\'s changes to the bytes are in its JSON and its text', async () => {
	await using redis = await startRedis();
	const client = got.extend({prefixUrl: origin.url}, redisCache({store: redis.url, timeout: '10s'}));
	await client('large');
	await settleWrites({redis});
	await client('large');
	const expected = String(resources.large?.body);
	for (const read of ['text', 'json'] as const) {
		for (let turn = 0; turn < 3; turn++) {
			const untouched = client('large');
			assert.deepEqual(await untouched[read](), read === 'text' ? expected : JSON.parse(expected));
			assert.equal(isDirect(await untouched), true);
			const touched = client('large');
			const {rawBody} = await touched;
			rawBody.set(new TextEncoder().encode('["abc'));
			assert.deepEqual(await touched[read](), read === 'text' ? expected.replace('["012', '["abc') : JSON.parse(expected.replace('["012', '["abc')));
		}
	}
});

for (const options of [{store: 'memory'}, {store: new Map(), compression: true}, {memory: false}, {}, {compression: false}] as const) {
	test(`a response is its caller's own, ${JSON.stringify(options)}`, async () => {
		await using redis = await startRedis();
		const client = got.extend({prefixUrl: origin.url}, redisCache({store: redis.url, timeout: '10s', ...options}));
		for (const resource of ['json', 'large']) {
			const expected = String(resources[resource]?.body);
			await client(resource);
			await settleWrites({redis});
			for (let turn = 0; turn < 3; turn++) {
				// What is read at the same moment has nothing in common either.
				const responses = await Promise.all([1, 2, 3].map(async () => client(resource, {responseType: 'buffer'})));
				for (const response of responses) {
					assert.equal(new TextDecoder().decode(response.body), expected);
					assert.equal(response.rawBody.constructor, Uint8Array);
					assert.equal(response.rawBody.buffer.byteLength, response.rawBody.length);
					response.body.fill(0);
					response.rawBody.fill(0);
					response.rawHeaders.length = 0;
					response.headers.date = 'changed';
					response.url = 'changed';
				}
			}
		}
	});
}
