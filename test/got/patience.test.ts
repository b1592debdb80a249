import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import got, {type Got, type Response} from 'got';
import {cacheInfo, redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {respond, startOrigin, type Origin, type RecordedRequest} from '../helpers/origin.ts';
import {startSlowRedis, type SlowRedis} from '../helpers/slow-redis.ts';

/*
However many steps a request takes, a slow store delays it once.
*/

const timeoutMs = 250;
/** The clock goes on by steps of 10 ms, and got waits for a moment before it asks again. */
const mostMs = timeoutMs + 30;

type Scene = {
	readonly slow: SlowRedis;
	readonly origin: Origin;
	readonly client: Got;
	readonly cache: RedisCache;
	/** As in another process. */
	other(options?: RedisCacheOptions): Got;
};

type Case = {
	readonly name: string;
	readonly options?: RedisCacheOptions;
	/** While Redis is quick. */
	prepare?(scene: Scene): Promise<unknown>;
	request(scene: Scene): Promise<unknown>;
};

const answer = ({method, url, headers}: RecordedRequest) => {
	const {pathname} = new URL(url, 'http://localhost');
	const hop = /^\/hop\/(?<left>\d)$/v.exec(pathname)?.groups?.left;
	if (hop !== undefined && hop !== '0') {
		return {status: 302, headers: {location: `/hop/${Number(hop) - 1}`, 'cache-control': 'max-age=60'}};
	}

	if (method === 'POST') {
		return {headers: {location: '/vary', 'cache-group-invalidation': '"a", "b"', 'cache-control': 'max-age=60', 'content-location': url}, body: 'changed'};
	}

	switch (pathname) {
		case '/vary': {
			// Another language has the same words.
			return headers['if-none-match']?.includes('"same"')
				? {status: 304, headers: {etag: '"same"', vary: 'accept', 'cache-control': 'max-age=60'}}
				: {headers: {etag: '"same"', vary: 'accept', 'cache-control': 'max-age=60'}, body: 'same'};
		}

		case '/mismatch': {
			return headers['if-none-match'] === undefined
				? {headers: {etag: '"a"', 'cache-control': 'max-age=0'}, body: 'new'}
				: {status: 304, headers: {etag: '"b"'}};
		}

		case '/groups': {
			return {headers: {'cache-groups': '"a", "b"', 'cache-control': 'max-age=60'}, body: 'grouped'};
		}

		case '/equivalent': {
			return {headers: {'no-vary-search': 'params=("utm")', 'cache-control': 'max-age=60'}, body: 'equivalent'};
		}

		case '/broken': {
			return {status: headers['if-none-match'] === undefined ? 200 : 503, headers: {etag: '"a"', 'cache-control': 'max-age=0, stale-if-error=60'}, body: 'x'};
		}

		default: {
			return {headers: {'cache-control': 'max-age=60', etag: '"a"'}, body: 'plain'};
		}
	}
};

const readStream = async (client: Got, path: string): Promise<string> => {
	let body = '';
	for await (const chunk of client.stream(path).setEncoding('utf8')) {
		body += String(chunk);
	}

	return body;
};

const cases: readonly Case[] = [
	{
		name: 'what is not stored',
		request: async ({client}) => client('plain'),
	},
	{
		name: 'what is stored, of an origin that another process knows',
		prepare: async ({other}) => other()('plain'),
		request: async ({client}) => client('plain'),
	},
	{
		name: 'what was too slow to read just now',
		async prepare({client, slow}) {
			await client('plain');
			slow.latencyMs = 2 * timeoutMs;
			await slow.waitOf(async () => client('plain'));
		},
		request: async ({client}) => client('plain'),
	},
	{
		name: 'a variant, where it is not known what selects',
		prepare: async ({other}) => other()('vary', {headers: {accept: 'a/b'}}),
		request: async ({client}) => client('vary', {headers: {accept: 'a/b'}}),
	},
	{
		name: 'a variant that a 304 names',
		prepare: async ({other}) => other()('vary', {headers: {accept: 'a/b'}}),
		request: async ({client}) => client('vary', {headers: {accept: 'c/d'}}),
	},
	{
		name: 'what belongs to groups',
		request: async ({client}) => client('groups'),
	},
	{
		name: 'equivalent URLs, known to another process',
		prepare: async ({other}) => other()('equivalent?utm=1'),
		request: async ({client}) => client('equivalent?utm=2'),
	},
	{
		name: 'equivalent URLs, known to nobody',
		request: async ({client}) => client('equivalent?utm=1'),
	},
	{
		name: 'a response that belongs to nothing that is stored',
		prepare: async ({client}) => client('mismatch'),
		request: async ({client}) => client('mismatch'),
	},
	{
		name: 'a response to a stream that belongs to nothing that is stored',
		prepare: async ({client}) => client('mismatch'),
		request: async ({client}) => readStream(client, 'mismatch'),
	},
	{
		name: 'a stale response in place of an error',
		prepare: async ({client}) => client('broken'),
		request: async ({client}) => client('broken'),
	},
	{
		name: 'a request that changes what is stored',
		async prepare({client}) {
			await client('vary', {headers: {accept: 'a/b'}});
			await client('groups');
			await client('plain');
		},
		request: async ({client}) => client.post('plain'),
	},
	{
		name: 'redirects',
		request: async ({client}) => client('hop/5'),
	},
	{
		name: 'redirects that are stored',
		prepare: async ({client}) => client('hop/5'),
		request: async ({client}) => client('hop/5'),
	},
	{
		name: 'a flight of a fleet',
		options: {coalesce: 'fleet'},
		request: async ({client}) => client('plain'),
	},
];

const startScene = async (mock: TestContext['mock'], options: RedisCacheOptions) => {
	const origin = await startOrigin((request, response) => {
		respond(response, answer(request));
	});
	const slow = await startSlowRedis(mock);
	const caches: RedisCache[] = [];
	const create = () => {
		// Closing would wait for the statistics, which the slow Redis holds.
		const cache = redisCache({store: slow.url, timeout: timeoutMs, memory: false, statistics: false, ...options});
		caches.push(cache);
		return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
	};

	const scene: Scene = {slow, origin, ...create(), other: () => create().client};
	return {
		...scene,
		async [Symbol.asyncDispose]() {
			slow.latencyMs = 0;
			await slow.settle();
			await Promise.all(caches.map(async cache => cache.close()));
			await slow[Symbol.asyncDispose]();
			await origin.stop();
		},
	};
};

for (const latencyMs of [60, 100, 200, 400]) {
	for (const {name, options = {}, prepare, request} of cases) {
		test(`${name}, ${latencyMs} ms from Redis`, async t => {
			await using scene = await startScene(t.mock, options);
			const {slow, client} = scene;
			await slow.waitOf(async () => client('warm-up'));
			await slow.settle();
			await slow.waitOf(async () => prepare?.(scene));
			await slow.settle();
			slow.latencyMs = latencyMs;
			// Nobody waits for a Redis that is given up, as after the silence of a case that lets it be slow before.
			const isGivenUp = scene.cache.health().state === 'unavailable';
			const waitedMs = await slow.waitOf(async () => request(scene));
			assert.equal(waitedMs === 0, isGivenUp);
			assert.ok(waitedMs <= mostMs, `it waited for ${waitedMs} ms`);
		});
	}
}

for (const latencyMs of [200, 400]) {
	test(`equal requests are one also where nobody can tell in time what may be stored, ${latencyMs} ms from Redis`, async t => {
		await using scene = await startScene(t.mock, {});
		const {slow, client, origin} = scene;
		await slow.waitOf(async () => client('warm-up'));
		await slow.settle();
		origin.requests.length = 0;
		slow.latencyMs = latencyMs;
		let responses: Response[] = [];
		const waitedMs = await slow.waitOf(async () => {
			responses = await Promise.all(Array.from({length: 20}, async () => client('groups')));
		});

		assert.ok(waitedMs <= mostMs, `they waited for ${waitedMs} ms`);
		assert.equal(origin.requests.length, 1);
		assert.deepEqual(new Set(responses.map(response => cacheInfo(response)?.notStored)), new Set(['store-unavailable', undefined]));
		assert.equal(responses.filter(response => cacheInfo(response)?.reason === 'collapsed').length, responses.length - 1);
	});
}
