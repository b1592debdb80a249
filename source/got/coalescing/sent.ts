import {endGuard, noGuard} from '../../resource/write-guard.ts';
import type {NativeOptions} from '../patches/next-request.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/exchanges.ts';
import type {GotOptions} from '../state/got-options.ts';
import {isSentAsLookedUp, requestHead} from '../state/request.ts';
import {closeParticipation} from './passage.ts';

/*
Other code may change the options of a request after its look-up. Nothing that is stored for the request as it was is used then, and nothing is stored.
*/

/** Has the cache take no part in a request that was changed after its look-up. */
export const leaveAlone = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	void endGuard(context.store, state.exchange.guard);
	state.settlement = undefined;
	state.exchange = {...state.exchange, request: requestHead(options), key: '', guard: noGuard, decision: {kind: 'bypass', reason: 'changing-request'}};
};

/**
Has what is stored be keyed by what is sent: to be called when nothing but the native options can change that any more.

@returns Whether the request is sent as it was looked up.
*/
export const checkSent = (context: GotContext, options: GotOptions, state: GotExchange, native: NativeOptions): boolean => {
	const {lookedUp, replacedHeaders} = state;
	if (!lookedUp || isSentAsLookedUp(lookedUp, options, native.headers, replacedHeaders)) {
		return true;
	}

	// The origin would validate the response to another request.
	for (const [name, value] of replacedHeaders) {
		if (value === undefined) {
			delete native.headers[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
		} else {
			native.headers[name] = value;
		}
	}

	leaveAlone(context, options, state);
	closeParticipation(options)?.promoteNext();
	return false;
};
