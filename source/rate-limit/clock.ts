/** The time and the timers of a limiter; tests have a clock of their own. */
export type Clock = {
	/** Milliseconds since 1970, which adjustments of the system's clock do not change. */
	now(): number;

	/**
	Calls `callback` at a time.

	@returns A function that cancels it.
	*/
	callAt(atMs: number, callback: () => void): () => void;
};

/** Beyond, Node's timers fire at once. */
const longestTimerMs = 2_147_483_647;

export const systemClock: Clock = {
	now: () => performance.timeOrigin + performance.now(),
	callAt(atMs, callback) {
		const waitMs = Math.max(0, Math.ceil(atMs - systemClock.now()));
		const timer = setTimeout(callback, Math.min(waitMs, longestTimerMs));

		return () => {
			clearTimeout(timer);
		};
	},
};
