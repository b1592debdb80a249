/* eslint-disable @stylistic/max-len -- A row of a table is a line. */
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import process from 'node:process';
import type {Got, Hooks, OptionsInit, RequestError, RequestPromise, Response} from 'got';
import type {RedisCache} from '../../source/index.ts';

/** How a caller asks, and how he wants the answer. */
export type Scenario = {
	readonly name: string;
	readonly url: string;
	/** Made anew for each call: a body may be one that can be read only once. */
	readonly options?: (observation: Observation) => OptionsInit;
	/** Default: `'response'`. */
	readonly shortcut?: 'response' | 'json' | 'text' | 'buffer';
	/** Nobody watches the call but him who waits for its result. */
	readonly isQuiet?: boolean;
};

/** All that a caller can see of a call; what is called differently each time (ports, times) is named. */
export type Observation = {
	result: unknown;
	error: unknown;
	/** The response that came out, by promise or by error. */
	response: Response | undefined;
	readonly events: Array<[name: string, detail: unknown]>;
	/** What hooks and functions of the user's were called with, in order. */
	readonly calls: unknown[];
	readonly diagnostics: string[];
};

const channels = ['request:create', 'request:start', 'response:start', 'response:end', 'request:retry', 'request:error', 'response:redirect'];

// What the cache documents that it adds.
const ownFields: readonly string[] = ['age', 'cache-status'];

// RFC 9111 §3.1: they are not stored.
const perConnectionFields: readonly string[] = ['connection', 'keep-alive', 'transfer-encoding'];

const prototypesOf = (value: unknown): string[] => {
	const names: string[] = [];
	for (let prototype: unknown = Object.getPrototypeOf(value); prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
		names.push((prototype as {constructor: {name: string}}).constructor.name);
	}

	return names;
};

const isReadOnce = (value: object): boolean => Reflect.has(value, Symbol.asyncIterator) || Reflect.has(value, 'getReader'); // eslint-disable-line @typescript-eslint/no-restricted-types

/** A value with its type, such as `deepStrictEqual` compares it. */
const typed = (value: unknown): unknown => {
	if (typeof value !== 'object' || value === null) {
		return value;
	}

	return isReadOnce(value) ? prototypesOf(value) : [prototypesOf(value)[0], value];
};

// Got takes the fields away that do not describe the body once it is decoded, but from `headers` alone.
const fieldsOf = ({headers, rawHeaders}: Response, ignored: readonly string[]): string[] => rawHeaders.filter((_, position) => {
	const name = String(rawHeaders[position - (position % 2)]).toLowerCase();
	return !ignored.includes(name) && Object.hasOwn(headers, name);
});

const headersOf = (headers: Readonly<Record<string, unknown>>, ignored: readonly string[]): Record<string, unknown> => Object.fromEntries(Object.entries(headers).filter(([name]) => !ignored.includes(name)));

const describeFunction = (value: unknown): unknown => typeof value === 'function' ? `function ${value.name}` : value;

/** The options of the request as they are after it, without what belongs to the cache by right: its hooks. */
export const describeOptions = ({options}: Response['request'], cache: RedisCache | undefined) => {
	const ours = new Set<unknown>(Object.values(cache?.hooks ?? {}).flat());
	const hooks: Record<string, unknown> = {};
	// The cache marks instances by a hook of that event.
	for (const [event, listeners] of Object.entries({...options.hooks, init: []})) {
		hooks[event] = (listeners as unknown[]).filter(listener => !ours.has(listener)).map(listener => describeFunction(listener));
	}

	return {
		method: options.method,
		url: String(options.url),
		prefixUrl: String(options.prefixUrl),
		headers: Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name, name === 'content-type' ? String(value).replace(/boundary=.*/v, 'boundary=') : value])),
		body: typed(options.body),
		retry: Object.fromEntries(Object.entries(options.retry).map(([name, value]) => [name, describeFunction(value)])),
		timeout: {...options.timeout},
		context: {...options.context},
		followRedirect: describeFunction(options.followRedirect),
		request: describeFunction(options.request),
		responseType: options.responseType,
		resolveBodyOnly: options.resolveBodyOnly,
		throwHttpErrors: options.throwHttpErrors,
		decompress: options.decompress,
		encoding: options.encoding,
		isStream: options.isStream,
		hasCookieJar: options.cookieJar !== undefined,
		hooks,
	};
};

/**
How two calls may differ by nature.

- `'none'`: the origin answers both.
- `'stored'`: a stored response answers one of them. Nothing is sent, so nothing tells of sending.
- `'validated'`: the same, after a 304 came over the network.
*/
export type Difference = 'none' | 'stored' | 'validated';

export const describeResponse = (response: Response, difference: Difference, cache?: RedisCache) => {
	const ignored = difference === 'none' ? ownFields : [...ownFields, ...perConnectionFields];
	const headers = headersOf(response.headers, ignored);

	return {
		statusCode: response.statusCode,
		statusMessage: response.statusMessage,
		httpVersion: response.httpVersion,
		httpVersionMajor: response.httpVersionMajor,
		httpVersionMinor: response.httpVersionMinor,
		headers,
		rawHeaders: difference === 'validated' ? fieldsOf(response, ignored).toSorted() : fieldsOf(response, ignored),
		body: typed(response.body),
		rawBody: typed(response.rawBody),
		ok: response.ok,
		url: response.url,
		requestUrl: response.requestUrl.href,
		redirectUrls: response.redirectUrls.map(url => url.href),
		retryCount: response.retryCount,
		complete: response.complete,
		isEnded: difference === 'none' ? response.readableEnded : undefined,
		isMessage: 'statusCode' in response && typeof response.pipe === 'function',
		requestDestroyed: difference === 'none' ? response.request.destroyed : undefined,
		requestAborted: response.request.isAborted,
		downloaded: difference === 'none' ? response.request.downloadProgress : undefined,
		options: describeOptions(response.request, cache),
	};
};

