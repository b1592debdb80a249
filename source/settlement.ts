import {stepwise, type Exchange, type ExchangeContext} from './exchange.ts';
import {headersOf, rawFieldValue} from './http/header-fields.ts';
import type {ResponseHead} from './http/message.ts';
import type {Outcome, SharedOutcome, StaleReason} from './http/outcome.ts';
import {combine, completed} from './http/partial.ts';
import {settle, settleFailure} from './http/settle.ts';
import {invalidate} from './purging.ts';
import {remove} from './resource.ts';
import {selectByEntityTag} from './selection.ts';
import type {StoredResponse} from './stored.ts';
import {standingFor, store} from './storing.ts';

/** What an exchange came to. */
export type Settlement = {
	readonly outcome: Outcome | SharedOutcome;
	/** The stored response to answer with in place of what the origin said. */
	readonly answer?: StoredResponse;
	/** What was stored. */
	readonly written?: StoredResponse;
	/** What would have been stored, if the store were there. */
	readonly unstored?: StoredResponse;
};

/**
Carries an outcome out, but for its invalidation.

@param body - Of the response that led to it, complete.
*/
export const carryOut = async (context: ExchangeContext, exchange: Exchange, outcome: Outcome, body: Uint8Array): Promise<Settlement> => {
	switch (outcome.kind) {
		case 'store': {
			const complete = completed(exchange.request, outcome.head, body);
			if (!complete) {
				return {outcome: {kind: 'pass', reason: 'incomplete'}};
			}

			const storing = outcome.as ? await standingFor(context, exchange, outcome.as, outcome.invalidation?.groups ?? []) : exchange;
			const {written, refusal, unstored} = await store(context, storing, complete);
			if (refusal === undefined) {
				return {outcome, written};
			}

			// What answers another request is nothing for those who made this one.
			return {outcome: {kind: 'pass', reason: refusal}, unstored: outcome.as ? undefined : unstored};
		}

		case 'combine': {
			const answer = combine(outcome.stored, outcome.head, body);
			if (!answer) {
				// Who asked for the whole has no use for the part.
				return exchange.decision.kind === 'validate'
					? carryOut(context, exchange, {kind: 'refetch', reason: 'validator-mismatch'}, body)
					: {outcome: {kind: 'pass', reason: 'partial'}};
			}

			const {written, unstored} = await store(context, exchange, answer);
			return {outcome, answer, written, unstored};
		}

		case 'freshen': {
			const answer = outcome.stored;
			const {written, unstored} = await store(context, exchange, answer);
			return {outcome, answer, written, unstored};
		}

		case 'reuse-stale': {
			return {outcome, answer: outcome.stored};
		}

		case 'refetch': {
			if (exchange.decision.kind !== 'fetch' && !exchange.settings.http.isReadOnly) {
				// What the origin did not mean is of no use to the next request either.
				await remove(stepwise(context, exchange), exchange.key);
			}

			return {outcome};
		}

		case 'pass': {
			if (outcome.update) {
				await store(context, exchange, outcome.update);
			}

			return {outcome};
		}
	}
};

const isFilteredOut = ({settings}: ExchangeContext, {request}: Exchange, {statusCode, rawHeaders}: ResponseHead) => settings.filter?.(request, {statusCode, headers: headersOf(rawHeaders)}) === false;

/** What a response leads to; its body may still be on its way. */
export const outcomeOf = (context: ExchangeContext, exchange: Exchange, response: ResponseHead): Outcome => {
	const outcome = settle({
		request: exchange.request,
		decision: exchange.decision,
		response,
		requestTimeMs: exchange.requestTimeMs,
		responseTimeMs: context.now(),
		settings: exchange.settings.http,
	});

	return outcome.kind === 'store' && isFilteredOut(context, exchange, response) ? {kind: 'pass', reason: 'filtered', invalidation: outcome.invalidation} : outcome;
};

/** The exchange with the variant that a 304 names, where all were asked about: RFC 9111 §4.3.4. */
const withNamedVariant = async (context: ExchangeContext, exchange: Exchange, {statusCode, rawHeaders}: ResponseHead): Promise<Exchange> => {
	const {key, index, decision} = exchange;
	const etag = rawFieldValue(rawHeaders, 'etag');
	if (statusCode !== 304 || etag === undefined || !index || decision.kind !== 'fetch' || decision.headers === undefined) {
		return exchange;
	}

	const stored = await selectByEntityTag(stepwise(context, exchange), key, index, etag);
	return stored ? {...exchange, decision: {...decision, stored}} : exchange;
};

/**
Settles an exchange with the origin's response: stores, freshens, invalidates, or falls back to what is stored.

@param body - The complete body; its bytes remain the caller's to change.
*/
export const settleResponse = async (context: ExchangeContext, asked: Exchange, response: ResponseHead, body: Uint8Array): Promise<Settlement> => {
	const exchange = await withNamedVariant(context, asked, response);
	const outcome = outcomeOf(context, exchange, response);

	if ('invalidation' in outcome && outcome.invalidation) {
		// The next request of this process must not be given what this one changed.
		await invalidate(context, exchange, outcome.invalidation);
	}

	// What is stored may be written later, and is given to those who wait for it.
	const isKept = outcome.kind === 'store' && body.byteLength <= exchange.settings.maxBodyBytes;

	return carryOut(context, exchange, outcome, isKept ? new Uint8Array(body) : body);
};

type ReuseStale = Extract<Outcome, {kind: 'reuse-stale'}>;

/** The stale response that may stand in for a failure to get any, or any that is useful, RFC 9111 §4.2.4. */
export const staleInstead = (context: ExchangeContext, {request, decision, settings}: Exchange, failure: StaleReason): ReuseStale | undefined => {
	const outcome = settleFailure({
		request,
		decision,
		failure,
		nowMs: context.now(),
		settings: settings.http,
	});

	return outcome.kind === 'reuse-stale' ? outcome : undefined;
};
