import assert from 'node:assert/strict';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {tracingChannel} from 'node:diagnostics_channel';
import test from 'node:test';
import got, {type Request} from 'got';
import type {ExchangeReport, RedisCache} from '../../source/index.ts';
import type {PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites} from '../got/helpers.ts';
import {readStream} from '../got/read-stream.ts';

const fresh: PlainResponse = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: 'stored'};
const stale: PlainResponse = {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'stored'};

/** Collects the reports of a cache. */
const reportsOf = (cache: RedisCache): ExchangeReport[] => {
	const reports: ExchangeReport[] = [];
	cache.on('exchange', report => {
		reports.push(report);
	});

	return reports;
};

const until = async (isDone: () => boolean): Promise<void> => {
	for (let turns = 0; !isDone(); turns++) {
		assert.ok(turns < 100_000, 'It was waited for in vain');
		await nextTurn();
	}
};

const told = ({status, reason, notStored, tier}: ExchangeReport) => [status, reason, notStored, tier];

const ways = {
	promise: async (client: Awaited<ReturnType<typeof setUp>>['client'], path: string) => client(path).catch(() => undefined),
	stream: async (client: Awaited<ReturnType<typeof setUp>>['client'], path: string) => readStream(client.stream(path)).catch(() => undefined),
};

for (const [way, ask] of Object.entries(ways)) {
	test(`a miss and hits are reported once each, ${way}`, async () => {
		await using setup = await setUp();
		const {origin, cache, client} = setup;
		const reports = reportsOf(cache);
		origin.queue(fresh);
		for (let count = 1; count <= 4; count++) {
			await ask(client, 'items?api_key=secret&b=1');
			await until(() => reports.length === count);
			await settleWrites(setup);
		}

		assert.equal(reports.length, 4);
		assert.deepEqual(reports.slice(0, 2).map(report => told(report)), [['miss', 'not-stored', undefined, 'origin'], ['hit', 'fresh', undefined, reports[1]?.tier]]);
		const [miss, hit] = reports;
		assert.ok(miss);
		assert.ok(hit);
		assert.equal(miss.method, 'GET');
		assert.equal(miss.url, `${origin.url}/items?api_key=REDACTED&b=1`);
		assert.equal(miss.key, hit.key);
		assert.equal(miss.statusCode, 200);
		assert.equal(miss.forwardStatus, 200);
		assert.equal(miss.bytes, 6);
		assert.ok(Number(miss.originMs) > 0);
		assert.ok(Number(miss.originMs) <= miss.totalMs);
		assert.ok(Number(miss.lookUpMs) >= 0);
		assert.ok(Math.abs(miss.startedAt.getTime() - Date.now()) < 60_000);
		assert.deepEqual([hit.bytes, hit.originMs, hit.forwardStatus, hit.statusCode], [6, undefined, undefined, 200]);
		assert.ok(['memory', 'store'].includes(String(hit.tier)));
		assert.ok(Number(hit.age) >= 0);
		assert.equal(miss.savedMs, 0);
		assert.ok(hit.savedMs >= 0);
		for (const report of reports) {
			assert.equal(report.isStream, way === 'stream');
			assert.deepEqual([report.isHop, report.isRefresh, report.isCollapsed, report.retryCount, report.error], [false, false, false, 0, undefined]);
		}
	});

	test(`a response that may not be stored, one that is confirmed and a stale one are reported with their reasons, ${way}`, async () => {
		await using setup = await setUp();
		const {origin, cache, client} = setup;
		const reports = reportsOf(cache);
		origin.queue({headers: {'cache-control': 'no-store'}}, stale, {status: 304, headers: {etag: '"1"'}}, {status: 503});
		await ask(client, 'private');
		await ask(client, 'items');
		await settleWrites(setup);
		await ask(client.extend({}), 'items');
		await settleWrites(setup);
		await ask(client.extend({context: {cache: {staleIfError: true}}}), 'items');
		await until(() => reports.length >= 4);

		assert.deepEqual(reports.map(report => [...told(report).slice(0, 3), report.forwardStatus, report.statusCode]), [
			['miss', 'not-stored', 'no-store', 200, 200],
			['miss', 'not-stored', undefined, 200, 200],
			['revalidated', 'not-modified', undefined, 304, 200],
			['stale', 'error-status', undefined, 503, 200],
		]);
		assert.ok(reports.slice(2).every(({tier, originMs, bytes}) => tier !== 'origin' && Number(originMs) > 0 && bytes === 6));
	});

	test(`a failure is reported with its error, a status code without one, ${way}`, async () => {
		await using setup = await setUp();
		const {origin, cache, client} = setup;
		const reports = reportsOf(cache);
		// No connection is kept, on which the next request would begin.
		origin.queue({status: 500, headers: {connection: 'close'}});
		await ask(client, 'items');
		await until(() => reports.length === 1);
		await origin.stop();
		await ask(client, 'items');
		await until(() => reports.length === 2);

		const [status, failure] = reports;
		assert.ok(status);
		assert.ok(failure);
		assert.deepEqual([...told(status), status.statusCode, status.error], ['miss', 'not-stored', 'not-explicit', 'origin', 500, undefined]);
		assert.deepEqual([...told(failure), failure.statusCode, failure.bytes ?? 0], ['miss', 'not-stored', 'error', undefined, undefined, 0]);
		assert.match(String(failure.error), /ECONNREFUSED/v);
	});

	test(`each hop of a redirect is reported, with the last one alone as the answer, ${way}`, async () => {
		await using setup = await setUp();
		const {origin, cache, client} = setup;
		const reports = reportsOf(cache);
		origin.queue({status: 301, headers: {location: '/items', 'cache-control': 'max-age=60'}}, fresh);
		await ask(client, 'old');
		await until(() => reports.length === 2);
		await settleWrites(setup);
		await ask(client, 'old');
		await until(() => reports.length === 4);

		assert.deepEqual(reports.map(({url, status, isHop, statusCode}) => [url.slice(origin.url.length), status, isHop, statusCode]), [
			['/old', 'miss', true, 301],
			['/items', 'miss', false, 200],
			['/old', 'hit', true, 301],
			['/items', 'hit', false, 200],
		]);
	});

	test(`a request that the cache takes no part in, and one that must not be made, are reported, ${way}`, async () => {
		await using setup = await setUp();
		const {origin, cache, client} = setup;
		const reports = reportsOf(cache);
		origin.queue(fresh);
		await ask(client.extend({context: {cache: false}}), 'items');
		await ask(client.extend({context: {cache: {onlyIfCached: true}}}), 'other');
		await until(() => reports.length === 2);

		assert.deepEqual(reports.map(report => [...told(report), report.statusCode, report.lookUpMs === undefined]), [
			['bypass', 'disabled', 'bypassed', 'origin', 200, true],
			['unavailable', 'only-if-cached', undefined, undefined, 504, false],
		]);
	});

	test(`equal requests are reported each, those that waited as collapsed, ${way}`, async () => {
		await using setup = await setUp();
		const {origin, cache, client} = setup;
		const reports = reportsOf(cache);
		origin.queue(fresh);
		await Promise.all([ask(client, 'items'), ask(client, 'items'), ask(client, 'items')]);
		await until(() => reports.length === 3);

		assert.equal(origin.requests.length, 1);
		assert.equal(reports.filter(({isCollapsed}) => isCollapsed).length, 2);
		assert.deepEqual(reports.map(({reason}) => reason).toSorted(), ['collapsed', 'collapsed', 'not-stored']);
	});
}

