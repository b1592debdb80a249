import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {connect, createServer} from 'node:http2';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {promisify} from 'node:util';
import test, {suite} from 'node:test';
import got, {RequestError} from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../source/index.ts';
import {
	rateLimit,
	RateLimitError,
	type HostLimits,
	type LimitedRequest,
	type OriginLimit,
	type RateLimiter,
	type RateLimitOptions,
} from '../source/rate-limit.ts';
import {respond, startOrigin} from './helpers/origin.ts';
import {unlessFast} from './helpers/runs.ts';
import {isGot15, setUp, settleWrites, type Setup} from './got/helpers.ts';
import {readStream} from './got/read-stream.ts';

const fresh = {headers: {'cache-control': 'max-age=60'}, body: 'fresh'};
const stale = {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'stale'};
const unchanged = {status: 304, headers: {etag: '"1"'}};

const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
	while (!await isSo()) {
		await nextTurn();
	}
};

type Scene = Setup & {
	readonly host: string;
	readonly limiter: RateLimiter;
	readonly limited: LimitedRequest[];
	readonly told: OriginLimit[];
	/** The times that Redis has of requests. */
	times(): Promise<number>;
};

const setUpLimit = async (limits: HostLimits, {maxWait = 0, ...options}: RateLimitOptions = {}, cacheOptions: RedisCacheOptions = {}): Promise<Scene> => {
	const setup = await setUp(cacheOptions);
	setup.origin.handler = (_request, response) => {
		respond(response, fresh);
	};

	const {host} = new URL(setup.origin.url);
	const limiter = rateLimit(setup.cache, {[host]: limits}, {maxWait, ...options});
	const limited: LimitedRequest[] = [];
	const told: OriginLimit[] = [];
	limiter.on('limited', request => {
		limited.push(request);
	}).on('origin', limit => {
		told.push(limit);
	});

	return {
		...setup,
		host,
		limiter,
		limited,
		told,
		async times() {
			const keys = await setup.redis.client.keys('*rate-limit.*}.*');
			const lengths = await Promise.all(keys.map(async key => setup.redis.client.lLen(key)));
			return lengths.reduce((sum, length) => sum + length, 0);
		},
	};
};

const ways: Readonly<Record<string, (setup: Pick<Setup, 'client'>, url?: string, options?: Record<string, unknown>) => Promise<{body: unknown; reason: unknown}>>> = {
	async promise({client}, url = 'items', options = {}) {
		const response = await client<string>(url, options as never) as never as {body: string};
		return {body: response.body, reason: cacheInfo(response)?.reason};
	},
	async stream({client}, url = 'items', options = {}) {
		const {body, info} = await readStream(client.stream(url, options));
		return {body, reason: info?.reason};
	},
};

const isLimited = ({host}: Pick<Scene, 'host'>, limit = '2/h') => (error: unknown): boolean => {
	assert.ok(error instanceof RequestError);
	const {cause} = error;
	assert.ok(cause instanceof RateLimitError);
	assert.equal(error.code, 'ERR_RATE_LIMITED');
	assert.equal(cause.host, host);
	assert.equal(cause.limit, limit);
	assert.ok(cause.retryAt.getTime() > Date.now());
	assert.ok(error.message.includes(host));

	return true;
};

