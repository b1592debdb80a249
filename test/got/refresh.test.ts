import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import path from 'node:path';
import process from 'node:process';
import test, {suite} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {promisify} from 'node:util';
import {cacheInfo} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {unlessFast} from '../helpers/runs.ts';
import {hold, turns, watchAttempts} from './flights-helpers.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

const stale = {'cache-control': 'public, max-age=1, stale-while-revalidate=60', age: '1', etag: '"1"'};
const fresh = {'cache-control': 'public, max-age=60', etag: '"2"'};

/** Waits for what happens in the background, however many turns of the event loop it takes. */
const until = async (isTrue: () => boolean | Promise<boolean>) => {
	while (!await isTrue()) {
		await nextTurn();
	}
};

const isFresh = async ({client}: Setup, url = 'items') => cacheInfo(await client(url, {headers: {'cache-control': 'max-stale'}}))?.reason === 'fresh';

await suite('stale-while-revalidate', () => {
	test('callers have their answer at once, and the origin is asked once', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: stale, body: 'old'});
		await client('items');
		const gate = hold(setup);
		const responses = await Promise.all(Array.from({length: 50}, async () => client('items')));

		assert.ok(responses.every(response => response.body === 'old' && cacheInfo(response)?.reason === 'stale-while-revalidate'));
		await gate.arrivals(1);
		await turns(50);
		gate.answer({headers: fresh, body: 'new'});
		await until(async () => isFresh(setup));

		assert.equal((await client('items')).body, 'new');
		assert.equal(origin.requests.length, 2);
		assert.equal(origin.requests[1]?.headers['if-none-match'], '"1"');
	});

	test('a 304 is enough', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: stale, body: 'old'}, {status: 304, headers: {...fresh, etag: '"1"'}});
		await client('items');
		await client('items');
		await until(async () => isFresh(setup));

		assert.equal((await client('items')).body, 'old');
		assert.equal(origin.requests.length, 2);
	});

	test('a stream is refreshed behind, too', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: stale, body: 'old'}, {headers: fresh, body: 'new'});
		await client('items');

		assert.equal((await client.stream('items').setEncoding('utf8').toArray()).join(''), 'old');
		await until(async () => isFresh(setup));
		assert.equal((await client('items')).body, 'new');
	});

	test('a redirect on the way is refreshed by itself', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({status: 301, headers: {...stale, location: '/to'}}, {headers: fresh, body: 'x'}, {status: 301, headers: {...fresh, location: '/to'}});
		await client('from');
		await until(() => origin.requests.length === 2);
		await turns(20);
		await client('from');
		await until(() => origin.requests.length === 3);
		await turns(20);
		await client('from');

		assert.deepEqual(origin.requests.map(({url}) => url), ['/from', '/to', '/from']);
	});

	test('the refresh is the caller\'s request: credentials, hooks, variant; but not its range or precondition', async () => {
		await using setup = await setUp({memory: false});
		const {client, origin} = setup;
		const calls: string[] = [];
		const mine = client.extend({
			username: 'me',
			password: 'secret',
			headers: {'accept-language': 'fr', 'x-trace': '1'},
			handlers: [
				(options, next) => {
					calls.push('handler');
					return next(options);
				},
			],
			hooks: {
				init: [() => {
					calls.push('init');
				}],
				beforeRequest: [options => {
					options.headers['x-signature'] = 'signed';
				}],
			},
		});
		origin.queue({headers: {...stale, vary: 'accept-language'}, body: 'vieux'}, {headers: {...fresh, vary: 'accept-language'}, body: 'nouveau'});
		await mine('items');
		calls.length = 0;
		const part = await mine('items', {headers: {range: 'bytes=0-1'}});
		await until(() => origin.requests.length === 2);
		await until(async () => (await mine('items', {headers: {'cache-control': 'max-stale'}})).body === 'nouveau');

		assert.equal(part.statusCode, 206);
		assert.equal(part.body, 'vi');
		const {headers} = origin.requests[1]!;
		assert.equal(headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`);
		assert.equal(headers['accept-language'], 'fr');
		assert.equal(headers['x-trace'], '1');
		assert.equal(headers['x-signature'], 'signed');
		assert.equal(headers['if-none-match'], '"1"');
		assert.equal(headers.range, undefined);
		assert.equal(origin.requests.length, 2);
		assert.equal(calls.filter(call => call === 'handler').length, calls.filter(call => call === 'init').length);
	});

	test('the caller sees nothing of it', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: stale, body: 'old'});
		await client('items');
		const gate = hold(setup);
		const events: string[] = [];
		const controller = new AbortController();
		const promise = client('items', {signal: controller.signal});
		for (const event of ['request', 'response', 'redirect', 'uploadProgress', 'downloadProgress'] as const) {
			void promise.on(event as 'request', () => {
				events.push(event);
			});
		}

		const response = await promise;
		const seen = events.length;
		await gate.arrivals(1);
		// The caller is done: what it does now does not reach the refresh.
		controller.abort();
		await turns(20);
		gate.answer({headers: fresh, body: 'new'});
		await until(async () => isFresh(setup));

		assert.equal(events.length, seen);
		assert.ok(!events.includes('request'));
		assert.equal(response.request.options.headers['if-none-match'], undefined);
		assert.equal(origin.requests.length, 2);
	});

	test('not for who forbids to ask the origin', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: stale, body: 'old'});
		await client('items');
		assert.equal((await client('items', {context: {cache: {onlyIfCached: true}}})).body, 'old');
		assert.equal((await client('items', {context: {cache: {readOnly: true}}})).body, 'old');
		await turns(50);

		assert.equal(origin.requests.length, 1);
	});
});

await suite('what goes wrong with it', () => {
	for (const [name, fail] of [
		['no answer', (response: ServerResponse) => response.destroy()],
		['an error status', (response: ServerResponse) => {
			respond(response, {status: 503});
		}],
	] as const) {
		test(`${name} is an event, and the origin is let alone for a while`, async () => {
			await using setup = await setUp();
			const {client, origin, cache} = setup;
			origin.queue({headers: stale, body: 'old'}, (_request, response) => fail(response));
			await client('items');
			const errors: Error[] = [];
			const failed = Promise.withResolvers<void>();
			cache.on('error', error => {
				errors.push(error);
				failed.resolve();
			});
			await client('items');
			await failed.promise;
			assert.equal((await client('items')).body, 'old');
			await turns(50);

			assert.equal(errors.length, 1);
			assert.match(String(errors[0]?.message), /^got-redis-cache: A refresh in the background failed: ./v);
			assert.ok(errors[0]?.cause instanceof Error);
			assert.equal(origin.requests.length, 2);
		});
	}

	test('it ends nobody\'s process when nobody listens', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: stale, body: 'old'}, (_request, response) => response.destroy());
		await client('items');
		await client('items');
		await until(() => origin.requests.length === 2);
		await turns(50);

		assert.equal((await client('items')).body, 'old');
	});
});

await suite('bounds', () => {
	test('so many refreshes at a time and no more; the others have their turn', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.handler = (_request, response) => {
			respond(response, {headers: stale, body: 'old'});
		};

		const urls = Array.from({length: 40}, (_, position) => `items/${position}`);
		await Promise.all(urls.map(async url => client(url)));
		const gate = hold(setup);
		await Promise.all(urls.map(async url => client(url)));
		await gate.arrivals(16);
		await turns(100);
		assert.equal(gate.held.length, 16);
		gate.answer({headers: fresh});
		await gate.arrivals(16);
		gate.answer({headers: fresh});
		await gate.arrivals(8);
		gate.answer({headers: fresh});

		assert.equal(origin.requests.length, 80);
		assert.equal(new Set(origin.requests.slice(40).map(({url}) => url)).size, 40);
	});

	test('one refresh per fleet', async () => {
		await using setup = await setUp({coalesce: 'fleet'});
		const {origin} = setup;
		const fleet = [setup.client, ...Array.from({length: 4}, () => setup.other().client)];
		origin.queue({headers: stale, body: 'old'});
		await setup.client('items');
		await settleWrites(setup);
		const gate = hold(setup);
		using watching = await watchAttempts(setup);
		const responses = await Promise.all(fleet.map(async client => client('items')));
		assert.ok(responses.every(({body}) => body === 'old'));
		await gate.arrivals(1);
		// Each of them has tried to get the lease.
		await watching.attempts(5);
		await turns(50);
		gate.answer({headers: fresh, body: 'new'});
		await until(async () => isFresh(setup));

		assert.equal(origin.requests.length, 2);
	});

	test('a process that has nothing else to do is not kept alive', unlessFast, async () => {
		await using setup = await setUp();
		const {origin, redis} = setup;
		origin.queue({headers: stale, body: 'old'}, () => undefined);
		const {stdout} = await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'refresh-worker.ts'), redis.url, `${origin.url}/items`], {timeout: 20_000});

		assert.equal(stdout, 'old');
	});

	test('a request that gets the refresh\'s connection keeps the process alive as ever', unlessFast, async () => {
		await using setup = await setUp();
		const {origin, redis} = setup;
		const script = `
			import http from 'node:http';
			import got from 'got';
			import {redisCache} from ${JSON.stringify(path.join(import.meta.dirname, '../../source/index.ts'))};
			const [store, url] = process.argv.slice(1);
			const agent = new http.Agent({keepAlive: true, maxSockets: 1});
			const client = got.extend({agent: {http: agent}}, redisCache({store, timeout: '5s'}));
			await client(url);
			await client(url);
			// The refresh is to have the connection.
			while (Object.keys(agent.sockets).length === 0) {
				await new Promise(resolve => setImmediate(resolve));
			}

			// Waits for the refresh's connection, and then for an answer.
			console.log(await client(url + '/other').text());
		`;
		origin.queue({headers: stale, body: 'old'});
		const gate = hold(setup);
		const cwd = path.join(import.meta.dirname, '../..');
		const running = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, redis.url, `${origin.url}/items`], {timeout: 20_000, cwd});
		await gate.arrivals(1);
		const [first] = gate.held.splice(0);
		const finished = once(first!, 'finish');
		respond(first!, {headers: fresh, body: 'new'});
		await finished;
		await gate.arrivals(1);
		await turns(200);
		gate.answer({body: 'other'});

		assert.equal((await running).stdout, 'other\n');
	});
});

await suite('refreshing ahead', () => {
	test('an entry that is close to its end, measured by how long the origin takes, is refreshed while it is fresh', async ({mock}) => {
		mock.timers.enable({apis: ['Date'], now: 1_800_000_000_000});
		await using setup = await setUp({refreshAhead: true, memory: false});
		const {client, origin} = setup;
		const random = mock.method(Math, 'random', () => 0);
		const respondAfter = (milliseconds: number, body: string) => (_request: unknown, response: ServerResponse) => {
			mock.timers.tick(milliseconds);
			respond(response, {headers: {'cache-control': 'max-age=60', date: new Date().toUTCString()}, body});
		};

		origin.queue(respondAfter(2000, 'old'), respondAfter(0, 'new'));
		await client('items');
		mock.timers.tick(50_000);
		assert.equal(cacheInfo(await client('items'))?.reason, 'fresh');
		await turns(50);
		assert.equal(origin.requests.length, 1);

		// As unlikely as can be: −ln(1 − random) is 36.7, times two seconds.
		random.mock.mockImplementation(() => 1 - Number.EPSILON);
		const response = await client('items');
		assert.equal(response.body, 'old');
		assert.equal(cacheInfo(response)?.status, 'hit');
		random.mock.mockImplementation(() => 0);
		await until(async () => (await client('items')).body === 'new');
		assert.equal(origin.requests.length, 2);
	});

	test('not without the option', async ({mock}) => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'x'});
		await client('items');
		mock.method(Math, 'random', () => 1 - Number.EPSILON);
		await client('items');
		await turns(50);

		assert.equal(origin.requests.length, 1);
	});
});
