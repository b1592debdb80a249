import type {BeforeRequestHook} from 'got';
import type {Exchange, ExchangeContext} from '../../cache/exchange.ts';
import type {ExchangeResult} from '../../cache/decide-outcome.ts';
import type {Leader} from '../../coalescing/flights.ts';
import type {RequestHead} from '../../http/message.ts';
import type {ObservedExchange} from '../../observe/observed-exchange.ts';
import type {Trace} from '../../observe/tracing.ts';
import {endGuard} from '../../resource/write-guard.ts';
import {copyOfBudget, type RequestBudget} from '../../store/guard/budget.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotOptions} from './got-options.ts';
import type {OriginPermission} from './origin-gate.ts';
import type {LookedUpRequest} from './request.ts';

/** A request's exchange with the cache, from the look-up on: one for each hop and attempt. */
export type GotExchange = {
	/** The `beforeRequest` hook of the cache that takes part. */
	readonly owner: BeforeRequestHook;
	exchange: Exchange;
	/** The request as it was looked up; `undefined` if it is not to be sent. */
	readonly lookedUp?: LookedUpRequest | undefined;
	settlement: ExchangeResult | undefined;
	forwardStatus: number | undefined;
	isCollapsed?: boolean;
	isFromFleet?: boolean;
	askedMonoMs?: number;
	answeredMonoMs?: number | undefined;
	/** Whether the report of the attempt has been made. */
	isReported: boolean;
	/** The trace of the attempt, if somebody subscribes to the tracing channel. */
	trace?: Trace | undefined;
	/** The error that the attempt failed with. */
	failure?: Error | undefined;
	/** Resolves when the response of a stream has been settled. */
	settling?: Promise<void>;
	/** The listener for the abort of a promise. */
	abortListener?: Disposable;
	/** Whether the body broke off without got's noticing. */
	isCutShort?: boolean;
	/** Whether the head of the origin's response has been seen before got had it, and what it invalidates has been purged. */
	isReceived?: boolean;
	/** Whether got has given up the request, as far as the request itself tells. */
	isGivenUp?: boolean;
	/** The stored `Set-Cookie` fields that the cookie jar is not to see once more. */
	hiddenCookies: string[] | undefined;
	readonly previous?: GotExchange | undefined;
	/** The permission with which the origin is asked, until it has answered. */
	permission?: Extract<OriginPermission, {kind: 'ask'}> | undefined;
	/** Ends the wait for a permission. */
	endWait?: (() => void) | undefined;
	/** The staleness up to which a response answers for now, if one does because of a rate limit. */
	staleForNowMs?: number;
	waitedMs?: number;
} & ObservedExchange;

/** How a stream is told of, and ended by, what happens to its request. */
export type Watcher = {
	/** Whether got has given the request up, so that nothing may answer it any more. */
	isGivenUp(): boolean;
	/** The error that the stream was destroyed with. */
	failure(): Error | undefined;
	/** Has got fail the request. */
	fail(error: Error): void;
};

/** The part of a request in a flight, which it leads or waits for. */
export type Participation = {
	leader: Leader<StoredResponse> | undefined;
	/** Whether got has given the request up, or has its response. */
	isOver: boolean;
	/** Gives up waiting. */
	leave: (() => void) | undefined;
	/** The abort listener. */
	disposable: Disposable | undefined;
};

/** A look-up from before got made a request. */
export type EarlyLookUp = {
	readonly exchange: Exchange;
	/** The request as it was looked up, with the credentials of a user who is known by name. */
	readonly head: RequestHead;
};

/** Everything that the cache remembers of one request, hop and attempt. */
export type RequestState = {
	exchange: GotExchange | undefined;
	/** The exchange of the hop whose redirect led here. */
	previous: GotExchange | undefined;
	/** The rest of the time budget of the hop before: the store delays all hops together once. */
	budget: RequestBudget | undefined;
	earlyLookUp: EarlyLookUp | undefined;
	/** The trace of the attempt, from its look-up on. */
	trace: Trace | undefined;
	/** The stream whose request it is, if the cache has seen that: another handler may have put something around it. */
	watcher: Watcher | undefined;
	participation: Participation | undefined;
	/** Whether the request is over, maybe before it could join a flight. */
	isOver: boolean;
	/** Whether it sends a `FormData` that is small enough to be read before. */
	hasSmallForm: boolean;
	/** The errors that native requests, or the functions that make them, failed with, the latest last. */
	readonly failures: unknown[];
};

// Got makes new options for each hop and attempt, and every hook, response and error leads to them.
const states = new WeakMap<GotOptions, RequestState>();

/** The state of a request, or `undefined` if nothing is remembered of it. */
export const findState = (options: GotOptions): RequestState | undefined => states.get(options);

/** The state of a request, which begins here if nothing is remembered of it. */
export const stateOf = (options: GotOptions): RequestState => {
	const known = states.get(options);
	if (known) {
		return known;
	}

	const state: RequestState = {
		exchange: undefined,
		previous: undefined,
		budget: undefined,
		earlyLookUp: undefined,
		trace: undefined,
		watcher: undefined,
		participation: undefined,
		isOver: false,
		hasSmallForm: false,
		failures: [],
	};
	states.set(options, state);

	return state;
};

export const exchangeOf = (options: GotOptions): GotExchange | undefined => states.get(options)?.exchange;

/** To be called when a redirect is followed. */
export const linkHop = (nextOptions: GotOptions, exchange: GotExchange): void => {
	const next = stateOf(nextOptions);
	next.previous = exchange;
	// A redirect is settled while it is followed, and nobody waits for that.
	next.budget = copyOfBudget(exchange.exchange.budget);
};

/** To be called when an attempt is over: an exchange that has written nothing leaves no guard for long. */
export const endExchange = ({store}: Pick<ExchangeContext, 'store'>, {exchange, settlement, endWait}: GotExchange): void => {
	endWait?.();
	if (!settlement?.written) {
		void endGuard(store, exchange.guard);
	}
};
