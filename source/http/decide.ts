import type {StoredPolicy, StoredResponse} from '../types/stored.ts';
import {currentAgeSeconds, remainingFreshnessSeconds} from './age.ts';
import {directiveSeconds, type CacheControl} from './cache-control.ts';
import {isConditional, validationHeaders} from './conditional.ts';
import type {Decision, ReuseReason, ValidateReason} from './decision.ts';
import {requestDirectives} from './directives.ts';
import {isNeverStored} from './lifetime.ts';
import type {RequestHead} from './message.ts';
import {missingPartHeaders} from './partial.ts';
import {selectRange} from './range.ts';
import type {Settings} from './settings.ts';
import {isUsableFrozen, isWithinMaxStale, isWithinStaleWhileRevalidate} from './stale.ts';
import {isSelected} from './vary.ts';

/**
Decides what to do with a request, RFC 9111 §4.

`stored` is the response under the request's primary key; this function checks whether it matches the request.
*/
export const decide = (request: RequestHead, stored: StoredResponse | undefined, nowMs: number, settings: Settings): Decision => {
	const directives = requestDirectives(request.headers);
	const decision = decideBypass(request, directives, settings) ?? decideStored(request, stored, {directives, nowMs, settings});
	// RFC 9111 §5.2.1.7
	const isOnlyIfCached = settings.mode === 'only-if-cached' || directives.has('only-if-cached');
	if (isOnlyIfCached && decision.kind !== 'reuse') {
		return {kind: 'unavailable', reason: 'only-if-cached'};
	}

	const isAsked = decision.kind === 'fetch' || decision.kind === 'validate';

	return isAsked && settings.originSwitch === 'freeze' ? {kind: 'unavailable', reason: 'frozen'} : decision;
};

const decideBypass = (request: RequestHead, directives: CacheControl, {mode, methods, lifetimes, originSwitch}: Settings): Decision | undefined => {
	if (mode === 'no-store' || directives.has('no-store') || isNeverStored(request, lifetimes)) {
		return {kind: 'bypass', reason: 'no-store'};
	}

	if (!methods.has(request.method)) {
		return {kind: 'bypass', reason: 'method'};
	}

	return originSwitch === 'bypass' ? {kind: 'bypass', reason: 'bypassed-by-operator'} : undefined;
};

type Circumstances = {
	readonly directives: CacheControl;
	readonly nowMs: number;
	readonly settings: Settings;
};

const decideStored = (request: RequestHead, stored: StoredResponse | undefined, circumstances: Circumstances): Decision => {
	const {settings} = circumstances;
	if (settings.mode === 'reload' && settings.originSwitch !== 'freeze') {
		return {kind: 'fetch', reason: 'reload'};
	}

	// A response that a private cache stored may belong to one user; a response that a shared cache stored has another lifetime.
	if (stored?.policy.isShared !== settings.isShared || !isMethodServed(request.method, stored.method)) {
		return {kind: 'fetch', reason: 'not-stored'};
	}

	if (!isSelected(request, stored, settings.matchHeaders)) {
		// The mismatch is in a field that only the option `matchHeaders` selects by, unless `Vary` names it too.
		return {kind: 'fetch', reason: isSelected(request, stored, []) ? 'not-stored' : 'vary-mismatch'};
	}

	if (selectRange(request, stored).kind === 'not-stored') {
		return fetchMissing(request, stored);
	}

	const {isReusable, reason} = evaluateReuse(stored.policy, circumstances);
	if (!isReusable) {
		return validate(request, stored, reason);
	}

	return {
		kind: 'reuse',
		reason,
		stored,
		refresh: reason === 'stale-while-revalidate' ? validationHeaders(stored) : undefined,
	};
};

/** RFC 9110 §9.3.2: a stored GET response answers HEAD, but not the reverse. */
const isMethodServed = (asked: string, stored: string): boolean => stored === asked || (stored === 'GET' && asked === 'HEAD');

type Reusability =
	| {readonly isReusable: true; readonly reason: ReuseReason}
	| {readonly isReusable: false; readonly reason: ValidateReason};

