import type {StoredResponse} from '../types/stored.ts';
import {remainingFreshnessSeconds} from './age.ts';
import {redactedUrl} from './credentials.ts';
import type {Merged} from './freshen.ts';
import {headersOf} from './header-fields.ts';
import {cacheGroups} from './invalidation.ts';
import type {ResponseHead} from './message.ts';
import type {
	Freshening,
	PassReason,
	Refusal,
	Replacement,
	StoredHead,
} from './outcome.ts';
import type {Reception} from './policy.ts';
import {contentRangeOf} from './range.ts';
import {isAboutCredentials, isAboutResource, isAbsent} from './status-codes.ts';
import {whyNotStorable, whyNotUpdating, type Candidate} from './storability.ts';
import {headersToStore} from './storing.ts';
import {isAboutStored, validatorsOf} from './validators.ts';
import {selectedBy} from './vary.ts';

/** A response, and the stored response that it has a bearing on. */
export type ReceivedResponse = Reception & {
	/** The one that its request selects, or that it names; `undefined` if none is known. */
	readonly stored: StoredResponse | undefined;
	/** The two as one, where the response tells of the stored one without its content (304, HEAD), or completes it (206). */
	readonly merged?: Merged | undefined;
	/** The user's own filter. */
	readonly isFilteredOut?: ((response: ResponseHead) => boolean) | undefined;
};

/**
The one gate to the store: what a response changes there. Nothing of it is stored unless this response may be stored for this request.

@param wanted - What it changes if it may be stored.
*/
export const storeChangeBy = <Wanted extends Replacement | Freshening>(received: ReceivedResponse, candidate: Candidate, wanted: Wanted): Wanted | Refusal => {
	if (received.settings.isReadOnly) {
		return {kind: 'leave', reason: 'read-only'};
	}

	const reason = whyRefused(received, candidate);

	return reason === undefined ? wanted : refusalOf(received, reason);
};

/** A response that is merged with a stored one is judged by its own fields, and by those that the two have together. */
const whyRefused = ({merged, isFilteredOut}: ReceivedResponse, candidate: Candidate): PassReason | undefined => {
	const reason = (merged && whyNotMerged(merged)) ?? whyNotStorable(candidate);

	return reason ?? (isFilteredOut?.(candidate.response) ? 'filtered' : undefined);
};

/** A 206 has all fields that decide on its storage, a 304 may have fewer: RFC 9110 §15.3.7, §15.4.5. */
const whyNotMerged = ({own, isPart}: Merged): PassReason | undefined => isPart ? whyNotStorable(own) : whyNotUpdating(own);

/** Reasons that lie in the request: its response says nothing of what is stored. */
const reasonsOfRequest: ReadonlySet<PassReason> = new Set(['method', 'request-no-store']);

/**
What becomes of the stored response if nothing of a response is stored.

@param reason - Why it is not.
*/
export const refusalOf = (received: ReceivedResponse, reason: PassReason): Refusal => {
	const {response: {statusCode}, stored, merged, settings, responseTimeMs} = received;
	if (settings.isReadOnly || reasonsOfRequest.has(reason)) {
		return {kind: 'leave', reason};
	}

	// The stored content is good, but the origin would no longer have stored it.
	if (stored && (merged !== undefined || isPartOf(stored, received))) {
		return reason === 'partial' ? {kind: 'leave', reason} : invalidation(stored, reason, {isNoCache: true});
	}

	// RFC 9111 §4.3.5
	if (stored && statusCode === 200 && isHeadOfGet(received)) {
		return invalidation(stored, reason);
	}

	if (isAboutResource(statusCode)) {
		// A setting that tells users apart does so here, too.
		const isForAll = isAbsent(statusCode) && settings.matchHeaders.length === 0;
		return {kind: 'drop', reason, scope: isForAll ? 'resource' : 'selected', stored};
	}

	// Others may still have it, but it is not given to the one who was just refused without the origin being asked again.
	const isStale = stored !== undefined && remainingFreshnessSeconds(stored.policy, responseTimeMs) <= 0;

	return isStale && isAboutCredentials(statusCode) ? invalidation(stored, reason) : {kind: 'leave', reason};
};

const isPartOf = (stored: StoredResponse, {response: {statusCode, rawHeaders}}: ReceivedResponse): boolean =>
	statusCode === 206 && isAboutStored(validatorsOf(headersOf(rawHeaders)), validatorsOf(headersOf(stored.rawHeaders)));

export const isHeadOfGet = ({request, stored}: Pick<ReceivedResponse, 'request' | 'stored'>): boolean => request.method === 'HEAD' && stored?.method === 'GET';

/** It is validated before it is used again, and with `isNoCache` does not stand in for a failure either. */
const invalidation = (stored: StoredResponse, reason: PassReason, {isNoCache = stored.policy.isNoCache} = {}): Refusal => {
	const {policy} = stored;

	return policy.isNoCache === isNoCache && policy.isInvalidated
		? {kind: 'leave', reason}
		: {kind: 'invalidate', reason, stored: {...stored, policy: {...policy, isInvalidated: true, isNoCache}}};
};

/** What is stored of a response, once its body has come. */
export const storedHead = ({request, response, responseTimeMs, settings, appraisal}: Candidate): StoredHead => ({
	kind: 'response',
	method: request.method,
	url: redactedUrl(request.url, settings.ignoredParameters),
	selectingHeaders: selectedBy(appraisal.headers, settings.matchHeaders, request),
	statusCode: response.statusCode,
	statusMessage: response.statusMessage,
	httpVersion: response.httpVersion,
	rawHeaders: headersToStore(response, responseTimeMs, settings, appraisal),
	policy: appraisal.policy,
	range: response.statusCode === 206 ? contentRangeOf(appraisal.headers) : undefined,
	tags: [],
	groups: cacheGroups(response.rawHeaders),
	versions: [],
	indexId: '',
});
