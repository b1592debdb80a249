/**
How long the store has delayed one request, whatever it was asked, and at whichever of the request's steps: what is left of `timeout` is for those to come.

Data, not a timer: a request that the store does not delay costs nothing.
*/
export type Patience = {
	/** In the steps that are over. */
	spentMs: number;
	/** How many steps are waited for now. */
	steps: number;
	/** Since when, by `performance.now()`. */
	sinceMs: number;
};

export const createPatience = (spentMs = 0): Patience => ({spentMs, steps: 0, sinceMs: 0});

export const spentMsOf = ({spentMs, steps, sinceMs}: Patience): number => steps === 0 ? spentMs : spentMs + performance.now() - sinceMs;

/** Leaves no more of one than of another. */
export const lowerTo = (patience: Patience, other: Patience): void => {
	patience.spentMs += Math.max(0, spentMsOf(other) - spentMsOf(patience));
};

const begin = (patience: Patience): void => {
	if (patience.steps++ === 0) {
		patience.sinceMs = performance.now();
	}
};

const end = (patience: Patience): void => {
	patience.spentMs = spentMsOf(patience);
	patience.sinceMs = performance.now();
	patience.steps--;
};

/** A step that begins so soon needs no other deadline than its own, which is the same. */
const sameMs = 5;

type Step<Result> = {
	/** What it comes to where it is given up. */
	readonly otherwise: Result;
	/** Whether it has the store's own deadline, once. */
	readonly isBounded: boolean;
};

/**
Waits for a step of a request no longer than there is patience. What is given up goes on in the store, which learns from it how it does.
*/
export const inTime = async <Result>(patience: Patience, timeoutMs: number, step: Promise<Result>, {otherwise, isBounded}: Step<Result>): Promise<Result> => {
	const spentMs = spentMsOf(patience);
	if (spentMs >= timeoutMs) {
		return otherwise;
	}

	begin(patience);
	if (isBounded && spentMs < sameMs) {
		const result = await step;
		end(patience);
		return result;
	}

	const {promise, resolve} = Promise.withResolvers<Result>();
	const timer = setTimeout(() => {
		resolve(otherwise);
	}, timeoutMs - spentMs);
	try {
		return await Promise.race([step, promise]);
	} finally {
		clearTimeout(timer);
		end(patience);
	}
};
