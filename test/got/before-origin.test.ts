import assert from 'node:assert/strict';
import {PassThrough} from 'node:stream';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test, {suite} from 'node:test';
import got, {type Request} from 'got';
import {cacheInfo, type ExchangeReport, type OriginAnswer, type OriginRequest} from '../../source/index.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

const old = {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'old'};
const fresh = {headers: {'cache-control': 'max-age=60', etag: '"2"'}, body: 'new'};
const unchanged = {status: 304, headers: {etag: '"1"'}};

const until = async (isSo: () => boolean): Promise<void> => {
	while (!isSo()) {
		await nextTurn();
	}
};

type Answer = {readonly body: unknown; readonly reason: unknown; readonly cacheStatus: unknown};

const ways: Readonly<Record<string, (setup: Setup, path?: string, options?: Record<string, unknown>) => Promise<Answer>>> = {
	async promise({client}, path = 'items', options = {}) {
		const response = await client<string>(path, options as never) as never as {body: string; headers: Record<string, string>};
		return {body: response.body, reason: cacheInfo(response)?.reason, cacheStatus: response.headers['cache-status']};
	},
	async stream({client}, path = 'items', options = {}) {
		const {body, info, headers} = await readStream(client.stream(path, options));
		return {body, reason: info?.reason, cacheStatus: headers['cache-status']};
	},
};

/** Counts the requests that reach the gate, and lets them pass. */
const count = ({cache}: Setup) => {
	const requests: OriginRequest[] = [];
	const answers: OriginAnswer[] = [];
	cache.beforeOrigin(request => {
		requests.push(request);
		return {
			kind: 'ask',
			onResponse(answer) {
				answers.push(answer);
			},
		};
	});

	return {requests, answers};
};