for (const [way, ask] of Object.entries(ways)) {
	await suite(`a rate limit, ${way}`, () => {
		test('misses count, hits do not, and a request over the limit fails with an error that says when to try again', async () => {
			await using scene = await setUpLimit('2/h');
			for (const url of ['a', 'b', 'a', 'b']) {
				await ask(scene, url);
				await settleWrites(scene);
			}

			await assert.rejects(ask(scene, 'c'), isLimited(scene));
			assert.equal((await ask(scene, 'a')).reason, 'fresh');
			assert.equal(scene.origin.requests.length, 2);
			assert.deepEqual(scene.limited.map(({outcome, limit}) => ({outcome, limit})), [{outcome: 'failed', limit: '2/h'}]);
		});

		test('a validation counts, and over the limit the stale response answers', async () => {
			await using scene = await setUpLimit('2/h');
			scene.origin.queue(stale, unchanged);
			await ask(scene);
			await settleWrites(scene);
			assert.equal((await ask(scene)).reason, 'not-modified');
			await settleWrites(scene);
			assert.deepEqual(await ask(scene), {body: 'stale', reason: 'rate-limited'});
			assert.equal(scene.origin.requests.length, 2);
			assert.equal(scene.limiter.stats()[scene.host]?.stale, 1);
		});

		test('a response that must be validated, or that has been stale for too long, does not answer', async () => {
			for (const [response, options] of [
				[{...stale, headers: {...stale.headers, 'cache-control': 'max-age=0, must-revalidate'}}, {maxWait: 0}],
				[{...stale, headers: {...stale.headers, age: '100'}}, {maxWait: 0, maxStale: '90s'}],
				[stale, {maxWait: 0, maxStale: 0}],
			] as const) {
				await using scene = await setUpLimit('1/h', options);
				scene.origin.queue(response);
				await ask(scene);
				await settleWrites(scene);
				await assert.rejects(ask(scene), isLimited(scene, '1/h'));
			}
		});

		test('all processes share the limit', async () => {
			await using scene = await setUpLimit('2/h');
			const other = scene.other();
			rateLimit(other.cache, {[scene.host]: '2/h'}, {maxWait: 0});
			await ask(scene, 'a');
			await ask(other, 'b');
			await assert.rejects(ask(scene, 'c'), isLimited(scene));
			await assert.rejects(ask(other, 'c'), isLimited(scene));
		});

		test('a pause that the origin asks one process for is kept by the others', async () => {
			await using scene = await setUpLimit('auto');
			const other = scene.other();
			rateLimit(other.cache, {[scene.host]: 'auto'}, {maxWait: 0});
			scene.origin.queue({status: 429, headers: {'retry-after': '60'}});
			await assert.rejects(ask(scene, 'a'), {name: 'HTTPError'});
			await settleWrites(scene);
			await assert.rejects(ask(other, 'b'), isLimited(scene, 'origin'));
			assert.equal(scene.origin.requests.length, 1);
			assert.equal(scene.told[0]?.statusCode, 429);
		});

		test('a quota that the origin tells of is kept by all processes', async () => {
			await using scene = await setUpLimit('auto');
			const other = scene.other();
			rateLimit(other.cache, {[scene.host]: 'auto'}, {maxWait: 0});
			scene.origin.queue({...fresh, headers: {...fresh.headers, ratelimit: '"default";r=1;t=60'}});
			await ask(scene, 'a');
			await settleWrites(scene);
			await ask(other, 'b');
			await assert.rejects(ask(other, 'c'), isLimited(scene, 'origin'));
			await assert.rejects(ask(scene, 'd'), isLimited(scene, 'origin'));
		});

		test('a request waits for its turn', async () => {
			await using scene = await setUpLimit('1/s', {maxWait: '1m', margin: 0});
			await ask(scene, 'a');
			assert.equal((await ask(scene, 'b')).body, 'fresh');
			assert.deepEqual(scene.limited.map(({outcome}) => outcome), ['waits']);
			assert.equal(scene.limiter.stats()[scene.host]?.waited, 1);
			assert.equal(scene.cache.stats().waits.count, 1);
		});

		test('a request whose own timeout is over before its turn fails at once', async () => {
			await using scene = await setUpLimit('1/h', {maxWait: '10m'});
			await ask(scene, 'a');
			await assert.rejects(ask(scene, 'b', {timeout: {request: 60_000}}), {message: /a timeout of the request's own would end it in 60 s/v});
		});

		test('equal requests count once', async () => {
			await using scene = await setUpLimit('1/h');
			const all = await Promise.all([ask(scene), ask(scene), ask(scene)]);
			assert.deepEqual(all.map(({body}) => body), ['fresh', 'fresh', 'fresh']);
			assert.equal(scene.origin.requests.length, 1);
		});

		test('each hop of a redirect counts for its own host', async () => {
			await using scene = await setUpLimit('1/h');
			await using there = await startOrigin((_request, response) => {
				respond(response, fresh);
			});
			scene.origin.queue({status: 302, headers: {location: `${there.url}/b`, 'cache-control': 'no-store'}});
			assert.equal((await ask(scene, 'a')).body, 'fresh');
			assert.deepEqual(Object.keys(scene.limiter.stats()), [scene.host]);
			assert.equal(await scene.times(), 1);
		});

		test('while Redis is down, each process counts for itself, with what it has sent before', async () => {
			await using scene = await setUpLimit('2/h', {maxWait: 0}, {timeout: 200});
			await ask(scene, 'a');
			await scene.redis.stop();
			await ask(scene, 'b');
			await assert.rejects(ask(scene, 'c'), isLimited(scene));
			assert.equal(scene.limiter.stats()[scene.host]?.uncounted, 1);
		});
	});
}

test('a request that is aborted while it waits gives its turn back', async () => {
	await using scene = await setUpLimit('1/2m', {maxWait: '10m'});
	await scene.client('a');
	const controller = new AbortController();
	const waiting = scene.client('b', {signal: controller.signal});
	const stream = scene.client.stream('c');
	stream.on('error', () => undefined);
	stream.resume();
	await until(() => scene.limited.length === 2 || scene.limiter.stats()[scene.host]?.waiting === 1);
	controller.abort();
	await assert.rejects(waiting, {name: 'AbortError'});
	stream.destroy();
	await until(async () => await scene.times() === 1);
	assert.equal(scene.limiter.stats()[scene.host]?.waiting, 0);
	assert.equal(scene.origin.requests.length, 1);
});

test('a refresh in the background counts, and gives way', async () => {
	await using scene = await setUpLimit('1/h', {maxWait: 0}, {staleWhileRevalidate: '1h'});
	const errors: Error[] = [];
	scene.cache.on('error', error => {
		errors.push(error);
	});
	scene.origin.queue(stale);
	await scene.client('items');
	await settleWrites(scene);
	assert.equal(cacheInfo(await scene.client('items'))?.reason, 'stale-while-revalidate');
	await until(() => scene.limited.length === 1);
	assert.equal(scene.limited[0]?.outcome, 'gave-way');
	assert.deepEqual(errors, []);
	assert.equal(scene.origin.requests.length, 1);
});

test('each retry counts', async () => {
	await using scene = await setUpLimit('3/h');
	scene.origin.queue({status: 500}, {status: 500}, fresh);
	await scene.client('items', {retry: {limit: 2, calculateDelay: ({attemptCount}) => attemptCount > 2 ? 0 : 1}});
	assert.equal(await scene.times(), 3);
});

test('a request that the cache takes no part in counts', async () => {
	await using scene = await setUpLimit('1/h');
	await scene.client.post('items', {body: 'a'});
	await assert.rejects(scene.client('items', {context: {cache: {disabled: true}}}).text(), isLimited(scene, '1/h'));
});

/** Got 15 takes no session. */
const overHttp2 = {skip: isGot15};

test('over HTTP/2, misses count, and a stale response answers over the limit', overHttp2, async () => {
	await using setup = await setUp();
	let asked = 0;
	const server = createServer((_request, response) => {
		asked++;
		response.writeHead(200, stale.headers);
		response.end(stale.body);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const session = connect(url);
	rateLimit(setup.cache, {'127.0.0.1': '1/h'}, {maxWait: 0});
	const client = setup.client.extend({prefixUrl: url, h2session: session});
	for (const [way, ask] of Object.entries(ways)) {
		if (way === 'promise') {
			assert.equal((await ask({client})).reason, 'not-stored');
			await settleWrites(setup);
		}

		assert.deepEqual(await ask({client}), {body: 'stale', reason: 'rate-limited'});
	}

	assert.equal(asked, 1);
	session.destroy();
	const closed = once(server, 'close');
	server.close();
	await closed;
});

test('without a Redis, the process counts for itself', async () => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, fresh);
	});
	const cache = redisCache('memory');
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	const limiter = rateLimit(cache, {'*': '1/h'}, {maxWait: 0});
	await client('a');
	await assert.rejects(client('b').text(), isLimited(new URL(origin.url), '1/h'));
	limiter.close();
	await client('b');
});

