import {performance} from 'node:perf_hooks';
import {clearTimeout, setTimeout} from 'node:timers';

const now = performance.now.bind(performance);
const utilization = performance.eventLoopUtilization.bind(performance);

/**
Node's own timers and monotonic clock, even if a test replaces the global ones to fake time. With faked timers, the wait for a silent store would never end, or end at once. Tests of deadlines replace these.
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
