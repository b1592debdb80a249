import type {ClientRequest} from 'node:http';
import type {GotOptions} from './context.ts';

type RequestFunction = NonNullable<GotOptions['request']>;

// With what they stand in the place of.
const standIns = new WeakMap<RequestFunction, RequestFunction | undefined>();

/** The request function that the user gave. */
export const givenRequestFunction = ({request}: Pick<GotOptions, 'request'>): RequestFunction | undefined => request && standIns.has(request) ? standIns.get(request) : request;

type EndCallback = (error?: Error) => void;

/** Puts something around what the end of a request is told to. */
export const wrapEndCallbacks = (request: ClientRequest, wrap: (callback: EndCallback) => EndCallback): void => {
	const end = request.end.bind(request) as (...arguments_: unknown[]) => ClientRequest;
	Object.assign(request, {
		end: (...arguments_: unknown[]) => end(...arguments_.map(argument => typeof argument === 'function' ? wrap(argument as EndCallback) : argument)),
	});
};

/** Has a request tell of its failure by its `'error'` event alone: what its end is told, got 15 gives the caller before the cache has been asked. */
export const leaveErrorsToEvents = (request: ClientRequest): void => {
	wrapEndCallbacks(request, callback => error => {
		if (!error) {
			callback();
		}
	});
};

/** Where there is to be none: the request function is the user's again. */
export const seeNoRequest = (options: Pick<GotOptions, 'request'>): void => {
	options.request = givenRequestFunction(options);
};

const isClientRequest = (value: unknown): value is ClientRequest => typeof value === 'object' && value !== null && 'emit' in value && 'end' in value;

/**
Has `see` look at the next request of got's as soon as there is one. Got tells of it only after it has begun to send.

Got's function for HTTP/2 is left alone: it needs to be called by got itself.
*/
export const seeNextRequest = (options: GotOptions, see: (request: ClientRequest) => void): void => {
	if (options.http2 || options.h2session !== undefined || options.cache !== undefined) {
		return;
	}

	const given = givenRequestFunction(options);
	const seen = <Result>(result: Result): Result => {
		if (isClientRequest(result)) {
			see(result);
		}

		return result;
	};

	const seenLater = async <Result>(result: Promise<Result>): Promise<Result> => seen(await result);

	// Got does not wait for what is no promise.
	const request: RequestFunction = (url, nativeOptions, callback) => {
		options.request = given;
		const result = options.getRequestFunction()?.(url, nativeOptions, callback);

		return result instanceof Promise ? seenLater(result) : seen(result);
	};

	standIns.set(request, given);
	options.request = request;
};
