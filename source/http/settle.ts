import type {StoredResponse} from '../stored.ts';
import {isOnlyEntityTag, validationHeaders} from './conditional.ts';
import type {Decision} from './decision.ts';
import {freshenedBy, freshenedByHead} from './freshen.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {cacheGroups, invalidationBy} from './invalidation.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {Invalidation, Outcome, StaleReason, StoredHead} from './outcome.ts';
import {isCombinable} from './partial.ts';
import {appraise, type Appraisal, type Reception} from './policy.ts';
import {contentRangeOf} from './range.ts';
import type {Settings} from './settings.ts';
import {canStandIn} from './stale.ts';
import {isSuccessful, serverFailures} from './status-codes.ts';
import {whyNotStorable} from './storability.ts';
import {headersToStore} from './storing.ts';
import {normalizeUrl} from './url.ts';
import {isAboutStored, validatorsOf} from './validators.ts';
import {selectedBy} from './vary.ts';

export type SettleInput = Reception & {
	readonly decision: Decision;
};

/**
What a response leads to, RFC 9111 §3 and §4.3.3.
*/
export const settle = (input: SettleInput): Outcome => {
	const {request, decision, response, responseTimeMs, settings} = input;
	const invalidation = settings.isReadOnly ? undefined : invalidationBy(request, response);

	if (decision.kind === 'bypass' || decision.kind === 'unavailable') {
		return storePostAsGet(input, invalidation) ?? {kind: 'pass', reason: 'bypassed', invalidation};
	}

	const {stored} = decision;

	if (response.statusCode === 304) {
		return settleNotModified(input, stored);
	}

	if (stored !== undefined && serverFailures.has(response.statusCode) && canStandIn(stored, 'error-status', {request, nowMs: responseTimeMs, settings})) {
		return {kind: 'reuse-stale', reason: 'error-status', stored};
	}

	if (decision.kind === 'validate' && decision.reason === 'range-incomplete' && (response.statusCode === 206 || response.statusCode === 416)) {
		return settleMissingPart(input, decision.stored);
	}

	if (stored?.method === 'GET' && request.method === 'HEAD' && response.statusCode === 200) {
		const update = settings.isReadOnly ? undefined : freshenedByHead(input, stored);

		return {kind: 'pass', reason: 'head', update};
	}

	return settleNew(input, stored, invalidation);
};

/** RFC 9111 §4.3.3, §4.3.4. */
const settleNotModified = (input: SettleInput, stored: StoredResponse | undefined): Outcome => {
	const {decision, response, settings} = input;
	const received = validatorsOf(headersOf(response.rawHeaders));
	const held = stored && validatorsOf(headersOf(stored.rawHeaders));
	const isIdentified = held !== undefined && isAboutStored(received, held, isOnlyEntityTag(headersAsked(input), held.etag));

	if (decision.kind === 'validate' || decision.kind === 'reuse') {
		return isIdentified
			? {kind: 'freshen', reason: 'not-modified', stored: freshenedBy(input, decision.stored)}
			: {kind: 'refetch', reason: 'validator-mismatch'};
	}

	if (decision.kind === 'fetch' && decision.headers !== undefined) {
		const isNamed = isIdentified && received.etag !== undefined && isCompleteAnswer(stored, settings);

		return isNamed
			? {kind: 'freshen', reason: 'not-modified', stored: freshenedBy(input, stored)}
			: {kind: 'refetch', reason: 'validator-mismatch'};
	}

	// The precondition was the caller's own: an entity tag alone tells that the response speaks of what is stored.
	const isUpdate = isIdentified && received.etag !== undefined && held.etag !== undefined && !settings.isReadOnly;

	return {kind: 'pass', reason: 'not-modified', update: stored && isUpdate ? freshenedBy(input, stored) : undefined};
};

/** The header fields by which the origin was asked whether a stored response still holds. Variants are told apart by strong entity tags alone. */
const headersAsked = ({request, decision}: SettleInput): HeaderFields => {
	if (decision.kind === 'validate') {
		return decision.headers;
	}

	if (decision.kind === 'reuse') {
		return validationHeaders(decision.stored);
	}

	return decision.kind === 'fetch' && decision.headers !== undefined ? {} : request.headers;
};

/** Whether a stored variant can answer another request than the one that it was stored for. */
const isCompleteAnswer = (stored: StoredResponse | undefined, {isShared}: Settings): stored is StoredResponse =>
	stored?.statusCode === 200 && stored.range === undefined && stored.policy.isShared === isShared;