for (const [way, ask] of Object.entries(ways)) {
	await suite(`beforeOrigin(), ${way}`, () => {
		test('a miss and a validation reach the gate, a hit does not', async () => {
			await using setup = await setUp();
			const {requests, answers} = count(setup);
			setup.origin.queue(old, unchanged, fresh);
			await ask(setup);
			await settleWrites(setup);
			assert.equal((await ask(setup)).reason, 'not-modified');
			await ask(setup);
			await settleWrites(setup);
			assert.equal((await ask(setup)).reason, 'fresh');

			assert.equal(requests.length, 3);
			assert.deepEqual(answers.map(({statusCode}) => statusCode), [200, 304, 200]);
			assert.equal(String(requests[0]?.url), `${setup.origin.url}/items`);
		});

		test('a POST reaches the gate, and each hop of a redirect', async () => {
			await using setup = await setUp();
			const {requests} = count(setup);
			setup.origin.queue({status: 302, headers: {location: '/there', 'cache-control': 'no-store'}}, fresh, {body: 'posted'});
			assert.equal((await ask(setup)).body, 'new');
			assert.deepEqual(requests.map(({url}) => url.pathname), ['/items', '/there']);
			assert.equal((await ask(setup, 'items', {method: 'POST', body: 'a'})).body, 'posted');
			assert.equal(requests.length, 3);
			assert.equal(requests[2]?.method, 'POST');
		});

		test('a request whose validators do not go with what is stored reaches it twice', async () => {
			await using setup = await setUp();
			const {requests, answers} = count(setup);
			setup.origin.queue(old, {status: 304, headers: {etag: '"other"'}}, fresh);
			await ask(setup);
			await settleWrites(setup);
			assert.equal((await ask(setup)).body, 'new');

			assert.equal(setup.origin.requests.length, 3);
			assert.equal(requests.length, 3);
			assert.deepEqual(answers.map(({statusCode}) => statusCode), [200, 304, 200]);
		});

		test('a stale response answers in the place of the origin', async () => {
			await using setup = await setUp();
			const {cache, origin} = setup;
			origin.queue(old, fresh);
			await ask(setup);
			await settleWrites(setup);
			const reports: ExchangeReport[] = [];
			cache.on('exchange', report => {
				reports.push(report);
			});
			const stop = cache.beforeOrigin(({canBeStale}) => {
				assert.equal(canBeStale(60_000), true);
				return {kind: 'stale', mostStaleMs: 60_000};
			});
			const {body, reason, cacheStatus} = await ask(setup);
			assert.deepEqual({body, reason}, {body: 'old', reason: 'rate-limited'});
			assert.match(String(cacheStatus), /^got-redis-cache;hit;ttl=-?\d+;key="[^"]+";detail=rate-limited$/v);
			await until(() => reports.length === 1);
			const [{status, originMs, error} = {} as ExchangeReport] = reports;
			assert.deepEqual({status, originMs, error}, {status: 'stale', originMs: undefined, error: undefined});
			assert.equal(origin.requests.length, 1);
			stop();
			assert.equal((await ask(setup)).body, 'new');
		});

		test('a response that must be validated does not answer in the place of the origin', async () => {
			await using setup = await setUp();
			const {cache, origin} = setup;
			origin.queue({...old, headers: {...old.headers, 'cache-control': 'max-age=0, must-revalidate'}}, fresh);
			await ask(setup);
			await settleWrites(setup);
			cache.beforeOrigin(({canBeStale}) => {
				assert.equal(canBeStale(60_000), false);
				return {kind: 'stale', mostStaleMs: 60_000};
			});
			assert.equal((await ask(setup)).body, 'new');
		});

		test('a refusal fails the request with its error as the cause', async () => {
			await using setup = await setUp();
			const refusal = Object.assign(new Error('Not now'), {code: 'ERR_NOT_NOW'});
			setup.cache.beforeOrigin(() => ({kind: 'refuse', error: refusal}));
			await assert.rejects(ask(setup, 'items', {retry: {limit: 2}}), {name: 'RequestError', message: 'Not now', code: 'ERR_NOT_NOW', cause: refusal});
			assert.equal(setup.origin.requests.length, 0);
		});

		test('a gate that throws lets the request pass, and is reported', async () => {
			await using setup = await setUp();
			const errors: Error[] = [];
			setup.cache.on('error', error => {
				errors.push(error);
			});
			setup.origin.queue(fresh);
			setup.cache.beforeOrigin(() => {
				throw new Error('broken gate');
			});
			assert.equal((await ask(setup)).body, 'new');
			assert.match(errors[0]?.message ?? '', /broken gate/v);
		});

		test('a wait is part of the report, and what another request stored meanwhile answers', async () => {
			await using setup = await setUp({coalesce: false});
			const {cache, origin} = setup;
			const turn = Promise.withResolvers<void>();
			const reports: ExchangeReport[] = [];
			let unsent = 0;
			cache.on('exchange', report => {
				reports.push(report);
			});
			const stop = cache.beforeOrigin(async () => {
				await turn.promise;
				return {
					kind: 'ask',
					hasWaited: true,
					onUnsent() {
						unsent++;
					},
				};
			});
			origin.queue(fresh);
			const waiting = ask(setup);
			await settleWrites(setup);
			stop();
			const other = setup.other();
			await other.client('items');
			await settleWrites(setup);
			turn.resolve();
			const {body, reason} = await waiting;
			assert.deepEqual({body, reason}, {body: 'new', reason: 'fresh'});
			assert.equal(unsent, 1);
			await until(() => reports.length === 1);
			assert.ok((reports[0]?.waitedMs ?? 0) > 0);
			assert.equal(cache.stats().waits.count, 1);
			assert.equal(origin.requests.length, 1);
		});

		test('equal requests reach the gate once, and are all answered stale', async () => {
			await using setup = await setUp();
			const {cache, origin} = setup;
			// Nobody waits for a response that is stale already.
			origin.queue({...old, headers: {...old.headers, 'cache-control': 'max-age=1'}});
			await ask(setup);
			await settleWrites(setup);
			while (await cache.has(`${origin.url}/items`)) {
				await nextTurn();
			}

			const turn = Promise.withResolvers<void>();
			let calls = 0;
			cache.beforeOrigin(async () => {
				calls++;
				await turn.promise;
				return {kind: 'stale', mostStaleMs: 60_000};
			});
			const all = Promise.all([ask(setup), ask(setup), ask(setup)]);
			await settleWrites(setup);
			turn.resolve();
			assert.deepEqual((await all).map(({reason}) => reason), ['rate-limited', 'rate-limited', 'rate-limited']);
			assert.equal(calls, 1);
		});
	});
}

