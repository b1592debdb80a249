import {performance} from 'node:perf_hooks';
import {clearTimeout, setTimeout} from 'node:timers';

const now = performance.now.bind(performance);
const utilization = performance.eventLoopUtilization.bind(performance);

/**
Node's own timers and monotonic clock, whatever somebody puts in the place of the global ones, as tests do that fake time: a store that does not answer would be waited for, or given up, for ever. Tests of deadlines replace these.
*/
export const ownTimers = {
	setTimeout: (callback: () => void, ms: number): NodeJS.Timeout => setTimeout(callback, ms),
	clearTimeout(timer: NodeJS.Timeout | undefined): void {
		clearTimeout(timer);
	},
	/** `performance.now()`. */
	now: (): number => now(),
	idleMs: (): number => utilization().idle,
};
