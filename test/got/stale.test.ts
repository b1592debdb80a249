import assert from 'node:assert/strict';
import {once} from 'node:events';
import test, {suite} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {RequestError} from 'got';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import {holdNext, type Handler} from '../helpers/origin.ts';
import {outwait, setUp, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

type Failure = 'status' | 'connection' | 'timeout';

const stale = {etag: '"1"', 'x-stored': 'yes'};

/** Makes the origin fail, each time it is asked. */
const failures: Record<Failure, Handler> = {
	status(_request, response) {
		response.writeHead(503, {'retry-after': '3600'}).end('broken');
	},
	connection(_request, response) {
		response.destroy();
	},
	timeout() {
		// Never answers.
	},
};

const store = async ({client, origin}: Setup, cacheControl: string) => {
	origin.queue({headers: {...stale, 'cache-control': cacheControl}, body: 'stored'});
	assert.equal(await client('items').text(), 'stored');
};

const ask = async ({client}: Setup, more: Record<string, unknown> = {}) => {
	try {
		const response = await client('items', more);
		return {status: cacheInfo(response)?.status, reason: cacheInfo(response)?.reason, body: response.body, header: response.headers['x-stored'], isFromCache: response.isFromCache};
	} catch (error) {
		return (error as Error).name;
	}
};

type Row = {
	readonly cacheControl: string;
	readonly options?: RedisCacheOptions;
	readonly request?: Record<string, unknown>;
	/** The failures for which the stale response stands in. */
	readonly standsIn: readonly Failure[];
};

const disconnected: readonly Failure[] = ['connection', 'timeout'];
const always: readonly Failure[] = ['status', ...disconnected];

const table: readonly Row[] = [
	{cacheControl: 'max-age=0', standsIn: disconnected},
	{cacheControl: 'max-age=0, stale-if-error=60', standsIn: always},
	{cacheControl: 'max-age=0', options: {staleIfError: true}, standsIn: always},
	{cacheControl: 'max-age=0', options: {staleIfError: '1m'}, standsIn: always},
	{cacheControl: 'max-age=0', options: {staleIfError: false}, standsIn: []},
	{cacheControl: 'max-age=0, stale-if-error=60', options: {staleIfError: false}, standsIn: always},
	{cacheControl: 'max-age=0, must-revalidate', options: {staleIfError: true}, standsIn: []},
	{cacheControl: 'max-age=0, stale-if-error=60, must-revalidate', standsIn: []},
	{cacheControl: 'no-cache', options: {staleIfError: true}, standsIn: []},
	{cacheControl: 'max-age=0, proxy-revalidate', options: {staleIfError: true}, standsIn: []},
	{cacheControl: 'max-age=0, proxy-revalidate', options: {staleIfError: true, shared: false}, standsIn: always},
	{cacheControl: 's-maxage=0', options: {staleIfError: true}, standsIn: []},
	{cacheControl: 's-maxage=0, max-age=0', options: {staleIfError: true, shared: false}, standsIn: always},
	{cacheControl: 'max-age=0', request: {context: {cache: {staleIfError: true}}}, standsIn: always},
	{cacheControl: 'max-age=0', request: {headers: {'cache-control': 'stale-if-error=60'}}, standsIn: always},
	{cacheControl: 'max-age=0, stale-if-error=60', request: {headers: {'cache-control': 'no-cache'}}, standsIn: []},
];

for (const {cacheControl, options, request, standsIn} of table) {
	for (const failure of always) {
		const isStale = standsIn.includes(failure);
		const setting = [options, request].filter(Boolean).map(each => JSON.stringify(each)).join(' ');

		test(`${cacheControl} ${setting}: ${isStale ? 'stands in' : 'does not stand in'} for a failure (${failure})`, async ({mock}) => {
			await using setup = await setUp(options);
			await store(setup, cacheControl);
			setup.origin.handler = failures[failure];

			const expected = {
				status: 'stale',
				reason: {status: 'error-status', connection: 'network-error', timeout: 'timeout'}[failure],
				body: 'stored',
				header: 'yes',
				isFromCache: true,
			};
			const error = {status: 'HTTPError', connection: 'RequestError', timeout: 'TimeoutError'}[failure];
			const outcome = failure === 'timeout'
				? outwait(mock, setup.origin, async () => ask(setup, {...request, timeout: {response: 50}}))
				: ask(setup, request);
			assert.deepEqual(await outcome, isStale ? expected : error);
			assert.equal(setup.origin.requests.length, 2);
		});
	}
}

test('an origin that refuses connections is stood in for', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0');
	await setup.origin.stop();

	assert.equal((await ask(setup) as {status: string}).status, 'stale');
});

