import {endGuard, noGuard} from '../../resource/write-guard.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/request-state.ts';
import type {GotOptions} from '../state/got-options.ts';
import {isSentAsLookedUp, requestHead} from '../state/request.ts';
import {closeParticipation} from './participation.ts';

/*
Other code may change the options of a request after its look-up. Nothing that is stored for the request as it was is used then, and nothing is stored.
*/

/** Has the cache take no part in a request that was changed after its look-up. */
export const withdraw = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	void endGuard(context.store, state.exchange.guard);
	state.settlement = undefined;
	state.exchange = {...state.exchange, request: requestHead(options), key: '', guard: noGuard, decision: {kind: 'bypass', reason: 'changing-request'}};
};

type Sending = {
	readonly context: GotContext;
	readonly options: GotOptions;
	readonly state: GotExchange;
};

/**
To be called when nothing can change the request any more.

@param headers - The header fields that are about to be sent, without validators.
@returns Whether the request was changed, so that the cache takes no part in it.
*/
export const withdrawIfChanged = ({context, options, state}: Sending, headers: Readonly<Record<string, string | readonly string[] | undefined>>): boolean => {
	const {lookedUp} = state;
	if (!lookedUp || isSentAsLookedUp(lookedUp, options, headers)) {
		return false;
	}

	withdraw(context, options, state);
	closeParticipation(options)?.promoteNext();

	return true;
};
