import type {ResponseHead} from '../http/message.ts';
import type {Freshening, Outcome, PassReason, Refusal} from '../http/outcome.ts';
import {combine, completed, withBytes} from '../http/partial.ts';
import {selectRange} from '../http/range.ts';
import {readContent} from '../options/user-functions.ts';
import {outdateReads} from '../resource/writing.ts';
import {endGuard} from '../resource/write-guard.ts';
import {keepBody} from '../store/codec/kept-body.ts';
import {decideOutcome, withStored, type ExchangeResult} from './decide-outcome.ts';
import {drop} from './dropping.ts';
import type {Exchange, ExchangeContext} from './exchange.ts';
import {invalidate} from './invalidating.ts';
import {storeUnderRequest, store, type Storage} from './storing.ts';

/*
Applies the outcome of an exchange to the store.
*/

const noBody = new Uint8Array();

/** Reasons that concern one user's response. Such a response does not make an older one for all users outdated. */
const aboutUser: ReadonlySet<PassReason> = new Set(['private', 'authorization', 'credentials', 'set-cookie']);

/** Applies the change that a response without a body of its own makes in the store. */
const change = async (context: ExchangeContext, exchange: Exchange, wanted: Freshening | Refusal): Promise<Storage> => {
	if (wanted.kind === 'freshen') {
		return store(context, exchange, wanted.stored);
	}

	if (wanted.kind === 'drop') {
		await drop(context, await withStored(context, exchange), wanted);
		if (!aboutUser.has(wanted.reason)) {
			outdateReads(context, exchange.key, exchange.startedMonoMs);
		}
	} else if (wanted.kind === 'invalidate') {
		const {refusal, unstored} = await store(context, exchange, wanted.stored);
		const isSuperseded = refusal === 'invalidated' && unstored !== undefined;
		// A response that cannot be marked invalid must not look fresh.
		if (refusal !== undefined && !isSuperseded) {
			await drop(context, exchange, {scope: 'selected', stored: wanted.stored});
		}
	}

	return {refusal: wanted.reason};
};

type StoreOutcome = Extract<Outcome, {kind: 'store'}>;
type CombineOutcome = Extract<Outcome, {kind: 'combine'}>;

/** Reasons that are found while a response is written but depend on the response: the response that it would have replaced is outdated nevertheless. */
const lateReasons: ReadonlySet<PassReason> = new Set(['too-large', 'past-time-to-live']);

/** Settles an exchange whose response turned out not to be storable. */
export const giveUp = async (context: ExchangeContext, exchange: Exchange, {otherwise, invalidation}: StoreOutcome, reason: PassReason): Promise<ExchangeResult> => {
	const left: Refusal = {kind: 'leave', reason};
	const refusal: Refusal = lateReasons.has(reason) ? {...otherwise, reason} : left;
	await change(context, exchange, refusal);
	void endGuard(context.store, exchange.guard);

	return {outcome: {kind: 'pass', reason, change: refusal, invalidation}};
};

const storeNew = async (context: ExchangeContext, exchange: Exchange, outcome: StoreOutcome, body: Uint8Array): Promise<ExchangeResult> => {
	const {change: {head, as}, invalidation} = outcome;
	const complete = completed(exchange.request, head, body);
	if (!complete) {
		return giveUp(context, exchange, outcome, 'incomplete');
	}

	const storing = as ? await storeUnderRequest(context, exchange, as, invalidation?.groups ?? []) : exchange;
	const {written, refusal, unstored} = await store(context, storing, complete);
	if (refusal === undefined) {
		return {outcome, written};
	}

	const settlement = await giveUp(context, exchange, outcome, refusal);

	// Requests that wait for this one cannot use a response stored under another request.
	return as ? settlement : {...settlement, unstored};
};

/** Combines a stored response with a part. There is no answer if the combined bytes are not those that the request asks for. */
export const completedBy = ({request}: Pick<Exchange, 'request'>, {answer: stored, range}: CombineOutcome, part: Uint8Array) => {
	const combined = combine(stored, range, part);
	const answer = combined && withBytes(stored, combined);
	const isAnswer = answer !== undefined && selectRange(request, answer).kind !== 'not-stored';

	return {combined, answer: isAnswer ? answer : undefined};
};

const storeCombined = async (context: ExchangeContext, exchange: Exchange, outcome: CombineOutcome, body: Uint8Array): Promise<ExchangeResult> => {
	const {combined, answer} = completedBy(exchange, outcome, body);
	if (!answer && outcome.otherwise) {
		return applyOutcome(context, exchange, outcome.otherwise, body);
	}

	if (!combined) {
		return {outcome: {kind: 'pass', reason: 'partial', change: {kind: 'leave', reason: 'partial'}}};
	}

	const {change: wanted} = outcome;
	const changed = await change(context, exchange, wanted.kind === 'freshen' ? {...wanted, stored: withBytes(wanted.stored, combined)} : wanted);

	return {...changed, outcome, answer};
};

const applyOutcome = async (context: ExchangeContext, exchange: Exchange, outcome: Outcome, body: Uint8Array): Promise<ExchangeResult> => {
	switch (outcome.kind) {
		case 'store': {
			return storeNew(context, exchange, outcome, body);
		}

		case 'combine': {
			return storeCombined(context, exchange, outcome, body);
		}

		case 'reuse-stale': {
			return {outcome, answer: outcome.answer};
		}

		case 'freshen': {
			return {...await change(context, exchange, outcome.change), outcome, answer: outcome.answer};
		}

		case 'refetch':
		case 'pass': {
			await change(context, exchange, outcome.change);
			return {outcome};
		}
	}
};

/**
Applies an outcome, except for its invalidation.

@param body - The complete body of the response.
*/
export const applyOutcomeOf = async (context: ExchangeContext, exchange: Exchange, outcome: Outcome, body: Uint8Array): Promise<ExchangeResult> => {
	const settlement = await applyOutcome(context, exchange, outcome, body);
	if (!settlement.written) {
		void endGuard(context.store, exchange.guard);
	}

	return settlement;
};

type ReceivedBody = {
	/** The complete body; the caller may change its bytes afterwards. `'too-large'`: the body was complete but not kept. `'incomplete'`: the body broke off. */
	readonly body: Uint8Array | 'too-large' | 'incomplete';

	/** Whether what the response invalidates has been purged already. */
	readonly isInvalidated?: boolean;
};

/**
Settles an exchange with the origin's response: stores, freshens, invalidates, or falls back to a stored response.
*/
export const settleResponse = async (
	context: ExchangeContext,
	exchange: Exchange,
	response: ResponseHead,
	{body, isInvalidated = false}: ReceivedBody,
): Promise<ExchangeResult> => {
	const outcome = decideOutcome(context, exchange, typeof body === 'string' ? response : {...response, content: readContent(body)});

	if (!isInvalidated && 'invalidation' in outcome && outcome.invalidation) {
		// The next request of this process must not get a response that this request has changed.
		await invalidate(context, exchange, outcome.invalidation);
	}

	if (body === 'incomplete' && outcome.kind === 'pass') {
		return {outcome};
	}

	if (typeof body === 'string') {
		return outcome.kind === 'store' ? giveUp(context, exchange, outcome, body) : applyOutcomeOf(context, exchange, outcome, noBody);
	}

	// The store may write the bytes later, and waiting requests use them.
	const isKept = outcome.kind === 'store' && body.byteLength <= exchange.settings.maxBodyBytes;

	return applyOutcomeOf(context, exchange, outcome, isKept ? keepBody(body) : body);
};
