import type {StoredPolicy} from '../types/stored.ts';
import {remainingFreshnessSeconds} from './age.ts';
import type {Settings} from './settings.ts';
import {isStaleForbidden, staleIfErrorSeconds, staleWhileRevalidateSeconds} from './stale.ts';

/**
The time for which a stored response is still usable without its origin, in milliseconds: until the freshness lifetime and the windows for stale reuse are over. Negative if that is past.

A window without limit adds nothing: the offset determines how long such a response is kept.
*/
export const timeToLiveMs = (policy: StoredPolicy, nowMs: number, settings: Pick<Settings, 'staleIfError' | 'staleWhileRevalidate'>): number => {
	const windows = isStaleForbidden(policy)
		? []
		: [staleWhileRevalidateSeconds(policy, settings), staleIfErrorSeconds(policy, 'error-status', settings), policy.staleIfErrorSeconds ?? 0];
	const longestWindow = Math.max(0, ...windows.filter(seconds => Number.isFinite(seconds)));

	return Math.round((remainingFreshnessSeconds(policy, nowMs) + longestWindow) * 1000);
};
