import type {BeforeRequestHook, Options, Response} from 'got';
import {requestInBackground} from '../got/refresh/background-request.ts';
import {isCacheHook} from '../got/state/cache-hook.ts';
import {gotModule} from '../got/state/got-module.ts';
import type {Hit} from '../got/state/hits.ts';
import {responseHead} from '../got/state/response-head.ts';
import {preconditionFields} from '../http/conditional.ts';
import {headersOf} from '../http/header-fields.ts';
import type {AuditedResponse} from './compare.ts';

/** The limit for one request of an audit, whatever its caller's own are. */
const timeoutMs = 30_000;

/** The fields that ask for less than a whole response, or are for caches on the way. */
const callersOwn = [...preconditionFields, 'if-range', 'range', 'cache-control', 'pragma'];

/** The changes that one request of an audit makes to the caller's. */
export type Change = {
	/** Header fields by lower-case name; `undefined` leaves the field out. */
	readonly headers?: Readonly<Record<string, string | undefined>>;
	readonly url?: string;
};

/** Makes a request of the caller's once more, with a change. */
export type Ask = (change?: Change) => Promise<AuditedResponse>;

/** The caller's request once more, with his credentials and without any cache: nothing is stored, no cookie is kept, no redirect is followed, and nothing leads back to the caller. */
const auditOptions = ({options, exchange}: Hit, signal: AbortSignal): Options => {
	const copy = new gotModule.Options(undefined, undefined, options as Options);
	const {lookup, connect, secureConnect} = copy.timeout;
	Object.assign(copy, {
		signal,
		isStream: false,
		responseType: 'buffer',
		resolveBodyOnly: false,
		throwHttpErrors: false,
		followRedirect: false,
		cookieJar: undefined,
		cache: undefined,
		timeout: {lookup, connect, secureConnect, request: timeoutMs},
		// The option `user` takes credentials out of the request that is looked up; got adds a few fields to it.
		headers: {...options.headers, ...exchange.request.headers},
	});
	Object.assign(copy.retry, {limit: 0, enforceRetryRules: true});
	// Hooks that run before a request may sign it. The other ones are for the caller's.
	const beforeRequest = options.hooks.beforeRequest.filter(hook => !isCacheHook(hook));
	Object.assign(copy.hooks, {init: [], beforeRequest, beforeRedirect: [], beforeRetry: [], beforeError: [], afterResponse: [], beforeCache: []});
	for (const name of callersOwn) {
		delete copy.headers[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
	}

	return copy;
};

/** Runs last, so that no hook brings back what is to be left out. */
const changeHeaders = (headers: Change['headers'] = {}): BeforeRequestHook => options => {
	for (const [name, value] of Object.entries(headers)) {
		if (value === undefined) {
			delete options.headers[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
		} else {
			options.headers[name] = value;
		}
	}
};

/** Makes a request whose body has no more bytes than may be stored: an origin may send without an end. */
const requestBounded = async (options: Options, mostBytes: number, signal: AbortSignal): Promise<Response> => {
	const controller = new AbortController();
	const abort = () => {
		controller.abort();
	};

	signal.addEventListener('abort', abort);
	options.signal = signal.aborted ? signal : controller.signal;
	let isTooLarge = false;
	try {
		return await requestInBackground(options, bytes => {
			isTooLarge ||= bytes > mostBytes;
			if (isTooLarge) {
				abort();
			}
		});
	} catch (error) {
		throw isTooLarge ? new Error(`the body has more than ${mostBytes} bytes`, {cause: error}) : error;
	} finally {
		signal.removeEventListener('abort', abort);
	}
};

/**
Prepares to make the request of a hit again. The caller may change its options afterwards.

A body that is larger than a stored one may be is not read to its end, and rejects.

@param signal - Ends all of these requests.
*/
export const askAgain = (hit: Hit, signal: AbortSignal): Ask => {
	const prepared = auditOptions(hit, signal);
	const {maxBodyBytes} = hit.exchange.settings;

	return async ({headers, url} = {}) => {
		const options = new gotModule.Options(undefined, undefined, prepared);
		options.hooks.beforeRequest.push(changeHeaders(headers));
		if (url !== undefined) {
			options.url = url;
		}

		const response = await requestBounded(options, maxBodyBytes, signal);
		const {statusCode, rawHeaders} = responseHead(response);

		return {statusCode, headers: headersOf(rawHeaders), body: response.rawBody};
	};
};
