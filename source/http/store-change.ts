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
import type {ReceivedMessage} from './policy.ts';
import {contentRangeOf} from './range.ts';
import {isAboutCredentials, isAboutResource, isAbsent} from './status-codes.ts';
import {whyNotStorable, whyNotUpdating, type Candidate} from './storability.ts';
import {headersToStore} from './stored-fields.ts';
import {isAboutStored, validatorsOf} from './validators.ts';
import {selectedBy} from './vary.ts';

/** A response and the stored response that it concerns. */
export type ReceivedResponse = ReceivedMessage & {
	/** The stored response that the request selects or the response names; `undefined` if none is known. */
	readonly stored: StoredResponse | undefined;
	/** The merged response, if the response updates the stored one without content (304, HEAD) or completes it (206). */
	readonly merged?: Merged | undefined;
	/** The user's own filter. */
	readonly isFilteredOut?: ((response: ResponseHead) => boolean) | undefined;
};

/**
Decides every change of the store by a response. A response is stored only if this response to this request may be stored.

@param wanted - The change if the response may be stored.
*/
export const storeChangeBy = <Wanted extends Replacement | Freshening>(received: ReceivedResponse, candidate: Candidate, wanted: Wanted): Wanted | Refusal => {
	if (received.settings.isReadOnly) {
		return {kind: 'leave', reason: 'read-only'};
	}

	const reason = whyRefused(received, candidate);

	return reason === undefined ? wanted : refusalOf(received, reason);
};

/** Returns the reason to refuse a response. A response merged with a stored one is checked by its own fields and by the merged ones. */
const whyRefused = ({merged, isFilteredOut}: ReceivedResponse, candidate: Candidate): PassReason | undefined => {
	const reason = (merged && whyNotMerged(merged)) ?? whyNotStorable(candidate);

	return reason ?? (isFilteredOut?.(candidate.response) ? 'filtered' : undefined);
};

/** A 206 has all fields that decide about storing it, but a 304 may have fewer: RFC 9110 §15.3.7, §15.4.5. */
const whyNotMerged = ({own, isPart}: Merged): PassReason | undefined => isPart ? whyNotStorable(own) : whyNotUpdating(own);

/** Reasons that depend on the request; the response then says nothing about the stored one. */
const reasonsOfRequest: ReadonlySet<PassReason> = new Set(['method', 'request-no-store']);

/**
Decides about the stored response if a new response is not stored.

@param reason - The reason why it is not stored.
*/
export const refusalOf = (received: ReceivedResponse, reason: PassReason): Refusal => {
	const {response: {statusCode}, stored, merged, settings, responseTimeMs} = received;
	if (settings.isReadOnly || reasonsOfRequest.has(reason)) {
		return {kind: 'leave', reason};
	}

	// The stored content is still valid, but the origin no longer allows storing it.
	if (stored && (merged !== undefined || isPartOf(stored, received))) {
		return reason === 'partial' ? {kind: 'leave', reason} : invalidation(stored, reason, {isNoCache: true});
	}

	// RFC 9111 §4.3.5
	if (stored && statusCode === 200 && isHeadOfGet(received)) {
		return invalidation(stored, reason);
	}

	if (isAboutResource(statusCode)) {
		// The option `matchHeaders` separates users here, too.
		const isForAll = isAbsent(statusCode) && settings.matchHeaders.length === 0;
		return {kind: 'drop', reason, scope: isForAll ? 'resource' : 'selected', stored};
	}

	// Other users may still use the stored response, but a user who was just refused only gets it after the origin was asked again.
	const isStale = stored !== undefined && remainingFreshnessSeconds(stored.policy, responseTimeMs) <= 0;

	return isStale && isAboutCredentials(statusCode) ? invalidation(stored, reason) : {kind: 'leave', reason};
};

const isPartOf = (stored: StoredResponse, {response: {statusCode, rawHeaders}}: ReceivedResponse): boolean =>
	statusCode === 206 && isAboutStored(validatorsOf(headersOf(rawHeaders)), validatorsOf(headersOf(stored.rawHeaders)));

export const isHeadOfGet = ({request, stored}: Pick<ReceivedResponse, 'request' | 'stored'>): boolean => request.method === 'HEAD' && stored?.method === 'GET';

/** Marks the stored response to be validated before reuse; with `isNoCache`, it does not replace a failure either. */
const invalidation = (stored: StoredResponse, reason: PassReason, {isNoCache = stored.policy.isNoCache} = {}): Refusal => {
	const {policy} = stored;

	return policy.isNoCache === isNoCache && policy.isInvalidated
		? {kind: 'leave', reason}
		: {kind: 'invalidate', reason, stored: {...stored, policy: {...policy, isInvalidated: true, isNoCache}}};
};

/** The stored form of a response except for its body. */
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
