import type {StaleReason} from '../http/outcome.ts';
import {serverFailures} from '../http/status-codes.ts';

/** What an error of got or Node tells of itself. */
export type Failure = {
	readonly name?: string;
	readonly code?: string;
	readonly response?: {readonly statusCode: number} | undefined;
};

// What the network, not the caller, the certificate or the parser of a body can be blamed for.
const networkErrorCodes = new Set([
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
	'ERR_HTTP2_ERROR',
	'ERR_HTTP2_GOAWAY_SESSION',
	'ERR_HTTP2_SESSION_ERROR',
	'ERR_HTTP2_STREAM_CANCEL',
	'ERR_HTTP2_STREAM_ERROR',
	'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
	'ERR_STREAM_PREMATURE_CLOSE',
	'ETIMEDOUT',
]);

/** Whether an error means that the origin could not be reached or has failed, and how. */
export const failureOf = ({name, code, response}: Failure): StaleReason | undefined => {
	if (name === 'TimeoutError') {
		return 'timeout';
	}

	if (name === 'HTTPError') {
		return response && serverFailures.has(response.statusCode) ? 'error-status' : undefined;
	}

	// `HPE_…`: the parser could make nothing of what the origin sent.
	return code !== undefined && (networkErrorCodes.has(code) || code.startsWith('HPE_')) ? 'network-error' : undefined;
};