test('an aborted promise ends the wait, and is not sent', async () => {
	await using setup = await setUp();
	const controller = new AbortController();
	let signal: AbortSignal | undefined;
	let unsent = 0;
	setup.cache.beforeOrigin(async request => {
		({signal} = request);
		const {promise, resolve} = Promise.withResolvers<void>();
		request.signal.addEventListener('abort', () => {
			resolve();
		});
		controller.abort();
		await promise;
		return {
			kind: 'ask',
			onUnsent() {
				unsent++;
			},
		};
	});
	await assert.rejects(setup.client('items', {signal: controller.signal}), {name: 'AbortError'});
	await until(() => unsent === 1);
	assert.equal(signal?.aborted, true);
	assert.equal(setup.origin.requests.length, 0);
});

test('a destroyed stream ends the wait, and is not sent', async () => {
	await using setup = await setUp();
	let unsent = 0;
	const stream = setup.client.stream('items');
	stream.on('error', () => undefined);
	setup.cache.beforeOrigin(async ({signal}) => {
		const {promise, resolve} = Promise.withResolvers<void>();
		signal.addEventListener('abort', () => {
			resolve();
		});
		stream.destroy();
		await promise;
		return {
			kind: 'ask',
			onUnsent() {
				unsent++;
			},
		};
	});
	await until(() => unsent === 1);
	assert.equal(setup.origin.requests.length, 0);
});

test('the patience of a request is the least of got\'s timeouts', async () => {
	await using setup = await setUp();
	const {requests} = count(setup);
	setup.origin.queue(fresh, fresh);
	await setup.client('a', {timeout: {request: 5000, socket: 3000}});
	await setup.client('b');
	assert.deepEqual(requests.map(({patienceMs}) => patienceMs), [3000, Infinity]);
});

test('each retry reaches the gate', async () => {
	await using setup = await setUp();
	const {requests} = count(setup);
	setup.origin.queue({status: 503}, {status: 503}, fresh);
	await setup.client('items', {retry: {limit: 2, calculateDelay: ({attemptCount}) => attemptCount > 2 ? 0 : 1}});
	assert.equal(requests.length, 3);
});

test('a refresh in the background says that it is one, and gives way without an error event', async () => {
	await using setup = await setUp({staleWhileRevalidate: '1h'});
	const {cache, client, origin} = setup;
	const errors: Error[] = [];
	cache.on('error', error => {
		errors.push(error);
	});
	origin.queue(old);
	await client('items');
	await settleWrites(setup);
	const refreshes: boolean[] = [];
	cache.beforeOrigin(({isRefresh}) => {
		refreshes.push(isRefresh);
		return {kind: 'refuse', error: new Error('Not now')};
	});
	const {reports} = {reports: [] as ExchangeReport[]};
	cache.on('exchange', report => {
		reports.push(report);
	});
	await client('items');
	await until(() => reports.length === 2);
	assert.deepEqual(refreshes, [true]);
	assert.deepEqual(errors, []);
	assert.equal(origin.requests.length, 1);
});

test('a stream that another handler has put something around reaches the gate', async () => {
	await using setup = await setUp();
	const {requests, answers} = count(setup);
	setup.origin.queue(fresh);
	const wrapped = got.extend({prefixUrl: setup.origin.url}, setup.cache, {
		handlers: [(options, next) => (next(options) as Request).pipe(new PassThrough()) as never],
	});
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	const stream = wrapped.stream('items');
	stream.on('end', resolve).on('error', reject).resume();
	await promise;
	assert.equal(requests.length, 1);
	assert.deepEqual(answers.map(({statusCode}) => statusCode), [200]);
});

test('beforeOrigin() takes one function at a time', async () => {
	await using setup = await setUp();
	const stop = setup.cache.beforeOrigin(() => ({kind: 'ask'}));
	assert.throws(() => setup.cache.beforeOrigin(() => ({kind: 'ask'})), {name: 'TypeError', message: /end that one first/v});
	stop();
	setup.cache.beforeOrigin(() => ({kind: 'ask'}));
	assert.throws(() => setup.cache.beforeOrigin(1 as never), {name: 'TypeError', message: /Expected a function in beforeOrigin\(\), got 1/v});
});
