import type {StoredPolicy} from '../types/stored.ts';
import {remainingFreshnessSeconds} from './age.ts';
import type {Settings} from './settings.ts';
import {isStaleForbidden, staleIfErrorSeconds, staleWhileRevalidateSeconds} from './stale.ts';

/**
How much longer a stored response is of use by itself, in milliseconds: until it is no longer fresh and the windows in which it may be reused stale are over. Negative if that is past.

A window without end adds nothing here: how long such a response is kept is the offset's to say.
*/
export const timeToLiveMs = (policy: StoredPolicy, nowMs: number, settings: Pick<Settings, 'staleIfError' | 'staleWhileRevalidate'>): number => {
	const windows = isStaleForbidden(policy)
		? []
		: [staleWhileRevalidateSeconds(policy, settings), staleIfErrorSeconds(policy, 'error-status', settings), policy.staleIfErrorSeconds ?? 0];
	const longestWindow = Math.max(0, ...windows.filter(seconds => Number.isFinite(seconds)));

	return Math.round((remainingFreshnessSeconds(policy, nowMs) + longestWindow) * 1000);
};