test('each attempt of a request that is retried is reported', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const reports = reportsOf(cache);
	origin.queue({status: 503}, (_request, response) => {
		response.destroy();
	}, fresh);
	await client('items', {retry: {limit: 2, calculateDelay: ({computedValue}) => computedValue && 1}});

	assert.deepEqual(reports.map(({retryCount, statusCode, error}) => [retryCount, statusCode, error !== undefined]), [[0, 503, false], [1, undefined, true], [2, 200, false]]);
});

test('a stale response that stands in after retries is reported once for its attempt', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	origin.queue(stale);
	await client('items');
	await settleWrites(setup);
	const reports = reportsOf(cache);
	origin.queue({status: 503}, {status: 503});
	await client('items', {context: {cache: {retryFirst: true, staleIfError: true}}, retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}});

	assert.deepEqual(reports.map(({retryCount, status, reason}) => [retryCount, status, reason]), [[0, 'miss', 'stale'], [1, 'stale', 'error-status']]);
});

test('a refresh in the background is reported as one', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	origin.queue({...stale, headers: {...stale.headers, 'cache-control': 'max-age=0, stale-while-revalidate=60'}});
	await client('items');
	await settleWrites(setup);
	const reports = reportsOf(cache);
	origin.queue(fresh);
	await client('items');
	await until(() => reports.length === 2);

	assert.deepEqual(reports.map(({status, reason, isRefresh}) => [status, reason, isRefresh]), [['stale', 'stale-while-revalidate', false], ['miss', 'stale', true]]);
});

test('a promise that is aborted is reported once, while it waits for the origin', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const reports = reportsOf(cache);
	const controller = new AbortController();
	origin.handler = () => {
		controller.abort();
	};

	await assert.rejects(client('items', {signal: controller.signal}), {name: 'AbortError'});
	await until(() => reports.length === 1);
	await nextTurn();

	assert.deepEqual(reports.map(report => told(report)), [['miss', 'not-stored', 'error', undefined]]);
	assert.equal(reports[0]?.error?.name, 'AbortError');
});

