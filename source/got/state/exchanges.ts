import type {BeforeRequestHook} from 'got';
import type {Exchange, ExchangeContext} from '../../cache/exchange.ts';
import type {ExchangeResult} from '../../cache/settlement.ts';
import type {ObservedExchange} from '../../observe/observed-exchange.ts';
import type {Trace} from '../../observe/tracing.ts';
import {endGuard} from '../../resource/write-guard.ts';
import {copyOfBudget, type RequestBudget} from '../../store/guard/budget.ts';
import type {GotOptions} from './got-options.ts';
import type {LookedUpRequest} from './request.ts';

/** State of one attempt: got's hooks hand it on to one another. */
export type GotExchange = {
	/** The `beforeRequest` hook of the cache that takes part. */
	readonly owner: BeforeRequestHook;
	exchange: Exchange;
	/** The request as it was looked up; `undefined` if it is not to be sent. */
	readonly lookedUp?: LookedUpRequest | undefined;
	readonly isMemoryOnly: boolean;
	settlement: ExchangeResult | undefined;
	/** Header fields that the cache added, with what stood there before. */
	readonly replacedHeaders: Map<string, string | string[] | undefined>;
	readonly retryCount: number;
	forwardStatus: number | undefined;
	isCollapsed?: boolean;
	isFromFleet?: boolean;
	askedMonoMs?: number;
	answeredMonoMs?: number;
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
	/** The stored `Set-Cookie` fields that the cookie jar is not to see once more. */
	hiddenCookies: string[] | undefined;
	readonly previous?: GotExchange | undefined;
} & ObservedExchange;

// Got makes a new `Options` for each hop and attempt, and every hook, response and error leads to it.
const exchanges = new WeakMap<GotOptions, GotExchange>();

// A cache is known by its `beforeRequest` hook, also to another version of this package in the same process: both would want the last word.
const mark = Symbol.for('got-redis-cache');

export const registerHook = (hook: BeforeRequestHook): void => {
	Object.defineProperty(hook, mark, {value: true});
};

/** Of several caches in one chain of `extend`, the last takes part. */
export const isOwner = (options: GotOptions, hook: BeforeRequestHook): boolean => options.hooks.beforeRequest.findLast(candidate => Object.hasOwn(candidate, mark)) === hook;

export const setExchange = (options: GotOptions, exchange: GotExchange): void => {
	exchanges.set(options, exchange);
};

export const exchangeOf = (options: GotOptions): GotExchange | undefined => exchanges.get(options);

/** What is left for the next hop: however many there are, the store delays them once. */
const patiences = new WeakMap<GotOptions, RequestBudget>();

const previousHops = new WeakMap<GotOptions, GotExchange>();

/** To be called when a redirect is followed. */
export const linkHop = (nextOptions: GotOptions, state: GotExchange): void => {
	// A redirect is settled while it is followed, and nobody waits for that.
	patiences.set(nextOptions, copyOfBudget(state.exchange.budget));
	previousHops.set(nextOptions, state);
};

export const previousHop = (options: GotOptions): GotExchange | undefined => previousHops.get(options);

export const patienceFor = (options: GotOptions): RequestBudget | undefined => patiences.get(options);

/** To be called when an attempt is over: an exchange that has written nothing leaves no guard for long. */
export const endExchange = ({store}: Pick<ExchangeContext, 'store'>, {exchange, settlement}: GotExchange): void => {
	if (!settlement?.written) {
		void endGuard(store, exchange.guard);
	}
};

// The options of requests of streams that the cache sees the responses of.
const watched = new WeakMap<GotOptions, () => void>();

/**
@param onSending - Called when a request is about to be sent.
*/
export const markWatched = (options: GotOptions, onSending: () => void): void => {
	watched.set(options, onSending);
};

export const isWatched = (options: GotOptions): boolean => watched.has(options);

/** To be called when a request is about to be sent. */
export const announceSending = (options: GotOptions): void => {
	watched.get(options)?.();
};

/** Whether what the origin sends a stream can be replaced before the stream has it: not if a function of the user's may have got hold of it first. */
export const isReplaceable = (options: GotOptions): boolean => isWatched(options) && options.request === undefined;

export const addHeaders = (options: GotOptions, {replacedHeaders}: GotExchange, headers: Readonly<Record<string, string | readonly string[] | undefined>>): void => {
	for (const [name, value] of Object.entries(headers)) {
		replacedHeaders.set(name, options.headers[name]);
		options.headers[name] = typeof value === 'object' ? [...value] : value;
	}
};

/**
Takes back what `addHeaders()` did, so that neither the caller nor a retry, a redirect or a next page sees it.

@param options - The options that the headers were added to, or a copy of them.
*/
export const restoreHeaders = (options: GotOptions, {replacedHeaders}: GotExchange): void => {
	for (const [name, value] of replacedHeaders) {
		if (value === undefined) {
			delete options.headers[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
		} else {
			options.headers[name] = value;
		}
	}
};
