import type {Exchange} from '../../cache/exchange.ts';
import {lookUp} from '../../cache/look-up.ts';
import {staleInstead, type ExchangeResult} from '../../cache/decide-outcome.ts';
import {storedIn} from '../../http/decision.ts';
import {endGuard} from '../../resource/write-guard.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {longestWaitMs} from '../coalescing/participation.ts';
import type {GotContext} from '../state/context.ts';
import type {GotOptions} from '../state/got-options.ts';
import {startRefresh} from './refresh.ts';

/*
An origin that is slower than the user wants to wait for it, where a stale response is at hand: the origin is asked in the background, for the caller and for everybody else, and the caller waits for it no longer than that.
*/

/** The stale response that may answer in place of a slow origin. Parts and the caller's own preconditions are for the origin. */
const staleOf = ({decision}: Exchange): StoredResponse | undefined => {
	const isAsked = (decision.kind === 'validate' && decision.reason !== 'range-incomplete') || (decision.kind === 'fetch' && decision.reason === 'no-validator');

	return isAsked ? decision.stored : undefined;
};

/** The stored response as it is by now, if it is newer than it was. */
const newerThan = async (context: GotContext, {request, settings, keyInput, budget}: Exchange, {policy}: StoredResponse): Promise<StoredResponse | undefined> => {
	const {decision, guard} = await lookUp(context, {request, settings, keyInput, budget});
	// Nothing is asked for after this look-up.
	void endGuard(context.store, guard);
	const stored = storedIn(decision);

	return stored && stored.policy.responseTimeMs > policy.responseTimeMs ? stored : undefined;
};

/**
Waits for the refresh of a stale response.

@param staleAfterMs - The option `staleAfter`: no longer than that.
@returns The answer; `undefined` if the request itself is to ask the origin.
*/
export const settleAfter = async (context: GotContext, options: GotOptions, exchange: Exchange, staleAfterMs: number): Promise<ExchangeResult | undefined> => {
	const stored = staleOf(exchange);
	if (!stored || !staleInstead(context, exchange, 'timeout')) {
		return undefined;
	}

	const refreshed = startRefresh(context, options, {exchange, stored, isUnhurried: true});
	if (!refreshed) {
		return undefined;
	}

	const {promise: overdue, resolve} = Promise.withResolvers<'overdue'>();
	const timer = setTimeout(resolve, Math.min(staleAfterMs, longestWaitMs(options)), 'overdue');
	const first = await Promise.race([refreshed, overdue]);
	// Another process tells nobody when it is done.
	const result = first === 'elsewhere' ? await overdue : first;
	clearTimeout(timer);

	const answer = result === 'failed' ? undefined : await newerThan(context, exchange, stored);
	if (answer) {
		return {outcome: {kind: 'share', reason: 'collapsed', stored: answer}, answer};
	}

	const outcome = result === 'overdue' ? staleInstead(context, exchange, 'timeout') : undefined;

	return outcome && {outcome, answer: outcome.answer};
};
