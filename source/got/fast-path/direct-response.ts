import type {Options, Request, Response} from 'got';
import {stateOf, type GotExchange} from '../state/request-state.ts';
import {gotModule} from '../state/got-module.ts';
import {keepLazy, lazyProperty, unmadeOf, type LazyResponse} from '../state/lazy-property.ts';
import {bareMessage, type Message} from '../state/incoming-message.ts';

type RequestClass = new (url: undefined, options: undefined, defaults: Options) => Request;

// Short ones cost less than to be made later.
const eagerBytes = 16 * 1024;

// Got does not export the class of its requests; the first ordinary response shows it.
const requestClasses = new WeakMap<WeakKey, RequestClass>();

export const learnRequestClass = ({request}: Response): void => {
	const optionsClass = request.options.constructor;
	if (requestClasses.has(optionsClass)) {
		return;
	}

	// Got's requests have a field of the name `constructor`.
	const {constructor} = Object.getPrototypeOf(request) as {constructor: RequestClass};
	requestClasses.set(optionsClass, constructor);
};

export const isRequestClassKnown = (options: Options): boolean => requestClasses.has(options.constructor);

// The header fields come from a message of their own: `rawHeaders` is the caller's to change.
const headers = lazyProperty('headers', (_, {message}) => bareMessage(message).headers);

const requestUrl = lazyProperty('requestUrl', (_, unmade) => new URL(unmade.requestUrl));

/** The request that was never made, for those who look at its options. */
const request = lazyProperty('request', (response, {options, state}) => {
	const requestClass = requestClasses.get(options.constructor);
	if (!requestClass) {
		throw new TypeError('Expected the class of the request to be known');
	}

	const made = new requestClass(undefined, undefined, options); // eslint-disable-line new-cap
	Object.assign(made.options.headers, state.exchange.request.headers);
	made.response = response;
	stateOf(made.options).exchange = state;

	return made;
});

const parts = {headers, requestUrl, request};

/** The caller's own; not a `Buffer`, as got has none. */
const bytesOf = ({message: {body}, store}: LazyResponse): Uint8Array<ArrayBuffer> => store.takeBody(body) ?? new Uint8Array(body);

const rawBody = lazyProperty('rawBody', (_, unmade) => bytesOf(unmade));

// The bytes are copied, so that the text does not change with what the caller does to them.
const copiedRawBody = lazyProperty('rawBody', (_, {message}) => new Uint8Array(message.body));

const rawBodyAsBody = lazyProperty('body', response => response.rawBody);

/** Reads the body as got does, without a copy of its bytes. */
const decode = ({options: {parseJson, encoding}, message, store}: LazyResponse): string => {
	const toText = () => gotModule.parseBody({rawBody: message.body} as Response, 'text', parseJson, encoding) as string;

	return encoding === undefined ? store.text(message.body, toText) : toText();
};

const parse = (unmade: LazyResponse, responseType: Options['responseType']): unknown => {
	if (responseType !== 'json') {
		return decode(unmade);
	}

	const {options: {parseJson}, message} = unmade;
	return message.body.byteLength === 0 ? '' : parseJson(decode(unmade));
};

const textAsBody = lazyProperty('body', (_, unmade) => decode(unmade));

/** Sets the body. A long one is made when it is looked at, and one that may fail to parse at once. */
const setBody = (response: Response, unmade: LazyResponse): void => {
	const {options: {responseType, encoding}, message} = unmade;
	const isLong = message.body.byteLength > eagerBytes;
	if (responseType === 'buffer' && isLong) {
		Object.defineProperties(response, {rawBody, body: rawBodyAsBody});
		return;
	}

	if (responseType === 'buffer') {
		response.rawBody = bytesOf(unmade);
		response.body = response.rawBody;
		return;
	}

	Object.defineProperty(response, 'rawBody', copiedRawBody);
	if (responseType === 'text' && encoding === undefined && isLong) {
		Object.defineProperty(response, 'body', textAsBody);
	} else {
		response.body = parse(unmade, responseType);
	}
};

/** Whether nobody has seen the bytes, which are the caller's to change. */
const areBytesUnseen = (response: Response): boolean => {
	const get = Object.getOwnPropertyDescriptor(response, 'rawBody')?.get;

	return get !== undefined && (get === rawBody.get || get === copiedRawBody.get);
};

/**
Reads a response as `.json()` and its kin do.

@throws {ParseError} As got does.
*/
export const readResponse = (response: Response, responseType: 'json' | 'buffer' | 'text', {parseJson, encoding}: Options): unknown => {
	const unmade = unmadeOf(response);
	if (!unmade || responseType === 'buffer' || !areBytesUnseen(response)) {
		return gotModule.parseBody(response, responseType, parseJson, encoding);
	}

	try {
		return parse(unmade, responseType);
	} catch (error) {
		// Got's own error tells of the response.
		return gotModule.parseBody(response, responseType, () => {
			throw error;
		}, encoding);
	}
};

/**
A response without a request, and with all that got gives a response. Costly properties are made when they are looked at.

@throws What the user's parser throws.
*/
export const createDirectResponse = (message: Message, options: Options, state: GotExchange, store: LazyResponse['store']): Response => {
	const response = bareMessage(message) as unknown as Response & {fromCache: boolean};
	const url = String(options.url);
	response.url = url;
	response.redirectUrls = [];
	response.fromCache = true;
	response.isFromCache = true;
	response.ip = undefined;
	response.retryCount = 0;
	response.ok = true;
	const unmade = {state, options, requestUrl: url, message, store};
	keepLazy(response, unmade);
	Object.defineProperties(response, parts);
	setBody(response, unmade);

	return response;
};
