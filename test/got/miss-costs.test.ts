import assert from 'node:assert/strict';
import {createHook} from 'node:async_hooks';
import test from 'node:test';
import got, {type Got} from 'got';
import {redisCache} from '../../source/index.ts';
import {setUp} from './helpers.ts';

/*
The cost of a miss in counts, which no busy machine changes: promises and timers beyond those of got alone. docs/performance.md has the budget.
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
	assert.ok(onRedis.promises < 115, `Redis: ${onRedis.promises} promises`);
	for (const options of [{disabled: true}, {filter: () => false}, {methods: ['HEAD']}]) {
		const without = await beyond(got.extend(redisCache({store: 'memory', statistics: false, ...options})));
		assert.ok(without.promises < 8, `${JSON.stringify(options)}: ${without.promises} promises`);
		assert.ok(without.timers < 1, `${JSON.stringify(options)}: ${without.timers} timers`);
	}
});
