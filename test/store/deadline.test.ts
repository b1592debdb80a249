import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {atDeadline} from '../../source/store/deadline.ts';
import {createPatience, inTime, spentMsOf} from '../../source/store/patience.ts';

/** For all tests of this file: no clock goes back. */
let nowMs = performance.now();

/** A clock, and timers that fire when the process comes to them. */
const startClock = ({mock}: TestContext) => {
	const timers = new Map<symbol, {readonly dueMs: number; fire(): void}>();
	mock.method(performance, 'now', () => nowMs);
	mock.method(globalThis, 'setTimeout', (fire: () => void, milliseconds: number) => {
		const timer = Symbol('timer');
		timers.set(timer, {dueMs: nowMs + milliseconds, fire});
		return timer;
	});
	mock.method(globalThis, 'clearTimeout', (timer: symbol) => timers.delete(timer));

	/** The process does something else for so long. */
	const block = async (milliseconds: number) => {
		nowMs += milliseconds;
		const due = timers.entries().filter(([, {dueMs}]) => dueMs <= nowMs).toArray();
		for (const [timer, {fire}] of due) {
			if (timers.delete(timer)) {
				fire();
			}
		}

		await nextTurn();
	};

	return {
		block,
		/** The process does nothing else for so long. */
		async pass(milliseconds: number) {
			for (let passed = 0; passed < milliseconds; passed++) {
				await block(1);
			}
		},
	};
};

const start = async (t: TestContext) => {
	const clock = startClock(t);
	// What was late before is forgotten.
	await clock.block(10_000);
	return clock;
};

const deadlineOf = (leftMs: number, timeoutMs = leftMs) => {
	const deadline = {times: 0, forget: atDeadline(leftMs, timeoutMs, () => {
		deadline.times++;
	})};
	return deadline;
};

test('a store has its time, and no more', async t => {
	const {pass} = await start(t);
	const deadline = deadlineOf(250);
	await pass(249);
	assert.equal(deadline.times, 0);
	await pass(1);
	assert.equal(deadline.times, 1);
	await pass(1000);
	assert.equal(deadline.times, 1);
});

test('whoever has an answer lets go', async t => {
	const {pass, block} = await start(t);
	const [early, late] = [deadlineOf(250), deadlineOf(250)];
	await pass(100);
	early.forget();
	await block(200);
	late.forget();
	await pass(1000);
	assert.deepEqual([early.times, late.times], [0, 0]);
});

for (const {blockedMs, graceMs} of [
	{blockedMs: 9, graceMs: 0},
	{blockedMs: 10, graceMs: 40},
	{blockedMs: 25, graceMs: 25},
	{blockedMs: 60, graceMs: 60},
	{blockedMs: 1000, graceMs: 100},
]) {
	test(`a process that looks ${blockedMs} ms late gives the store ${graceMs} ms more`, async t => {
		const {pass, block} = await start(t);
		const deadline = deadlineOf(250);
		await pass(249);
		await block(1 + blockedMs);
		assert.equal(deadline.times, graceMs === 0 ? 1 : 0);
		await pass(Math.max(0, graceMs - 1));
		assert.equal(deadline.times, graceMs === 0 ? 1 : 0);
		await pass(1);
		assert.equal(deadline.times, 1);
	});
}

test('what is asked with little patience is not waited for longer than that once more', async t => {
	const {pass, block} = await start(t);
	const deadline = deadlineOf(5);
	await block(105);
	await pass(4);
	assert.equal(deadline.times, 0);
	await pass(1);
	assert.equal(deadline.times, 1);
});

test('a process that is always late gives a store up all the same', async t => {
	const {block} = await start(t);
	const deadline = deadlineOf(250);
	await block(300);
	for (let count = 0; count < 4; count++) {
		assert.equal(deadline.times, 0);
		await block(200);
	}

	assert.equal(deadline.times, 1);
});

test('one that was late tells the others that the process is busy', async t => {
	const {pass, block} = await start(t);
	const first = deadlineOf(250);
	await pass(20);
	const second = deadlineOf(250);
	await pass(228);
	await block(25);
	assert.deepEqual([first.times, second.times], [0, 0]);
	await pass(50);
	assert.deepEqual([first.times, second.times], [1, 1]);
});

const {promise: never} = Promise.withResolvers<string>();
const answered = {otherwise: 'given up', isBounded: false};

test('a store that answers late has a little more for one more step, but only so much', async t => {
	const {pass} = await start(t);
	const patience = createPatience();
	const ask = async (tookMs: number) => {
		const step = Promise.withResolvers<string>();
		const waiting = inTime(patience, 250, step.promise, answered);
		await pass(tookMs);
		step.resolve('answer');
		return waiting;
	};

	let waitedMs = 240;
	assert.equal(await ask(240), 'answer');
	while (await ask(20) === 'answer') {
		waitedMs += 20;
	}

	assert.ok(waitedMs > 250, String(waitedMs));
	assert.ok(waitedMs <= 300, String(waitedMs));
});

test('a store that was given up has nothing more', async t => {
	const {pass} = await start(t);
	const patience = createPatience();
	const waiting = inTime(patience, 250, never, answered);
	await pass(250);
	assert.equal(await waiting, 'given up');
	assert.equal(spentMsOf(patience), 250);
	assert.equal(await inTime(patience, 250, Promise.resolve('answer'), answered), 'given up');
});

test('what a busy process took is not the store\'s', async t => {
	const {pass, block} = await start(t);
	const patience = createPatience();
	const step = Promise.withResolvers<string>();
	const waiting = inTime(patience, 250, step.promise, answered);
	await block(800);
	step.resolve('answer');
	assert.equal(await waiting, 'answer');
	const next = Promise.withResolvers<string>();
	const waitingNext = inTime(patience, 250, next.promise, answered);
	await pass(24);
	next.resolve('answer');
	assert.equal(await waitingNext, 'answer');
	const last = inTime(patience, 250, never, answered);
	await pass(25);
	assert.equal(await last, 'given up');
});
