/*
What an entry more takes in Redis, measured with `MEMORY USAGE`: the tables of docs/stores/redis.md, in Markdown.

Needs a `redis-server`, and for the format of requests-cache `python3`.
*/
import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import {hash} from 'node:crypto';
import process from 'node:process';
import KeyvRedis from '@keyv/redis';
import got from 'got';
import {Keyv} from 'keyv';
import {Agent, interceptors, request} from 'undici';
import {RedisCacheStore} from 'undici-cache-redis';
import {redisCache, type RedisCacheOptions} from '../source/index.ts';
import {startOrigin} from '../test/helpers/origin.ts';
import {startRedis, type TestRedis} from '../test/helpers/redis.ts';
import {listedRows} from './body.ts';
import {table} from './table.ts';

const sizes = [1024, 2048, 65_536, 1_048_576];

/** JSON allows any amount of white space; here it ends in the middle of a row. */
const json = (size: number): Uint8Array => Buffer.from(`[${listedRows(size).join(',')}`).subarray(0, size);

const sizeOf = (url: string) => Number(url.slice(url.lastIndexOf('=') + 1));

const origin = await startOrigin(({url}, response) => {
	const body = json(sizeOf(url));
	response.writeHead(200, {
		'content-type': 'application/json; charset=utf-8',
		'content-length': body.length,
		'cache-control': 'public, max-age=3600',
		etag: `"${hash('sha1', body)}"`,
	});
	response.end(body);
});

const urlOf = (size: number, id = 1) => `${origin.url}/v1/items?id=${id}&size=${size}`;

/** Statistics belong to all entries together, and the guard of a write is gone after a minute. */
const isOfEntry = async ({client}: TestRedis, key: string): Promise<boolean> => {
	const ttlMs = await client.pTTL(key);
	return !key.includes(':stats.') && (ttlMs < 0 || ttlMs > 60_000);
};

const used = async (redis: TestRedis): Promise<number> => {
	const {client} = redis;
	const keys = await client.keys('*');
	const usages = await Promise.all(keys.map(async key => await isOfEntry(redis, key) ? Number(await client.memoryUsage(key)) : 0));
	return usages.reduce((sum, usage) => sum + usage, 0);
};

const ours = (options: RedisCacheOptions = {}) => async (redis: TestRedis, url: string) => {
	const cache = redisCache({store: redis.url, timeout: '5s', ...options});
	await got.extend(cache)(url);
	await cache.close();
};

/**
What requests-cache 1.2 writes, without installing it: its serializer makes a `dict` of `CachedResponse`, without what is as by default, and pickles it; the key has 16 hexadecimal digits.
*/
const requestsCache = async (redis: TestRedis, url: string) => {
	const {headers} = await got(url);
	const value = {
		created_at: '2025-11-23T05:00:00.123456+00:00',
		elapsed: 0.01,
		encoding: 'utf8',
		expires: '2025-11-23T06:00:00.123456+00:00',
		headers,
		raw: {headers, reason: 'OK', request_url: url.replace(origin.url, ''), status: 200, version: 11},
		reason: 'OK',
		request: {
			headers: {'User-Agent': 'python-requests/2.32.3', 'Accept-Encoding': 'gzip, deflate', Accept: '*/*', Connection: 'keep-alive'},
			method: 'GET',
			url,
		},
		status_code: 200,
		url,
	};
	const script = String.raw`import sys, json, pickle; head, body = sys.stdin.buffer.read().split(b"\n", 1); sys.stdout.buffer.write(pickle.dumps({"_content": body, **json.loads(head)}, protocol=pickle.HIGHEST_PROTOCOL))`;
	const pickled = execFileSync('python3', ['-c', script], {input: Buffer.concat([Buffer.from(`${JSON.stringify(value)}\n`), json(sizeOf(url))]), maxBuffer: 1e8});
	await redis.client.set(`http_cache:${hash('sha256', url).slice(0, 16)}`, pickled, {expiration: {type: 'EX', value: 7200}});
};

