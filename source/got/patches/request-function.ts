import type {ClientRequest, IncomingMessage} from 'node:http';
import {markRequestFailure} from '../state/failure.ts';
import type {GotOptions} from '../state/got-options.ts';
import {isGot14} from '../state/got-version.ts';
import {runInTrace} from '../state/report.ts';

type RequestFunction = NonNullable<GotOptions['request']>;

/** The part of the native request options that the cache may change. */
export type NativeOptions = {
	headers: Record<string, string | readonly string[] | undefined>;
};

/** The result of a request function: a native request, or a response in its place. */
export type RequestResult = ReturnType<RequestFunction>;

type EndCallback = (error?: Error) => void;

/** Wraps the callbacks that are called when a request has been sent. */
export const wrapEndCallbacks = (request: ClientRequest, wrap: (callback: EndCallback) => EndCallback): void => {
	const end = request.end.bind(request) as (...arguments_: unknown[]) => ClientRequest;
	Object.assign(request, {
		end: (...arguments_: unknown[]) => end(...arguments_.map(argument => typeof argument === 'function' ? wrap(argument as EndCallback) : argument)),
	});
};

/** Has a request report its failure by its `'error'` event alone. Got 15 rejects a promise with the error that the end callback is given, without asking its hooks. */
export const leaveErrorsToEvents = (request: ClientRequest, options: GotOptions): void => {
	wrapEndCallbacks(request, callback => error => {
		if (error) {
			markRequestFailure(error, options);
		} else {
			callback();
		}
	});
};

export const isClientRequest = (value: unknown): value is ClientRequest => typeof value === 'object' && value !== null && 'emit' in value && 'end' in value;

/** A response that a user's request function has returned in place of a request. */
export const isResponse = (value: unknown): value is IncomingMessage => typeof value === 'object' && value !== null && 'statusCode' in value && 'headers' in value;

type Fallback = {
	/** Got 14 alone calls it where a user's request function returns nothing. */
	getFallbackRequestFunction?(): RequestFunction | undefined;
};

const orFallback = (options: GotOptions, made: RequestResult, fallback: () => RequestResult): RequestResult => {
	if (!isGot14(options)) {
		return made;
	}

	return made instanceof Promise ? made.then(result => result ?? fallback()) : made ?? fallback();
};

/** Has got make its next request itself, as it would without the cache. The property stays: V8 makes a dictionary of an object that one is taken from, which slows all that got does with its options. */
export const restoreRequestFunction = (options: Pick<GotOptions, 'getRequestFunction'>): void => {
	if (!Object.hasOwn(options, 'getRequestFunction')) {
		return;
	}

	const {getRequestFunction} = Object.getPrototypeOf(options) as GotOptions;
	options.getRequestFunction = getRequestFunction;
};

/**
Has `ask` called where got makes its next request: after all hooks, when cookies, credentials and framing fields are set.

An own property of the options, which no copy of them has: the user's request function stays as it is, and got's own is called as got calls it, also for HTTP/2.

@param ask - Is given what got would call the request function with, and what calls that function with it.
@param isChanging - Whether `ask` may wait, or change the native options: it is given copies then, which take longer than all else here.
*/
export const replaceRequestFunction = (options: GotOptions, ask: (native: NativeOptions, make: () => RequestResult) => RequestResult, isChanging: () => boolean): void => {
	const getRequestFunction: GotOptions['getRequestFunction'] = () => {
		restoreRequestFunction(options);
		const make = options.getRequestFunction();

		return make && ((url: URL, native: Parameters<RequestFunction>[1], callback: Parameters<RequestFunction>[2]) => {
			if (!isGot14(options) && !isChanging()) {
				return ask(native as NativeOptions, () => runInTrace(options, () => make(url, native, callback)));
			}

			// A request that waits for another one is sent as it is now. Got 15 passes the header fields of the options themselves.
			const sent = {...native, headers: {...native.headers}};
			const copiedUrl = new URL(url);

			const fallback = () => (options as Fallback).getFallbackRequestFunction?.()?.(copiedUrl, sent, callback);

			return ask(sent, () => runInTrace(options, () => orFallback(options, make(copiedUrl, sent, callback), fallback)));
		});
	};

	Object.defineProperty(options, 'getRequestFunction', {value: getRequestFunction, configurable: true, writable: true});
};