test('with encryption, no host is named in Redis', async () => {
	await using scene = await setUpLimit('1/h', {maxWait: 0}, {encryption: 'ab'.repeat(32)});
	await scene.client('items');
	const keys = await scene.redis.client.keys('*rate-limit.*');
	assert.equal(keys.length, 2);
	assert.ok(keys.every(key => !key.includes('127.0.0.1')));
});

test('a Redis that refuses the script is told of once, and the process counts for itself', async () => {
	await using scene = await setUpLimit('1/h');
	const errors: Error[] = [];
	scene.limiter.on('error', error => {
		errors.push(error);
	});
	await scene.redis.client.set(`http_cache:rate-limit.{${scene.host}}`, 'something else');
	await scene.client('a');
	await assert.rejects(scene.client('b').text(), isLimited(scene, '1/h'));
	assert.equal(errors.length, 1);
	assert.match(errors[0]?.message ?? '', /Redis refuses the scripts of rateLimit\(\).*WRONGTYPE/v);
});

test('clear() leaves the counts', async () => {
	await using scene = await setUpLimit('1/h');
	await scene.client('a');
	await scene.cache.clear();
	await assert.rejects(scene.client('b').text(), isLimited(scene, '1/h'));
});

test('processes that ask for more than the limit at once are never refused by the origin', unlessFast, async () => {
	await using setup = await setUp();
	const {origin, redis} = setup;
	const times: number[] = [];
	origin.handler = (_request, response) => {
		const nowMs = performance.now();
		const recent = times.filter(each => each > nowMs - 2000);
		times.push(nowMs);
		respond(response, recent.length < 20 ? fresh : {status: 429});
	};

	const worker = path.join(import.meta.dirname, 'rate-limit/worker.ts');
	const outputs = await Promise.all(Array.from({length: 4}, async () => promisify(execFile)(process.execPath, [worker, redis.url, origin.url, '15', '20/2s'])));
	assert.deepEqual(new Set(outputs.flatMap(({stdout}) => JSON.parse(stdout) as number[])), new Set([200]));
	assert.equal(origin.requests.length, 60);
});

