import {
	parseBody,
	type Options,
	type Request,
	type Response,
} from 'got';
import {answeredBy, setExchange, type GotExchange} from './exchanges.ts';
import {bareMessage, type Message} from './message.ts';

type RequestClass = new (url: undefined, options: undefined, defaults: Options) => Request;

// Larger bodies are copied when they are looked at.
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

/** As if it had been there from the start, once it is looked at. */
const define = <Name extends keyof Response>(response: Response, name: Name, value: Response[Name]): Response[Name] => {
	Object.defineProperty(response, name, {value, writable: true, enumerable: true, configurable: true});
	return value;
};

const defineLazily = <Name extends keyof Response>(response: Response, name: Name, get: () => Response[Name]) => {
	Object.defineProperty(response, name, {
		get,
		set(value: Response[Name]) {
			define(response, name, value);
		},
		enumerable: true,
		configurable: true,
	});
};

/** The request that was never made, for those who look at its options. */
const createRequest = (options: Options, state: GotExchange, response: Response): Request => {
	const requestClass = requestClasses.get(options.constructor);
	if (!requestClass) {
		throw new TypeError('Expected the class of the request to be known');
	}

	const request = new requestClass(undefined, undefined, options); // eslint-disable-line new-cap
	Object.assign(request.options.headers, state.exchange.request.headers);
	request.response = response;
	setExchange(request.options, state);

	return define(response, 'request', request);
};

/**
A response without a request, and with all that got gives a response. What is costly is made when it is looked at.

@throws What the user's parser throws.
*/
export const createDirectResponse = (message: Message, options: Options, state: GotExchange): Response => {
	const response = bareMessage(message) as unknown as Response & {fromCache: boolean};
	const {headers} = response;
	define(response, 'headers', headers);
	response.url = state.exchange.request.url;
	response.requestUrl = new URL(options.url ?? '');
	response.redirectUrls = [];
	response.fromCache = true;
	response.isFromCache = true;
	response.ip = undefined;
	response.retryCount = 0;
	response.ok = true;
	defineLazily(response, 'request', Object.assign(() => createRequest(options, state, response), {[answeredBy]: state}));

	const {body: bytes} = message;
	if (bytes.byteLength <= eagerCopyBytes) {
		response.rawBody = new Uint8Array(bytes);
	} else {
		defineLazily(response, 'rawBody', () => define(response, 'rawBody', new Uint8Array(bytes)));
	}

	response.body = options.responseType === 'buffer' ? response.rawBody : parseBody({rawBody: bytes} as Response, options.responseType, options.parseJson, options.encoding);

	return response;
};
