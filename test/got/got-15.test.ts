import assert from 'node:assert/strict';
import {EventEmitter} from 'node:events';
import type {ClientRequest} from 'node:http';
import {registerHooks} from 'node:module';
import {connect} from 'node:net';
import test from 'node:test';
import type {RequestPromise, Response} from 'got';

/*
The tests of what matters most once more, with the oldest major version of got that this package goes with.
*/
registerHooks({
	resolve: (specifier, context, next) => next(specifier === 'got' ? 'got-15' : specifier, context),
});

test('got is got 15', async () => {
	const [{default: got}, {default: got15}] = await Promise.all([import('got'), import('got-15')]);
	assert.equal(got, got15);
});

// A hit, revalidation, variants; failures and retries; streams, redirects; flights; all that a caller can see beside got alone, and beside the ordinary way.
for (const name of [
	'reuse',
	'stale',
	'streams',
	'streams-stale',
	'flights',
	'flights-streams',
	'failure',
	'failure-connect',
	'refetch',
	'differential',
	'differential-features',
	'differential-invariants',
	'differential-network',
	'fast-path',
	'given-options',
	'switches',
	'switches-fleet',
	'../management/explain',
	'../observe/exchange-events',
	'../observe/tracing',
	'../audit',
]) {
	await import(`./${name}.test.ts`);
}

test('a hit that starts no request', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: '{"a":1}'});
	await client('items').json();
	for (let count = 0; count < 3; count++) {
		const response = await client<unknown>('items', {responseType: 'json'});
		assert.deepEqual(response.body, {a: 1});
		assert.deepEqual([response.isFromCache, response.statusCode, response.retryCount], [true, 200, 0]);
		assert.equal(response.request.options.headers['if-none-match'], undefined);
	}

	assert.deepEqual(await client('items').json(), {a: 1});
	assert.equal(origin.requests.length, 1);
});

test('a cookie jar is given no stored cookie', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'public, max-age=60', 'set-cookie': 'a=1'}, body: 'x'});
	const given: string[] = [];
	const cookieJar = {
		async getCookieString() {
			return '';
		},
		async setCookie(cookie: string) {
			given.push(cookie);
		},
	};

	for (let count = 0; count < 3; count++) {
		const {headers, body} = await client('items', {cookieJar});
		assert.equal(body, 'x');
		assert.deepEqual(headers['set-cookie'], ['a=1']);
	}

	assert.deepEqual(given, ['a=1']);
	assert.equal(origin.requests.length, 1);
});

const etag = '"1"';
const stale = {headers: {'cache-control': 'max-age=0', etag}, body: 'stored'};
const confirmed = {status: 304, headers: {etag}};

/** What a listener is called with, each time. */
const recorder = () => {
	const seen: Array<readonly [number, unknown, boolean]> = [];
	return {
		seen,
		listener({statusCode, body, isFromCache}: Response) {
			seen.push([statusCode, body, isFromCache]);
		},
	};
};

const ways: Record<string, (promise: RequestPromise<Response<string>>) => Promise<unknown>> = {
	'a promise': async promise => promise,
	'what `.text()` makes of it': async promise => promise.text(),
	'what `.buffer()` makes of it': async promise => promise.buffer(),
};

for (const [name, settle] of Object.entries(ways)) {
	test(`a \`response\` listener sees no 304 of the cache's own: ${name}`, async () => {
		const {setUp} = await import('./helpers.ts');
		await using setup = await setUp();
		const {client, origin} = setup;
		const {seen, listener} = recorder();
		const ask = async (isListening: boolean) => {
			const promise = client('items');
			await settle(isListening ? promise.on('response', listener) : promise);
		};

		origin.queue(stale, confirmed, stale, confirmed);
		await ask(true);
		await ask(true);
		// Here the first ordinary response has shown what a direct one takes.
		await ask(false);
		await ask(true);
		assert.deepEqual(seen, [[200, 'stored', false], [200, 'stored', true], [200, 'stored', true]]);
	});
}