test('a stream that is destroyed half-way is reported with the bytes that were read', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const reports = reportsOf(cache);
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'});
		response.write('half');
	};

	const stream = client.stream('items');
	stream.once('data', () => {
		stream.destroy();
	});

	await until(() => reports.length === 1);
	assert.deepEqual([...told(reports[0]!).slice(0, 3), reports[0]?.bytes], ['miss', 'not-stored', 'incomplete', 4]);
});

test('a body that is not what the caller wants is reported as a failure', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const reports = reportsOf(cache);
	origin.queue({...fresh, body: 'no JSON'});
	await assert.rejects(client('items', {responseType: 'json'}), {name: 'ParseError'});

	assert.deepEqual(reports.map(({error}) => error?.name), ['ParseError']);
});

test('a listener that throws fails no request, and is told of as an error', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const errors: Error[] = [];
	cache.on('error', error => {
		errors.push(error);
	});
	cache.on('exchange', () => {
		throw new Error('no');
	});
	const reports = reportsOf(cache);
	origin.queue(fresh);
	await client('items');
	await settleWrites(setup);
	await client('items');

	assert.equal(reports.length, 2);
	assert.deepEqual(errors.map(({message}) => message), Array.from({length: 2}, () => 'got-redis-cache: A listener of the event `exchange` threw: no'));
});

test('a request that times out, one whose hook asks again, and one whose hook replaces the error are reported once for each attempt', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	const reports = reportsOf(cache);
	origin.queue(() => undefined);
	await assert.rejects(client('items', {timeout: {request: 50}}), {name: 'TimeoutError'});
	assert.deepEqual(reports.map(({error}) => error?.name), ['TimeoutError']);

	reports.length = 0;
	origin.queue({status: 401}, fresh);
	await client('secret', {
		hooks: {
			afterResponse: [(response, retryWithMergedOptions) => response.statusCode === 401 ? retryWithMergedOptions({headers: {authorization: 'x'}}) : response],
		},
	});
	assert.deepEqual(reports.map(({statusCode, retryCount}) => [statusCode, retryCount]), [[401, 0], [200, 1]]);

	reports.length = 0;
	await origin.stop();
	const replacing = {beforeError: [() => new Error('own') as never]};
	const own = client.extend({hooks: replacing});
	const before = got.extend({prefixUrl: origin.url, retry: {limit: 0}, hooks: replacing}, cache);
	await assert.rejects(own('items'), {message: /own/v});
	await assert.rejects(before('items'), {message: /own/v});
	assert.deepEqual(reports.map(({error}) => error !== undefined), [true, true]);
});

test('a request that is aborted while it is looked up, and a stream that is aborted, are reported once', async () => {
	await using setup = await setUp({memory: false});
	const {origin, cache, client} = setup;
	const reports = reportsOf(cache);
	const controller = new AbortController();
	const asked = client('items', {signal: controller.signal});
	setImmediate(() => {
		controller.abort();
	});
	await assert.rejects(asked, {name: 'AbortError'});
	await until(() => reports.length > 0);

	const second = new AbortController();
	origin.handler = () => {
		second.abort();
	};

	await assert.rejects(readStream(client.stream('items', {signal: second.signal})), {name: 'AbortError'});
	await until(() => reports.length > 1);
	await settleWrites(setup);

	assert.deepEqual(reports.map(({isStream, error}) => [isStream, error?.name]), [[false, 'AbortError'], [true, 'AbortError']]);
});

for (const [how, end, expected] of [
	['destroyed', (stream: Request) => stream.destroy(), undefined],
	['destroyed with an error', (stream: Request) => stream.destroy(new Error('enough')), 'enough'],
] as const) {
	test(`a stream that is ${how} while it is looked up is reported once, ends its trace and leaves no guard`, async t => {
		await using setup = await setUp({memory: false});
		const {origin, cache, client, redis} = setup;
		const reports = reportsOf(cache);
		let traced = 0;
		const countEnd = () => {
			traced++;
		};

		const {asyncEnd} = tracingChannel('got-redis-cache:exchange');
		asyncEnd.subscribe(countEnd);
		t.after(() => {
			asyncEnd.unsubscribe(countEnd);
		});

		await cache.ready();
		redis.pause();
		const stream = client.stream('items');
		const closed = new Promise<void>(resolve => {
			stream.on('error', () => undefined).once('close', resolve);
		});
		// The look-up has been sent by then.
		await nextTurn();
		await nextTurn();
		end(stream);
		await closed;
		redis.resume();
		await until(() => reports.length > 0);
		await settleWrites(setup);

		assert.deepEqual(reports.map(({isStream, error, bytes}) => [isStream, error?.message, bytes]), [[true, expected, 0]]);
		assert.equal(traced, 1);
		assert.equal(origin.requests.length, 0);
		for (const key of await redis.client.keys('*:guard')) {
			assert.ok(await redis.client.pTTL(key) <= 60_000);
		}
	});
}
