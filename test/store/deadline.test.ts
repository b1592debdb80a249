import assert from 'node:assert/strict';
import {performance} from 'node:perf_hooks';
import test, {type TestContext} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {atDeadline, forgetDeadline, noteAnswer} from '../../source/store/guard/deadline.ts';
import type {Answering} from '../../source/store/ports/status.ts';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {createBudget, isSpent, spentMsOf, withinBudget} from '../../source/store/guard/budget.ts';

/** For all tests of this file: no clock goes back. */
let nowMs = performance.now();
let idleMs = 0;

/** A clock, and timers that fire when the process comes to them. */
const startClock = ({mock}: TestContext) => {
	const timers = new Map<symbol, {readonly dueMs: number; fire(): void}>();
	mock.method(ownTimers, 'now', () => nowMs);
	mock.method(ownTimers, 'idleMs', () => idleMs);
	mock.method(ownTimers, 'setTimeout', (fire: () => void, milliseconds: number) => {
		const timer = Symbol('timer');
		timers.set(timer, {dueMs: nowMs + milliseconds, fire});
		return timer;
	});
	mock.method(ownTimers, 'clearTimeout', (timer: symbol) => timers.delete(timer));

	/** The process does something else for so long, and comes to its timers; what has arrived is not read yet. */
	const blockUntilTimers = (milliseconds: number) => {
		nowMs += milliseconds;
		const due = timers.entries().filter(([, {dueMs}]) => dueMs <= nowMs).toArray();
		for (const [timer, {fire}] of due) {
			if (timers.delete(timer)) {
				fire();
			}
		}
	};

	/** The process does something else for so long. */
	const block = async (milliseconds: number) => {
		blockUntilTimers(milliseconds);
		await nextTurn();
	};

	return {
		blockUntilTimers,
		block,
		/** The process does nothing else for so long. */
		async pass(milliseconds: number) {
			for (let passed = 0; passed < milliseconds; passed++) {
				idleMs++;
				await block(1);
			}
		},
	};
};

const start = async (t: TestContext) => {
	const clock = startClock(t);
	// What was late before is forgotten.
	await clock.block(10_000);
	await clock.pass(100);
	return clock;
};

const ask = (leftMs: number, timeoutMs = leftMs, isAnswering?: Answering) => {
	const deadline = atDeadline(leftMs, timeoutMs, () => {
		result.times++;
	}, {isAnswering});
	const result = {
		times: 0,
		forget() {
			forgetDeadline(deadline);
		},
	};
	return result;
};

/** What is asked has left the process. */
const askNow = async (...parameters: Parameters<typeof ask>) => {
	const deadline = ask(...parameters);
	await nextTurn();
	return deadline;
};

test('a store has its time, and no more', async t => {
	const {pass} = await start(t);
	const deadline = await askNow(250);
	await pass(249);
	assert.equal(deadline.times, 0);
	await pass(1);
	assert.equal(deadline.times, 1);
	await pass(1000);
	assert.equal(deadline.times, 1);
});

test('a deadline of a store that has answered is forgotten', async t => {
	const {pass, block} = await start(t);
	const [early, late] = [await askNow(250), await askNow(250)];
	await pass(100);
	early.forget();
	await block(200);
	late.forget();
	await pass(1000);
	assert.deepEqual([early.times, late.times], [0, 0]);
});

for (const blockedMs of [10, 100, 1000]) {
	test(`a store has its whole time from when the command left, after ${blockedMs} ms`, async t => {
		const {pass, block} = await start(t);
		const deadline = ask(250);
		await block(blockedMs);
		await pass(249);
		assert.equal(deadline.times, 0);
		await pass(1);
		assert.equal(deadline.times, 1);
	});
}

test('a reply that has arrived when the time is over is read first', async t => {
	const {pass, blockUntilTimers} = await start(t);
	const [answered, silent] = [await askNow(250), await askNow(250)];
	await pass(249);
	blockUntilTimers(1);
	// The event loop reads it after the timers.
	answered.forget();
	await nextTurn();
	assert.deepEqual([answered.times, silent.times], [0, 1]);
	await pass(1000);
	assert.equal(answered.times, 0);
});

for (const {lateMs, graceMs} of [{lateMs: 9, graceMs: 0}, {lateMs: 10, graceMs: 25}, {lateMs: 1000, graceMs: 25}]) {
	test(`a process that looks ${lateMs} ms late gives a silent store ${graceMs} ms more`, async t => {
		const {pass, block} = await start(t);
		const deadline = await askNow(250);
		await pass(249);
		await block(1 + lateMs);
		await pass(Math.max(0, graceMs - 1));
		assert.equal(deadline.times, graceMs === 0 ? 1 : 0);
		await pass(1);
		assert.equal(deadline.times, 1);
	});
}

test('a busy process gives a store no more than its whole time once more', async t => {
	const {pass, block} = await start(t);
	const deadline = await askNow(5);
	await block(105);
	await pass(4);
	assert.equal(deadline.times, 0);
	await pass(1);
	assert.equal(deadline.times, 1);
});

