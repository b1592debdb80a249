import assert from 'node:assert/strict';
import {getEventListeners, once} from 'node:events';
import type {OutgoingHttpHeaders} from 'node:http';
import test, {suite} from 'node:test';
import {HTTPError, TimeoutError, type Response} from 'got';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {
	hold,
	lookUps,
	setUpHeld,
	times,
	turns,
} from './flights-helpers.ts';
import {isGot15, settleWrites, setUp} from './helpers.ts';
import {readStream} from './read-stream.ts';

const fresh = {'cache-control': 'max-age=60'};

await suite('equal requests on their way at the same time', () => {
	test('1,000 cold ones are one at the origin, and each has a body of its own', async () => {
		// A thousand look-ups at once may take longer than one.
		await using setup = await setUpHeld({timeout: '30s'});
		const {client, origin, gate} = setup;
		const responses = times(1000, async () => client('items', {responseType: 'buffer'}));
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'the items'});
		const settled = await Promise.all(responses);

		assert.equal(origin.requests.length, 1);
		assert.ok(settled.every(({body}) => new TextDecoder().decode(body) === 'the items'));
		settled[0]!.body[0] = 0;
		assert.ok(settled.slice(1).every(({body}) => body[0] !== 0));
	});

	test('one who waited says so', async () => {
		await using setup = await setUpHeld();
		const {client, gate, lookedUp} = setup;
		const first = client('items');
		await gate.arrivals(1);
		const second = client('items');
		await lookedUp(2);
		gate.answer({headers: fresh, body: 'x'});
		const [leader, waiter] = await Promise.all([first, second]);

		assert.equal(cacheInfo(leader)?.status, 'miss');
		assert.equal(waiter.request.options.request, undefined);
		assert.equal(cacheInfo(waiter)?.status, 'hit');
		assert.equal(cacheInfo(waiter)?.reason, 'collapsed');
		assert.equal(waiter.isFromCache, true);
		assert.match(String(waiter.headers['cache-status']), /;fwd=uri-miss;.*;collapsed;.*;detail=collapsed$/v);
		assert.doesNotMatch(String(leader.headers['cache-status']), /collapsed/v);
	});

	test('stale ones are one conditional request at the origin', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({headers: {'cache-control': 'max-age=1', age: '1', etag: '"1"'}, body: 'x'});
		// By another process: one that has been given a stale response waits for no other for a while.
		await setup.other().client('items');
		const gate = hold(setup);
		const responses = times(50, async () => client('items'));
		await gate.arrivals(1);
		gate.answer({status: 304, headers: {...fresh, etag: '"1"'}});
		const settled = await Promise.all(responses);

		assert.equal(origin.requests.length, 2);
		assert.equal(origin.requests[1]!.headers['if-none-match'], '"1"');
		assert.ok(settled.every(({body, statusCode}) => body === 'x' && statusCode === 200));
		assert.ok(settled.every(({request}) => request.options.headers['if-none-match'] === undefined));
		assert.ok(settled.every(({request}) => request.options.request === undefined));
	});

	test('with `coalesce: false` each goes by itself', async () => {
		await using setup = await setUpHeld({coalesce: false});
		const {gate} = setup;
		const responses = times(5, async () => setup.client('items'));
		await gate.arrivals(5);
		gate.answer({headers: fresh});
		await Promise.all(responses);

		assert.equal(setup.origin.requests.length, 5);
	});

	test('each variant is one, also where nobody knew what selects', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const responses = times(100, async position => client('items', {headers: {'accept-language': position % 2 === 0 ? 'en' : 'fr'}}));
		await gate.arrivals(1);
		await lookedUp(100);
		gate.answer({headers: {...fresh, vary: 'accept-language'}, body: 'en'});
		await gate.arrivals(1);
		gate.answer({headers: {...fresh, vary: 'accept-language'}, body: 'fr'});
		const settled = await Promise.all(responses);

		assert.equal(origin.requests.length, 2);
		assert.ok(settled.every(({body}, position) => body === (position % 2 === 0 ? 'en' : 'fr')));
	});

	test('a redirect is one', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const responses = times(20, async () => client('from'));
		await gate.arrivals(1);
		await lookedUp(20);
		gate.answer({status: 301, headers: {...fresh, location: '/to'}, body: 'moved'});
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'here'});
		const settled = await Promise.all(responses);

		assert.deepEqual(origin.requests.map(({url}) => url), ['/from', '/to']);
		assert.ok(settled.every(({body, url, redirectUrls}) => body === 'here' && url.endsWith('/to') && redirectUrls.length === 1));
	});

	test('one who looked too early to find it stored, and came too late to wait, shares it all the same', async () => {
		await using setup = await setUpHeld({timeout: '10s'});
		const {client, origin, redis, gate} = setup;
		const first = client('items');
		await gate.arrivals(1);
		// Its guard is there by then.
		await settleWrites(setup);
		redis.pause();
		const second = client('items');
		await turns(20);
		gate.answer({headers: fresh, body: 'x'});
		await first;
		redis.resume();

		assert.equal((await second).body, 'x');
		assert.equal(origin.requests.length, 1);
	});

	test('a stream may wait, too', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const first = client('items');
		await gate.arrivals(1);
		const stream = client.stream('items');
		const chunks = stream.setEncoding('utf8').toArray();
		await lookedUp(2);
		gate.answer({headers: fresh, body: 'x'});
		await first;

		assert.equal((await chunks).join(''), 'x');
		assert.equal(stream.isFromCache, true);
		assert.equal(origin.requests.length, 1);
	});

	test('a response that the process has invalidated is not waited for', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate} = setup;
		const early = client('items');
		await gate.arrivals(1);
		origin.queue({status: 204});
		await client.post('items');
		const late = client('items');
		await gate.arrivals(2);
		respond(gate.held[0]!, {headers: fresh, body: 'old'});
		respond(gate.held[1]!, {headers: fresh, body: 'new'});

		assert.equal((await early).body, 'old');
		assert.equal((await late).body, 'new');
		assert.equal((await client('items')).body, 'new');
	});

	test('those who saw a purge by another process share one that began after it', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const first = client('items');
		await gate.arrivals(1);
		const before = gate.held.splice(0);
		await setup.other().cache.invalidate({origin: origin.url});
		await lookedUp(1);
		const others = times(10, async () => client('items'));
		await gate.arrivals(1);
		await lookedUp(10);
		gate.answer({headers: fresh, body: 'after'});
		const bodies = await Promise.all(others.map(async request => (await request).body));
		// Nobody waited for what is outdated.
		respond(before[0]!, {headers: fresh, body: 'before'});

		assert.deepEqual(new Set(bodies), new Set(['after']));
		assert.equal((await first).body, 'before');
		assert.equal(await client('items').text(), 'after');
		assert.equal(origin.requests.length, 2);
	});

	test('without Redis, too', async () => {
		await using setup = await setUp();
		const {client, cache, origin, redis} = setup;
		const {promise: degraded, resolve} = Promise.withResolvers<Error>();
		cache.once('degraded', resolve);
		await redis.kill();
		origin.queue({headers: fresh});
		await client('other');
		await degraded;
		const gate = hold(setup);
		const responses = times(50, async () => client('items'));
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'x'});

		assert.ok((await Promise.all(responses)).every(({body}) => body === 'x'));
		assert.equal(origin.requests.length, 2);
	});
});

