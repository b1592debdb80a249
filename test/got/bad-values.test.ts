import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import process from 'node:process';
import {after, test} from 'node:test';
import {RESP_TYPES} from '@redis/client';
import {decode} from '../../source/store/codec/codec.ts';
import type {StoredResponse, VariantIndex} from '../../source/types/stored.ts';
import {forgeRecord} from '../helpers/forge.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {setUp, settleWrites} from './helpers.ts';

/*
Whatever lies under the keys of the cache: never an exception, never another body.
*/

const unhandled: unknown[] = [];
process.on('unhandledRejection', error => unhandled.push(error));

after(() => {
	assert.deepEqual(unhandled, []);
});

type Bytes = ReturnType<typeof Buffer.from>;

/** Long in Redis, too. */
const filling = randomBytes(20_000).toString('base64');

const valueOf = async ({client}: TestRedis, key: string): Promise<Bytes> => await client.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer}).get(key) as unknown as Bytes;

/** What somebody may do to a key and its value. */
const damages: Record<string, (redis: TestRedis, key: string) => Promise<unknown>> = {
	async 'a list'({client}, key) {
		await client.del(key);
		await client.rPush(key, 'x');
	},
	async 'a hash'({client}, key) {
		await client.del(key);
		await client.hSet(key, 'field', 'x');
	},
	async 'a stream'({client}, key) {
		await client.del(key);
		await client.xAdd(key, '*', {field: 'x'});
	},
	text: async ({client}, key) => client.set(key, 'another program\'s'),
	'nothing at all': async ({client}, key) => client.set(key, ''),
	async 'half of it'(redis, key) {
		const value = await valueOf(redis, key);
		await redis.client.set(key, value.subarray(0, value.length / 2));
	},
	async 'all but the last byte'(redis, key) {
		const value = await valueOf(redis, key);
		await redis.client.set(key, value.subarray(0, -1));
	},
	async 'its beginning with zeros behind'(redis, key) {
		const value = await valueOf(redis, key);
		await redis.client.set(key, Buffer.concat([value.subarray(0, value.length / 2), Buffer.alloc(value.length / 2)]));
	},
	async 'another key\'s value'(redis, key) {
		const others = await redis.client.keys('http_cache:*');
		await redis.client.copy(others.find(other => other !== key) ?? '', key, {REPLACE: true});
	},
	'a number': async ({client}, key) => client.set(key, '1'),
	nothing: async ({client}, key) => client.del(key),
};

for (const [what, damage] of Object.entries(damages)) {
	for (const name of ['memory', 'encryption'] as const) {
		test(`${what} in place of each key in turn: ${name}`, async () => {
			await using setup = await setUp({tagField: 'cache-tag', timeout: 10_000, memory: name === 'memory' && 1_000_000, ...(name === 'encryption' && {encryption: Buffer.alloc(32, 1)})});
			const {client, cache, redis, origin} = setup;
			const errors: unknown[] = [];
			cache.on('error', error => errors.push(error));
			origin.handler = ({url, headers}, response) => {
				response.writeHead(200, {'cache-control': 'max-age=600', etag: '"1"', 'cache-tag': 'a', ...(url === '/vary' && {vary: 'accept-language'})});
				response.end(`${url} ${headers['accept-language'] ?? ''} ${filling}`);
			};

			const ask = async () => {
				for (const [path, language] of [['plain', 'de'], ['vary', 'de'], ['vary', 'en']] as const) {
					const {body} = await client(path, {headers: {'accept-language': language}});
					assert.equal(body.split(' ', 2).join(' '), `/${path} ${language}`);
				}
			};

			await ask();
			await ask();
			await settleWrites(setup);
			const keys = await redis.client.keys('http_cache:*');
			assert.equal(keys.filter(key => !key.endsWith(':guard')).length, 6, 'three responses, an index, and the versions of the origin and the tag');
			for (const key of keys) {
				await damage(redis, key);
				// What Redis told before this reply has arrived with it.
				await cache.has('http://example.com/');
				await ask();
				await ask();
				await settleWrites(setup);
			}

			const asked = origin.requests.length;
			await ask();
			assert.equal(origin.requests.length, asked, 'all is stored again');
			assert.equal(await cache.invalidate({tag: 'a'}), true);
			assert.equal(await cache.delete(`${origin.url}/vary`), true);
			assert.deepEqual(errors, []);
		});
	}
}

