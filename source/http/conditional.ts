import type {StoredResponse, VariantIndex} from '../types/stored.ts';
import {parseHttpDate} from './dates.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {listMembers} from './list.ts';
import type {HeaderFields, RequestHead} from './message.ts';
import {isSuccessful} from './status-codes.ts';
import {isStrongMatch, isWeakMatch, validatorsOf} from './validators.ts';

/** The preconditions of RFC 9110 §13.1, except `If-Range`, which does not make a request fail. */
export const preconditionFields = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

/** Whether the caller set a precondition, RFC 9110 §13.1. */
export const isConditional = (headers: HeaderFields): boolean => preconditionFields.some(name => headers[name] !== undefined);

/** The header fields that validate a stored response, RFC 9111 §4.3.1. Empty if the response has no validator. */
export const validationHeaders = (stored: StoredResponse): HeaderFields => {
	const {etag, lastModified} = validatorsOf(headersOf(stored.rawHeaders));

	return {
		...(etag !== undefined && {'if-none-match': etag}),
		...(lastModified !== undefined && {'if-modified-since': lastModified}),
	};
};

/** The fields by which an origin chooses among representations, RFC 9110 §12.5. Variants by other fields, such as those that identify a user, may share an entity tag at some origins. */
const negotiationFields: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language']);

/** A strong entity tag of limited length, RFC 9110 §8.8.3. Variants may share a weak one although they are not equal for everyone. */
const strongEntityTag = /^"[!\u{23}-\u{7E}]{1,100}"$/v;

const maxEntityTags = 16;

/** The header fields that ask whether one of the stored variants is the answer, RFC 9111 §4.3.1; `undefined` if that cannot be asked safely. */
export const variantValidationHeaders = ({method, headers}: RequestHead, {vary, variants}: VariantIndex, nowMs: number): HeaderFields | undefined => {
	const isPlain = method === 'GET' && headers.range === undefined && headers['if-range'] === undefined && !isConditional(headers);
	if (!isPlain || vary.some(name => !negotiationFields.has(name))) {
		return undefined;
	}

	const kept = variants.filter(({etag, keptUntilMs}) => keptUntilMs > nowMs && strongEntityTag.test(etag));
	const etags = [...new Set(kept.map(({etag}) => etag))].slice(0, maxEntityTags);

	return etags.length === 0 ? undefined : {'if-none-match': etags.join(', ')};
};

/** The effect of a request's preconditions: the stored response is sent, was not modified (304), or a precondition failed (412). */
export type PreconditionResult = 'met' | 'not-modified' | 'failed';

/** Evaluates preconditions in the order of RFC 9110 §13.2.2. */
export const evaluatePreconditions = (request: RequestHead, stored: StoredResponse): PreconditionResult => {
	// RFC 9110 §13.2.1: preconditions only count if the answer would otherwise be a success.
	if (!isConditional(request.headers) || !isSuccessful(stored.statusCode)) {
		return 'met';
	}

	const headers = headersOf(stored.rawHeaders);
	const {etag} = validatorsOf(headers);
	const ifMatch = fieldValue(request.headers, 'if-match');
	const ifNoneMatch = fieldValue(request.headers, 'if-none-match');

	if (ifMatch !== undefined) {
		if (!hasEntityTag(ifMatch, etag, isStrongMatch)) {
			return 'failed';
		}
	} else if (wasModifiedSince(fieldValue(request.headers, 'if-unmodified-since'), headers, stored) === true) {
		return 'failed';
	}

	if (ifNoneMatch !== undefined) {
		return hasEntityTag(ifNoneMatch, etag, isWeakMatch) ? 'not-modified' : 'met';
	}

	return wasModifiedSince(fieldValue(request.headers, 'if-modified-since'), headers, stored) === false ? 'not-modified' : 'met';
};

/** Whether `If-Match` or `If-None-Match` lists the entity tag; `*` matches any representation. RFC 9110 §13.1.1, §13.1.2. */
const hasEntityTag = (field: string, etag: string | undefined, isMatch: typeof isStrongMatch): boolean =>
	field.trim() === '*' || (etag !== undefined && listMembers(field).some(member => isMatch(member, etag)));

/** Whether a request asks about this entity tag and no other, RFC 9110 §13.1.2. */
export const isOnlyEntityTag = (headers: HeaderFields, etag: string | undefined): boolean => {
	const [first, ...others] = listMembers(fieldValue(headers, 'if-none-match') ?? '');

	return first !== undefined && etag !== undefined && others.length === 0 && isWeakMatch(first, etag);
};

/** RFC 9111 §4.3.2: `Last-Modified`, else `Date`, else the time of receipt is compared. Returns `undefined` if the precondition is absent or not a date. */
const wasModifiedSince = (field: string | undefined, headers: HeaderFields, stored: StoredResponse): boolean | undefined => {
	const {responseTimeMs} = stored.policy;
	const sinceMs = parseHttpDate(field, responseTimeMs);
	if (sinceMs === undefined) {
		return undefined;
	}

	const modified = fieldValue(headers, 'last-modified') ?? fieldValue(headers, 'date');

	return (parseHttpDate(modified, responseTimeMs) ?? responseTimeMs) > sinceMs;
};
