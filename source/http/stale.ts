import type {StoredPolicy, StoredResponse} from '../types/stored.ts';
import {remainingFreshnessSeconds} from './age.ts';
import {directiveSeconds, type CacheControl} from './cache-control.ts';
import {requestDirectives} from './directives.ts';
import type {RequestHead} from './message.ts';
import {selectRange} from './range.ts';
import type {Settings} from './settings.ts';
import {serverFailures} from './status-codes.ts';

/** RFC 9111 §4.2.4: what no setting overrides. */
export const isStaleForbidden = (policy: StoredPolicy): boolean => policy.isNoCache || policy.isMustRevalidate;

/** How long ago the response ceased to be fresh; 0 while it is. */
const stalenessSeconds = (policy: StoredPolicy, nowMs: number): number => Math.max(0, -remainingFreshnessSeconds(policy, nowMs));

/** RFC 9111 §5.2.1.2. Without an argument it allows any staleness. */
export const isWithinMaxStale = (policy: StoredPolicy, directives: CacheControl, nowMs: number): boolean => {
	const values = directives.get('max-stale');
	if (values === undefined || isStaleForbidden(policy)) {
		return false;
	}

	const allowedSeconds = values.every(value => value === undefined) ? Infinity : directiveSeconds(directives, 'max-stale') ?? 0;

	return stalenessSeconds(policy, nowMs) <= allowedSeconds;
};

/** RFC 5861 §3, or what the user allows in its place. */
export const isWithinStaleWhileRevalidate = (policy: StoredPolicy, nowMs: number, settings: Pick<Settings, 'staleWhileRevalidate'>): boolean =>
	!isStaleForbidden(policy) && stalenessSeconds(policy, nowMs) < staleWhileRevalidateSeconds(policy, settings);

export const staleWhileRevalidateSeconds = (policy: StoredPolicy, {staleWhileRevalidate}: Pick<Settings, 'staleWhileRevalidate'>): number => {
	if (typeof staleWhileRevalidate === 'number') {
		return staleWhileRevalidate;
	}

	return staleWhileRevalidate ? Infinity : policy.staleWhileRevalidateSeconds ?? 0;
};

/** An origin that cannot be reached, or one that answers with a failure. */
export type Failure = 'disconnected' | 'error-status';

/** Whether a status code is a failure that a stale response may stand in for: RFC 5861 §4, or what the user says. */
export const isFailure = (statusCode: number, {failureStatusCodes = serverFailures}: Pick<Settings, 'failureStatusCodes'>): boolean => failureStatusCodes.has(statusCode);

/** How long past its lifetime a response may stand in for a failure: RFC 5861 §4, or what the user allows in its place. */
export const staleIfErrorSeconds = (policy: StoredPolicy, failure: Failure, {staleIfError}: Pick<Settings, 'staleIfError'>): number => {
	if (typeof staleIfError === 'number') {
		return staleIfError;
	}

	// RFC 9111 §4.2.4: a disconnected cache may.
	const isUnlimited = staleIfError === true || (staleIfError === 'disconnected' && failure === 'disconnected');

	return isUnlimited ? Infinity : policy.staleIfErrorSeconds ?? 0;
};

/** Whether there is a window in which it is of use though stale. That a disconnected cache may reuse anything is no reason to store everything. */
export const canEverBeStale = (policy: StoredPolicy, settings: Pick<Settings, 'staleIfError' | 'staleWhileRevalidate'>): boolean =>
	!isStaleForbidden(policy) && Math.max(staleWhileRevalidateSeconds(policy, settings), staleIfErrorSeconds(policy, 'error-status', settings)) > 0;

type Circumstances = {
	readonly request: RequestHead;
	readonly nowMs: number;
	readonly settings: Settings;
};

/** Whether a stored response may stand in for a failure. */
export const mayServeStale = (stored: StoredResponse, failure: Failure, {request, nowMs, settings}: Circumstances): boolean => {
	// A failure that was stored is no better than the one at hand.
	if (isStaleForbidden(stored.policy) || serverFailures.has(stored.statusCode) || isFailure(stored.statusCode, settings) || selectRange(request, stored).kind === 'not-stored') {
		return false;
	}

	const directives = requestDirectives(request.headers);
	// In a request it speaks for this request alone, whatever else is set. RFC 5861 §4.
	const askedSeconds = directiveSeconds(directives, 'stale-if-error');
	if (askedSeconds === undefined && isFreshDemanded(directives, settings)) {
		return false;
	}

	const allowedSeconds = askedSeconds ?? staleIfErrorSeconds(stored.policy, failure, settings);

	return stalenessSeconds(stored.policy, nowMs) <= allowedSeconds;
};

/** Whether the caller made plain that nothing stale will do, RFC 9111 §5.2.1. */
const isFreshDemanded = (directives: CacheControl, {mode}: Pick<Settings, 'mode'>): boolean =>
	mode === 'no-cache' || mode === 'reload' || directives.has('no-cache') || (!directives.has('max-stale') && (directives.has('max-age') || directives.has('min-fresh')));
