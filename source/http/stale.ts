import type {StoredPolicy, StoredResponse} from '../types/stored.ts';
import {remainingFreshnessSeconds} from './age.ts';
import {directiveSeconds, type CacheControl} from './cache-control.ts';
import {requestDirectives} from './directives.ts';
import type {RequestHead} from './message.ts';
import {selectRange} from './range.ts';
import type {Settings} from './settings.ts';
import {serverFailures} from './status-codes.ts';

/** RFC 9111 §4.2.4: directives that forbid stale reuse whatever the settings. */
export const isStaleForbidden = (policy: StoredPolicy): boolean => policy.isNoCache || policy.isMustRevalidate;

/**
Whether a response may be used while its origin is frozen. The operator accepts any staleness. A shared response that was never reusable without the origin's consent may belong to one user, and that consent cannot be asked for.
*/
export const isUsableFrozen = ({isShared, isNoCache, isMustRevalidate, freshnessLifetimeSeconds}: StoredPolicy): boolean =>
	!isShared || !(isNoCache || (isMustRevalidate && freshnessLifetimeSeconds <= 0));

/** The time since the response became stale; 0 while it is fresh. */
const stalenessSeconds = (policy: StoredPolicy, nowMs: number): number => Math.max(0, -remainingFreshnessSeconds(policy, nowMs));

/** RFC 9111 §5.2.1.2: without an argument, `max-stale` allows any staleness. */
export const isWithinMaxStale = (policy: StoredPolicy, directives: CacheControl, nowMs: number): boolean => {
	const values = directives.get('max-stale');
	if (values === undefined || isStaleForbidden(policy)) {
		return false;
	}

	const allowedSeconds = values.every(value => value === undefined) ? Infinity : directiveSeconds(directives, 'max-stale') ?? 0;

	return stalenessSeconds(policy, nowMs) <= allowedSeconds;
};

/** Whether a stale response may be reused while it is refreshed: RFC 5861 §3, or the user's setting. */
export const isWithinStaleWhileRevalidate = (policy: StoredPolicy, nowMs: number, settings: Pick<Settings, 'staleWhileRevalidate'>): boolean =>
	!isStaleForbidden(policy) && stalenessSeconds(policy, nowMs) < staleWhileRevalidateSeconds(policy, settings);

export const staleWhileRevalidateSeconds = (policy: StoredPolicy, {staleWhileRevalidate}: Pick<Settings, 'staleWhileRevalidate'>): number => {
	if (typeof staleWhileRevalidate === 'number') {
		return staleWhileRevalidate;
	}

	return staleWhileRevalidate ? Infinity : policy.staleWhileRevalidateSeconds ?? 0;
};

/** The kind of failure: the origin cannot be reached, or answers with a failure. */
export type Failure = 'disconnected' | 'error-status';

/** Whether a stale response may replace a response with this status code: RFC 5861 §4, or the user's setting. */
export const isFailure = (statusCode: number, {failureStatusCodes = serverFailures}: Pick<Settings, 'failureStatusCodes'>): boolean => failureStatusCodes.has(statusCode);

/** How long after its lifetime a response may replace a failure: RFC 5861 §4, or the user's setting. */
export const staleIfErrorSeconds = (policy: StoredPolicy, failure: Failure, {staleIfError}: Pick<Settings, 'staleIfError'>): number => {
	if (typeof staleIfError === 'number') {
		return staleIfError;
	}

	// RFC 9111 §4.2.4: a disconnected cache may use any stale response.
	const isUnlimited = staleIfError === true || (staleIfError === 'disconnected' && failure === 'disconnected');

	return isUnlimited ? Infinity : policy.staleIfErrorSeconds ?? 0;
};

/** Whether a response is usable when stale. Reuse by a disconnected cache does not count, since it would be a reason to store everything. */
export const canEverBeStale = (policy: StoredPolicy, settings: Pick<Settings, 'staleIfError' | 'staleWhileRevalidate'>): boolean =>
	!isStaleForbidden(policy) && Math.max(staleWhileRevalidateSeconds(policy, settings), staleIfErrorSeconds(policy, 'error-status', settings)) > 0;

type Circumstances = {
	readonly request: RequestHead;
	readonly nowMs: number;
	readonly settings: Settings;
};

/** Whether a stored response is an answer to the request at all. A stored failure is no better than a current one. */
const isAnswer = (stored: StoredResponse, {request, settings}: Circumstances): boolean =>
	!isStaleForbidden(stored.policy) && !serverFailures.has(stored.statusCode) && !isFailure(stored.statusCode, settings) && selectRange(request, stored).kind !== 'not-stored';

/** Whether a stored response may replace a failure. */
export const mayServeStale = (stored: StoredResponse, failure: Failure, circumstances: Circumstances): boolean => {
	const {request, nowMs, settings} = circumstances;
	if (!isAnswer(stored, circumstances)) {
		return false;
	}

	const directives = requestDirectives(request.headers);
	// RFC 5861 §4: `stale-if-error` in a request applies to this request alone, and overrides other settings.
	const askedSeconds = directiveSeconds(directives, 'stale-if-error');
	if (askedSeconds === undefined && isFreshDemanded(directives, settings)) {
		return false;
	}

	const allowedSeconds = askedSeconds ?? staleIfErrorSeconds(stored.policy, failure, settings);

	return stalenessSeconds(stored.policy, nowMs) <= allowedSeconds;
};

/** Whether a stored response may answer in place of an origin that is not asked yet, for the sake of a rate limit. RFC 9111 §4.2.4: the user permits it, up to a staleness. */
export const mayServeStaleFor = (stored: StoredResponse, mostSeconds: number, circumstances: Circumstances): boolean => {
	const {request, nowMs, settings} = circumstances;

	return isAnswer(stored, circumstances) && !isFreshDemanded(requestDirectives(request.headers), settings) && stalenessSeconds(stored.policy, nowMs) <= mostSeconds;
};

/** Whether the request refuses stale responses, RFC 9111 §5.2.1. */
const isFreshDemanded = (directives: CacheControl, {mode}: Pick<Settings, 'mode'>): boolean =>
	mode === 'no-cache' || mode === 'reload' || directives.has('no-cache') || (!directives.has('max-stale') && (directives.has('max-age') || directives.has('min-fresh')));