await suite('what is not shared', () => {
	for (const [name, headers] of [['no-store', {'cache-control': 'no-store'}], ['private', {'cache-control': 'private'}], ['vary: *', {...fresh, vary: '*'}], ['no freshness', {}]] as const) {
		test(`${name}: all who waited go at once, and nobody waits again`, async () => {
			await using setup = await setUpHeld();
			const {client, origin, gate, lookedUp} = setup;
			const responses = times(100, async () => client('items'));
			await gate.arrivals(1);
			await lookedUp(100);
			gate.answer({headers, body: 'x'});
			// None of them is answered before all have come.
			await gate.arrivals(99);
			gate.answer({headers, body: 'x'});
			await Promise.all(responses);
			const more = times(20, async () => client('items'));
			await gate.arrivals(20);
			gate.answer({headers, body: 'x'});
			await Promise.all(more);

			assert.equal(origin.requests.length, 120);
		});
	}

	for (const [name, headers, options] of [
		['no-store', {'cache-control': 'no-store'}, {}],
		['what the user filters', fresh, {filter: (_request, response) => response === undefined}],
		['more than may be stored', {...fresh, 'content-length': '7'}, {maxBodySize: 3}],
	] satisfies Array<[string, OutgoingHttpHeaders, RedisCacheOptions]>) {
		test(`${name}: nobody waits for its body`, async () => {
			await using setup = await setUpHeld(options);
			const {client, origin, gate, lookedUp} = setup;
			const first = client('items');
			await gate.arrivals(1);
			const second = client('items');
			await lookedUp(2);
			const [slow] = gate.held.splice(0);
			slow!.writeHead(200, headers).write('con');
			await gate.arrivals(1);
			const third = client('items');
			await gate.arrivals(2);
			gate.answer({headers, body: 'content'});
			assert.deepEqual([(await second).body, (await third).body], ['content', 'content']);
			slow!.end('tent');

			assert.equal((await first).body, 'content');
			assert.equal(origin.requests.length, 3);
		});
	}

	test('what fails to say whether it may be is not let go of before its body is there', async () => {
		await using setup = await setUpHeld({
			filter(_request, response) {
				if (response?.headers['x-mistake']) {
					throw new Error('A mistake in the filter');
				}

				return true;
			},
		});
		const {client, gate, lookedUp} = setup;
		const first = client('items');
		await gate.arrivals(1);
		const second = client('items');
		await lookedUp(2);
		const [slow] = gate.held.splice(0);
		slow!.writeHead(200, {...fresh, 'x-mistake': '1'}).write('con');
		await turns(20);
		assert.equal(gate.held.length, 0);
		slow!.end('tent');
		await assert.rejects(first, /A mistake in the filter/v);
		await gate.arrivals(1);
		gate.answer({headers: {'cache-control': 'no-store'}});
		await second;
	});

	const ownRequests = {
		'no-store': [{'cache-control': 'no-store'}, {}],
		'no-cache': [{'cache-control': 'no-cache'}, {}],
		'a precondition': [{'if-none-match': '"1"'}, {}],
		'another range': [{range: 'bytes=0-1'}, {}],
		'another user': [{authorization: 'Bearer a'}, {}],
	} as const;

	for (const [name, [headers, others]] of Object.entries(ownRequests)) {
		test(`a request with ${name} neither waits nor is waited for`, async () => {
			await using setup = await setUpHeld();
			const {gate} = setup;
			const responses = [setup.client('items', {headers}), setup.client('items', {headers: others})];
			await gate.arrivals(2);
			gate.answer({headers: fresh, body: 'x'});
			await Promise.all(responses);

			assert.equal(setup.origin.requests.length, 2);
		});
	}

	test('unsafe requests', async () => {
		await using setup = await setUpHeld({methods: ['GET', 'POST']});
		const {gate} = setup;
		const responses = times(3, async () => setup.client.post('items', {json: {a: 1}}));
		await gate.arrivals(3);
		gate.answer({headers: fresh});
		await Promise.all(responses);

		assert.equal(setup.origin.requests.length, 3);
	});
});

