import assert from 'node:assert/strict';
import test from 'node:test';
import type {RedisCacheOptions} from '../../source/index.ts';
import {setUp, settleWrites} from './helpers.ts';

const second = 1000;
const hour = 3600 * second;

type Row = {
	readonly name: string;
	readonly options?: RedisCacheOptions;
	readonly cacheControl: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Milliseconds; -1: the key has no TTL; `undefined`: there is no key. */
	readonly ttl: number | undefined;
};

const table: readonly Row[] = [
	{name: 'lifetime + one hour', cacheControl: 'max-age=60', ttl: (60 * second) + hour},
	{name: 'lifetime + offset', options: {ttlOffset: '5m'}, cacheControl: 'max-age=60', ttl: (60 + 300) * second},
	{name: 'lifetime alone', options: {ttlOffset: 0}, cacheControl: 'max-age=60', ttl: 60 * second},
	{name: 'the lifetime of a shared cache', options: {ttlOffset: 0}, cacheControl: 'max-age=60, s-maxage=30', ttl: 30 * second},
	{name: 'the lifetime of a private cache', options: {ttlOffset: 0, shared: false}, cacheControl: 'max-age=60, s-maxage=30', ttl: 60 * second},
	{name: 'what is left of the lifetime', options: {ttlOffset: 0}, cacheControl: 'max-age=60', headers: {age: '20'}, ttl: 40 * second},
	{name: 'lifetime and window of stale-while-revalidate', options: {ttlOffset: 0}, cacheControl: 'max-age=60, stale-while-revalidate=30', ttl: 90 * second},
	{name: 'lifetime and window of stale-if-error', options: {ttlOffset: 0}, cacheControl: 'max-age=60, stale-if-error=600', ttl: 660 * second},
	{name: 'the offset of a stale response with a validator', cacheControl: 'no-cache', headers: {etag: '"1"'}, ttl: hour},
	{name: 'a lifetime of one\'s own', options: {expireAfter: '10m', ttlOffset: 0}, cacheControl: 'max-age=60', ttl: 600 * second},
	{name: 'none with `ttl: false`', options: {ttl: false}, cacheControl: 'max-age=60', ttl: -1},
	{name: 'none for what never expires', options: {expireAfter: 'never'}, cacheControl: 'max-age=60', ttl: -1},
	{name: 'no key for what is past its TTL', options: {ttlOffset: 0}, cacheControl: 'no-cache', headers: {etag: '"1"'}, ttl: undefined},
	{name: 'no key for what has aged past its TTL', options: {ttlOffset: '10s'}, cacheControl: 'max-age=60', headers: {age: '70', etag: '"1"'}, ttl: undefined},
];

for (const {name, options, cacheControl, headers, ttl} of table) {
	for (const vary of [undefined, 'accept-language']) {
		test(`TTL in Redis: ${name}${vary ? ', with Vary' : ''}`, async () => {
			await using setup = await setUp(options);
			const {client, origin, redis} = setup;
			origin.queue({headers: {'cache-control': cacheControl, ...headers, ...vary && {vary}}, body: 'body'});

			await client('items');
			await settleWrites(setup);
			// What has to do with the resource: a mark of the origin lives longer.
			const keys = (await redis.client.keys('http_cache:*')).filter(key => !/\{origin:|:guard$/v.test(key));
			const ttls = await Promise.all(keys.map(async key => redis.client.pTTL(key)));

			if (ttl === undefined) {
				assert.deepEqual(keys, []);
				return;
			}

			// A private cache tells users apart, as if by Vary.
			assert.equal(ttls.length, vary !== undefined || options?.shared === false ? 2 : 1);
			for (const each of ttls) {
				// What has passed since may be missing, and nothing else.
				assert.ok(ttl === -1 ? each === -1 : each <= ttl && each > ttl - (5 * second), `expected ${ttl}, got ${each}`);
			}
		});
	}
}

test('a 304 renews the TTL', async () => {
	await using setup = await setUp({ttlOffset: '10s'});
	const {client, origin, redis} = setup;
	origin.queue(
		{headers: {'cache-control': 'no-cache', etag: '"1"'}, body: 'body'},
		{status: 304, headers: {'cache-control': 'max-age=60', etag: '"1"'}},
	);

	await client('items');
	await client('items');
	await settleWrites(setup);
	const key = (await redis.client.keys('*')).find(name => !/\{origin:|:guard$/v.test(name)) ?? '';

	assert.ok(await redis.client.pTTL(key) > 60 * second);
});

test('Redis removes the entry when its time has come', async () => {
	await using setup = await setUp({ttlOffset: 0, expireAfter: 1000});
	const {client, origin, redis} = setup;
	origin.handler = (_request, response) => {
		// By it, what is sent at the end of a second is a second old when it arrives.
		response.sendDate = false;
		response.end('body');
	};

	await redis.client.configSet('notify-keyspace-events', 'Ex');
	const listener = redis.client.duplicate();
	await listener.connect();
	const {promise: expired, resolve} = Promise.withResolvers<string>();
	await listener.subscribe('__keyevent@0__:expired', resolve);

	await client('items');
	assert.match(await expired, /^http_cache:/v);
	listener.destroy();
	assert.equal((await client('items')).isFromCache, false);
});
