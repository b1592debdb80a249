import assert from 'node:assert/strict';
import process from 'node:process';
import {after, test} from 'node:test';
import fc from 'fast-check';
import {startRedis} from '../helpers/redis.ts';
import {triesOf} from '../helpers/runs.ts';
import {countingOrigins, simulate} from './simulation.ts';

const minutes = 10;
const limit = 100;

const redis = await startRedis();

after(async () => {
	await redis.stop();
});

const settings = [
	{what: 'the limit is given', limits: '100/m', told: 'nothing', staleShare: 0.8, mostRefused: 0},
	{what: 'the limit is given, and no stale response may answer', limits: '100/m', told: 'nothing', staleShare: 0, mostRefused: 0},
	// Requests are sent before the origin has said anything.
	{what: 'the origin tells of its policy', limits: 'auto', told: 'current fields', staleShare: 0.8, mostRefused: 5},
	// The origin does not say how long its time is.
	{what: 'the origin tells of what is left', limits: 'auto', told: 'X-RateLimit', staleShare: 0.8, mostRefused: 30},
] as const;

for (const [kind, createOrigin] of Object.entries(countingOrigins)) {
	for (const {what, limits, told, staleShare, mostRefused} of settings) {
		test(`eight processes send what an origin with ${kind} allows in ten minutes, and it refuses ${mostRefused === 0 ? 'none' : 'few'}: ${what}`, async () => {
			const result = await simulate({
				redis,
				processes: 8,
				limits,
				origin: createOrigin(limit, told),
				minutes,
				requestsPerMinute: 2 * limit,
				burst: 20,
				staleShare,
				seed: 1,
			});
			if (process.env.REPORT !== undefined) {
				console.log(`${kind}, ${what}: ${JSON.stringify(result)}`);
			}

			assert.ok(result.refused <= mostRefused, JSON.stringify(result));
			// No request is answered stale, or fails, while the origin would answer it: all but a few of what it allows are sent.
			assert.ok(result.sent - result.refused >= 0.93 * limit * minutes, JSON.stringify(result));
			assert.ok(result.longestWaitMs <= 31_000);
		});
	}
}

test('whatever the limit, the load, the number of processes and their bursts, no origin refuses a request in five minutes, and little of what it allows is left unused', async t => {
	const settingsOfFleet = fc.record({
		kind: fc.constantFrom(...Object.keys(countingOrigins)),
		seed: fc.integer({min: 1, max: 1_000_000}),
		processes: fc.integer({min: 1, max: 12}),
		limitPerMinute: fc.integer({min: 20, max: 240}),
		load: fc.integer({min: 3, max: 30}).map(tenths => tenths / 10),
		burst: fc.integer({min: 0, max: 40}),
		staleShare: fc.integer({min: 0, max: 10}).map(tenths => tenths / 10),
	});
	await fc.assert(fc.asyncProperty(settingsOfFleet, async ({kind, seed, processes, limitPerMinute, load, burst, staleShare}) => {
		const result = await simulate({
			redis,
			processes,
			limits: `${limitPerMinute}/m`,
			origin: countingOrigins[kind]!(limitPerMinute, 'nothing'), // One of its keys.
			minutes: 5,
			requestsPerMinute: Math.ceil(load * limitPerMinute),
			burst,
			staleShare,
			seed,
		});
		t.diagnostic(`${kind}: ${JSON.stringify({processes, limitPerMinute, load, burst, staleShare, ...result})}`);

		assert.equal(result.refused, 0);
		// The others are still waiting.
		assert.ok(result.sent + result.stale + result.failed <= result.asked);
		assert.ok(result.longestWaitMs <= 31_000);
		if (load >= 1.5) {
			assert.ok(result.sent >= 0.85 * limitPerMinute * 5, JSON.stringify(result));
		}
	}), {...triesOf(24), endOnFailure: true});
});