export const describeError = (thrown: unknown, difference: Difference, cache?: RedisCache) => {
	const error = thrown as RequestError;
	return {
		name: error.name,
		prototypes: prototypesOf(error),
		code: error.code,
		message: error.message,
		own: Object.getOwnPropertyNames(error).filter(name => name !== 'stack').toSorted(),
		cause: error.cause === undefined ? undefined : prototypesOf(error.cause)[0],
		options: error.options ? describeOptions({options: error.options} as Response['request'], cache) : undefined,
		hasRequest: error.request !== undefined,
		hasTimings: difference !== 'none' || error.timings !== undefined,
		response: error.response && describeResponse(error.response, difference, cache),
	};
};

const eventDetail = (name: string, detail: unknown): unknown => {
	if (name === 'request') {
		return undefined;
	}

	if (name === 'response') {
		const {statusCode, body, url} = detail as Response;
		return {statusCode, body, url};
	}

	if (name === 'redirect') {
		return {url: String((detail as {url: unknown}).url)};
	}

	return detail;
};

const isResponse = (value: unknown): value is Response => typeof value === 'object' && value !== null && Object.hasOwn(value, 'requestUrl');

export const observe = async (makeClient: (observation: Observation) => Got, {url, options, shortcut = 'response', isQuiet = false}: Scenario): Promise<Observation> => {
	const observation: Observation = {
		result: undefined,
		error: undefined,
		response: undefined,
		events: [],
		calls: [],
		diagnostics: [],
	};
	const listeners = isQuiet
		? []
		: channels.map(name => {
			const listener = (message: unknown) => {
				const {statusCode} = message as {statusCode?: number};
				observation.diagnostics.push(statusCode === undefined ? name : `${name} ${statusCode}`);
			};

			subscribe(`got:${name}`, listener);
			return () => unsubscribe(`got:${name}`, listener);
		});

	try {
		const promise = makeClient(observation)(url, options?.(observation)) as unknown as RequestPromise<Response>;
		if (!isQuiet) {
			for (const event of ['request', 'response', 'redirect', 'uploadProgress', 'downloadProgress']) {
				promise.on(event as 'response', (...details: unknown[]) => {
					observation.events.push([event, eventDetail(event, details[0])]);
				});
			}

			promise.on('response', (response: Response) => {
				observation.response = response;
			});
		}

		observation.result = await (shortcut === 'response' ? promise : promise[shortcut]());
		if (isResponse(observation.result)) {
			observation.response ??= observation.result;
		}
	} catch (error) {
		observation.error = error;
		observation.response = (error as RequestError).response;
	} finally {
		for (const stop of listeners) {
			stop();
		}
	}

	return observation;
};

const isProgress = (name: string) => name === 'downloadProgress' || name === 'uploadProgress';

// How a body is cut into chunks is the network's doing: of progress, the beginning and the end are compared.
const withoutMiddle = (events: Observation['events']): Observation['events'] => events.filter(([name], index) => !isProgress(name) || events[index - 1]?.[0] !== name || events[index + 1]?.[0] !== name);

const sendingEvents = new Set(['request', 'uploadProgress']);

const isComparable = (name: string, difference: Difference): boolean => {
	if (difference === 'none') {
		return true;
	}

	return !sendingEvents.has(name) && !(difference === 'validated' && name === 'downloadProgress');
};

/** What is to be equal between two calls, as plain data. */
export const outline = ({result, error, response, events, calls, diagnostics}: Observation, difference: Difference, cache?: RedisCache) => ({
	result: result === response ? 'the response' : typed(result),
	response: response && describeResponse(response, difference, cache),
	error: error === undefined ? undefined : describeError(error, difference, cache),
	events: withoutMiddle(events.filter(([name]) => isComparable(name, difference))),
	calls,
	diagnostics: difference === 'validated' ? undefined : diagnostics.filter(name => difference === 'none' || name !== 'request:start'),
});

/** What is left in a process by calls that are done. */
export const openHandles = (): string[] => process.getActiveResourcesInfo().filter(name => name !== 'TTYWrap' && name !== 'PipeWrap').toSorted();

export const isFromCache = ({response}: Observation): boolean => response?.isFromCache === true;

const headersIn = ({headers}: {headers: Record<string, unknown>}) => ({...headers});

/** Hooks that write down what they are given. */
export const recordingHooks = (label: string, {calls}: Pick<Observation, 'calls'>): Partial<Hooks> => ({
	beforeRequest: [
		(options, {retryCount}) => {
			calls.push([label, 'beforeRequest', options.method, String(options.url), headersIn(options), retryCount]);
		},
	],
	beforeRedirect: [
		(options, response) => {
			calls.push([label, 'beforeRedirect', options.method, String(options.url), headersIn(options), response.statusCode, headersIn(response)['set-cookie']]);
		},
	],
	beforeRetry: [
		({code, options, response}, retryCount) => {
			calls.push([label, 'beforeRetry', code, headersIn(options), response?.statusCode, retryCount]);
		},
	],
	beforeError: [
		error => {
			const {code, options, response} = error;
			calls.push([label, 'beforeError', code, headersIn(options), response?.statusCode, response?.body]);
			return error;
		},
	],
	afterResponse: [
		response => {
			const {statusCode, ok, body, url, retryCount, request} = response;
			calls.push([label, 'afterResponse', statusCode, ok, body, url, retryCount, headersIn(request.options), response.headers['set-cookie']]);
			return response;
		},
	],
});
