import {storedIn} from '../http/decision.ts';
import {rawFieldValue} from '../http/header-fields.ts';
import {isSafe} from '../http/invalidation.ts';
import type {ResponseHead} from '../http/message.ts';
import type {FailureReason, Outcome, PassReason, SharedOutcome} from '../http/outcome.ts';
import {settle, settleFailure, settleLimited} from '../http/settle.ts';
import {unreadContent} from '../options/user-functions.ts';
import {selectByEntityTag} from '../resource/selection.ts';
import {endGuard} from '../resource/write-guard.ts';
import type {StoredResponse} from '../types/stored.ts';
import {withinBudgetOf, type Exchange, type ExchangeContext} from './exchange.ts';
import {lookUp} from './look-up.ts';

/*
Decides what a response, or a failure, leads to. Nothing is written here.
*/

/** The outcome of one exchange, and the stored responses that come of it. */
export type ExchangeResult = {
	readonly outcome: Outcome | SharedOutcome;
	/** The stored response that answers in place of the origin's. */
	readonly answer?: StoredResponse | undefined;
	/** The response that was stored. */
	readonly written?: StoredResponse | undefined;
	/** The response that would have been stored if the store were available. */
	readonly unstored?: StoredResponse | undefined;
	/** The reason why the origin's response was not stored, although a stored response answers with its header fields. */
	readonly refusal?: PassReason | undefined;
};

/** Adds the stored response to the exchange of a request in the mode `reload`, which asked the origin without a look-up. */
export const withStored = async (context: ExchangeContext, exchange: Exchange): Promise<Exchange> => {
	const {decision, settings} = exchange;
	if (decision.kind !== 'fetch' || decision.reason !== 'reload' || decision.stored) {
		return exchange;
	}

	const found = await lookUp(context, {...exchange, settings: {...settings, http: {...settings.http, mode: 'default'}}});
	void endGuard(context.store, found.guard);
	const stored = storedIn(found.decision);

	return {...exchange, key: found.key, index: found.index, decision: {...decision, ...(stored && {stored})}};
};

const bypassed: ExchangeResult = {outcome: {kind: 'pass', reason: 'bypassed', change: {kind: 'leave', reason: 'bypassed'}}};

/** The result of a safe request that the cache takes no part in, whatever its response is; `undefined` for any other. */
export const resultBeforehand = ({request, decision}: Pick<Exchange, 'request' | 'decision'>): ExchangeResult | undefined =>
	decision.kind === 'bypass' && isSafe(request.method) ? bypassed : undefined;

/** Whether a response declares a body larger than `maxBodyBytes`. */
export const isTooLarge = ({request, settings}: Pick<Exchange, 'request' | 'settings'>, {rawHeaders}: Pick<ResponseHead, 'rawHeaders'>): boolean =>
	request.method !== 'HEAD' && Number(rawFieldValue(rawHeaders, 'content-length')) > settings.maxBodyBytes;

/** Decides the outcome of a response whose body may not have arrived yet. */
export const decideOutcome = (
	{settings: {filter}, now}: ExchangeContext,
	{request, decision, requestTimeMs, settings}: Pick<Exchange, 'request' | 'decision' | 'requestTimeMs' | 'settings'>,
	response: ResponseHead,
): Outcome =>
	settle({
		request,
		decision,
		response: {...response, content: response.content ?? unreadContent()},
		requestTimeMs,
		responseTimeMs: now(),
		settings: settings.http,
		isFilteredOut: filter && (filtered => !filter(request, filtered)),
	});

/** Whether a response may remove stored responses that the exchange has not looked up. */
export const supersedesUnseen = (context: ExchangeContext, exchange: Exchange, response: ResponseHead): boolean => {
	if (exchange.decision.reason !== 'reload') {
		return false;
	}

	const outcome = decideOutcome(context, exchange, response);
	return outcome.kind === 'store' ? isTooLarge(exchange, response) : 'change' in outcome && outcome.change.kind === 'drop';
};

/** Adds the variant that a 304 names, if the origin was asked about all variants: RFC 9111 §4.3.4. */
export const withNamedVariant = async (context: ExchangeContext, exchange: Exchange, {statusCode, rawHeaders}: ResponseHead): Promise<Exchange> => {
	const {key, index, decision} = exchange;
	const etag = rawFieldValue(rawHeaders, 'etag');
	if (statusCode !== 304 || etag === undefined || !index || decision.kind !== 'fetch' || decision.headers === undefined) {
		return exchange;
	}

	const stored = await selectByEntityTag(withinBudgetOf(context, exchange), key, index, etag);
	return stored ? {...exchange, decision: {...decision, stored}} : exchange;
};

type ReuseStale = Extract<Outcome, {kind: 'reuse-stale'}>;

/** Returns the stale response that may replace a missing or useless response, RFC 9111 §4.2.4. */
export const staleInstead = (context: ExchangeContext, {request, decision, settings}: Exchange, failure: FailureReason): ReuseStale | undefined => {
	const outcome = settleFailure({
		request,
		decision,
		failure,
		nowMs: context.now(),
		settings: settings.http,
	});

	return outcome.kind === 'reuse-stale' ? outcome : undefined;
};

/** Returns the stale response that may answer for now, because a rate limit keeps the request from the origin; `undefined` if none may. */
export const staleForNow = (context: ExchangeContext, {request, decision, settings}: Exchange, mostStaleSeconds: number): ReuseStale | undefined => settleLimited({
	request,
	decision,
	nowMs: context.now(),
	settings: settings.http,
	mostStaleSeconds,
});