test('a stale response comes before the wait for a retry', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0, stale-if-error=60');
	const {client, origin} = setup;

	for (const failure of ['status', 'connection'] as const) {
		origin.handler = failures[failure];
		origin.requests.length = 0;
		let delays = 0;

		const response = await client('items', {
			retry: {
				limit: 5,
				calculateDelay() {
					delays++;
					return 3_600_000;
				},
			},
		});

		assert.equal(response.body, 'stored');
		assert.equal(response.retryCount, 0);
		assert.equal(response.request.retryCount, 0);
		assert.equal(delays, 0);
		assert.equal(origin.requests.length, 1);
	}
});

test('without a stale response, got retries as it is told', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(failures.connection, failures.status, {headers: {'cache-control': 'max-age=60'}, body: 'third time'});

	const seen: unknown[] = [];
	const response = await client('items', {
		retry: {limit: 3, calculateDelay({attemptCount, computedValue}) {
			seen.push([attemptCount, computedValue > 0]);
			return 1;
		}},
	});

	assert.equal(response.body, 'third time');
	assert.equal(response.retryCount, 2);
	assert.deepEqual(seen, [[1, true], [2, true]]);
	assert.equal((await client('items')).isFromCache, true);
});

test('an aborted request is not answered', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0, stale-if-error=60');
	const {client, origin} = setup;
	const {promise: asked, resolve} = Promise.withResolvers<void>();
	origin.handler = () => {
		resolve();
	};

	const controller = new AbortController();
	const request = client('items', {signal: controller.signal});
	await asked;
	controller.abort();

	await assert.rejects(request, (error: RequestError) => {
		assert.equal(error.name, 'AbortError');
		// Got itself has only what the caller asked with.
		assert.equal(error.options.headers['if-none-match'], undefined);
		return true;
	});
	assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
});

test('the response that comes after a failure is stored', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0, stale-if-error=60');
	const {client, origin} = setup;
	origin.queue(failures.status, {headers: {'cache-control': 'max-age=60'}, body: 'new'});

	assert.equal(await client('items').text(), 'stored');
	assert.equal(await client('items').text(), 'new');
	assert.equal(await client('items').text(), 'new');
	assert.equal(origin.requests.length, 3);
});

test('hooks see a stale answer as they see any other', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0');
	const {client, origin} = setup;
	const statusCodes: number[] = [];
	const extended = client.extend({hooks: {afterResponse: [response => {
		statusCodes.push(response.statusCode);
		response.body = String(response.body).toUpperCase();
		return response;
	}]}});

	for (const failure of ['connection', 'timeout'] as const) {
		origin.handler = failures[failure];

		const {body} = await extended('items', {timeout: {response: 50}});
		assert.equal(body, 'STORED');
	}

	assert.deepEqual(statusCodes, [200, 200]);
});

test('options that were set for the retry are set back', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0');
	const {client, origin} = setup;
	const calculateDelay = () => 0;
	const retry = {limit: 0, calculateDelay, enforceRetryRules: true};

	origin.handler = failures.connection;
	const recovered = await client('items', {retry});
	origin.handler = (_request, response) => response.end('new');
	const fetched = await client('items', {retry});

	for (const {request} of [recovered, fetched]) {
		assert.equal(request.options.retry.calculateDelay, calculateDelay);
		assert.equal(request.options.retry.enforceRetryRules, true);
		assert.equal(request.options.headers['if-none-match'], undefined);
	}
});

test('a stale response answers while it is refreshed', async () => {
	await using setup = await setUp();
	await store(setup, 'max-age=0, stale-while-revalidate=60');
	const {client, origin} = setup;
	const {promise: refreshed, resolve} = Promise.withResolvers<void>();
	origin.handler = ({headers}, response) => {
		assert.equal(headers['if-none-match'], '"1"');
		once(response, 'finish').then(() => {
			resolve();
		});
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('new');
	};

	const first = await client('items');
	assert.equal(first.body, 'stored');
	assert.equal(cacheInfo(first)?.reason, 'stale-while-revalidate');
	await refreshed;
	assert.equal(origin.requests.length, 2);
});

