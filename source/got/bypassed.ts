import {resultBeforehand} from '../cache/decide-outcome.ts';
import type {GotContext} from './state/context.ts';
import type {GotOptions} from './state/got-options.ts';
import {isBeforeGot16} from './state/got-version.ts';
import type {GotExchange} from './state/request-state.ts';

/*
The safe requests that the cache takes no part in: whatever the response is, it changes nothing in the store.
*/

/** Whether got makes the request as it would without the cache. The requests of earlier versions fail in ways that the cache has to see. */
export const isLeftToGot = (context: GotContext, options: GotOptions, state: GotExchange): boolean =>
	resultBeforehand(state.exchange) !== undefined && !options.isStream && !isBeforeGot16(options) && !context.gates.gate;

/** @returns Whether the cache takes no part in the request, so that its response is settled now. */
export const settleBypassed = (state: GotExchange, statusCode: number): boolean => {
	const result = resultBeforehand(state.exchange);
	if (!result) {
		return false;
	}

	state.forwardStatus ??= statusCode;
	state.settlement = result;

	return true;
};
