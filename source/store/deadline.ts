/** A timer that fires so late tells of a busy process, not of a slow store: a command may just have left, or its reply lie unread. */
const lateMs = 10;

/** What is asked of a store gets so much time at least, from when its time was over, and from when that was seen. */
export const graceMs = 50;
export const leastGraceMs = 25;

/** It gets as much as the process is seen to have taken of it, but not more than that at once, and so often. */
const longestGraceMs = 100;
const mostGraces = 4;

/** 25 days: a timer of Node.js that is to take longer fires at once. */
const longestTimerMs = (2 ** 31) - 1;

/** By `performance.now()`, of this process: when a timer was last late, and when a store was last given up. */
let lateAtMs = -Infinity;
let gaveUpAtMs = -Infinity;

/** Whether it is the process that has taken a store's time. */
export const wasBusySince = (sinceMs: number): boolean => lateAtMs >= sinceMs;

export const wasGivenUpSince = (sinceMs: number): boolean => gaveUpAtMs >= sinceMs;

/**
Calls back when a store has had its time, or a little later in a busy process.

@param leftMs - What is left of its time.
@param timeoutMs - All of its time.
@returns Lets go of it.
*/
export const atDeadline = (leftMs: number, timeoutMs: number, giveUp: () => void): (() => void) => {
	let timer: NodeJS.Timeout;
	let gracesLeft = mostGraces;

	const schedule = (ms: number) => {
		const sinceMs = performance.now();
		// A fraction more would be another millisecond.
		const wholeMs = Math.min(Math.floor(ms), longestTimerMs);
		timer = setTimeout(() => {
			onTimer(sinceMs, performance.now() - sinceMs - wholeMs);
		}, wholeMs);
	};

	const onTimer = (sinceMs: number, lateByMs: number) => {
		const nowMs = performance.now();
		if (lateByMs >= lateMs) {
			lateAtMs = nowMs;
		}

		// Another one that was late just now tells as much.
		const isBusy = lateAtMs > Math.max(sinceMs, nowMs - leastGraceMs);
		if (!isBusy || gracesLeft === 0) {
			gaveUpAtMs = nowMs;
			giveUp();
			return;
		}

		gracesLeft--;
		const moreMs = Math.max(leastGraceMs, graceMs - lateByMs, Math.min(lateByMs, longestGraceMs));
		schedule(Math.min(timeoutMs, moreMs));
	};

	schedule(leftMs);

	return () => {
		clearTimeout(timer);
	};
};
