import {clearTimeout, setTimeout} from 'node:timers';

/**
Node's own timers, whatever somebody puts in the place of the global ones, as tests do that fake time: a store that does not answer would be waited for, or given up, for ever. Tests of deadlines replace these.
*/
export const ownTimers = {
	setTimeout: (callback: () => void, ms: number): NodeJS.Timeout => setTimeout(callback, ms),
	clearTimeout(timer: NodeJS.Timeout | undefined): void {
		clearTimeout(timer);
	},
};
