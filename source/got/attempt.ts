import type {BeforeRequestHook} from 'got';
import type {Exchange} from '../cache/exchange.ts';
import type {LookedUp} from './look-up-for-request.ts';
import type {Recovered} from './recover.ts';
import type {GotContext} from './state/context.ts';
import type {GotOptions} from './state/got-options.ts';
import {reportAbort, reportGivenUp, traceOf} from './state/report.ts';
import {exchangeOf, stateOf, type GotExchange} from './state/request-state.ts';

/** RFC 9111 §3.4: a stream has its response when it arrives, too early for parts to be put together. */
const inOnePiece = ({isStream}: Pick<GotOptions, 'isStream'>, exchange: Exchange): Exchange => {
	const {decision} = exchange;
	const isPart = decision.kind === 'validate' && decision.reason === 'range-incomplete';

	return isPart && isStream ? {...exchange, decision: {kind: 'fetch', reason: 'range-not-stored', stored: decision.stored}} : exchange;
};

type Beginning = LookedUp & {
	/** The `beforeRequest` hook of the cache that takes part. */
	readonly owner: BeforeRequestHook;
	readonly retryCount: number;
	readonly recovered: Recovered | undefined;
};

/** Begins the state of an attempt that has been looked up. */
export const beginAttempt = (context: GotContext, options: GotOptions, {owner, retryCount, recovered, exchange, request: lookedUp}: Beginning): GotExchange => {
	const request = stateOf(options);
	const state: GotExchange = {
		owner,
		retryCount,
		startedMonoMs: exchange.startedMonoMs,
		answeredMonoMs: undefined,
		isReported: false,
		trace: traceOf(options),
		settlement: undefined,
		forwardStatus: undefined,
		hiddenCookies: undefined,
		isMemoryOnly: context.store.isAlone,
		previous: request.previous,
		...recovered,
		lookedUp,
		exchange: inOnePiece(options, exchange),
	};
	request.exchange = state;
	reportAbort(context, options, state);
	if (options.isStream && request.watcher?.isGivenUp()) {
		reportGivenUp(context, options, state, request.watcher.failure());
	}

	return state;
};

/** The state of an attempt that a cache has begun itself: only that is its own to end. */
export const ownAttempt = (options: GotOptions, owner: BeforeRequestHook): GotExchange | undefined => {
	const state = exchangeOf(options);
	return state?.owner === owner ? state : undefined;
};
