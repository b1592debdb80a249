/**
HTTP clients as the `fetch` that the suite drives: it sees what their caller sees.
*/
import http, {type ClientRequest, type IncomingMessage} from 'node:http';
import {RequestError, type Got, type RequestFunction} from 'got';
import {request as undiciRequest, type Dispatcher} from 'undici';
import {reportInterimResponse, type SuiteFetch, type SuiteRequest} from './suite.ts';

export const fetchWithGot = (client: Got): SuiteFetch => {
	const plain = client.extend({
		throwHttpErrors: false,
		retry: {limit: 0},
		request: requestForgivingExcess,
	});

	return async (url, init = {}) => {
		const promise = plain(url, {
			method: (init.method ?? 'GET') as 'GET',
			headers: headersToSend(init),
			body: init.body,
			followRedirect: init.redirect !== 'manual',
			signal: init.signal,
		});

		// Only where the suite asks for them: a cache may do otherwise where nobody listens.
		if (init.dispatcher) {
			void promise.on('request', request => {
				request.on('information', ({statusCode, headers}: Pick<IncomingMessage, 'headers'> & {statusCode: number}) => {
					reportInterimResponse(init.dispatcher, statusCode, headers);
				});
			});
		}

		const response = await promise.catch((error: unknown) => {
			if (error instanceof RequestError && !error.response) {
				return gatewayTimeout;
			}

			throw error;
		});
		return {
			status: response.statusCode,
			statusText: response.statusMessage ?? '',
			headers: headersReceived(response.headers),
			text: async () => response.body,
		};
	};
};

export const fetchWithUndici = (dispatcher: Dispatcher): SuiteFetch => async (url, init = {}) => {
	const response = await undiciRequest(url, {
		dispatcher,
		method: init.method ?? 'GET',
		headers: headersToSend(init),
		body: init.body,
		signal: init.signal,
		onInfo({statusCode, headers}) {
			reportInterimResponse(init.dispatcher, statusCode, headers);
		},
	});

	return {
		status: response.statusCode,
		statusText: response.statusText ?? '',
		headers: headersReceived(response.headers),
		text: async () => response.body.text(),
	};
};

/**
The suite's server sends 36 bytes under `Content-Length: 10`. A client may discard what follows a complete response (RFC 9112 §6.3), as the suite's own client does; Node's delivers the response and then reports an error, which would hide from the suite what the cache makes of it.
*/
const requestForgivingExcess: RequestFunction = (url, options, callback) => {
	const request: ClientRequest & {res?: IncomingMessage} = http.request(url, options, callback);
	const {emit} = request;
	request.emit = (event: string, ...values: unknown[]) => {
		const isExcess = event === 'error' && request.res?.complete && (values[0] as NodeJS.ErrnoException).code?.startsWith('HPE_');
		return isExcess ? true : emit.call(request, event, ...values);
	};

	return request;
};

/**
What a proxy, for which the suite is written, answers where a client rejects because the connection broke.
*/
const gatewayTimeout = {
	statusCode: 504,
	statusMessage: 'Gateway Timeout',
	headers: {},
	body: '',
};

/** Repeated fields are combined, and `no-cache` becomes a field, as in `fetch`. */
const headersToSend = ({headers: fields = [], cache}: SuiteRequest) => {
	const headers = new Headers(fields);
	if (cache === 'no-cache' && !headers.has('cache-control')) {
		headers.set('cache-control', 'max-age=0');
	}

	return Object.fromEntries(headers);
};

const headersReceived = (received: Readonly<Record<string, string | string[] | undefined>>) => {
	const headers = new Headers();
	for (const [name, value] of Object.entries(received)) {
		for (const line of [value ?? []].flat()) {
			headers.append(name, line);
		}
	}

	return headers;
};
