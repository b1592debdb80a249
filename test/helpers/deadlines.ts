import type {MockTracker} from 'node:test';
import {ownTimers} from '../../source/store/ports/own-timers.ts';

/** Has the store's deadlines and cooldowns go by the global timers, which a test has faked, or is about to. */
export const followFakeTimers = (mock: MockTracker): void => {
	mock.method(ownTimers, 'setTimeout', (callback: () => void, ms: number) => setTimeout(callback, ms));
	mock.method(ownTimers, 'clearTimeout', (timer: NodeJS.Timeout) => {
		clearTimeout(timer);
	});
};
