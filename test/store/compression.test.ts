/* eslint-disable @typescript-eslint/no-loop-func -- `redis` is set once */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {hash} from 'node:crypto';
import {after, before, beforeEach, test} from 'node:test';
import KeyvRedis from '@keyv/redis';
import got from 'got';
import {Keyv} from 'keyv';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {unlessFast} from '../helpers/runs.ts';
import {runScript} from '../helpers/script.ts';

/*
Where bodies are compressed, and by whom.
*/

const body = JSON.stringify(Array.from({length: 1000}, (_, id) => ({id, name: `item ${id}`})));

let redis: TestRedis;
let origin: Origin;

before(async () => {
	[redis, origin] = await Promise.all([startRedis(), startOrigin()]);
});

beforeEach(async () => {
	await redis.client.flushAll();
	origin.requests.length = 0;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'application/json'}).end(body);
	};
});

after(async () => {
	await Promise.all([redis.stop(), origin.stop()]);
});

/** Bytes of all that is stored, and how to open the store that it is stored in. */
type Place = {
	open(): NonNullable<RedisCacheOptions['store']>;
	bytes(): Promise<number>;
	close?(): Promise<unknown>;
};

const sizeOf = (value: unknown): number => typeof value === 'string' || Buffer.isBuffer(value) ? value.length : JSON.stringify(value).length;

const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);

const inRedis = async (): Promise<number> => sum(await Promise.all((await redis.client.keys('*:{*')).map(async key => redis.client.strLen(key))));

const inMap = (map: Map<string, unknown>) => async () => sum(map.values().map(entry => sizeOf((entry as {value?: unknown}).value ?? entry)).toArray());

const places: Record<string, () => Place> = {
	'the URL of a Redis': () => ({open: () => redis.url, bytes: inRedis}),
	'options of a client': () => ({open: () => ({socket: {path: redis.socketPath, tls: false}}), bytes: inRedis}),
	'a client': () => ({open: () => redis.client, bytes: inRedis}),
	'an embedded Redis': () => ({open: () => ({clientOptions: {url: redis.url}, close: async () => undefined}), bytes: inRedis}),
	'a Keyv with @keyv/redis'() {
		const keyv = new Keyv(new KeyvRedis(redis.url));
		return {open: () => keyv, bytes: inRedis, close: async () => keyv.disconnect()};
	},
	'an adapter'() {
		let values = new Map<string, string>();
		const adapter = createAdapter((_adapter, entries) => {
			values = entries;
			return {};
		});
		return {open: () => adapter, bytes: async () => inMap(values)()};
	},
	'a Map'() {
		const map = new Map<string, unknown>();
		return {open: () => map, bytes: inMap(map)};
	},
	'a Keyv over a Map'() {
		const map = new Map<string, unknown>();
		const keyv = new Keyv({store: map});
		return {open: () => keyv, bytes: inMap(map)};
	},
};

for (const [name, place] of Object.entries(places)) {
	const isInProcess = name.endsWith('Map');
	for (const [compression, isExpected] of [[undefined, !isInProcess], [true, true], [false, false]] as const) {
		test(`${name}, compression ${compression ?? 'by default'}: ${isExpected ? 'smaller' : 'as it is'}`, async t => {
			const {open, bytes, close} = place();
			t.after(async () => close?.());
			for (const expected of ['miss', 'hit']) {
				await using cache = redisCache({store: open(), compression, timeout: '5s'});
				const response = await got.extend(cache)(origin.url);
				assert.equal(response.body, body);
				assert.equal(response.isFromCache, expected === 'hit');
				const [entry] = await Array.fromAsync(cache.entries());
				assert.equal(entry?.size, body.length, 'what is told of it is its own size');
			}

			assert.equal(await bytes() < body.length, isExpected);
		});
	}
}

test('JSON of 2 to 4 KiB takes less than half in Redis, and of 1 KiB what it takes without compression', async () => {
	const usageOf = async (path: string, options: RedisCacheOptions): Promise<number> => {
		await redis.client.flushAll();
		await using cache = redisCache({store: redis.url, timeout: '5s', statistics: false, ...options});
		await got.extend(cache)(`${origin.url}/${path}`);
		const [entry] = await Array.fromAsync(cache.entries());
		assert.ok(entry);
		return Number(await redis.client.memoryUsage(entry.storeKey));
	};

	// Names repeat, identifiers do not.
	const items = JSON.stringify(Array.from({length: 100}, (_, id) => ({id, name: `item ${id}`, createdAt: new Date(id * 123_456_789), uuid: hash('md5', String(id))})));
	for (const [size, isSmaller] of [[1024, false], [2048, true], [3000, true], [4095, true]] as const) {
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'application/json'}).end(items.slice(0, size));
		};

		const [plain, compressed] = [await usageOf(String(size), {compression: false}), await usageOf(String(size), {})];
		assert.equal(compressed < plain / 2, isSmaller, `${size} bytes: ${plain}, ${compressed}`);
		assert.ok(compressed <= plain);
	}
});

test('what is kept in `\'memory\'` is compressed on demand alone', async () => {
	const isKept = async (options: RedisCacheOptions) => {
		await using cache = redisCache({store: 'memory', memory: body.length, ...options});
		await got.extend(cache)(origin.url);
		const has = await cache.has(origin.url);
		return has;
	};

	assert.deepEqual([await isKept({}), await isKept({compression: true})], [false, true]);
});

/** A process whose Node.js has no Zstandard; gives what it wrote. */
const onOldNode = async (source: string): Promise<unknown> => {
	const {code, stdout, stderr} = await runScript(`
		import zlib from 'node:zlib';
		import {syncBuiltinESMExports} from 'node:module';
		for (const name of ['zstdCompress', 'zstdCompressSync', 'zstdDecompress', 'zstdDecompressSync']) {
			zlib[name] = undefined;
		}

		syncBuiltinESMExports();
		const {redisCache} = await import('./source/index.ts');
		const {default: got} = await import('got');
		const ask = async options => {
			await using cache = redisCache({store: '${redis.url}', timeout: '5s', ...options});
			const {isFromCache, body} = await got.extend(cache)('${origin.url}');
			return [isFromCache, body.length];
		};

		console.log(JSON.stringify(await (async () => {${source}})()));
	`);
	assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
	return JSON.parse(stdout);
};

test('a Node.js without Zstandard compresses nothing, and what others have compressed is a miss that it replaces', unlessFast, async () => {
	const asked = async () => {
		await using cache = redisCache({store: redis.url, timeout: '5s'});
		const response = await got.extend(cache)(origin.url);
		return [response.isFromCache, response.body.length];
	};

	assert.deepEqual(await asked(), [false, body.length]);
	assert.equal(await inRedis() < body.length, true);
	assert.deepEqual(await onOldNode('return [await ask(), await ask()];'), [[false, body.length], [true, body.length]]);
	assert.equal(await inRedis() > body.length, true);
	assert.deepEqual(await asked(), [true, body.length]);
});

test('a Node.js without Zstandard refuses to be told to compress', unlessFast, async () => {
	assert.deepEqual(await onOldNode('return ask({compression: false});'), [false, body.length]);
	const told = await onOldNode('return ask({compression: true}).catch(error => [error.name, error.message]);');
	assert.match(String(told), /^TypeError,.*`compression` in redisCache\(\) needs Node\.js 22\.15 or later/v);
});
