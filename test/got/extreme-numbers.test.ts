import assert from 'node:assert/strict';
import test from 'node:test';
import {
	cacheInfo,
	type CacheEntry,
	type RedisCacheOptions,
	type RequestCacheOptions,
} from '../../source/index.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/** The longest that anybody may ask for, in each form. */
const longest = [Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, 8.64e15, 2 ** 53, 1e21, '300000y', '999999999999999999999999y'] as const;

/** Of `Date`: some 270,000 years from now. */
const lastMs = 8.64e15;

type Case = {
	readonly name: string;
	readonly options?: RedisCacheOptions;
	readonly request?: RequestCacheOptions;
	readonly cacheControl?: string;
	readonly vary?: string;
};

const cases: readonly Case[] = [
	...longest.flatMap((duration): Case[] => [
		{name: `expireAfter: ${duration}`, options: {expireAfter: duration}},
		{name: `ttlOffset: ${duration}`, options: {ttlOffset: duration}},
		{name: `expireAfter and ttlOffset: ${duration}`, options: {expireAfter: duration, ttlOffset: duration}},
		{name: `staleIfError: ${duration}`, options: {staleIfError: duration}},
		{name: `staleWhileRevalidate: ${duration}`, options: {staleWhileRevalidate: duration}},
		{name: `timeout: ${duration}`, options: {timeout: duration}},
	]),
	{name: 'expireAfter of a request', request: {expireAfter: Number.MAX_SAFE_INTEGER}},
	{name: 'ttlOffset of a request', request: {ttlOffset: Number.MAX_SAFE_INTEGER}},
	{name: 'expireAfter, with Vary', options: {expireAfter: Number.MAX_SAFE_INTEGER}, vary: 'accept'},
	{name: 'expireAfter, with tags', options: {expireAfter: Number.MAX_VALUE}, request: {tags: ['a']}},
	{name: 'expireAfter, encrypted', options: {expireAfter: Number.MAX_SAFE_INTEGER, encryption: new Uint8Array(32)}},
	{name: 'a fraction of a millisecond', options: {expireAfter: 60_000.5, ttlOffset: 0.25}},
	{name: 'max-age of the origin', cacheControl: `max-age=${'9'.repeat(300)}, stale-while-revalidate=${'9'.repeat(300)}, stale-if-error=${'9'.repeat(300)}`},
];

const assertDates = ({storedAt, expiresAt}: Pick<CacheEntry, 'storedAt' | 'expiresAt'>, name: string) => {
	assert.ok(Math.abs(storedAt.getTime() - Date.now()) < 600_000, name);
	assert.ok(expiresAt === undefined || (expiresAt.getTime() > Date.now() && expiresAt.getTime() <= lastMs), `${name}: ${String(expiresAt?.getTime())}`);
	// Throws for a date that is none.
	JSON.stringify({storedAt, expiresAt});
};

const errorsOf = ({cache}: Pick<Setup, 'cache'>): unknown[] => {
	const errors: unknown[] = [];
	cache.on('error', error => errors.push(error));
	cache.on('degraded', error => errors.push(error));
	return errors;
};

for (const {name, options, request: requestOptions, cacheControl = 'max-age=60', vary} of cases) {
	test(`a response that takes very long is stored and told of: ${name}`, async () => {
		await using setup = await setUp(options);
		const {client, cache, origin, redis} = setup;
		const errors = errorsOf(setup);
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': cacheControl, etag: '"1"', ...vary && {vary}}).end('body');
		};

		const ask = async (from = client) => from('items', {context: {cache: requestOptions}, headers: {accept: 'a'}});
		const missed = await ask();
		await settleWrites(setup);
		const hit = await ask(setup.other().client);
		for (const response of [missed, hit]) {
			const info = cacheInfo(response);
			assert.equal(info?.notStored, undefined);
			assertDates({storedAt: info?.storedAt ?? new Date(NaN), expiresAt: info?.expiresAt}, name);
			// RFC 9651 §3.3.1: an integer of at most 15 digits.
			assert.match(String(response.headers['cache-status']), /;ttl=\d{1,15};/v);
		}

		assert.equal(hit.isFromCache, true);
		const entries = await Array.fromAsync(cache.entries());
		assert.equal(entries.length, 1);
		assertDates(entries[0]!, name);
		const stored = await cache.get({url: `${origin.url}/items`, headers: {accept: 'a'}});
		assert.ok(stored);
		assertDates(stored, name);

		const keys = await redis.client.keys('*');
		const ttls = await Promise.all(keys.map(async key => redis.client.pTTL(key)));
		assert.ok(ttls.every(ttl => ttl === -1 || ttl > 50_000), String(ttls));
		assert.equal(cache.health().state, 'ok');
		assert.deepEqual(errors, []);
	});
}

for (const duration of longest) {
	test(`touch() takes ${duration}`, async () => {
		await using setup = await setUp();
		const {client, cache, origin} = setup;
		const errors = errorsOf(setup);
		origin.queue({headers: {'cache-control': 'max-age=60', vary: 'accept'}, body: 'body'});
		await client('items');
		await settleWrites(setup);

		assert.equal(await cache.touch(`${origin.url}/items`, duration), true);
		await settleWrites(setup);
		const response = await setup.other().client('items');
		assert.equal(response.isFromCache, true);
		const info = cacheInfo(response);
		assertDates({storedAt: info?.storedAt ?? new Date(NaN), expiresAt: info?.expiresAt}, String(duration));
		assert.deepEqual(errors, []);
		assert.equal(cache.health().state, 'ok');
	});
}