/** How often a process that is always late looks again. */
const looksOf = async (t: TestContext, answer: () => void, isAnswering?: Answering): Promise<number> => {
	const {block} = await start(t);
	const deadline = await askNow(250, 250, isAnswering);
	await block(300);
	let looks = 0;
	while (deadline.times === 0) {
		looks++;
		await block(1);
		answer();
		await block(99);
	}

	return looks;
};

test('a process that is always late gives a silent store up all the same', async t => {
	assert.equal(await looksOf(t, () => undefined), 2);
});

test('a process that is always late reads on while Redis answers other commands, which it does in their order', async t => {
	assert.equal(await looksOf(t, () => {
		noteAnswer(true);
	}), 100);
});

test('a process that is always late gives a store up that answers other commands, but not in order', async t => {
	assert.equal(await looksOf(t, () => {
		noteAnswer(false);
	}), 10);
});

test('a process that is always late gives a node of a cluster up that is silent, though others answer', async t => {
	assert.equal(await looksOf(t, () => {
		noteAnswer(false);
	}, () => false), 2);
});

test('a store that answers other commands in time has no more time', async t => {
	const {pass} = await start(t);
	const deadline = await askNow(250);
	for (let passedMs = 0; passedMs < 249; passedMs++) {
		noteAnswer(true);
		await pass(1);
	}

	assert.equal(deadline.times, 0);
	noteAnswer(true);
	await pass(1);
	assert.equal(deadline.times, 1);
});

test('one that was late tells the others that the process is busy', async t => {
	const {pass, block} = await start(t);
	const first = await askNow(250);
	await pass(20);
	const second = await askNow(250);
	await pass(228);
	await block(25);
	assert.deepEqual([first.times, second.times], [0, 0]);
	await pass(25);
	assert.deepEqual([first.times, second.times], [1, 1]);
});

const {promise: never} = Promise.withResolvers<string>();
const answered = {otherwise: 'given up', isBounded: false};

/** Steps of one request that are answered after so long. */
const stepsOf = ({pass}: Pick<ReturnType<typeof startClock>, 'pass'>) => {
	const patience = createBudget();
	return {
		patience,
		async take(tookMs: number) {
			const step = Promise.withResolvers<string>();
			const waiting = withinBudget(patience, 250, step.promise, answered);
			await nextTurn();
			await pass(tookMs);
			step.resolve('answer');
			return waiting;
		},
	};
};

test('a store that answers late has a little more for one more step, but only so much', async t => {
	const {take} = stepsOf(await start(t));
	let waitedMs = 240;
	assert.equal(await take(240), 'answer');
	while (await take(20) === 'answer') {
		waitedMs += 20;
	}

	assert.ok(waitedMs > 250, String(waitedMs));
	assert.ok(waitedMs <= 300, String(waitedMs));
});

test('a store that was given up has nothing more', async t => {
	const {pass} = await start(t);
	const patience = createBudget();
	const waiting = withinBudget(patience, 250, never, answered);
	await nextTurn();
	await pass(250);
	assert.equal(await waiting, 'given up');
	assert.equal(spentMsOf(patience), 250);
	assert.equal(await withinBudget(patience, 250, Promise.resolve('answer'), answered), 'given up');
});

for (const [spentMs, expected] of [[0, false], [248.9, false], [249.1, true], [249.99999999999272, true], [250, true], [300, true]] as const) {
	test(`a budget of 250 ms, ${spentMs} ms spent, is ${expected ? '' : 'not '}spent, and a further step is ${expected ? 'not ' : ''}tried`, async () => {
		const budget = {...createBudget(), spentMs};
		assert.equal(isSpent(budget, 250), expected);
		assert.equal(await withinBudget(budget, 250, Promise.resolve('answer'), answered), expected ? 'given up' : 'answer');
	});
}

test('a busy process has no more time for a store that was given up', async t => {
	const {pass, block} = await start(t);
	const patience = createBudget();
	const waiting = withinBudget(patience, 250, never, answered);
	await nextTurn();
	await pass(100);
	await block(200);
	await pass(25);
	assert.equal(await waiting, 'given up');
	assert.equal(await withinBudget(patience, 250, Promise.resolve('answer'), answered), 'given up');
});

test('what a busy process took is not the store\'s', async t => {
	const clock = await start(t);
	const {take, patience} = stepsOf(clock);
	const step = Promise.withResolvers<string>();
	const waiting = withinBudget(patience, 250, step.promise, answered);
	await clock.block(800);
	step.resolve('answer');
	assert.equal(await waiting, 'answer');
	assert.equal(spentMsOf(patience), 0);
	assert.equal(await take(249), 'answer');
});

test('what a store took while the process was busy now and then is the store\'s', async t => {
	const clock = await start(t);
	const {take, patience} = stepsOf(clock);
	const step = Promise.withResolvers<string>();
	const waiting = withinBudget(patience, 250, step.promise, answered);
	await nextTurn();
	await clock.pass(200);
	await clock.block(100);
	step.resolve('answer');
	assert.equal(await waiting, 'answer');
	assert.equal(spentMsOf(patience), 200);
	assert.equal(await take(100), 'given up');
});