test('`once` is told of one response, `off` of none, and a listener that was added twice of each twice', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(stale, confirmed, confirmed, {status: 304, headers: {etag: '"2"'}}, {headers: {'cache-control': 'max-age=60'}, body: 'new'});
	await client('items');

	const kept = recorder();
	const once = recorder();
	const removed = recorder();
	const twice = recorder();
	const promise = client('items');
	promise.once('response', once.listener).on('response', removed.listener).once('response', removed.listener).on('response', kept.listener);
	promise.on('response', twice.listener).on('response', twice.listener);
	promise.off('response', removed.listener).off('response', removed.listener).off('response', removed.listener);
	await promise;
	assert.deepEqual([once, kept, removed, twice].map(({seen}) => seen.length), [1, 1, 0, 2]);

	// Taken away while the response is settled.
	const late = recorder();
	const second = client('items');
	second.on('response', late.listener);
	second.on('request', request => {
		request.once('response', () => {
			second.off('response', late.listener);
		});
	});
	await second;
	assert.deepEqual(late.seen, []);

	// What belongs to nothing that is stored is asked for once more, and seen once.
	const again = recorder();
	const third = client('items');
	third.once('response', again.listener);
	await third;
	assert.deepEqual(again.seen, [[200, 'new', false]]);
});

test('a listener that throws fails the request, as ever', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(stale, confirmed);
	await client('items');
	const promise = client('items');
	promise.on('response', () => {
		throw new Error('thrown by the listener');
	});
	await assert.rejects(promise, /thrown by the listener/v);
});

test('a 304 that the caller asked for, and what the origin says anew, are told of as ever; other events, too', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(stale, {status: 304, headers: {etag: '"0"'}}, {headers: {'cache-control': 'max-age=0, stale-if-error=60', etag: '"2"'}, body: 'new'}, {status: 503});
	await client('items');
	const {seen, listener} = recorder();
	const events: string[] = [];
	const promise = client('items', {headers: {'if-none-match': '"0"'}});
	promise.on('response', listener);
	promise.on('request', () => events.push('request')).on('downloadProgress', ({percent}) => events.push(`progress ${percent}`));
	const {statusCode} = await promise;
	assert.deepEqual([statusCode, events], [304, ['request', 'progress 0', 'progress 1']]);
	await client('items').on('response', listener);
	await client('items').on('response', listener);
	assert.deepEqual(seen, [[304, '', false], [200, 'new', false], [200, 'new', true]]);
});

for (const method of ['GET', 'DELETE'] as const) {
	test(`a connection that breaks while it is made is retried as with got 16, and keeps nobody waiting, ${method}`, async () => {
		const {setUp} = await import('./helpers.ts');
		await using setup = await setUp();
		const {client, origin} = setup;
		let attempts = 0;
		const broken = {
			createConnection() {
				attempts++;
				const socket = connect({host: 'origin.example', port: 80, lookup: () => undefined});
				setImmediate(() => {
					socket.destroy(Object.assign(new Error('broken'), {code: 'ECONNRESET'}));
				});

				return socket;
			},
			retry: {limit: 2, calculateDelay: ({computedValue}: {computedValue: number}) => computedValue && 1},
		};

		for (const expected of [3, 6]) {
			await assert.rejects(client('items', {method, ...broken}), {name: 'RequestError', code: 'ECONNRESET', message: 'broken'});
			assert.equal(attempts, expected);
		}

		origin.queue({body: 'there again'});
		assert.equal((await client('items', {method})).body, 'there again');
	});
}

test('a request of the caller’s own may tell of its failure at its end alone', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const end = (callback?: (error: Error) => void) => {
		setImmediate(() => callback?.(Object.assign(new Error('broken'), {code: 'EPIPE'})));
	};

	const request = () => Object.assign(new EventEmitter(), {
		end,
		write: () => true,
		destroy: () => undefined,
		destroyed: false,
		writable: true,
		writableEnded: false,
	}) as unknown as ClientRequest;
	await assert.rejects(setup.client.post('items', {request}), {code: 'EPIPE'});
});
