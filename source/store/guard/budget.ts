import {ownTimers} from '../ports/own-timers.ts';
import type {Answering} from '../ports/status.ts';
import {
	atDeadline,
	forgetDeadline,
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
export type RequestBudget = {
	/** In the steps that are over. */
	spentMs: number;
	/** The time that a store that answers was given beside `timeout`, for one more step. */
	givenMs: number;
	/** How many steps are waited for now. */
	steps: number;
	/** Since when, by `performance.now()`. */
	sinceMs: number;
	/** How long the event loop had been idle by then. */
	sinceIdleMs: number;
};

export const createBudget = (): RequestBudget => ({
	spentMs: 0,
	givenMs: 0,
	steps: 0,
	sinceMs: 0,
	sinceIdleMs: 0,
});

/** With less than that there is no need to begin: timers are as exact as that. */
const leastMs = 1;

/** A process that is idle for less of the time than this is busy. */
const leastIdleShare = 0.1;

/** How much of the time of the steps that are under way is the store's: all of it if the store was given up; in a busy process, what it has done nothing in but wait. */
const storeMsOf = ({sinceMs, sinceIdleMs}: RequestBudget): number => {
	const elapsedMs = ownTimers.now() - sinceMs;
	if (elapsedMs < leastMs || wasGivenUpSince(sinceMs)) {
		return elapsedMs;
	}

	const idle = Math.min(elapsedMs, idleMs() - sinceIdleMs);
	return wasBusySince(sinceMs) || idle < elapsedMs * leastIdleShare ? idle : elapsedMs;
};

export const spentMsOf = (budget: RequestBudget): number => budget.steps === 0 ? budget.spentMs : budget.spentMs + storeMsOf(budget);

/** Whether the store has had all its time. */
export const isSpent = (budget: RequestBudget, timeoutMs: number): boolean => timeoutMs - spentMsOf(budget) < leastMs;

/** A budget of its own with the time that is left now. */
export const copyOfBudget = (budget: RequestBudget): RequestBudget => ({...budget, spentMs: spentMsOf(budget), steps: 0});

/** Leaves no more of one than of another. */
export const lowerBudgetTo = (budget: RequestBudget, other: RequestBudget): void => {
	budget.spentMs += Math.max(0, spentMsOf(other) - spentMsOf(budget));
};

const begin = (budget: RequestBudget): void => {
	budget.steps++;
	if (budget.steps > 1) {
		return;
	}

	budget.sinceMs = ownTimers.now();
	budget.sinceIdleMs = idleMs();
};

/** Leaves a little for one more step, though the time is over, if the process has taken it itself, or if the store answers. */
const makeRoom = (budget: RequestBudget, timeoutMs: number): void => {
	const missingMs = budget.spentMs + Math.min(leastGraceMs, timeoutMs / 10) - timeoutMs;
	if (missingMs <= 0 || wasGivenUpSince(budget.sinceMs)) {
		return;
	}

	if (wasBusySince(budget.sinceMs)) {
		budget.spentMs -= missingMs;
		return;
	}

	const moreMs = Math.min(missingMs, Math.min(graceMs, timeoutMs / 5) - budget.givenMs);
	budget.spentMs -= moreMs;
	budget.givenMs += moreMs;
};

const end = (budget: RequestBudget, timeoutMs: number): void => {
	budget.spentMs = spentMsOf(budget);
	makeRoom(budget, timeoutMs);
	budget.sinceMs = ownTimers.now();
	budget.sinceIdleMs = idleMs();
	budget.steps--;
};

/** A step that begins so soon needs no other deadline than its own, which is the same. */
const sameMs = 5;

type Step<Result> = {
	/** The result of a step that is given up. */
	readonly otherwise: Result;
	/** Whether it has the store's own deadline, once. */
	readonly isBounded: boolean;
	/** Whether the nodes of a cluster are answering. */
	readonly isAnswering?: Answering | undefined;
};

/**
Waits for a step of a request no longer than there is budget. A step that is given up goes on in the store, which learns from its result.
*/
export const withinBudget = async <Result>(budget: RequestBudget, timeoutMs: number, step: Promise<Result>, {otherwise, isBounded, isAnswering}: Step<Result>): Promise<Result> => {
	const leftMs = timeoutMs - spentMsOf(budget);
	if (leftMs < leastMs) {
		return otherwise;
	}

	begin(budget);
	if (isBounded && timeoutMs - leftMs < sameMs) {
		const result = await step;
		end(budget, timeoutMs);
		return result;
	}

	const {promise, resolve} = Promise.withResolvers<Result>();
	const deadline = atDeadline(leftMs, timeoutMs, () => {
		resolve(otherwise);
	}, {isAnswering});
	try {
		return await Promise.race([step, promise]);
	} finally {
		forgetDeadline(deadline);
		end(budget, timeoutMs);
	}
};