const gotsOwn = async (redis: TestRedis, url: string) => {
	const keyv = new Keyv(new KeyvRedis(redis.url));
	await got(url, {cache: keyv});
	await keyv.get('written');
	await keyv.disconnect();
};

const undici = async (redis: TestRedis, url: string) => {
	const already = await used(redis);
	const store = new RedisCacheStore({clientOpts: {port: redis.port}, tracking: false, maxEntrySize: 1e8});
	const agent = new Agent();
	const {body} = await request(url, {dispatcher: agent.compose(interceptors.cache({store}))});
	await body.bytes();
	// It tells nobody when it has written.
	for (let before = -1, now = 0; before !== now || now <= already;) {
		await new Promise(resolve => {
			setTimeout(resolve, 300);
		});
		before = now;
		now = await used(redis);
	}

	await store.close();
	await agent.close();
};

const subjects: ReadonlyArray<readonly [name: string, write: (redis: TestRedis, url: string) => Promise<unknown>]> = [
	['got-redis-cache', ours()],
	['got-redis-cache, `encryption`', ours({encryption: Buffer.alloc(32, 1)})],
	['got-redis-cache, `compression: false`', ours({compression: false})],
	['requests-cache 1.2 (its format)', requestsCache],
	['got\'s own `cache`, `@keyv/redis`', gotsOwn],
	['undici, undici-cache-redis', undici],
];

{
	const rows: Array<Array<string | number>> = [];
	for (const [name, write] of subjects) {
		const cells: Array<string | number> = [name];
		for (const size of sizes) {
			await using redis = await startRedis();
			// What all entries share is not counted.
			await write(redis, urlOf(size, 1));
			const before = await used(redis);
			await write(redis, urlOf(size, 2));
			cells.push(await used(redis) - before);
		}

		rows.push(cells);
	}

	table(['bytes per entry', '1 KiB', '2 KiB', '64 KiB', '1 MiB'], ...rows);
}

/** What a format adds to a body, and its key: where the allocator puts a value depends on lengths alone. */
const envelopeOf = async (write: (redis: TestRedis, url: string) => Promise<unknown>, size: number) => {
	await using redis = await startRedis();
	await write(redis, urlOf(size));
	// The statistics of the cache are a hash.
	const {keys} = await redis.client.scan('0', {TYPE: 'string', COUNT: 1000});
	const values = await Promise.all(keys.map(async key => ({key, bytes: await redis.client.strLen(key) - size})));
	return values.find(({bytes}) => bytes > 0) ?? {key: '', bytes: 0};
};

{
	const rows: Array<Array<string | number>> = [];
	await using redis = await startRedis();
	const usage = async ({key, bytes}: {key: string; bytes: number}, size: number) => {
		await redis.client.set(key, Buffer.alloc(size + bytes), {expiration: {type: 'EX', value: 7200}});
		return Number(await redis.client.memoryUsage(key)) - size;
	};

	for (const [range, from, to] of [['2 to 16 KiB', 2048, 16_384], ['16 to 64 KiB', 16_384, 65_536], ['64 KiB to 1 MiB', 65_536, 1_048_576]] as const) {
		const [mine, theirs] = [await envelopeOf(ours({compression: false}), from), await envelopeOf(requestsCache, from)];
		const differences: number[] = [];
		let [sum, theirSum] = [0, 0];
		for (let size = from; size < to; size += 251) {
			const [each, their] = await Promise.all([usage(mine, size), usage(theirs, size)]);
			differences.push(each - their);
			sum += each;
			theirSum += their;
		}

		const smaller = differences.filter(difference => difference < 0).length / differences.length;
		rows.push([range, Math.round(sum / differences.length), Math.round(theirSum / differences.length), `${Math.round(100 * smaller)} %`, Math.max(...differences)]);
	}

	table(['beyond the body, on average', 'got-redis-cache, `compression: false`', 'requests-cache', 'smaller at', 'larger by at most'], ...rows);
}

await origin.stop();

process.stdout.write(`Node.js ${process.versions.node}, ${process.arch}\n`);
