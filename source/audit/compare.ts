import {Buffer} from 'node:buffer';
import {fieldValue} from '../http/header-fields.ts';
import type {HeaderFields} from '../http/message.ts';

/** A response to compare, as functions of the user's get it. */
export type AuditedResponse = {
	/** The status code. */
	readonly statusCode: number;
	/** Header fields by lower-case name. */
	readonly headers: HeaderFields;
	/** The content, decoded unless the request has `decompress: false`. */
	readonly body: Uint8Array;
};

/** A difference between two responses: `'status'`, `'body'`, or the lower-case name of a header field. */
export type Difference = string;

export type ComparisonRules = {
	/** Patterns of text that bodies may differ in. */
	readonly nonces: readonly RegExp[];
	/** Lower-case names of header fields that may differ, beside those that always may. */
	readonly ignoredFields: ReadonlySet<string>;
	/** Whether two bodies that differ are equal all the same. */
	readonly isEqual: ((stored: AuditedResponse, current: AuditedResponse) => boolean) | undefined;
};

/** Header fields that may differ between two right answers. */
const fieldsThatDiffer = {
	/** Caches change these, or they are for caches alone. */
	caching:
		'age cache-control cache-status cdn-cache-control date expires pragma surrogate-control surrogate-key vary warning x-cache x-cache-hits x-cache-status',
	/** An equal body is equal with another validator, too. The servers of one origin often differ in them. */
	validators: 'etag last-modified',
	/** The connection, the coding, and digests of what was transferred. */
	transfer:
		'accept-ranges alt-svc connection content-digest content-encoding content-length content-md5 digest keep-alive repr-digest trailer transfer-encoding upgrade via',
	/** A cookie is set anew, or no more. */
	session: 'set-cookie set-cookie2',
	/** The identifier of one request, the machine that answered, and the time it took. */
	request:
		'cf-ray correlation-id fly-request-id nel report-to request-id server server-timing traceparent tracestate x-amz-cf-id x-amz-cf-pop x-amz-id-2 x-amz-request-id x-amzn-requestid x-amzn-trace-id x-b3-spanid x-b3-traceid x-correlation-id x-github-request-id x-ms-request-id x-powered-by x-request-id x-response-time x-runtime x-served-by x-timer x-trace-id x-varnish x-vercel-id',
	/** Quotas count requests. */
	quotas:
		'ratelimit ratelimit-limit ratelimit-policy ratelimit-remaining ratelimit-reset retry-after x-rate-limit-limit x-rate-limit-remaining x-rate-limit-reset x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset x-ratelimit-used',
} as const;

const mayDiffer: ReadonlySet<string> = new Set(Object.values(fieldsThatDiffer).flatMap(names => names.split(' ')));

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A body without the text that it may differ in. */
const withoutNonces = (body: Uint8Array, nonces: readonly RegExp[]): Uint8Array => {
	const bytes = bufferOf(body);
	const text = bytes.toString();
	// Bytes that are no UTF-8 are no text.
	if (!Buffer.from(text).equals(bytes)) {
		return body;
	}

	let remaining = text;
	for (const nonce of nonces) {
		remaining = remaining.replace(nonce, '');
	}

	return Buffer.from(remaining);
};

const areEqual = (one: Uint8Array, other: Uint8Array): boolean => bufferOf(one).equals(other);

const haveEqualBodies = (stored: AuditedResponse, current: AuditedResponse, {nonces, isEqual}: ComparisonRules): boolean =>
	areEqual(stored.body, current.body)
	|| (nonces.length > 0 && areEqual(withoutNonces(stored.body, nonces), withoutNonces(current.body, nonces)))
	|| isEqual?.(stored, current) === true;

/** Whether a difference is one of the content: what is not may be noise that each response has. */
export const isOfContent = (difference: Difference): boolean => difference === 'status' || difference === 'body';

/**
The differences of two responses that may not differ; none if they say the same.

@throws What the user's function throws.
*/
export const differencesOf = (stored: AuditedResponse, current: AuditedResponse, rules: ComparisonRules): ReadonlySet<Difference> => {
	const names = [...new Set([...Object.keys(stored.headers), ...Object.keys(current.headers)])]
		.filter(name => !mayDiffer.has(name) && !rules.ignoredFields.has(name) && fieldValue(stored.headers, name) !== fieldValue(current.headers, name));

	return new Set([
		...stored.statusCode === current.statusCode ? [] : ['status'],
		...haveEqualBodies(stored, current, rules) ? [] : ['body'],
		...names,
	]);
};
