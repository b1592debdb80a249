import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {getEventListeners, once} from 'node:events';
import {finished} from 'node:stream/promises';
import test, {suite} from 'node:test';
import type {Request} from 'got';
import {cacheInfo} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {
	hold,
	lookUps,
	setUpHeld,
	times,
	turns,
} from './flights-helpers.ts';
import {isGot15, setUp, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

const fresh = {'cache-control': 'max-age=60'};

const store = async ({other, origin}: Setup, headers: Record<string, string>) => {
	origin.queue({headers, body: 'stored'});
	// By another process: one that has been given a stale response waits for no other for a while.
	await other().client('items');
};

/** A stream whose consumer only looks at its beginning, for now. */
const beginReading = async (stream: Request) => {
	const [chunk] = await once(stream, 'data') as [Uint8Array];
	stream.pause();
	return String(chunk);
};

await suite('equal streams on their way at the same time', () => {
	test('500 cold ones are one at the origin, and each has a body of its own', async () => {
		await using setup = await setUpHeld({timeout: '30s'});
		const {client, origin, gate} = setup;
		const bodies = times(500, async () => client.stream('items').toArray() as Promise<Uint8Array[]>);
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'the items'});
		const settled = await Promise.all(bodies);

		assert.equal(origin.requests.length, 1);
		assert.ok(settled.every(chunks => Buffer.concat(chunks).toString() === 'the items'));
		settled[0]![0]![0] = 0;
		assert.ok(settled.slice(1).every(([chunk]) => chunk![0] !== 0));
	});

	test('the one that leads has each byte as it comes, the others have theirs when it has all', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = client.stream('items');
		await gate.arrivals(1);
		const followers = times(5, async () => readStream(client.stream('items')));
		await lookedUp(6);
		const [response] = gate.held;
		response!.writeHead(200, fresh).write('first, ');
		assert.equal(await beginReading(leader), 'first, ');
		assert.equal(origin.requests.length, 1);
		response!.end('last');

		assert.equal((await leader.setEncoding('utf8').toArray()).join(''), 'last');
		for (const {body, isFromCache, info} of await Promise.all(followers)) {
			assert.deepEqual({body, isFromCache, reason: info?.reason}, {body: 'first, last', isFromCache: true, reason: 'collapsed'});
		}

		assert.equal(origin.requests.length, 1);
	});

	test('a follower that does not read delays nobody', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = readStream(client.stream('items'));
		await gate.arrivals(1);
		const idle = client.stream('items');
		const follower = readStream(client.stream('items'));
		await lookedUp(3);
		gate.answer({headers: fresh, body: 'x'.repeat(200_000)});

		assert.equal((await leader).body.length, 200_000);
		assert.equal((await follower).body.length, 200_000);
		assert.equal((await idle.setEncoding('utf8').toArray()).join('').length, 200_000);
		assert.equal(origin.requests.length, 1);
	});

	test('promises wait for a stream, too', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const stream = readStream(client.stream('items'));
		await gate.arrivals(1);
		const promises = times(20, async () => client('items'));
		await lookedUp(21);
		gate.answer({headers: fresh, body: 'x'});

		assert.ok((await Promise.all(promises)).every(response => response.body === 'x' && cacheInfo(response)?.reason === 'collapsed'));
		assert.equal((await stream).info?.status, 'miss');
		assert.equal(origin.requests.length, 1);
	});

	test('stale ones are one conditional request at the origin', async () => {
		await using setup = await setUp();
		await store(setup, {'cache-control': 'max-age=1', age: '1', etag: '"1"'});
		const gate = hold(setup);
		const streams = times(20, async () => readStream(setup.client.stream('items')));
		await gate.arrivals(1);
		gate.answer({status: 304, headers: {...fresh, etag: '"1"'}});

		assert.ok((await Promise.all(streams)).every(({body, statusCode}) => body === 'stored' && statusCode === 200));
		assert.equal(setup.origin.requests.length, 2);
	});

	test('a redirect is one, also where it was stored and is validated', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({status: 301, headers: {'cache-control': 'max-age=1', age: '1', etag: '"1"', location: '/to'}}, {headers: {'cache-control': 'no-store'}});
		await setup.other().client('items');
		const gate = hold(setup);
		const streams = times(20, async () => readStream(client.stream('items')));
		await gate.arrivals(1);
		gate.answer({status: 304, headers: {...fresh, etag: '"1"'}});
		await gate.arrivals(1);
		gate.answer({headers: fresh, body: 'here'});

		assert.ok((await Promise.all(streams)).every(({body}) => body === 'here'));
		assert.deepEqual(origin.requests.slice(2).map(({url}) => url), ['/items', '/to']);
	});
});

await suite('what streams do not share', () => {
	for (const [name, headers, options] of [
		['no-store', {'cache-control': 'no-store'}, {}],
		['vary: *', {...fresh, vary: '*'}, {}],
		['more than may be stored', fresh, {maxBodySize: 3}],
		['more than may be stored, in chunks', {...fresh, 'transfer-encoding': 'chunked'}, {maxBodySize: 3}],
	] as const) {
		test(`${name}: all who waited go at once, and nobody waits again`, async () => {
			await using setup = await setUpHeld(options);
			const {client, origin, gate, lookedUp} = setup;
			const streams = times(50, async () => readStream(client.stream('items')));
			await gate.arrivals(1);
			await lookedUp(50);
			gate.answer({headers, body: 'content'});
			await gate.arrivals(49);
			gate.answer({headers, body: 'content'});
			await Promise.all(streams);
			const more = times(10, async () => readStream(client.stream('items')));
			await gate.arrivals(10);
			gate.answer({headers, body: 'content'});
			await Promise.all(more);

			assert.equal(origin.requests.length, 60);
		});
	}
});