const aHundredThousand = (name: string): string[] => Array.from({length: 100_000}, (_, position) => `${name}${position}`);

/** A megabyte of something, each with checksums that are right. */
const forgeries: Record<string, (now: StoredResponse) => StoredResponse | VariantIndex> = {
	tags: now => ({...now, tags: aHundredThousand('tag ')}),
	groups: now => ({...now, groups: aHundredThousand('group ')}),
	versions: now => ({...now, versions: aHundredThousand('mark ')}),
	'header fields': now => ({...now, rawHeaders: aHundredThousand('x')}),
	'selecting fields': now => ({...now, selectingHeaders: Object.fromEntries(aHundredThousand('x').map(name => [name, '']))}),
	'names in Vary': () => ({kind: 'index', indexId: 'x', vary: aHundredThousand('x'), variants: []}),
	variants: () => ({kind: 'index', indexId: 'x', vary: ['accept'], variants: aHundredThousand('x').map(id => ({id, keptUntilMs: Number.MAX_SAFE_INTEGER, etag: `"${id}"`}))}),
};

for (const [what, make] of Object.entries(forgeries)) {
	test(`a forged value with a megabyte of ${what} is a miss, and makes nobody look anything up`, async () => {
		await using setup = await setUp({memory: false});
		const {client, redis, origin} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=600'}).end('right');
		};

		await client('a');
		await settleWrites(setup);
		const [wireKey = ''] = await redis.client.keys('http_cache:{??????????????????????}');
		const key = wireKey.slice('http_cache:'.length);
		const stored = decode(await valueOf(redis, wireKey), key);
		assert.ok(stored?.kind === 'response'); // eslint-disable-line node-test/prefer-equality-assertion -- narrows the type
		await redis.client.set(wireKey, forgeRecord(stored, key));
		const {client: sound} = setup.other();
		assert.equal((await sound('a')).isFromCache, true, 'the helper forges what can be read');

		await redis.client.set(wireKey, forgeRecord(make(stored), key));
		const {client: other} = setup.other();
		const commands = await commandsDuring([redis], async () => {
			const response = await other('a');
			assert.deepEqual([response.body, response.isFromCache], ['right', false]);
			assert.equal(response.headers['if-none-match'], undefined);
			await settleWrites(setup);
		});
		assert.ok(commands.every(command => command.join(' ').length < 5000), 'no command names a megabyte of keys');
		assert.equal((await other('a')).isFromCache, true, 'it was replaced');
	});
}

for (const step of ['the index', 'the variant', 'a mark', 'everything']) {
	test(`Redis evicts ${step} between two steps`, async () => {
		await using setup = await setUp({memory: false});
		const {client, redis, origin} = setup;
		const patterns: Record<string, string> = {
			'the index': 'http_cache:{??????????????????????}', 'the variant': '*:??????????????????????', 'a mark': '*{origin:*', everything: '*',
		};
		const evict = async () => {
			const keys = await redis.client.keys(patterns[step] ?? '');
			assert.ok(keys.length > 0);
			await redis.client.del(keys);
		};

		origin.queue({headers: {'cache-control': 'max-age=600', vary: 'accept-language', etag: '"1"'}, body: filling}, async (_request, response) => {
			await evict();
			response.writeHead(304, {etag: '"1"', 'cache-control': 'max-age=600', vary: 'accept-language'}).end();
		});
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=600', vary: 'accept-language', etag: '"1"'}).end(filling);
		};

		await client('items', {headers: {'accept-language': 'de'}});
		await settleWrites(setup);
		const {body} = await client('items', {headers: {'accept-language': 'de', 'cache-control': 'no-cache'}});
		assert.equal(body, filling);
		await settleWrites(setup);
		for (const each of [client, setup.other().client]) {
			const response = await each('items', {headers: {'accept-language': 'de'}});
			assert.equal(response.body, body);
		}

		await settleWrites(setup);
		const asked = origin.requests.length;
		const response = await setup.other().client('items', {headers: {'accept-language': 'de'}});
		assert.equal(response.isFromCache, true);
		assert.equal(origin.requests.length, asked);
	});
}
