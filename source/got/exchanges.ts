import type {BeforeRequestHook} from 'got';
import type {Exchange, Settlement} from '../exchange.ts';
import type {GotOptions} from './context.ts';

/** What got's hooks have to remember of an exchange between one another. */
export type GotExchange = {
	exchange: Exchange;
	/** What the exchange came to; `undefined` while the origin is asked. */
	settlement: Settlement | undefined;
	/** Header fields that the cache added, with what stood there before. */
	readonly replacedHeaders: Map<string, string | string[] | undefined>;
	readonly retryCount: number;
	/** The status code of the origin's response. */
	forwardStatus: number | undefined;
};

// Got makes a new `Options` for each hop and attempt, and every hook, response and error leads to it.
const exchanges = new WeakMap<GotOptions, GotExchange>();

// A cache is known by its `beforeRequest` hook.
const cacheHooks = new WeakSet<BeforeRequestHook>();

export const registerHook = (hook: BeforeRequestHook): void => {
	cacheHooks.add(hook);
};

/** Of several caches in one chain of `extend`, the last takes part. */
export const isOwner = (options: GotOptions, hook: BeforeRequestHook): boolean => options.hooks.beforeRequest.findLast(candidate => cacheHooks.has(candidate)) === hook;

export const setExchange = (options: GotOptions, exchange: GotExchange): void => {
	exchanges.set(options, exchange);
};

export const exchangeOf = (options: GotOptions): GotExchange | undefined => exchanges.get(options);

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