await suite('a leader that does not arrive', () => {
	test('one that is aborted hands over to one other, and no listener stays', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leaving = new AbortController();
		const staying = new AbortController();
		const leader = client('items', {signal: leaving.signal});
		await gate.arrivals(1);
		const waiters = times(50, async () => client('items', {signal: staying.signal}));
		await lookedUp(51);
		leaving.abort();
		await assert.rejects(leader, {name: 'AbortError'});
		await gate.arrivals(2);
		gate.answer({headers: fresh, body: 'x'});
		const settled = await Promise.all(waiters);

		assert.equal(origin.requests.length, 2);
		assert.ok(settled.every(({body}) => body === 'x'));
		assert.equal(getEventListeners(leaving.signal, 'abort').length, 0);
		assert.equal(getEventListeners(staying.signal, 'abort').length, 0);
	});

	test('one whose time is up hands over to one other', async ({mock}) => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		mock.timers.enable({apis: ['setTimeout']});
		const leader = client('items', {timeout: {request: 300}});
		const rejection = assert.rejects(leader, TimeoutError);
		await gate.arrivals(1);
		const waiters = times(20, async () => client('items'));
		await lookedUp(21);
		mock.timers.tick(300);
		mock.timers.reset();
		await rejection;
		await gate.arrivals(2);
		gate.answer({headers: fresh, body: 'x'});
		await Promise.all(waiters);

		assert.equal(origin.requests.length, 2);
	});

	test('one that fails lets all others go at once', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const responses = times(30, async () => client('items'));
		const outcomes = Promise.allSettled(responses);
		await gate.arrivals(1);
		await lookedUp(30);
		gate.held.shift()!.destroy();
		await gate.arrivals(29);
		gate.answer({headers: fresh, body: 'x'});
		const rejected = (await outcomes).filter(({status}) => status === 'rejected');

		assert.equal(rejected.length, 1);
		assert.equal(origin.requests.length, 30);
	});

	test('an error status lets all others go at once', async () => {
		await using setup = await setUpHeld();
		const {client, gate, lookedUp} = setup;
		const outcomes = Promise.allSettled(times(30, async () => client('items')));
		await gate.arrivals(1);
		await lookedUp(30);
		gate.answer({status: 500});
		await gate.arrivals(29);
		gate.answer({headers: fresh, body: 'x'});
		const rejected = (await outcomes).filter(({status}) => status === 'rejected');

		assert.equal(rejected.length, 1);
		assert.ok((rejected[0] as PromiseRejectedResult).reason instanceof HTTPError);
	});

	for (const throwHttpErrors of [true, false]) {
		test(`the others go on waiting while it retries${throwHttpErrors ? '' : ', unless an error status is no error'}`, async () => {
			await using setup = await setUpHeld();
			const {client, origin, gate, lookedUp} = setup;
			const responses = times(30, async () => client('items', {throwHttpErrors, retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}}));
			await gate.arrivals(1);
			await lookedUp(30);
			gate.answer({status: 503});
			await gate.arrivals(throwHttpErrors ? 1 : 30);
			gate.answer({headers: fresh, body: 'x'});
			const settled = await Promise.all(responses);

			assert.ok(settled.every(({body}) => body === 'x'));
			assert.equal(origin.requests.length, throwHttpErrors ? 2 : 31);
			assert.equal(Math.max(...settled.map(({retryCount}) => retryCount)), 1);
		});
	}

	test('one that is aborted while it waits to retry hands over', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const controller = new AbortController();
		const {promise: retrying, resolve} = Promise.withResolvers<void>();
		const leader = client('items', {
			signal: controller.signal,
			retry: {
				limit: 1,
				calculateDelay() {
					setImmediate(resolve);
					return 60_000;
				},
			},
		});
		await gate.arrivals(1);
		const waiters = times(10, async () => client('items'));
		await lookedUp(11);
		gate.answer({status: 503});
		await retrying;
		controller.abort();
		await assert.rejects(leader, {name: 'AbortError'});
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'x'});
		await Promise.all(waiters);

		assert.equal(origin.requests.length, 2);
	});

	test('one that is aborted before it was looked up leads nothing', async () => {
		await using setup = await setUpHeld({timeout: '10s'});
		const {client, redis, gate} = setup;
		const controller = new AbortController();
		redis.pause();
		const gone = client('items', {signal: controller.signal});
		await turns(20);
		controller.abort();
		await assert.rejects(gone, {name: 'AbortError'});
		redis.resume();
		const next = client('items');
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'x'});

		// Neither waited for in vain.
		assert.doesNotMatch(String((await next).headers['cache-status']), /collapsed/v);
		assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
	});

	test('one whose time is up before it was looked up leads nothing', async ({mock}) => {
		// Got 15 does not count the time that hooks take.
		if (isGot15) {
			return;
		}

		await using setup = await setUp({timeout: '10s'});
		const {client, origin, redis} = setup;
		const {promise: paused, resolve} = Promise.withResolvers<void>();
		origin.queue((_request, response) => {
			redis.pause();
			respond(response, {status: 302, headers: {location: '/to'}});
			resolve();
		});
		mock.timers.enable({apis: ['setTimeout']});
		const rejection = assert.rejects(client('from', {timeout: {request: 500}}), TimeoutError);
		await paused;
		await turns(20);
		mock.timers.tick(500);
		await rejection;
		mock.timers.reset();
		redis.resume();
		const gate = hold(setup);
		const next = client('to');
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'x'});

		assert.doesNotMatch(String((await next).headers['cache-status']), /collapsed/v);
	});

	test('nobody leads who was aborted before it was looked up', async () => {
		await using setup = await setUpHeld({timeout: '3s'});
		const {client, origin, redis, gate} = setup;
		const [first, second] = [new AbortController(), new AbortController()];
		const leader = client('items', {signal: first.signal});
		await gate.arrivals(1);
		redis.pause();
		const gone = client('items', {signal: second.signal});
		await turns(20);
		second.abort();
		await assert.rejects(gone, {name: 'AbortError'});
		redis.resume();
		const waiter = client('items');
		await lookUps(setup)(3);
		first.abort();
		await assert.rejects(leader, {name: 'AbortError'});
		await gate.arrivals(2);
		gate.answer({headers: fresh, body: 'x'});

		assert.equal((await waiter).body, 'x');
		assert.equal(origin.requests.length, 2);
	});

	test('one whose hooks throw lets all others go', async () => {
		await using setup = await setUpHeld();
		const {client, gate, lookedUp} = setup;
		const failing = client.extend({
			hooks: {
				beforeError: [() => new Error('of the user\'s')],
			},
		});
		const leader = failing('items', {
			hooks: {
				afterResponse: [() => {
					throw new Error('no');
				}],
			},
		});
		const rejection = assert.rejects(leader, {message: 'of the user\'s'});
		await gate.arrivals(1);
		const waiters = times(10, async () => client('items'));
		await lookedUp(11);
		gate.answer({status: 404, headers: {'cache-control': 'no-store'}});
		await rejection;
		await gate.arrivals(10);
		gate.answer({headers: fresh, body: 'x'});
		await Promise.all(waiters);
	});

	test('one whose hook makes an error a success lets all others go', async () => {
		await using setup = await setUpHeld();
		const {client, gate, lookedUp} = setup;
		const leader = client('items', {
			hooks: {
				afterResponse: [response => Object.assign(response, {statusCode: 200, ok: true})],
			},
		});
		await gate.arrivals(1);
		const waiters = times(10, async () => client('items'));
		await lookedUp(11);
		gate.answer({status: 500});
		assert.equal((await leader).statusCode, 200);
		await gate.arrivals(10);
		gate.answer({headers: fresh, body: 'x'});
		await Promise.all(waiters);
	});

	test('a stale response stands in for all when the origin is gone', async () => {
		await using setup = await setUp({memory: false});
		const {client, origin} = setup;
		origin.queue({headers: {'cache-control': 'max-age=1', age: '1', etag: '"1"'}, body: 'x'});
		// By another process: one that has been given a stale response waits for no other for a while.
		await setup.other().client('items');
		const lookedUp = lookUps(setup);
		await lookedUp(0);
		const gate = hold(setup);
		const responses = times(30, async () => client('items'));
		await gate.arrivals(1);
		await lookedUp(30);
		gate.held[0]!.destroy();
		const settled = await Promise.all(responses);

		assert.ok(settled.every(response => response.body === 'x' && cacheInfo(response)?.reason === 'network-error'));
		assert.equal(origin.requests.length, 2);
	});

	test('a stale response stands in for all when the origin fails, unless one does not want it', async () => {
		await using setup = await setUp({memory: false, staleIfError: true});
		const {client, origin} = setup;
		origin.queue({headers: {'cache-control': 'max-age=1', age: '1', etag: '"1"'}, body: 'x'});
		await setup.other().client('items');
		const lookedUp = lookUps(setup);
		await lookedUp(0);
		const gate = hold(setup);
		const promises = times(30, async () => client('items'));
		const streams = times(10, async () => readStream(client.stream('items')));
		await gate.arrivals(1);
		const strict = client('items', {context: {cache: {staleIfError: false}}});
		await lookedUp(41);
		gate.answer({status: 503, body: 'not x'});
		const responses = await Promise.all(promises);
		const received = await Promise.all(streams);

		assert.ok(responses.every(response => response.body === 'x' && cacheInfo(response)?.reason === 'error-status'));
		assert.ok(received.every(({body, info}) => body === 'x' && info?.reason === 'error-status'));
		await gate.arrivals(1);
		assert.equal(origin.requests.length, 3);
		gate.answer({status: 503});
		await assert.rejects(strict, {name: 'HTTPError'});
	});
});

