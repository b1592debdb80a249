import type {BeforeRequestHook, PlainResponse, RequestError} from 'got';
import type {Exchange, ExchangeContext} from '../exchange.ts';
import type {Settlement} from '../settlement.ts';
import {copyOf, type Patience} from '../store/patience.ts';
import type {StoredResponse} from '../stored.ts';
import {endGuard} from '../write-guard.ts';
import type {GotOptions} from './context.ts';
import {unmadeOf} from './unmade.ts';

/** What got's hooks have to remember of an exchange between one another. */
export type GotExchange = {
	/** The hook by which the cache is known that takes part. */
	readonly owner: BeforeRequestHook;
	exchange: Exchange;
	/** Whether memory stood in for a Redis that has not answered yet. */
	readonly isMemoryOnly: boolean;
	/** What the exchange came to; `undefined` while the origin is asked. */
	settlement: Settlement | undefined;
	/** Header fields that the cache added, with what stood there before. */
	readonly replacedHeaders: Map<string, string | string[] | undefined>;
	readonly retryCount: number;
	/** The status code of the origin's response. */
	forwardStatus: number | undefined;
	/** Whether the response to another request answered, RFC 9211 §2.6; `undefined` if none was waited for. */
	isCollapsed?: boolean;
	/** Whether the body broke off without got's noticing. */
	isCutShort?: boolean;
	/** The stored `Set-Cookie` fields that the cookie jar is not to see once more. */
	hiddenCookies: string[] | undefined;
	/** The hop whose redirect led to this one. */
	readonly previous?: GotExchange | undefined;
};

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
const patiences = new WeakMap<GotOptions, Patience>();

const previousHops = new WeakMap<GotOptions, GotExchange>();

/** To be called when a redirect is followed. */
export const linkHop = (nextOptions: GotOptions, state: GotExchange): void => {
	// A redirect is settled while it is followed, and nobody waits for that.
	patiences.set(nextOptions, copyOf(state.exchange.patience));
	previousHops.set(nextOptions, state);
};

export const previousHop = (options: GotOptions): GotExchange | undefined => previousHops.get(options);

export const patienceFor = (options: GotOptions): Patience | undefined => patiences.get(options);

/** What a response came of, whichever way it took. */
export const exchangeBehind = (response: PlainResponse): GotExchange | undefined => unmadeOf(response)?.state ?? exchanges.get(response.request.options);

/** What an error came of; `undefined` where it has no request, or one of which no cache ever heard. */
export const exchangeBehindError = (error: Error): GotExchange | undefined => {
	const {request} = error as Partial<RequestError>;

	return request?.options && exchanges.get(request.options);
};

/** Whether it is got's, with a cache or without. */
export const isResponse = (value: unknown): value is PlainResponse =>
	typeof value === 'object' && value !== null && (unmadeOf(value as PlainResponse) !== undefined || (value as Partial<PlainResponse>).request !== undefined);

/** The stored response that answers in the origin's place. */
export const storedAnswer = ({exchange, settlement}: Pick<GotExchange, 'exchange' | 'settlement'>): StoredResponse | undefined => {
	if (settlement?.answer) {
		return settlement.answer;
	}

	return exchange.decision.kind === 'reuse' ? exchange.decision.stored : undefined;
};

/** To be called when an attempt is over: an exchange that has written nothing leaves no guard for long. */
export const endExchange = ({store}: Pick<ExchangeContext, 'store'>, {exchange, settlement}: GotExchange): void => {
	if (!settlement?.written) {
		void endGuard(store, exchange.guard);
	}
};

/** Whether it is the origin that answers. */
export const isAsked = (state: GotExchange): boolean => storedAnswer(state) === undefined && state.exchange.decision.kind !== 'unavailable';

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
