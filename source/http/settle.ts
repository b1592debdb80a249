import type {StoredRange, StoredResponse} from '../types/stored.ts';
import {isOnlyEntityTag, validationHeaders} from './conditional.ts';
import {storedIn, type Decision} from './decision.ts';
import {isSameRepresentation, mergeInto, type Merged} from './freshen.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {invalidationBy} from './invalidation.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {
	FailureReason,
	Freshening,
	Invalidation,
	Outcome,
	PassReason,
	Refetch,
	Refusal,
	Replacement,
} from './outcome.ts';
import {combinableRange} from './partial.ts';
import {evaluateResponse, type ReceivedMessage} from './policy.ts';
import type {Settings} from './settings.ts';
import {mayServeStale, mayServeStaleFor, isFailure} from './stale.ts';
import {isSuccessful} from './status-codes.ts';
import {
	isHeadOfGet,
	refusalOf,
	storeChangeBy,
	storedHead,
	type ReceivedResponse,
} from './store-change.ts';
import {normalizeUrl} from './url.ts';
import {isAboutStored, validatorsOf} from './validators.ts';

export type SettleInput = ReceivedMessage & Pick<ReceivedResponse, 'isFilteredOut'> & {
	readonly decision: Decision;
};

/**
Decides the effect of a response, RFC 9111 §3 and §4.3.3.
*/
export const settle = (input: SettleInput): Outcome => {
	const {request, decision, response, responseTimeMs: nowMs, settings} = input;
	const invalidation = settings.isReadOnly ? undefined : invalidationBy(request, response);

	if (decision.kind === 'bypass' || decision.kind === 'unavailable') {
		return settlePost(input, invalidation) ?? {kind: 'pass', reason: 'bypassed', change: {kind: 'leave', reason: 'bypassed'}, invalidation};
	}

	const {stored} = decision;
	if (response.statusCode === 304) {
		return settleNotModified(input, stored);
	}

	if (stored && isFailure(response.statusCode, settings) && mayServeStale(stored, 'error-status', {request, nowMs, settings})) {
		return {kind: 'reuse-stale', reason: 'error-status', answer: stored};
	}

	const range = stored && combinableRange(stored, response);
	if (range) {
		return settlePart(input, stored, range);
	}

	if (isForRest(decision) && (response.statusCode === 206 || response.statusCode === 416)) {
		return refetch(input, 'partial');
	}

	return stored && isHeadOfGet({request, stored}) ? settleHead(input, stored) : settleNew(input, stored, invalidation);
};

/** Whether the cache asked for the missing part of a stored response. */
const isForRest = (decision: Decision): boolean => decision.kind === 'validate' && decision.reason === 'range-incomplete';

/** RFC 9111 §4.3.3: neither the stored response nor the origin's answer is usable for this request. */
const refetch = (input: SettleInput, reason: PassReason): Refetch => {
	const {decision} = input;
	const stored = decision.kind === 'validate' || decision.kind === 'reuse' ? decision.stored : undefined;
	const isDropped = stored !== undefined && !input.settings.isReadOnly;

	return {
		kind: 'refetch',
		reason: 'validator-mismatch',
		change: isDropped ? {kind: 'drop', reason, scope: 'selected', stored} : {kind: 'leave', reason},
	};
};

/** The reason why a response is not stored, if any. */
const reasonOf = (change: Replacement | Freshening | Refusal): PassReason | undefined => 'reason' in change ? change.reason : undefined;

/** The change by a response that updates a stored one without its content, or completes it. */
const updateBy = (input: SettleInput, stored: StoredResponse, merged: Merged): Freshening | Refusal =>
	storeChangeBy({...input, stored, merged}, merged.whole, {kind: 'freshen', stored: merged.stored});

/** RFC 9111 §4.3.3, §4.3.4. */
const settleNotModified = (input: SettleInput, stored: StoredResponse | undefined): Outcome => {
	const {decision} = input;
	if (decision.kind === 'fetch' && decision.headers === undefined) {
		return settleOwnNotModified(input, stored);
	}

	if (!stored || !isConfirmed(input, stored)) {
		return refetch(input, 'not-modified');
	}

	const merged = mergeInto(stored, input);

	return {kind: 'freshen', reason: 'not-modified', answer: merged.answer, change: updateBy(input, stored, merged)};
};

