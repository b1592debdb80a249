import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {createBucket, type Bucket, type Heard} from '../../source/rate-limit/bucket.ts';
import {createRedisBucket} from '../../source/rate-limit/redis-bucket.ts';
import {runsOf} from '../helpers/runs.ts';
import {startRedis} from '../helpers/redis.ts';
import {commandOf, limitOf} from './helpers.ts';

const caller = {patienceMs: 0, isSpare: false};

const takeAll = (bucket: Bucket, limits: Array<ReturnType<typeof limitOf>>, nowMs: number): number => {
	let granted = 0;
	while (bucket.take({limits, ...caller}, nowMs).isGranted) {
		granted++;
	}

	return granted;
};

test('a limit grants its number of requests at once, and no more until its time is over', () => {
	const bucket = createBucket();
	const limits = [limitOf('3/m')];
	assert.equal(takeAll(bucket, limits, 1000), 3);
	assert.equal(takeAll(bucket, limits, 60_999), 0);
	assert.equal(takeAll(bucket, limits, 61_000), 3);
});

test('a request that waits has its turn when the time of an earlier one is over', () => {
	const bucket = createBucket();
	const limits = [limitOf('2/m')];
	bucket.take({limits, ...caller}, 0);
	bucket.take({limits, ...caller}, 10_000);
	const patient = {limits, patienceMs: 60_000, isSpare: false};
	assert.deepEqual([1, 2, 3].map(() => bucket.take(patient, 20_000)).map(({isGranted, waitMs, by}) => ({isGranted, waitMs, by})), [
		{isGranted: true, waitMs: 40_000, by: 0},
		{isGranted: true, waitMs: 50_000, by: 0},
		{isGranted: false, waitMs: 100_000, by: 0},
	]);
});

test('a turn that is given back is there for the next request', () => {
	const bucket = createBucket();
	const limits = [limitOf('1/m')];
	const {atMs} = bucket.take({limits, ...caller}, 0);
	bucket.release(limits, atMs);
	assert.equal(bucket.take({limits, ...caller}, 1).isGranted, true);
});

test('the strictest of several limits decides', () => {
	const bucket = createBucket();
	const limits = [limitOf('2/s'), limitOf('3/m')];
	assert.equal(takeAll(bucket, limits, 0), 2);
	assert.equal(takeAll(bucket, limits, 1000), 1);
	assert.equal(bucket.take({limits, ...caller}, 2000).by, 1);
});

test('a refresh leaves a fifth of the limit to callers, and gives way to those who wait', () => {
	const bucket = createBucket();
	const limits = [limitOf('10/m')];
	const refresh = {limits, patienceMs: 0, isSpare: true};
	for (let count = 0; count < 8; count++) {
		assert.equal(bucket.take(refresh, 0).isGranted, true);
	}

	assert.equal(bucket.take(refresh, 0).isGranted, false);
	assert.equal(takeAll(bucket, limits, 0), 2);
});

test('an origin that wants to be left alone is', () => {
	const bucket = createBucket();
	bucket.heed({serial: 1, pauseMs: 30_000, quotas: []}, 0);
	assert.deepEqual(bucket.take({limits: [], ...caller}, 10_000), {isGranted: false, waitMs: 20_000, by: 'origin', serial: 1, atMs: 30_000});
	assert.equal(bucket.take({limits: [], ...caller}, 30_000).isGranted, true);
});

test('a quota that the origin tells of counts the requests that are under way', () => {
	const bucket = createBucket();
	const {serial} = bucket.take({limits: [], ...caller}, 0);
	bucket.take({limits: [], ...caller}, 0);
	bucket.heed({serial, pauseMs: undefined, quotas: [{name: 'a', remaining: 3, resetMs: 10_000, count: 5, windowMs: 10_000}]}, 100);
	assert.equal(takeAll(bucket, [], 100), 2);
	// The next window has as many as the origin said.
	assert.equal(takeAll(bucket, [], 10_100), 5);
});

test('a clock that was set back does not lock requests out', () => {
	const bucket = createBucket();
	const limits = [limitOf('1/m')];
	bucket.take({limits, ...caller}, 100 * 86_400_000);
	assert.equal(bucket.take({limits, ...caller}, 0).isGranted, true);
});

const limitsOf = fc.constantFrom(['3/s'], ['5/m'], ['2/s', '4/10s'], []);

test('no time as long as that of a limit has more requests than the limit, whatever is taken and given back', () => {
	const step = fc.record({afterMs: fc.integer({min: 0, max: 2000}), patienceMs: fc.constantFrom(0, 500, 5000), isSpare: fc.boolean(), isReleased: fc.boolean()});
	fc.assert(fc.property(limitsOf, fc.array(step, {maxLength: 60}), (texts, steps) => {
		const limits = texts.map(text => limitOf(text));
		const bucket = createBucket();
		const sent: number[] = [];
		let nowMs = 0;
		for (const {afterMs, patienceMs, isSpare, isReleased} of steps) {
			nowMs += afterMs;
			const turn = bucket.take({limits, patienceMs, isSpare}, nowMs);
			if (isReleased && turn.isGranted) {
				bucket.release(limits, turn.atMs);
			} else if (turn.isGranted) {
				sent.push(turn.atMs);
			}
		}

		for (const {count, windowMs} of limits) {
			for (const from of sent) {
				assert.ok(sent.filter(atMs => atMs >= from && atMs < from + windowMs).length <= count);
			}
		}
	}), {numRuns: runsOf(300)});
});

test('the script in Redis does what the bucket in the process does', async () => {
	await using redis = await startRedis();
	let name = 0;
	const quota = fc.record({
		name: fc.constantFrom('a', 'b c'),
		remaining: fc.integer({min: 0, max: 5}),
		resetMs: fc.integer({min: 0, max: 20_000}),
		count: fc.constantFrom(undefined, 4),
		windowMs: fc.constantFrom(undefined, 10_000),
	});
	const step = fc.record({
		afterMs: fc.integer({min: 0, max: 3000}),
		patienceMs: fc.constantFrom(0, 700, 20_000, Infinity),
		isSpare: fc.boolean(),
		isReleased: fc.boolean(),
		said: fc.option(fc.record({behind: fc.integer({min: 0, max: 2}), pauseMs: fc.constantFrom(undefined, 0, 2500), quotas: fc.array(quota, {maxLength: 2})}), {nil: undefined}),
	});
	await fc.assert(fc.asyncProperty(limitsOf, fc.array(step, {maxLength: 25}), async (texts, steps) => {
		const limits = texts.map(text => limitOf(text));
		const bucket = createBucket();
		let nowMs = 1_700_000_000_000;
		const shared = createRedisBucket({
			name: String(name++),
			command: commandOf(redis),
			onRefusal(error) {
				throw error;
			},
			nowMs: () => nowMs,
		});
		let serial = 0;
		for (const {afterMs, patienceMs, isSpare, isReleased, said} of steps) {
			nowMs += afterMs;
			const heard: Heard[] = said ? [{...said, serial: Math.max(0, serial - said.behind)}] : [];
			for (const each of heard) {
				bucket.heed(each, nowMs);
			}

			const request = {limits, patienceMs, isSpare};
			const expected = bucket.take(request, nowMs);
			const turn = await shared.take(request, heard);
			assert.deepEqual(turn, expected);
			({serial} = expected);
			if (isReleased && expected.isGranted) {
				bucket.release(limits, expected.atMs);
				await shared.release(limits, expected.atMs);
			}

			assert.equal(await shared.pausedMs(), bucket.pausedMs(nowMs));
		}
	}), {numRuns: runsOf(200)});
});