await suite('with `retryFirst`, a stale response comes when got does not retry any more', () => {
	const retry = {limit: 2, calculateDelay: ({computedValue}: {computedValue: number}) => computedValue && 1};

	for (const failure of always) {
		test(`after the last attempt (${failure})`, async () => {
			await using setup = await setUp({retryFirst: true, staleIfError: true});
			await store(setup, 'max-age=0');
			setup.origin.handler = failures[failure];
			let retries = 0;
			const hooks = {beforeRetry: [() => {
				retries++;
			}]};

			const response = await setup.client('items', {retry, hooks, ...failure === 'timeout' && {timeout: {response: 300}}});
			assert.equal(response.body, 'stored');
			assert.equal(cacheInfo(response)?.status, 'stale');
			assert.equal(response.retryCount, 2);
			assert.equal(retries, 2);
			assert.equal(setup.origin.requests.length, 4);
			assert.equal(response.request.options.retry.calculateDelay, retry.calculateDelay);
			assert.equal(response.request.options.headers['if-none-match'], undefined);
			// RFC 9211 §2.3: the origin may have answered, though not with what was given.
			assert.equal(/(?<=^got-redis-cache;fwd=stale;fwd-status=)\d+(?=;ttl=)/v.exec(String(response.headers['cache-status']))?.[0], failure === 'status' ? '503' : undefined);
		});
	}

	test('an attempt that succeeds is the answer', async () => {
		await using setup = await setUp();
		await store(setup, 'max-age=0, stale-if-error=60');
		const {client, origin} = setup;
		origin.queue(failures.status, failures.connection, {status: 304, headers: {etag: '"1"'}});

		const response = await client('items', {retry, context: {cache: {retryFirst: true}}});
		assert.equal(cacheInfo(response)?.status, 'revalidated');
		assert.equal(response.retryCount, 2);
		assert.equal(origin.requests.length, 4);
	});

	test('at once where got does not retry', async () => {
		await using setup = await setUp({retryFirst: true, staleIfError: true});
		await store(setup, 'max-age=0');
		const {client, origin} = setup;
		origin.handler = failures.status;

		for (const options of [{}, {throwHttpErrors: false, retry}, {retry: {limit: 2, statusCodes: []}}, {retry: {limit: 2, calculateDelay: () => 0}}]) {
			origin.requests.length = 0;
			assert.equal(await client('items', options).text(), 'stored');
			assert.equal(origin.requests.length, 1);
		}
	});

	test('the error is got\'s where nothing may stand in', async () => {
		await using setup = await setUp({retryFirst: true});
		await store(setup, 'max-age=0, must-revalidate');
		setup.origin.handler = failures.status;

		await assert.rejects(setup.client('items', {retry}), {name: 'HTTPError', message: /503|500/v});
		assert.equal(setup.origin.requests.length, 4);
	});

	test('a stream has it at once', async () => {
		await using setup = await setUp({retryFirst: true, staleIfError: true});
		await store(setup, 'max-age=0');
		setup.origin.handler = failures.status;

		assert.equal((await readStream(setup.client.stream('items', {retry}))).body, 'stored');
		assert.equal(setup.origin.requests.length, 2);
	});
});

await suite('status codes that the user says are failures', () => {
	const busy: Handler = (_request, response) => {
		response.writeHead(429, {'retry-after': '3600'}).end('slow down');
	};

	const rule = {staleIfError: {statusCodes: [429, 503], for: '1d'}} as const;

	test('429 with Retry-After is answered stale, at once', async () => {
		// Got would wait for an hour, and try again.
		await using setup = await setUp(rule);
		await store(setup, 'max-age=0');
		setup.origin.handler = busy;
		assert.deepEqual(await ask(setup, {retry: {limit: 5}}), {status: 'stale', reason: 'error-status', body: 'stored', header: 'yes', isFromCache: true});
		assert.equal((await readStream(setup.client.stream('items'))).body, 'stored');

		setup.origin.handler = failures.status;
		assert.equal((await ask(setup, {retry: {limit: 5}}) as {status: string}).status, 'stale');
	});

	test('429 is answered stale after got\'s retries', async () => {
		await using setup = await setUp({...rule, retryFirst: true});
		const {client, origin} = setup;
		await store(setup, 'max-age=0');
		origin.handler = busy;
		const {body} = await client('items', {retry: {limit: 2, calculateDelay: ({computedValue}) => computedValue > 0 ? 1 : 0}});

		assert.equal(body, 'stored');
		assert.equal(origin.requests.length, 4);
	});

	test('429 that is no failure by the options is an error', async () => {
		await using setup = await setUp({staleIfError: true});
		await store(setup, 'max-age=0');
		setup.origin.handler = busy;
		assert.equal(await ask(setup), 'HTTPError');
	});

	test('500 that is not among them is an error, and a failed connection is answered stale', async () => {
		await using setup = await setUp();
		await store(setup, 'max-age=0');
		const context = {cache: rule};
		setup.origin.handler = (_request, response) => {
			response.writeHead(500).end();
		};

		assert.equal(await ask(setup, {context}), 'HTTPError');
		setup.origin.handler = failures.connection;
		assert.equal((await ask(setup, {context}) as {reason: string}).reason, 'network-error');
	});

	test('a request that waits for an equal one goes by its own list', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		await store(setup, 'max-age=0');
		const held = holdNext(origin);
		origin.handler = busy;
		const leader = ask(setup);
		await held.arrived;
		const waiters = Promise.all([
			ask(setup, {context: {cache: rule}}),
			ask(setup, {context: {cache: {staleIfError: true}}}),
		]);
		await nextTurn();
		held.release();

		assert.equal(await leader, 'HTTPError');
		const [tolerant, strict] = await waiters;
		assert.equal((tolerant as {status: string}).status, 'stale');
		assert.equal(strict, 'HTTPError');
		assert.equal((await client('items', {throwHttpErrors: false})).statusCode, 429);
	});
});
