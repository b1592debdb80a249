import assert from 'node:assert/strict';
import test from 'node:test';
import got from 'got';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {isGot15} from './helpers.ts';

/*
Purges on a Redis that is full, with `maxmemory-policy noeviction`: it refuses to write, and lets keys be removed.
*/

// The commands are the same with each got.
const slow = {timeout: 60_000, skip: isGot15};

const paths = ['url', 'tag/1', 'soft/1', 'prefix/1'];

const startScene = async (options: RedisCacheOptions = {}) => {
	const redis = await startRedis({args: ['--maxmemory-policy', 'noeviction']});
	const origin = await startOrigin(({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600', 'cache-tag': url.split('/', 2)[1]}).end(`${url} ${origin.requests.length}`);
	});
	const create = () => {
		const cache = redisCache({store: redis.url, timeout: 5000, tagField: 'cache-tag', ...options});
		const errors: string[] = [];
		cache.on('error', ({message}) => errors.push(message));
		return {cache, errors, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
	};

	const [purging, other] = [create(), create()];
	const served = async ({client, cache}: ReturnType<typeof create>): Promise<boolean[]> => {
		await cache.has(origin.url);
		return Promise.all(paths.map(async path => (await client(path)).isFromCache));
	};

	while ((await served(other)).includes(false)) {
		// Until all is stored.
	}

	return {
		redis,
		origin,
		purging,
		other,
		served,
		fill: async () => redis.client.configSet('maxmemory', '1'),
		makeRoom: async () => redis.client.configSet('maxmemory', '0'),
		async [Symbol.asyncDispose]() {
			await Promise.all([purging.cache.close(), other.cache.close()]);
			await Promise.all([origin.stop(), redis.stop()]);
		},
	};
};

const why = (consequence: string): RegExp => new RegExp(String.raw`^got-redis-cache: Redis is full and makes no room, so a (?:soft )?purge was not confirmed: ${consequence}.* \(store: redis://127\.0\.0\.1:\d+\)\. Its .maxmemory-policy. is .noeviction., .*raise .maxmemory., or set .maxmemory-policy allkeys-lfu.$`, 'v');

type Case = {
	readonly purge: (cache: RedisCache, url: string) => Promise<boolean>;
	readonly isConfirmed: boolean;
	/** What of the paths others are given after it. */
	readonly others: readonly boolean[];
	readonly error?: RegExp;
};

const removed = why('what is stored was removed for all, but what is being asked for just now may be stored');

const cases: Record<string, Case> = {
	'by URL': {purge: async (cache, url) => cache.delete(`${url}/url`), isConfirmed: false, others: [false, true, true, true], error: removed},
	'by tag': {purge: async cache => cache.invalidate({tag: 'tag'}), isConfirmed: false, others: [true, false, true, true], error: removed},
	'by tag, softly': {
		purge: async cache => cache.invalidate({tag: 'soft'}, {soft: true}),
		isConfirmed: false,
		others: [true, true, true, true],
		error: why('it holds in this process alone until Redis takes it'),
	},
	'by origin': {
		purge: async (cache, url) => cache.invalidate({origin: new URL(url).origin}),
		isConfirmed: false,
		others: [false, false, false, false],
		error: removed,
	},
	'by prefix': {purge: async (cache, url) => cache.invalidate({prefix: `${url}/prefix`}), isConfirmed: true, others: [true, true, true, false]},
	'of everything': {purge: async cache => cache.clear(), isConfirmed: true, others: [false, false, false, false]},
};

for (const isResting of [false, true]) {
	for (const [name, {purge, isConfirmed, others, error}] of Object.entries(cases)) {
		test(
			`a purge ${name} of a full Redis${isResting ? ' that is not written to any more' : ''} removes what can be removed, and is ${isConfirmed ? 'confirmed' : 'not confirmed'}`,
			slow,
			async () => {
				await using scene = await startScene();
				const {
					purging: {cache, errors, client},
					other,
					origin,
					fill,
					served,
				} = scene;
				await fill();
				if (isResting) {
					while (cache.health().state !== 'read-only') {
						await client(`new/${origin.requests.length}`);
					}
				}

				assert.equal(await purge(cache, origin.url), isConfirmed);
				assert.deepEqual(await served(other), others);
				const told = errors.filter(message => message.includes('purge'));
				if (error === undefined) {
					assert.deepEqual(told, []);
				} else {
					assert.equal(told.length, 1);
					assert.match(String(told), error);
				}

				assert.notEqual(cache.health().state, 'unavailable');
			},
		);
	}
}

test('a purge that a full Redis did not take holds in its process, and for all when there is room', slow, async () => {
	await using scene = await startScene();
	const {purging, other, served, fill, makeRoom} = scene;
	const {body: old} = await other.client('soft/1');
	await fill();
	assert.equal(await purging.cache.invalidate({tag: 'soft'}, {soft: true}), false);
	assert.deepEqual(await served(purging), [true, true, false, true]);
	assert.deepEqual(await served(other), [true, true, true, true]);
	await makeRoom();
	// It may be stored anew in the same moment.
	let {body} = await other.client('soft/1');
	for (let look = 0; body === old && look < 10_000; look++) {
		await purging.client('soft/1');
		({body} = await other.client('soft/1'));
	}

	assert.notEqual(body, old);
});

test('a full Redis takes no switch: it holds in its process, an error says so, and all heed it when there is room', slow, async () => {
	await using scene = await startScene({memory: false});
	const {purging, other, origin} = scene;
	await scene.fill();
	assert.equal(await purging.cache.freeze({origin: origin.url}, '30m'), false);
	assert.match(String(purging.errors), /Redis is full and makes no room, so a switch was not confirmed: it holds in this process alone until Redis takes it/v);
	const statusOf = async ({client}: typeof other, path: string) => {
		const {statusCode} = await client(path, {throwHttpErrors: false});
		return statusCode;
	};

	assert.deepEqual([await statusOf(purging, 'others'), await statusOf(other, 'others')], [504, 200]);
	await scene.makeRoom();
	for (let number = 0; await statusOf(other, `others/${number}`) !== 504; number++) {
		await statusOf(purging, 'others');
	}
});
