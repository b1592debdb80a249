import assert from 'node:assert/strict';
import {createHook} from 'node:async_hooks';
import process from 'node:process';
import test from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import got, {type Got} from 'got';
import {redisCache} from '../../source/index.ts';
import {setUp} from './helpers.ts';

/*
The cost of a miss in counts, which no busy machine changes: promises, timers and allocated memory beyond those of got alone. docs/performance.md has the budget.
*/

const requests = 50;

/** Counts the promises and timers that one request makes, on average. */
const countPerRequest = async (client: Got, nextUrl: () => string) => {
	const counts = new Map<string, number>();
	const hook = createHook({
		init(_id, type) {
			counts.set(type, (counts.get(type) ?? 0) + 1);
		},
	});
	const ask = async () => {
		for (let count = 0; count < requests; count++) {
			await client(nextUrl());
		}
	};

	await ask();
	hook.enable();
	await ask();
	hook.disable();
	const perRequest = (type: string) => (counts.get(type) ?? 0) / requests;

	return {promises: perRequest('PROMISE'), timers: perRequest('Timeout')};
};

test('a miss, and a request that the cache takes no part in, make no more promises and timers than their budget', async () => {
	await using setup = await setUp({statistics: false});
	const {origin} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('x'.repeat(1000));
	};

	let number = 0;
	const nextUrl = () => `${origin.url}/${number++}`;
	const alone = await countPerRequest(got, nextUrl);
	const beyond = async (client: Got) => {
		const {promises, timers} = await countPerRequest(client, nextUrl);
		return {promises: promises - alone.promises, timers: timers - alone.timers};
	};

	const inMemory = await beyond(got.extend(redisCache({store: 'memory', statistics: false})));
	assert.ok(inMemory.promises < 60, `memory: ${inMemory.promises} promises`);
	assert.ok(inMemory.timers < 2, `memory: ${inMemory.timers} timers`);
	const onRedis = await beyond(setup.client);
	assert.ok(onRedis.promises < 95, `Redis: ${onRedis.promises} promises`);
	for (const options of [{disabled: true}, {filter: () => false}, {methods: ['HEAD']}]) {
		const without = await beyond(got.extend(redisCache({store: 'memory', statistics: false, ...options})));
		assert.ok(without.promises < 8, `${JSON.stringify(options)}: ${without.promises} promises`);
		assert.ok(without.timers < 1, `${JSON.stringify(options)}: ${without.timers} timers`);
	}
});

const rounds = 10;
const requestsPerRound = 3;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What one request allocates, in KiB. A collection in between hides a part of it, so that the round that allocates most counts. */
const allocatedPerRequest = async (client: Got, nextUrl: () => string) => {
	let heap = 0;
	let outside = 0;
	for (let round = 0; round < rounds; round++) {
		collect();
		await nextTurn();
		const before = process.memoryUsage();
		for (let count = 0; count < requestsPerRound; count++) {
			await client(nextUrl());
		}

		const after = process.memoryUsage();
		heap = Math.max(heap, (after.heapUsed - before.heapUsed) / requestsPerRound / 1024);
		outside = Math.max(outside, (after.arrayBuffers - before.arrayBuffers) / requestsPerRound / 1024);
	}

	return {heap, outside};
};

test('a miss of 64 KiB allocates no more memory than its budget', async () => {
	await using setup = await setUp({statistics: false});
	const {origin} = setup;
	const body = JSON.stringify(Array.from({length: 2600}, (_, id) => ({id: id % 100, name: 'x'}))).padEnd(65_536);
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'application/json', 'content-length': body.length}).end(body);
	};

	let number = 0;
	const nextUrl = () => `${origin.url}/${number++}`;
	const measure = async (client: Got) => {
		await allocatedPerRequest(client, nextUrl);
		return allocatedPerRequest(client, nextUrl);
	};

	const alone = await measure(got);
	// Were it less, the measurement would be wrong.
	assert.ok(alone.outside >= 64, `got alone: ${alone.outside} KiB outside the heap`);
	const beyond = async (client: Got) => {
		const {heap, outside} = await measure(client);
		return {heap: heap - alone.heap, outside: outside - alone.outside};
	};

	// A copy of the body, and the record.
	const inMemory = await beyond(got.extend(redisCache({store: 'memory', statistics: false})));
	assert.ok(inMemory.outside < 140, `memory: ${inMemory.outside} KiB outside the heap`);
	assert.ok(inMemory.heap < 150, `memory: ${inMemory.heap} KiB`);
	// A copy of the body, the piece that it is compressed into, and the record.
	const onRedis = await beyond(setup.client);
	assert.ok(onRedis.outside < 115, `Redis: ${onRedis.outside} KiB outside the heap`);
	assert.ok(onRedis.heap < 200, `Redis: ${onRedis.heap} KiB`);
});