await suite('one who waits', () => {
	test('does not outwait its own timeout, and fails as got does', async () => {
		// Got 15 counts from when the request is made.
		if (isGot15) {
			return;
		}

		await using setup = await setUpHeld();
		const {client, origin, gate} = setup;
		const leader = client('items');
		await gate.arrivals(1);
		const waiter = client('items', {timeout: {request: 300}});
		await assert.rejects(waiter, (error: TimeoutError) => {
			assert.ok(error instanceof TimeoutError);
			assert.equal(error.code, 'ETIMEDOUT');
			assert.equal(error.event, 'request');
			assert.equal(error.message, 'Timeout awaiting \'request\' for 300ms');
			assert.ok(error.request);
			return true;
		});
		assert.equal(origin.requests.length, 1);
		gate.answer({headers: fresh, body: 'x'});
		assert.equal((await leader).body, 'x');
	});

	for (const timeout of [{response: 50}, {socket: 50}, {response: 40, read: 10}]) {
		test(`does not outwait the time that it gives the origin: ${JSON.stringify(timeout)}`, async () => {
			await using setup = await setUpHeld();
			const {client, origin, gate} = setup;
			const leader = client('items');
			await gate.arrivals(1);
			// It asks by itself then, and got's own timers are for that.
			await assert.rejects(client('items', {timeout}), {name: 'TimeoutError', code: 'ETIMEDOUT'});
			assert.equal(origin.requests.length, 2);
			gate.answer({headers: fresh, body: 'x'});
			assert.equal((await leader).body, 'x');
		});
	}

	test('can be aborted, and no listener stays', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const controller = new AbortController();
		const leader = client('items');
		await gate.arrivals(1);
		const waiter = client('items', {signal: controller.signal});
		await lookedUp(2);
		controller.abort();
		await assert.rejects(waiter, {name: 'AbortError'});

		assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
		gate.answer({headers: fresh, body: 'x'});
		await leader;
		assert.equal(origin.requests.length, 1);
	});

	test('can be destroyed if it is a stream', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = client('items');
		await gate.arrivals(1);
		const stream = client.stream('items');
		stream.on('error', () => undefined);
		await lookedUp(2);
		stream.destroy();
		await once(stream, 'close');
		gate.answer({headers: fresh, body: 'x'});
		await leader;
		assert.equal(origin.requests.length, 1);
	});

	test('has the request function of its user\'s when it is its turn', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const seen: unknown[] = [];
		const request = (url: URL) => {
			seen.push(url.pathname);
			return undefined;
		};

		const first = client('items');
		await gate.arrivals(1);
		const second = client('items', {request});
		await lookedUp(2);
		gate.answer({headers: {'cache-control': 'no-store'}});
		await first;
		await gate.arrivals(1);
		gate.answer({headers: {'cache-control': 'no-store'}});
		const response: Response = await second;

		assert.deepEqual(seen, ['/items']);
		assert.equal(response.request.options.request, request);
		assert.match(String(response.headers['cache-status']), /collapsed=\?0/v);
		assert.equal(origin.requests.length, 2);
	});
});
