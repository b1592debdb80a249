import type {ClientRequest, IncomingMessage} from 'node:http';
import {markRequestFailure} from '../state/failure.ts';
import type {GotOptions} from '../state/got-options.ts';
import {runInTrace} from '../state/report.ts';
import {overrideEmit} from './override-emit.ts';

type RequestFunction = NonNullable<GotOptions['request']>;

/** The part of what got gives Node that the cache may change. */
export type NativeOptions = {
	headers: Record<string, string | readonly string[] | undefined>;
};

type NextRequest = {
	/** Is given what is about to be sent, and returns whether the request function is still the one that got has asked for. */
	check(native: NativeOptions): boolean;
	/** Is given the request that got has made. */
	see(request: ClientRequest): void;
	/** Called if there is none, since the connection on which HTTP/2 is negotiated could not be made, or the user's function failed. Returns the response that got is given in its place, if any. */
	insteadOf?(error: unknown): IncomingMessage | undefined;
};

type EndCallback = (error?: Error) => void;

/** Puts something around what the end of a request is told to. */
export const wrapEndCallbacks = (request: ClientRequest, wrap: (callback: EndCallback) => EndCallback): void => {
	const end = request.end.bind(request) as (...arguments_: unknown[]) => ClientRequest;
	Object.assign(request, {
		end: (...arguments_: unknown[]) => end(...arguments_.map(argument => typeof argument === 'function' ? wrap(argument as EndCallback) : argument)),
	});
};

/** Has a request tell of its failure by its `'error'` event alone: what its end is told, got 15 gives the caller before the cache has been asked. */
export const leaveErrorsToEvents = (request: ClientRequest, options: GotOptions): void => {
	wrapEndCallbacks(request, callback => error => {
		if (error) {
			markRequestFailure(error, options);
		} else {
			callback();
		}
	});
};

/** Where there is to be none. */
export const seeNoRequest = (options: Pick<GotOptions, 'getRequestFunction'>): void => {
	Reflect.deleteProperty(options, 'getRequestFunction');
};

const isClientRequest = (value: unknown): value is ClientRequest => typeof value === 'object' && value !== null && 'emit' in value && 'end' in value;

const markFailures = (request: ClientRequest, options: GotOptions): void => {
	overrideEmit(request, emit => (event, ...arguments_) => {
		if (event === 'error') {
			markRequestFailure(arguments_[0], options);
		}

		return emit(event, ...arguments_);
	});
};

/**
Has `see` look at the next request of got's as soon as there is one. Got tells of it only after it has begun to send.

An own property of the options, which no copy of them has: the request function stays the user's, and got's own, for HTTP/2 too, is called as got calls it.
*/
export const seeNextRequest = (options: GotOptions, {check, see, insteadOf}: NextRequest): void => {
	if (options.cache !== undefined) {
		return;
	}

	const seen = <Result>(result: Result): Result => {
		if (isClientRequest(result)) {
			markFailures(result, options);
			see(result);
		}

		return result;
	};

	const failed = (error: unknown): IncomingMessage => {
		markRequestFailure(error, options);
		const response = insteadOf?.(error);
		if (!response) {
			throw error;
		}

		return response;
	};

	const seenLater = async <Result>(promise: Promise<Result>): Promise<Result | IncomingMessage> => seen(await promise.catch(failed));

	const getRequestFunction: GotOptions['getRequestFunction'] = () => {
		seeNoRequest(options);
		const first = options.getRequestFunction();

		return first && ((url: URL, native: Parameters<RequestFunction>[1], callback: Parameters<RequestFunction>[2]) => {
			try {
				// Copies: a request that waits for another one is sent as it is now. With got 15, the header fields are those of the options.
				const sent = {...native, headers: {...native.headers}};
				const make = check(sent) ? first : (options.getRequestFunction() ?? first);
				const result = runInTrace(options, () => make(new URL(url), sent, callback));

				// Got does not wait for what is no promise.
				return result instanceof Promise ? seenLater(result) : seen(result);
			} catch (error) {
				return failed(error);
			}
		});
	};

	seeNoRequest(options);
	Object.defineProperty(options, 'getRequestFunction', {value: getRequestFunction, configurable: true});
};
