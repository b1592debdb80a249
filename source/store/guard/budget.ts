import {ownTimers} from '../ports/own-timers.ts';
import type {Answering} from '../ports/store.ts';
import {
	atDeadline,
	graceMs,
	idleMs,
	leastGraceMs,
	wasBusySince,
	wasGivenUpSince,
} from './deadline.ts';

/**
How long the store has delayed one request, whatever it was asked, and at whichever of the request's steps: what is left of `timeout` is for those to come.

Data, not a timer: a request that the store does not delay costs nothing.
*/
export type Patience = {
	/** In the steps that are over. */
	spentMs: number;
	/** What a store that answers was given beside `timeout`, so that there is a little for one more step. */
	givenMs: number;
	/** How many steps are waited for now. */
	steps: number;
	/** Since when, by `performance.now()`. */
	sinceMs: number;
	/** How long the event loop had been idle by then. */
	sinceIdleMs: number;
};

export const createPatience = (): Patience => ({
	spentMs: 0,
	givenMs: 0,
	steps: 0,
	sinceMs: 0,
	sinceIdleMs: 0,
});

/** A process that is idle for less of the time than this is busy. */
const leastIdleShare = 0.1;

/** How much of the time of the steps that are under way is the store's: all of it if the store was given up; in a busy process, what it has done nothing in but wait. */
const storeMsOf = ({sinceMs, sinceIdleMs}: Patience): number => {
	const elapsedMs = ownTimers.now() - sinceMs;
	if (elapsedMs < leastMs || wasGivenUpSince(sinceMs)) {
		return elapsedMs;
	}

	const idle = Math.min(elapsedMs, idleMs() - sinceIdleMs);
	return wasBusySince(sinceMs) || idle < elapsedMs * leastIdleShare ? idle : elapsedMs;
};

export const spentMsOf = (patience: Patience): number => patience.steps === 0 ? patience.spentMs : patience.spentMs + storeMsOf(patience);

/** As much as is left now. */
export const copyOf = (patience: Patience): Patience => ({...patience, spentMs: spentMsOf(patience), steps: 0});

/** Leaves no more of one than of another. */
export const lowerTo = (patience: Patience, other: Patience): void => {
	patience.spentMs += Math.max(0, spentMsOf(other) - spentMsOf(patience));
};

const begin = (patience: Patience): void => {
	patience.steps++;
	if (patience.steps > 1) {
		return;
	}

	patience.sinceMs = ownTimers.now();
	patience.sinceIdleMs = idleMs();
};

/** With less than that there is no need to begin. */
const leastMs = 1;

/** Leaves a little for one more step, though the time is over, if the process has taken it itself, or if the store answers. */
const makeRoom = (patience: Patience, timeoutMs: number): void => {
	const missingMs = patience.spentMs + Math.min(leastGraceMs, timeoutMs / 10) - timeoutMs;
	if (missingMs <= 0 || wasGivenUpSince(patience.sinceMs)) {
		return;
	}

	if (wasBusySince(patience.sinceMs)) {
		patience.spentMs -= missingMs;
		return;
	}

	const moreMs = Math.min(missingMs, Math.min(graceMs, timeoutMs / 5) - patience.givenMs);
	patience.spentMs -= moreMs;
	patience.givenMs += moreMs;
};

const end = (patience: Patience, timeoutMs: number): void => {
	patience.spentMs = spentMsOf(patience);
	makeRoom(patience, timeoutMs);
	patience.sinceMs = ownTimers.now();
	patience.sinceIdleMs = idleMs();
	patience.steps--;
};

/** A step that begins so soon needs no other deadline than its own, which is the same. */
const sameMs = 5;

type Step<Result> = {
	/** What it comes to where it is given up. */
	readonly otherwise: Result;
	/** Whether it has the store's own deadline, once. */
	readonly isBounded: boolean;
	/** Of the nodes of a cluster. */
	readonly isAnswering?: Answering | undefined;
};

/**
Waits for a step of a request no longer than there is patience. What is given up goes on in the store, which learns from it how it does.
*/
export const inTime = async <Result>(patience: Patience, timeoutMs: number, step: Promise<Result>, {otherwise, isBounded, isAnswering}: Step<Result>): Promise<Result> => {
	const leftMs = timeoutMs - spentMsOf(patience);
	if (leftMs < leastMs) {
		return otherwise;
	}

	begin(patience);
	if (isBounded && timeoutMs - leftMs < sameMs) {
		const result = await step;
		end(patience, timeoutMs);
		return result;
	}

	const {promise, resolve} = Promise.withResolvers<Result>();
	const forgetDeadline = atDeadline(leftMs, timeoutMs, () => {
		resolve(otherwise);
	}, {isAnswering});
	try {
		return await Promise.race([step, promise]);
	} finally {
		forgetDeadline();
		end(patience, timeoutMs);
	}
};