await suite('a stream that leads and does not arrive', () => {
	for (const [name, begins] of [['before its response', false], ['in the middle of its body', true]] as const) {
		test(`one that is destroyed ${name} hands over to one other, and no listener stays`, async () => {
			await using setup = await setUpHeld();
			const {client, origin, gate, lookedUp} = setup;
			const {signal} = new AbortController();
			const leader = client.stream('items', {signal});
			await gate.arrivals(1);
			const followers = times(20, async () => readStream(client.stream('items', {signal})));
			await lookedUp(21);
			if (begins) {
				gate.held[0]!.writeHead(200, fresh).write('x');
				await beginReading(leader);
			}

			leader.destroy();
			await gate.arrivals(2);
			respond(gate.held[1]!, {headers: fresh, body: 'whole'});

			assert.ok((await Promise.all(followers)).every(({body}) => body === 'whole'));
			assert.equal(origin.requests.length, 2);
			// Got 15 leaves one of each stream that has come to its end.
			assert.equal(getEventListeners(signal, 'abort').length, isGot15 ? 20 : 0);
		});
	}

	test('one whose destination breaks hands over', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = client.stream('items');
		const failing = finished(leader);
		await gate.arrivals(1);
		const followers = times(20, async () => readStream(client.stream('items')));
		await lookedUp(21);
		leader.destroy(new Error('The disk is full'));
		await assert.rejects(failing, /The disk is full/v);
		await gate.arrivals(2);
		gate.answer({headers: fresh, body: 'x'});
		await Promise.all(followers);

		assert.equal(origin.requests.length, 2);
	});

	test('one whose body breaks off lets all others go at once', async () => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = readStream(client.stream('items'));
		await gate.arrivals(1);
		const followers = times(20, async () => readStream(client.stream('items')));
		await lookedUp(21);
		const [response] = gate.held.splice(0);
		response!.writeHead(200, fresh).write('x');
		await turns(5);
		response!.destroy();
		await assert.rejects(leader, {name: 'ReadError'});
		await gate.arrivals(20);
		gate.answer({headers: fresh, body: 'whole'});

		assert.ok((await Promise.all(followers)).every(({body}) => body === 'whole'));
		assert.equal(origin.requests.length, 21);
	});

	for (const [name, listen] of [['', () => undefined], [', also where its consumer may retry', (stream: Request) => stream.on('retry', () => undefined)]] as const) {
		test(`an error status lets all others go at once${name}`, async () => {
			await using setup = await setUp();
			const client = setup.client.extend({retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}});
			const gate = hold(setup);
			const lookedUp = lookUps(setup);
			const leader = client.stream('items');
			leader.on('error', () => undefined);
			listen(leader);
			await gate.arrivals(1);
			const followers = times(20, async () => readStream(client.stream('items')));
			await lookedUp(21);
			gate.answer({status: 503});
			await gate.arrivals(20);
			gate.answer({headers: fresh, body: 'x'});
			await Promise.all(followers);

			assert.equal(setup.origin.requests.length, 21);
		});
	}

	test('a consumer that does not read is not waited for', async ({mock}) => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = client.stream('items');
		const responded = once(leader, 'response');
		await gate.arrivals(1);
		const followers = times(20, async () => readStream(client.stream('items')));
		await lookedUp(21);
		mock.timers.enable({apis: ['setInterval']});
		gate.answer({headers: fresh, body: 'x'});
		await responded;
		mock.timers.tick(250);
		await turns(20);
		assert.equal(origin.requests.length, 1);
		mock.timers.tick(250);
		await gate.arrivals(20);
		gate.answer({headers: fresh, body: 'x'});
		await Promise.all(followers);

		assert.deepEqual(await leader.setEncoding('utf8').toArray(), ['x']);
	});

	test('an origin that takes its time is waited for', async ({mock}) => {
		await using setup = await setUpHeld();
		const {client, origin, gate, lookedUp} = setup;
		const leader = client.stream('items');
		await gate.arrivals(1);
		const followers = times(20, async () => readStream(client.stream('items')));
		await lookedUp(21);
		mock.timers.enable({apis: ['setInterval']});
		gate.held[0]!.writeHead(200, fresh).write('first, ');
		const reading = leader.setEncoding('utf8').toArray();
		await once(leader, 'downloadProgress');
		await turns(20);
		for (let look = 0; look < 10; look++) {
			mock.timers.tick(250);
			await turns(5);
		}

		assert.equal(origin.requests.length, 1);
		gate.held[0]!.end('last');

		assert.equal((await reading).join(''), 'first, last');
		assert.ok((await Promise.all(followers)).every(({body}) => body === 'first, last'));
		assert.equal(origin.requests.length, 1);
	});
});
