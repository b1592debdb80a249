import type {Clock} from '../../source/rate-limit/clock.ts';
import {parseLimit, type Limit} from '../../source/rate-limit/limits.ts';
import type {CommandSender} from '../../source/store/ports/commands.ts';
import type {TestRedis} from '../helpers/redis.ts';

export const limitOf = (text: string, marginMs = 0): Limit => {
	const limit = parseLimit(text, marginMs);
	if (!limit) {
		throw new Error(`${text} is no limit`);
	}

	return limit;
};

/** Sends commands as the store does. */
export const commandOf = ({client}: Pick<TestRedis, 'client'>): NonNullable<CommandSender['plainCommand']> => async (key, toArguments) => {
	try {
		return {reply: await client.sendCommand([...toArguments(`test:${key}`)])};
	} catch (error) {
		return {refusal: error as Error};
	}
};

export type TestClock = Clock & {
	/** Calls everything that is due until a time, in order, and lets what that begins go on in between. */
	runUntil(atMs: number): Promise<void>;
};

const settle = async (): Promise<void> => {
	for (let round = 0; round < 20; round++) {
		await Promise.resolve();
	}
};

/**
A clock that stands still until it is told the time.

@param whenIdle - Resolves when nothing is under way.
*/
export const createTestClock = (startMs = 1_000_000, whenIdle: () => Promise<void> = settle): TestClock => {
	let nowMs = startMs;
	let count = 0;
	const timers = new Map<number, {readonly atMs: number; readonly callback: () => void}>();

	return {
		now: () => nowMs,
		callAt(atMs, callback) {
			const id = count++;
			timers.set(id, {atMs, callback});

			return () => {
				timers.delete(id);
			};
		},
		async runUntil(untilMs) {
			for (;;) {
				await whenIdle();
				const [next] = timers.entries().filter(([, {atMs}]) => atMs <= untilMs).toArray().toSorted(([one, {atMs}], [other, {atMs: otherMs}]) => atMs - otherMs || one - other);
				if (!next) {
					nowMs = Math.max(nowMs, untilMs);
					return;
				}

				const [id, {atMs, callback}] = next;
				timers.delete(id);
				nowMs = Math.max(nowMs, atMs);
				callback();
			}
		},
	};
};
