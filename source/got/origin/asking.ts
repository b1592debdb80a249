import {storedIn} from '../../http/decision.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange, Watcher} from '../state/request-state.ts';
import type {GotOptions} from '../state/got-options.ts';

/** One request of got's that the cache stands behind: of a promise or of a stream, per hop and attempt. */
export type Asking = Watcher & {
	readonly context: GotContext;
	readonly options: GotOptions;
	readonly state: GotExchange;
};

/**
Begins an asking.

@param watcher - The watcher of the promise or the stream.
*/
export const createAsking = (watcher: Watcher, {context, options, state}: Pick<Asking, 'context' | 'options' | 'state'>): Asking => ({
	...watcher,
	context,
	options,
	state,
	isGivenUp: () => state.isGivenUp === true || watcher.isGivenUp(),
});

/** To be called when the request goes to the origin. RFC 9111 §4.2.3: neither the look-up nor a wait before is part of the time that the origin takes. */
export const noteAsked = ({context, state}: Pick<Asking, 'context' | 'state'>): void => {
	state.exchange = {...state.exchange, requestTimeMs: context.now()};
	state.askedMonoMs = ownTimers.now();
};

/** Whether got retries a failure before a stale response takes its place. Got makes no error of a status code that the caller accepts. */
export const isRetriedFirst = ({options, state}: Asking, failure: 'status' | 'error'): boolean =>
	!options.isStream && state.exchange.settings.retriesFirst && (failure === 'error' || options.throwHttpErrors);

/** Whether something stored may take the place of what the origin says. */
export const isReplaceable = ({exchange: {decision}}: GotExchange): boolean =>
	storedIn(decision) !== undefined || (decision.kind === 'fetch' && decision.headers !== undefined);