/** Whether a 304 makes a stored response the answer. If the origin was asked about all variants, the 304 must name one. */
const isConfirmed = (input: SettleInput, stored: StoredResponse): boolean => {
	const {decision, response, settings} = input;
	const isAbout = isAboutAsked(input, stored);

	return decision.kind === 'fetch'
		? isAbout && hasEntityTag(response) && isCompleteAnswer(stored, settings)
		: isAbout && !isForRest(decision);
};

const hasEntityTag = ({rawHeaders}: Pick<ResponseHead, 'rawHeaders'>): boolean => validatorsOf(headersOf(rawHeaders)).etag !== undefined;

/** Whether a 304 is about the stored response that the origin was asked about. */
const isAboutAsked = (input: SettleInput, stored: StoredResponse): boolean => {
	const held = validatorsOf(headersOf(stored.rawHeaders));

	return isAboutStored(validatorsOf(headersOf(input.response.rawHeaders)), held, isOnlyEntityTag(headersAsked(input), held.etag));
};

/** The header fields with which the origin was asked about a stored response. Variants are identified by strong entity tags only. */
const headersAsked = ({request, decision}: SettleInput): HeaderFields => {
	if (decision.kind === 'validate') {
		return decision.headers;
	}

	if (decision.kind === 'reuse') {
		return validationHeaders(decision.stored);
	}

	return decision.kind === 'fetch' && decision.headers !== undefined ? {} : request.headers;
};

/** Whether a stored variant can answer a request other than the one it was stored for. */
const isCompleteAnswer = (stored: StoredResponse, {isShared}: Settings): boolean =>
	stored.statusCode === 200 && stored.range === undefined && stored.policy.isShared === isShared;

/** Settles a 304 to the caller's own precondition. Only an entity tag shows that it is about the stored response. */
const settleOwnNotModified = (input: SettleInput, stored: StoredResponse | undefined): Outcome => {
	const isUpdate = stored !== undefined && hasEntityTag(input.response) && hasEntityTag(stored) && isAboutAsked(input, stored);
	const change: Freshening | Refusal = isUpdate ? updateBy(input, stored, mergeInto(stored, input)) : {kind: 'leave', reason: 'not-modified'};

	return {kind: 'pass', reason: reasonOf(change) ?? 'not-modified', change};
};

/** Settles a part that can be combined with the stored response: RFC 9111 §3.4. A part that may not be stored is combined only if the cache itself asked for it. */
const settlePart = (input: SettleInput, stored: StoredResponse, range: StoredRange): Outcome => {
	const merged = mergeInto(stored, input);
	const change = updateBy(input, stored, merged);
	const reason = reasonOf(change);
	if (reason !== undefined && !isForRest(input.decision)) {
		return {kind: 'pass', reason, change};
	}

	return {
		kind: 'combine',
		reason: 'combined',
		range,
		answer: merged.answer,
		change,
		otherwise: isForRest(input.decision) ? refetch(input, 'partial') : undefined,
	};
};

/** RFC 9111 §4.3.5: a HEAD response freshens the stored GET response if they agree. */
const settleHead = (input: SettleInput, stored: StoredResponse): Outcome => {
	const {response} = input;
	const change = response.statusCode === 200 && isSameRepresentation(response, stored)
		? updateBy(input, stored, mergeInto(stored, input))
		: refusalOf({...input, stored}, 'head');

	return {kind: 'pass', reason: reasonOf(change) ?? 'head', change};
};

const settleNew = (input: SettleInput, stored: StoredResponse | undefined, invalidation: Invalidation | undefined): Outcome => {
	const received = {...input, stored};
	const candidate = {...input, appraisal: evaluateResponse(input)};
	const change = storeChangeBy(received, candidate, {kind: 'replace', head: storedHead(candidate)});
	if (change.kind !== 'replace') {
		return {kind: 'pass', reason: change.reason, change, invalidation};
	}

	if (stored && isPartOfWhole(input, stored)) {
		return {kind: 'pass', reason: 'partial', change: {kind: 'leave', reason: 'partial'}, invalidation};
	}

	return {kind: 'store', reason: 'stored', change, otherwise: refusalOf(received, 'too-large'), invalidation};
};

