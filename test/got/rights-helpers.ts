import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import got from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {respond, startOrigin, type Origin} from '../helpers/origin.ts';
import type {TestRedis} from '../helpers/redis.ts';

/*
A user of Redis with some rights, and everything that a cache does there.
*/

const bodies: ReadonlyMap<string, Uint8Array> = new Map([['/large', randomBytes(40_000)], ['/long', randomBytes(5_000_000)]]);

export const startRightsOrigin = async (): Promise<Origin> => startOrigin(({url, headers}, response) => {
	const etag = `"${headers['accept-language'] ?? ''}"`;
	const maxAge = url === '/large' ? 0 : 60;
	const fields = {'cache-control': `max-age=${maxAge}`, 'cache-tag': 'a', etag, ...url === '/vary' && {vary: 'accept-language'}};
	respond(response, headers['if-none-match'] === etag ? {status: 304, headers: fields} : {headers: fields, body: bodies.get(url) ?? 'x'});
});

/** From Redis 7.2 on, node-redis says its name when it connects, and does without. Redis 7.0 knows no such right. */
const isOfName = (entry: readonly unknown[]): boolean => entry.includes('client|setinfo');

export const denied = async (servers: readonly TestRedis[]): Promise<unknown[]> => {
	const logs = await Promise.all(servers.map(async ({client}) => client.sendCommand<Array<readonly unknown[]>>(['ACL', 'LOG'])));
	return logs.flat().filter(entry => !isOfName(entry));
};

export const setUser = async (servers: readonly TestRedis[], ...given: readonly string[]): Promise<void> => {
	await Promise.all(servers.map(async ({client}) => {
		await client.flushAll();
		await client.sendCommand(['ACL', 'SETUSER', 'http_cache', 'reset', ...given]);
		await client.sendCommand(['ACL', 'LOG', 'RESET']);
	}));
};

/** Makes everything that a cache does in Redis happen, and returns what came of it. No request may fail for it. */
export const useAll = async (origin: Origin, options: RedisCacheOptions) => {
	await using cache = redisCache({timeout: '30s', tagField: 'cache-tag', coalesce: 'fleet', ...options});
	const errors: string[] = [];
	cache.on('error', error => errors.push(error.message));
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	const ask = async (path: string, headers: Record<string, string> = {}) => {
		const response = await client(path, {headers, responseType: 'buffer'});
		assert.ok(Buffer.from(bodies.get(`/${path}`) ?? 'x').equals(response.body));
		return cacheInfo(response)?.status;
	};

	const askTwice = async (path: string, headers?: Record<string, string>) => {
		const first = await ask(path, headers);
		// Without EVALSHA, a script may be sent a round trip later. A long body is waited for.
		if (path !== 'long') {
			await cache.has(`${origin.url}/${path}`);
		}

		return [first, await ask(path, headers)];
	};

	const outcome: Record<string, unknown> = {};
	for (const path of ['plain', 'large', 'long']) {
		outcome[path] = await askTwice(path);
	}

	for (const language of ['de', 'en']) {
		outcome[language] = await askTwice('vary', {'accept-language': language});
	}

	const actions: Record<string, () => Promise<unknown>> = {
		touch: async () => cache.touch(`${origin.url}/large`, '1h'),
		'touch for ever': async () => cache.touch(`${origin.url}/plain`, 'never'),
		list: async () => (await Array.fromAsync(cache.entries())).length,
		statistics: async () => (await cache.fleetStats()).requests > 0,
		delete: async () => cache.delete([`${origin.url}/vary`, `${origin.url}/large`]),
		'unsafe request': async () => client.post('plain').text(),
		'after it': async () => ask('plain'),
		'soft purge': async () => cache.invalidate({tag: 'a'}, {soft: true}),
		purge: async () => cache.invalidate({tag: 'a'}),
		'after that': async () => ask('plain'),
		'purge by prefix': async () => cache.invalidate({prefix: origin.url}),
		clear: async () => cache.clear(),
	};
	for (const [name, action] of Object.entries(actions)) {
		outcome[name] = await action().catch(String);
	}

	return {outcome, errors};
};

/** The outcome of `useAll()` where nothing is missing. */
export const whole = {
	plain: ['miss', 'hit'],
	large: ['miss', 'revalidated'],
	long: ['miss', 'hit'],
	de: ['miss', 'hit'],
	en: ['miss', 'hit'],
	touch: true,
	'touch for ever': true,
	list: 5,
	statistics: true,
	delete: true,
	'unsafe request': 'x',
	'after it': 'miss',
	'soft purge': true,
	purge: true,
	'after that': 'miss',
	'purge by prefix': true,
	clear: true,
};
