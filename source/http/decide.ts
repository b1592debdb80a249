import type {StoredResponse} from '../stored.ts';
import {currentAgeSeconds, remainingFreshnessSeconds} from './age.ts';
import {type CacheControl, directiveSeconds} from './cache-control.ts';
import {isConditional, validationHeaders} from './conditional.ts';
import type {
	Decision,
	MissReason,
	ReuseReason,
	ValidateReason,
} from './decision.ts';
import {requestDirectives} from './directives.ts';
import type {RequestHead} from './message.ts';
import {missingPartHeaders} from './partial.ts';
import {type Selection, selectRange} from './range.ts';
import type {Settings} from './settings.ts';
import {isWithinMaxStale, isWithinStaleWhileRevalidate} from './stale.ts';
import {isSelected} from './vary.ts';

/**
What to do about a request, RFC 9111 §4.

@param request
@param stored - What is stored under the request's primary key, selected by `Vary`; it is checked once more.
@param nowMs
@param settings
*/
export const decide = (request: RequestHead, stored: StoredResponse | undefined, nowMs: number, settings: Settings): Decision => {
	const directives = requestDirectives(request.headers);

	if (settings.mode === 'no-store' || directives.has('no-store')) {
		return {kind: 'bypass', reason: 'no-store'};
	}

	if (!settings.methods.has(request.method)) {
		return {kind: 'bypass', reason: 'method'};
	}

	const decision = decideStored({
		request, stored, directives, nowMs, settings,
	});
	const isOnlyIfCached = settings.mode === 'only-if-cached' || directives.has('only-if-cached');

	return isOnlyIfCached && decision.kind !== 'reuse' ? {kind: 'unavailable', reason: 'only-if-cached'} : decision;
};

type Case = {
	readonly request: RequestHead;
	readonly stored: StoredResponse | undefined;
	readonly directives: CacheControl;
	readonly nowMs: number;
	readonly settings: Settings;
};

const decideStored = ({request, stored, directives, nowMs, settings}: Case): Decision => {
	if (settings.mode === 'reload') {
		return {kind: 'fetch', reason: 'reload'};
	}

	const mismatch = whyNotCandidate(request, stored, settings);
	if (mismatch !== undefined || stored === undefined) {
		return {kind: 'fetch', reason: mismatch ?? 'not-stored'};
	}

	const selection = selectRange(request, stored);
	if (selection.kind === 'not-stored') {
		return fetchMissing(request, stored);
	}

	const verdict = judge({directives, nowMs, settings}, stored);

	if (verdict.isReusable) {
		return verdict.reason === 'stale-while-revalidate'
			? {
				kind: 'reuse', reason: verdict.reason, stored, refresh: validationHeaders(stored),
			}
			: {kind: 'reuse', reason: verdict.reason, stored};
	}

	return validate(request, stored, verdict.reason, selection);
};

/** Why a stored response has nothing to say to a request; `undefined` if it has. */
const whyNotCandidate = (request: RequestHead, stored: StoredResponse | undefined, settings: Settings): MissReason | undefined => {
	// A response that a private cache stored may be one user's alone; one that a shared cache stored has another lifetime.
	if (stored === undefined || stored.policy.isShared !== settings.isShared) {
		return 'not-stored';
	}

	// RFC 9110 §9.3.2: a stored GET response answers HEAD, not the other way round.
	const isMethodMatch = stored.method === request.method || (request.method === 'HEAD' && stored.method === 'GET');
	if (!isMethodMatch) {
		return 'not-stored';
	}

	return isSelected(request, stored, settings.matchHeaders) ? undefined : 'vary-mismatch';
};

type Verdict =
	| {readonly isReusable: true; readonly reason: ReuseReason}
	| {readonly isReusable: false; readonly reason: ValidateReason};

const reuse = (reason: ReuseReason): Verdict => ({isReusable: true, reason});
const revalidate = (reason: ValidateReason): Verdict => ({isReusable: false, reason});

/** Whether a stored response may be reused as it is, RFC 9111 §4, §5.2.1. */
const judge = ({directives, nowMs, settings}: Pick<Case, 'directives' | 'nowMs' | 'settings'>, {policy}: StoredResponse): Verdict => {
	const remainingSeconds = remainingFreshnessSeconds(policy, nowMs);
	const isFresh = remainingSeconds > 0;

	if (policy.isInvalidated) {
		return revalidate('invalidated');
	}

	if (settings.mode === 'force-cache' || settings.mode === 'only-if-cached') {
		return reuse(isFresh && !policy.isNoCache ? 'fresh' : settings.mode);
	}

	if (settings.alwaysRevalidates) {
		return revalidate('always-revalidate');
	}

	if (directives.has('no-cache')) {
		return revalidate('request-no-cache');
	}

	if (policy.isNoCache) {
		return revalidate('no-cache');
	}

	const maxAgeSeconds = directiveSeconds(directives, 'max-age');
	const isTooOld = maxAgeSeconds !== undefined && currentAgeSeconds(policy, nowMs) > maxAgeSeconds;
	if (settings.mode === 'no-cache' || isTooOld) {
		// RFC 8246 §2: a reload need not validate what does not change.
		return isFresh && policy.isImmutable ? reuse('immutable') : revalidate(isTooOld ? 'request-max-age' : 'request-no-cache');
	}

	const minFreshSeconds = directiveSeconds(directives, 'min-fresh');
	if (minFreshSeconds !== undefined && remainingSeconds < minFreshSeconds) {
		return revalidate('request-min-fresh');
	}

	if (isFresh) {
		return reuse('fresh');
	}

	if (isWithinMaxStale(policy, directives, nowMs)) {
		return reuse('max-stale');
	}

	// RFC 9111 §5.2.1.1: who sends `max-age` without `max-stale` does not want a stale response.
	return maxAgeSeconds === undefined && minFreshSeconds === undefined && isWithinStaleWhileRevalidate(policy, nowMs, settings) ? reuse('stale-while-revalidate') : revalidate('stale');
};

/** Asks the origin about a stored response, with the caller's own preconditions or with its validators. RFC 9111 §4.3.1. */
const validate = (request: RequestHead, stored: StoredResponse, reason: ValidateReason, selection: Selection): Decision => {
	if (isConditional(request.headers)) {
		return {kind: 'fetch', reason: 'own-conditional', stored};
	}

	const headers = validationHeaders(stored);
	const isUnvalidatable = Object.keys(headers).length === 0 || selection.kind === 'unsatisfiable';

	return isUnvalidatable
		? {kind: 'fetch', reason: 'no-validator', stored}
		: {
			kind: 'validate', reason, stored, headers,
		};
};

/** Asks the origin for what is not stored: only for the missing part where one range says it, RFC 9111 §3.3. */
const fetchMissing = (request: RequestHead, stored: StoredResponse): Decision => {
	const headers = isConditional(request.headers) ? undefined : missingPartHeaders(request, stored);

	return headers === undefined
		? {kind: 'fetch', reason: 'range-not-stored', stored}
		: {
			kind: 'validate', reason: 'range-incomplete', stored, headers,
		};
};