/** The rest of a stored partial response, or word that there is none: RFC 9111 §3.4. */
const settleMissingPart = (input: SettleInput, stored: StoredResponse): Outcome => {
	const head = storedHead(input, appraise(input));

	return input.response.statusCode === 206 && isCombinable(stored, head)
		? {kind: 'combine', reason: 'combined', head, stored}
		: {kind: 'refetch', reason: 'validator-mismatch'};
};

const settleNew = (input: SettleInput, stored: StoredResponse | undefined, invalidation: Invalidation | undefined): Outcome => {
	const {response, settings} = input;
	if (settings.isReadOnly) {
		return {kind: 'pass', reason: 'read-only'};
	}

	const appraisal = appraise(input);
	const reason = whyNotStorable({...input, appraisal});
	if (reason !== undefined) {
		return {kind: 'pass', reason, invalidation};
	}

	const head = storedHead(input, appraisal);

	if (stored !== undefined && response.statusCode === 206) {
		if (isCombinable(stored, head)) {
			return {kind: 'combine', reason: 'combined', head, stored};
		}

		// A part does not take the place of the whole that it may be a part of.
		if (stored.statusCode === 200 && stored.range === undefined && isAboutStored(validatorsOf(appraisal.headers), validatorsOf(headersOf(stored.rawHeaders)))) {
			return {kind: 'pass', reason: 'partial', invalidation};
		}
	}

	return {kind: 'store', reason: 'stored', head, invalidation};
};

/** RFC 9110 §9.3.3: a POST response that states its freshness and is its target's representation may be stored for later GET requests. */
const storePostAsGet = (input: SettleInput, invalidation: Invalidation | undefined): Outcome | undefined => {
	const {request, response, settings} = input;
	if (request.method !== 'POST' || settings.isReadOnly || !isSuccessful(response.statusCode) || !isOwnRepresentation(request, response)) {
		return undefined;
	}

	const as: RequestHead = {...request, method: 'GET'};
	const asGet = {...input, request: as};
	const appraisal = appraise(asGet);
	const isStorable = appraisal.isExplicit && whyNotStorable({...asGet, appraisal}) === undefined;

	return isStorable ? {kind: 'store', reason: 'stored', head: storedHead(asGet, appraisal), as, invalidation} : undefined;
};

/** RFC 9110 §8.7: whether `Content-Location` says that the response is a representation of its target. */
const isOwnRepresentation = (request: RequestHead, {rawHeaders}: ResponseHead): boolean => {
	const contentLocation = fieldValue(headersOf(rawHeaders), 'content-location');
	const target = normalizeUrl(request.url);

	return contentLocation !== undefined && URL.canParse(contentLocation, target) && normalizeUrl(new URL(contentLocation, target).href) === target;
};

const storedHead = ({request, response, responseTimeMs, settings}: SettleInput, appraisal: Appraisal): StoredHead => ({
	kind: 'response',
	method: request.method,
	url: normalizeUrl(request.url, settings.ignoredParameters),
	selectingHeaders: selectedBy(appraisal.headers, settings.matchHeaders, request),
	statusCode: response.statusCode,
	statusMessage: response.statusMessage,
	httpVersion: response.httpVersion,
	rawHeaders: headersToStore(response, responseTimeMs, settings, appraisal),
	policy: appraisal.policy,
	range: response.statusCode === 206 ? contentRangeOf(appraisal.headers) : undefined,
	tags: [],
	groups: cacheGroups(response.rawHeaders),
	marks: [],
	generation: '',
});

export type SettleFailureInput = {
	readonly request: RequestHead;
	readonly decision: Decision;
	readonly failure: StaleReason;
	readonly nowMs: number;
	readonly settings: Settings;
};

/**
What the lack of a response leads to, or that of a useful one, RFC 9111 §4.2.4.
*/
export const settleFailure = ({request, decision, failure, nowMs, settings}: SettleFailureInput): Outcome => {
	const stored = 'stored' in decision ? decision.stored : undefined;

	return stored !== undefined && canStandIn(stored, failure === 'error-status' ? failure : 'disconnected', {request, nowMs, settings})
		? {kind: 'reuse-stale', reason: failure, stored}
		: {kind: 'pass', reason: 'error'};
};
