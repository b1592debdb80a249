import {
	parseBody,
	type Options,
	type Request,
	type Response,
} from 'got';
import {setExchange, type GotExchange} from './exchanges.ts';
import {bareMessage, type Message} from './message.ts';
import {
	define,
	keepUnmade,
	lazily,
	type Unmade,
} from './unmade.ts';

type RequestClass = new (url: undefined, options: undefined, defaults: Options) => Request;

// Larger bodies are copied, and read as text, when they are looked at.
const eagerCopyBytes = 16 * 1024;

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

/** The request that was never made, for those who look at its options. */
const request = lazily('request', (response, {options, state}) => {
	const requestClass = requestClasses.get(options.constructor);
	if (!requestClass) {
		throw new TypeError('Expected the class of the request to be known');
	}

	const made = new requestClass(undefined, undefined, options); // eslint-disable-line new-cap
	Object.assign(made.options.headers, state.exchange.request.headers);
	made.response = response;
	setExchange(made.options, state);

	return made;
});

const rawBody = lazily('rawBody', (_, {bytes}) => new Uint8Array(bytes));

const parse = ({options, bytes}: Unmade): unknown => parseBody({rawBody: bytes} as Response, options.responseType, options.parseJson, options.encoding);

const body = lazily('body', (_, unmade) => parse(unmade));

const isPlainText = ({responseType, encoding}: Options): boolean => responseType === 'text' && encoding === undefined;

/** Small bodies are cheaper copied than left. What can fail is done at once. */
const setBody = (response: Response, unmade: Unmade): void => {
	const {options, bytes} = unmade;
	const isSmall = bytes.byteLength <= eagerCopyBytes;
	if (isSmall) {
		response.rawBody = new Uint8Array(bytes);
	} else {
		Object.defineProperty(response, 'rawBody', rawBody);
	}

	if (options.responseType === 'buffer') {
		response.body = response.rawBody;
	} else if (isSmall || !isPlainText(options)) {
		response.body = parse(unmade);
	} else {
		Object.defineProperty(response, 'body', body);
	}
};

/**
A response without a request, and with all that got gives a response. What is costly is made when it is looked at.

@throws What the user's parser throws.
*/
export const createDirectResponse = (message: Message, options: Options, state: GotExchange): Response => {
	const response = bareMessage(message) as unknown as Response & {fromCache: boolean};
	define(response, 'headers', response.headers);
	response.url = state.exchange.request.url;
	response.requestUrl = new URL(options.url ?? '');
	response.redirectUrls = [];
	response.fromCache = true;
	response.isFromCache = true;
	response.ip = undefined;
	response.retryCount = 0;
	response.ok = true;
	const unmade = {state, options, bytes: message.body};
	keepUnmade(response, unmade);
	Object.defineProperty(response, 'request', request);
	setBody(response, unmade);

	return response;
};
