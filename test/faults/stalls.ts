/** When this process stood still on purpose, by `performance.now()`. */
const stalls: Array<{readonly fromMs: number; readonly untilMs: number}> = [];

/** Lets nothing else happen in this process. */
export const stall = (milliseconds: number): void => {
	const fromMs = performance.now();
	while (performance.now() - fromMs < milliseconds) {
		// Busy.
	}

	stalls.push({fromMs, untilMs: performance.now()});
};

/** How long it stood still between two moments: nobody is answered then, with or without a cache. */
export const stalledMs = (fromMs: number, untilMs: number): number =>
	stalls.reduce((sum, each) => sum + Math.max(0, Math.min(untilMs, each.untilMs) - Math.max(fromMs, each.fromMs)), 0);

export const forgetStalls = (): void => {
	stalls.length = 0;
};