const reuse = (reason: ReuseReason): Reusability => ({isReusable: true, reason});
const revalidate = (reason: ValidateReason): Reusability => ({isReusable: false, reason});

/** Whether a stored response may be reused without the origin, whatever the request says. */
const isReusableAnyway = (policy: StoredPolicy, nowMs: number): boolean => !policy.isInvalidated && !policy.isNoCache && remainingFreshnessSeconds(policy, nowMs) > 0;

/** Whether a stored response may be reused as it is, RFC 9111 §4. */
const evaluateReuse = (policy: StoredPolicy, circumstances: Circumstances): Reusability => {
	const {directives, nowMs, settings: {mode, alwaysRevalidates, originSwitch}} = circumstances;

	if (originSwitch === 'freeze' && isUsableFrozen(policy)) {
		return reuse(isReusableAnyway(policy, nowMs) ? 'fresh' : 'frozen');
	}

	if (policy.isInvalidated) {
		return revalidate('invalidated');
	}

	if (mode === 'force-cache' || mode === 'only-if-cached') {
		return reuse(isReusableAnyway(policy, nowMs) ? 'fresh' : mode);
	}

	if (alwaysRevalidates) {
		return revalidate('always-revalidate');
	}

	if (directives.has('no-cache')) {
		return revalidate('request-no-cache');
	}

	return policy.isNoCache ? revalidate('no-cache') : evaluateFreshness(policy, circumstances);
};

/** Whether a response's age satisfies the response itself and the request: RFC 9111 §4.2, §5.2.1. */
const evaluateFreshness = (policy: StoredPolicy, {directives, nowMs, settings}: Circumstances): Reusability => {
	const remainingSeconds = remainingFreshnessSeconds(policy, nowMs);
	const isFresh = remainingSeconds > 0;
	const maxAgeSeconds = directiveSeconds(directives, 'max-age');
	const minFreshSeconds = directiveSeconds(directives, 'min-fresh');
	const isTooOld = maxAgeSeconds !== undefined && currentAgeSeconds(policy, nowMs) > maxAgeSeconds;

	if (isTooOld || settings.mode === 'no-cache') {
		// RFC 8246 §2: a reload does not need to validate an immutable response.
		if (isFresh && policy.isImmutable) {
			return reuse('immutable');
		}

		return revalidate(isTooOld ? 'request-max-age' : 'request-no-cache');
	}

	if (minFreshSeconds !== undefined && remainingSeconds < minFreshSeconds) {
		return revalidate('request-min-fresh');
	}

	if (isFresh) {
		return reuse('fresh');
	}

	if (isWithinMaxStale(policy, directives, nowMs)) {
		return reuse('max-stale');
	}

	// RFC 9111 §5.2.1.1, §5.2.1.3: a request with `max-age` or `min-fresh` but without `max-stale` does not accept a stale response.
	const isStaleRefused = maxAgeSeconds !== undefined || minFreshSeconds !== undefined;

	return !isStaleRefused && isWithinStaleWhileRevalidate(policy, nowMs, settings) ? reuse('stale-while-revalidate') : revalidate('stale');
};

/** Asks the origin about a stored response, with the caller's own preconditions or with its validators. RFC 9111 §4.3.1. */
const validate = (request: RequestHead, stored: StoredResponse, reason: ValidateReason): Decision => {
	if (isConditional(request.headers)) {
		return {kind: 'fetch', reason: 'own-conditional', stored};
	}

	const headers = validationHeaders(stored);

	return Object.keys(headers).length === 0
		? {kind: 'fetch', reason: 'no-validator', insteadOf: reason, stored}
		: {kind: 'validate', reason, stored, headers};
};

/** Fetches bytes that are not stored: only the missing part if one range can express it, RFC 9111 §3.3. */
const fetchMissing = (request: RequestHead, stored: StoredResponse): Decision => {
	const headers = isConditional(request.headers) ? undefined : missingPartHeaders(request, stored);

	return headers === undefined
		? {kind: 'fetch', reason: 'range-not-stored', stored}
		: {kind: 'validate', reason: 'range-incomplete', stored, headers};
};
