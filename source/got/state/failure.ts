import type {FailureReason} from '../../http/outcome.ts';
import type {Settings} from '../../http/settings.ts';
import {isFailure} from '../../http/stale.ts';
import type {GotOptions} from './got-options.ts';
import {findState, stateOf} from './request-state.ts';

/** The properties of an error of got's or Node's that say what failed. */
export type Failure = {
	readonly name?: string;
	readonly code?: string;
	readonly syscall?: string;
	readonly message?: string;
	readonly cause?: unknown;
	readonly response?: {readonly statusCode: number} | undefined;
	readonly options?: GotOptions;
};

/**
To be called with the error of a native request, before got makes one of its own of it. The same error thrown by a hook says nothing of the origin.
*/
export const markRequestFailure = (error: unknown, options: GotOptions): void => {
	if (typeof error === 'object' && error !== null) {
		stateOf(options).failures.push(error);
	}
};

const refusals = new WeakSet<Error>();

/** To be called with the error of a request that was not sent, because a gate before the origin has refused it. */
export const markRefusal = (error: Error): void => {
	refusals.add(error);
};

/** Whether a request failed only because a gate has refused it. */
export const isRefusal = ({cause}: Pick<Failure, 'cause'>): boolean => cause instanceof Error && refusals.has(cause);

/** Codes of Node for a connection that could not be made, or broke. Certificate and TLS errors are none: a stale response must not hide an origin that is not who it should be. */
const networkErrorCodes: ReadonlySet<string> = new Set([
	'EAI_AGAIN',
	'EAI_FAIL',
	'EAI_NODATA',
	'EADDRNOTAVAIL',
	'ECONNABORTED',
	'ECONNREFUSED',
	'ECONNRESET',
	'EHOSTDOWN',
	'EHOSTUNREACH',
	'ENETDOWN',
	'ENETRESET',
	'ENETUNREACH',
	'ENOENT',
	'ENOTFOUND',
	'EPIPE',
	'ERR_SOCKET_CLOSED',
	'ERR_SOCKET_CONNECTION_TIMEOUT',
	'ERR_STREAM_PREMATURE_CLOSE',
	'ETIMEDOUT',
	// Of http2-wrapper.
	'HTTP2WRAPPER_NOSETTINGS',
]);

/** The messages of got 16 and of http2-wrapper, which got 15 uses, if a session or a stream ends: errors without a code. */
const http2EndMessages: ReadonlySet<string> = new Set([
	'The HTTP/2 session closed before settings were received',
	'The HTTP/2 stream has been early terminated',
	'The server aborted the HTTP/2 stream',
	'The session has been closed already',
	'The session is gracefully closing. No new streams are allowed.',
]);

const networkCalls: ReadonlySet<string> = new Set(['bind', 'connect', 'getaddrinfo', 'read', 'write']);

/** Whether the network, not the caller or the certificate, can be blamed for what a native request failed with. */
const isNetworkError = (error: Failure): boolean => {
	const {code, syscall, message = ''} = error;
	if (code === undefined) {
		return http2EndMessages.has(message);
	}

	// The system refused, as where the process has no file descriptor left. `EPROTO` is how TLS fails.
	if (networkErrorCodes.has(code) || (code !== 'EPROTO' && syscall !== undefined && networkCalls.has(syscall))) {
		return true;
	}

	// `HPE_…`: Node's parser could make nothing of what the origin sent. Node's errors about arguments are `TypeError`s.
	return code.startsWith('HPE_') || (code.startsWith('ERR_HTTP2_') && !(error instanceof TypeError));
};

/** Whether the error of a native request means that the origin could not be reached, and how. */
export const nativeFailureOf = (error: Failure): FailureReason | undefined => {
	const {name, code, syscall} = error;
	// Http2-wrapper, which got 15 uses, fails with `ETIMEDOUT` at a timeout of got's; the system names the call.
	if (name === 'TimeoutError' || (code === 'ETIMEDOUT' && syscall === undefined)) {
		return 'timeout';
	}

	return isNetworkError(error) ? 'network-error' : undefined;
};

/**
Whether an error means that the origin could not be reached or has failed, and how: RFC 9111 §4.2.4, RFC 5861 §4.

By the class of got's error. Where that says less than what the native request failed with, it counts the latter: an error of the connection is a plain `RequestError`, as is what a hook or another function of the caller's throws: there it counts what the native request failed with.

@param error - An error of got's.
@param settings - The settings of the request: which status codes are failures.
*/
export const failureOf = (error: Failure, settings: Pick<Settings, 'failureStatusCodes'>): FailureReason | undefined => {
	const {name, response, cause, options} = error;
	if (name === 'TimeoutError') {
		return 'timeout';
	}

	if (name === 'HTTPError') {
		return response && isFailure(response.statusCode, settings) ? 'error-status' : undefined;
	}

	const failures = (options && findState(options)?.failures) ?? [];

	if (name === 'ReadError') {
		// Got 15 takes any failure of an HTTP/2 connection for a response that broke off, that of its certificate, too.
		const hidden = response === undefined ? failures.at(-1) as Failure | undefined : undefined;

		// The body broke off, is shorter than its head says, or cannot be decoded.
		return hidden ? nativeFailureOf(hidden) : 'network-error';
	}

	const failure = [error, cause].find(each => failures.includes(each as Failure)) as Failure | undefined;

	return failure && nativeFailureOf(failure);
};