/** Whether a response is a part of the stored complete one, which it must not replace. */
const isPartOfWhole = ({response: {statusCode, rawHeaders}}: SettleInput, stored: StoredResponse): boolean => statusCode === 206
	&& stored.statusCode === 200
	&& stored.range === undefined
	&& isAboutStored(validatorsOf(headersOf(rawHeaders)), validatorsOf(headersOf(stored.rawHeaders)));

/** RFC 9110 §9.3.3: a POST response that states its freshness and is its target's representation may be stored for later GET requests. */
const settlePost = (input: SettleInput, invalidation: Invalidation | undefined): Outcome | undefined => {
	const {request, response, settings} = input;
	if (request.method !== 'POST' || settings.isReadOnly || !isSuccessful(response.statusCode) || !isOwnRepresentation(request, response)) {
		return undefined;
	}

	const as: RequestHead = {...request, method: 'GET'};
	const asGet = {...input, request: as, stored: undefined};
	const candidate = {...asGet, appraisal: evaluateResponse(asGet)};
	if (!candidate.appraisal.isExplicit) {
		return undefined;
	}

	const change = storeChangeBy(asGet, candidate, {kind: 'replace', head: storedHead(candidate), as});

	// The request itself invalidates the stored response.
	return change.kind === 'replace' ? {kind: 'store', reason: 'stored', change, otherwise: {kind: 'leave', reason: 'bypassed'}, invalidation} : undefined;
};

/** RFC 9110 §8.7: whether `Content-Location` says that the response is a representation of its target. */
const isOwnRepresentation = (request: RequestHead, {rawHeaders}: ResponseHead): boolean => {
	const contentLocation = fieldValue(headersOf(rawHeaders), 'content-location');
	const target = normalizeUrl(request.url);

	return contentLocation !== undefined && URL.canParse(contentLocation, target) && normalizeUrl(new URL(contentLocation, target).href) === target;
};

export type SettleFailureInput = {
	readonly request: RequestHead;
	readonly decision: Decision;
	readonly failure: FailureReason;
	readonly nowMs: number;
	readonly settings: Settings;
};

/**
Decides the effect of a missing or useless response, RFC 9111 §4.2.4.
*/
export const settleFailure = ({request, decision, failure, nowMs, settings}: SettleFailureInput): Outcome => {
	const stored = storedIn(decision);

	return stored !== undefined && mayServeStale(stored, failure === 'error-status' ? failure : 'disconnected', {request, nowMs, settings})
		? {kind: 'reuse-stale', reason: failure, answer: stored}
		: {kind: 'pass', reason: 'error', change: {kind: 'leave', reason: 'error'}};
};

type SettleLimitedInput = Omit<SettleFailureInput, 'failure'> & {
	/** How long after its lifetime a response may answer. */
	readonly mostStaleSeconds: number;
};

/** Whether the origin is asked about a stored response only because that is stale. A response that was invalidated, or that the request wants validated, answers nothing by itself. */
const isAskedForStaleness = (decision: Decision): boolean =>
	decision.kind === 'validate'
		? decision.reason === 'stale'
		: decision.kind === 'fetch' && decision.reason === 'no-validator' && decision.insteadOf === 'stale';

/**
Returns the stale response that answers in place of an origin that is not asked yet; `undefined` if none may.
*/
export const settleLimited = ({decision, mostStaleSeconds, ...circumstances}: SettleLimitedInput): Extract<Outcome, {kind: 'reuse-stale'}> | undefined => {
	const stored = isAskedForStaleness(decision) ? storedIn(decision) : undefined;

	return stored && mayServeStaleFor(stored, mostStaleSeconds, circumstances) ? {kind: 'reuse-stale', reason: 'rate-limited', answer: stored} : undefined;
};
