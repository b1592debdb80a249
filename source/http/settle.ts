import type {StoredResponse} from '../stored.ts';
import type {Decision} from './decision.ts';
import {freshenedBy, freshenedByHead} from './freshen.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {invalidationBy} from './invalidation.ts';
import type {RequestHead, ResponseHead} from './message.ts';
import type {Invalidation, Outcome, StoredHead} from './outcome.ts';
import {isCombinable} from './partial.ts';
import {appraise, type Appraisal} from './policy.ts';
import {contentRangeOf} from './range.ts';
import type {Settings} from './settings.ts';
import {canStandIn} from './stale.ts';
import {isSuccessful, serverFailures} from './status-codes.ts';
import {whyNotStorable} from './storability.ts';
import {headersToStore} from './storing.ts';
import {normalizeUrl} from './url.ts';
import {isAboutStored, validatorsOf} from './validators.ts';
import {selectingFieldNames, selectingHeaders} from './vary.ts';

export type SettleInput = {
	/** As the caller made it, without the header fields that the decision added. */
	readonly request: RequestHead;
	readonly decision: Decision;
	/** Its header fields describe the body that will be stored: with `Content-Encoding` and `Content-Length` only if that is not decoded. */
	readonly response: ResponseHead;
	readonly requestTimeMs: number;
	readonly responseTimeMs: number;
	readonly settings: Settings;
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

	const standIn = {
		request,
		stored,
		failure: 'error-status',
		nowMs: responseTimeMs,
		settings,
	} as const;
	if (stored && serverFailures.has(response.statusCode) && canStandIn(standIn)) {
		return {kind: 'reuse-stale', reason: 'error-status', stored};
	}

	if (decision.kind === 'validate' && decision.reason === 'range-incomplete' && (response.statusCode === 206 || response.statusCode === 416)) {
		return settleMissingPart(input, decision.stored);
	}

	return stored?.method === 'GET' && request.method === 'HEAD' && response.statusCode === 200 ? {kind: 'pass', reason: 'head', update: settings.isReadOnly ? undefined : freshenedByHead(input, stored)} : settleNew(input, stored, invalidation);
};

/** RFC 9111 §4.3.3, §4.3.4. */
const settleNotModified = (input: SettleInput, stored: StoredResponse | undefined): Outcome => {
	const {decision, response, settings} = input;
	const validators = validatorsOf(headersOf(response.rawHeaders));
	const isIdentified = stored !== undefined && isAboutStored(validators, validatorsOf(headersOf(stored.rawHeaders)));
	const isOurs = decision.kind === 'validate' || decision.kind === 'reuse';

	if (isOurs) {
		return isIdentified ? {kind: 'freshen', reason: 'not-modified', stored: freshenedBy(input, stored)} : {kind: 'refetch', reason: 'validator-mismatch'};
	}

	// The precondition was the caller's own: an entity tag alone tells that the response speaks of what is stored.
	const isUpdate = isIdentified && validators.etag !== undefined && !settings.isReadOnly;

	return {kind: 'pass', reason: 'not-modified', update: isUpdate ? freshenedBy(input, stored) : undefined};
};

/** The rest of a stored partial response, or word that there is none: RFC 9111 §3.4. */
const settleMissingPart = (input: SettleInput, stored: StoredResponse): Outcome => {
	const head = storedHead(input, appraisalOf(input));

	return input.response.statusCode === 206 && isCombinable(stored, head)
		? {
			kind: 'combine',
			reason: 'combined',
			head,
			stored,
		}
		: {kind: 'refetch', reason: 'validator-mismatch'};
};

const settleNew = (input: SettleInput, stored: StoredResponse | undefined, invalidation: Invalidation | undefined): Outcome => {
	const {request, response, settings} = input;
	if (settings.isReadOnly) {
		return {kind: 'pass', reason: 'read-only'};
	}

	const appraisal = appraisalOf(input);
	const reason = whyNotStorable({
		request,
		response,
		appraisal,
		settings,
	});
	if (reason !== undefined) {
		return {kind: 'pass', reason, invalidation};
	}

	const head = storedHead(input, appraisal);

	return stored !== undefined && response.statusCode === 206 && isCombinable(stored, head)
		? {
			kind: 'combine',
			reason: 'combined',
			head,
			stored,
		}
		: {
			kind: 'store',
			reason: 'stored',
			head,
			invalidation,
		};
};

/** RFC 9110 §9.3.3: a POST response that states its freshness and is its target's representation may be stored for later GET requests. */
const storePostAsGet = (input: SettleInput, invalidation: Invalidation | undefined): Outcome | undefined => {
	const {request, response, settings} = input;
	if (request.method !== 'POST' || settings.isReadOnly || !isSuccessful(response.statusCode) || !isOwnRepresentation(request, response)) {
		return undefined;
	}

	const as: RequestHead = {...request, method: 'GET'};
	const asGet = {...input, request: as};
	const appraisal = appraisalOf(asGet);
	// What selects among variants was chosen for another method.
	const isNegotiated = selectingFieldNames(appraisal.headers, settings.matchHeaders) !== undefined;
	const isStorable = appraisal.isExplicit && !isNegotiated && whyNotStorable({
		request: as,
		response,
		appraisal,
		settings,
	}) === undefined;

	return isStorable
		? {
			kind: 'store',
			reason: 'stored',
			head: storedHead(asGet, appraisal),
			as,
			invalidation,
		}
		: undefined;
};

/** RFC 9110 §8.7: whether `Content-Location` says that the response is a representation of its target. */
const isOwnRepresentation = (request: RequestHead, {rawHeaders}: ResponseHead): boolean => {
	const contentLocation = fieldValue(headersOf(rawHeaders), 'content-location');
	const target = normalizeUrl(request.url);

	return contentLocation !== undefined && URL.canParse(contentLocation, target) && normalizeUrl(new URL(contentLocation, target).href) === target;
};

const appraisalOf = ({request, response, requestTimeMs, responseTimeMs, settings}: SettleInput): Appraisal => appraise(request, response, requestTimeMs, responseTimeMs, settings);

const storedHead = ({request, response, responseTimeMs, settings}: SettleInput, {headers, policy}: Appraisal): StoredHead => {
	const names = selectingFieldNames(headers, settings.matchHeaders);

	return {
		kind: 'response',
		method: request.method,
		url: normalizeUrl(request.url, settings.ignoredParameters),
		selectingHeaders: typeof names === 'object' ? selectingHeaders(names, request.headers) : {},
		statusCode: response.statusCode,
		statusMessage: response.statusMessage,
		httpVersion: response.httpVersion,
		rawHeaders: headersToStore(response, responseTimeMs, settings),
		policy,
		range: response.statusCode === 206 ? contentRangeOf(headers) : undefined,
		tags: [],
		generation: '',
	};
};

export type SettleFailureInput = {
	readonly request: RequestHead;
	readonly decision: Decision;
	readonly failure: 'network-error' | 'timeout';
	readonly nowMs: number;
	readonly settings: Settings;
};

/**
What the lack of a response leads to, RFC 9111 §4.2.4.
*/
export const settleFailure = ({request, decision, failure, nowMs, settings}: SettleFailureInput): Outcome => {
	const stored = 'stored' in decision ? decision.stored : undefined;

	return stored && canStandIn({
		request,
		stored,
		failure: 'disconnected',
		nowMs,
		settings,
	})
		? {kind: 'reuse-stale', reason: failure, stored}
		: {kind: 'pass', reason: 'error'};
};