await suite('bad input of rateLimit()', () => {
	const cache = redisCache('memory');
	const rows: ReadonlyArray<readonly [what: string, parameters: unknown[], message: RegExp]> = [
		['no cache', [{}, {a: '1/s'}], /^Expected a cache that redisCache\(\) made in rateLimit\(\), got /v],
		['no limits', [cache, {}], /^Expected the limits in rateLimit\(\) to be an object of hosts, such as \{'api\.example\.com': '100\/m'\}, got \{\}$/v],
		['a string', [cache, '100/m'], /^Expected the limits in rateLimit\(\)/v],
		['a limit without a time', [cache, {a: '100'}], /^Expected the limit of a in rateLimit\(\) to be a number of requests .* got '100'$/v],
		['a limit of none', [cache, {a: '0/s'}], /got '0\/s'$/v],
		['a limit of too many', [cache, {a: '100001/d'}], /got '100001\/d'$/v],
		['a time that is unknown', [cache, {a: '1/fortnight'}], /got '1\/fortnight'$/v],
		['a time that is too long', [cache, {a: '1/32d'}], /got '1\/32d'$/v],
		['an empty array', [cache, {a: []}], /got \[\]$/v],
		['a URL for a host', [cache, {'https://a/': '1/s'}], /^Expected the hosts in rateLimit\(\) to be names such as /v],
		['a wildcard in a host', [cache, {'*.a': '1/s'}], /got '\*\.a'$/v],
		['an unknown option', [cache, {a: '1/s'}, {maxwait: 1}], /maxWait/v],
		['a wait that is too long', [cache, {a: '1/s'}, {maxWait: '11m'}], /`maxWait` in rateLimit\(\) to be a duration of ten minutes at most/v],
	];
	for (const [what, parameters, message] of rows) {
		test(`${what} throws a TypeError that says what was expected`, () => {
			assert.throws(() => (rateLimit as (...parameters: unknown[]) => unknown)(...parameters), {name: 'TypeError', message});
		});
	}

	test('a second rate limit of a cache throws, until the first one is closed', () => {
		const limiter = rateLimit(cache, {a: '1/s'});
		assert.throws(() => rateLimit(cache, {b: '1/s'}), {name: 'TypeError', message: /give all hosts in one rateLimit\(\)/v});
		limiter.close();
		rateLimit(cache, {b: '1/s'}).close();
	});

	test('an unknown event throws', () => {
		using limiter = rateLimit(cache, {a: '1/s'});
		assert.throws(() => limiter.on('limit' as never, () => undefined), {name: 'TypeError', message: /'limited', 'origin' or 'error', got 'limit'$/v});
	});
});
