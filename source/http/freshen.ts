import type {StoredResponse} from '../types/stored.ts';
import {redactedUrl} from './credentials.ts';
import {fieldValue, headersOf, rawFieldValue} from './header-fields.ts';
import type {HeaderFields, ResponseHead} from './message.ts';
import {evaluateResponse, readStatement, type ReceivedMessage} from './policy.ts';
import type {Candidate} from './storability.ts';
import {qualifiedNames, receivedHeaders, updatedHeaders, withoutFields} from './stored-fields.ts';
import {validatorsOf} from './validators.ts';
import {selectedBy} from './vary.ts';

/** A stored response, updated with the header fields of another response about it, RFC 9111 §3.2. */
export type Merged = {
	/** The answer to the request that led to the other response, with all fields. */
	readonly answer: StoredResponse;
	/** The response to store if that is allowed, without the fields that a qualified `no-cache` or `private` excludes. */
	readonly stored: StoredResponse;
	/** The candidates for storing: the merged response, and the other response by its own fields. */
	readonly whole: Candidate;
	readonly own: Candidate;
	/** Whether the other response is a partial one. */
	readonly isPart: boolean;
};

/** Updates a stored response with the header fields and the freshness of a response about it, RFC 9111 §4.3.4, §3.4. */
export const mergeInto = (stored: StoredResponse, reception: ReceivedMessage): Merged => {
	const {request, response: update, responseTimeMs, settings} = reception;
	const {statusCode, statusMessage, httpVersion} = stored;
	const isPart = update.statusCode === 206;
	const rawHeaders = updatedHeaders(stored.rawHeaders, receivedHeaders(update, responseTimeMs));
	const response: ResponseHead = {statusCode, statusMessage, httpVersion, rawHeaders, content: {bytes: stored.body, isMissed: false}};
	const appraisal = evaluateResponse({...reception, response});
	const statement = readStatement(reception);
	const qualified = [appraisal, statement].flatMap(({directives}) => qualifiedNames(directives, settings));
	const answer: StoredResponse = {
		...stored,
		// The URL is the requested one, which may differ from the stored one if both are equivalent.
		url: redactedUrl(request.url, settings.ignoredParameters),
		rawHeaders,
		selectingHeaders: selectedBy(appraisal.headers, settings.matchHeaders, request),
		policy: appraisal.policy,
	};

	return {
		answer,
		stored: qualified.length === 0 ? answer : {...answer, rawHeaders: withoutFields(rawHeaders, qualified)},
		whole: {...reception, response, appraisal},
		own: {...reception, response: isPart ? update : {...update, statusCode}, appraisal: {...appraisal, ...statement}},
		isPart,
	};
};

/** RFC 9111 §4.3.5: whether a HEAD response agrees with the stored GET response. */
export const isSameRepresentation = ({rawHeaders}: ResponseHead, stored: StoredResponse): boolean => {
	const received = headersOf(rawHeaders);
	const held = headersOf(stored.rawHeaders);
	const [receivedValidators, heldValidators] = [validatorsOf(received), validatorsOf(held)];
	const contentLength = fieldValue(received, 'content-length');

	return (receivedValidators.etag ?? heldValidators.etag) === heldValidators.etag
		&& (receivedValidators.lastModified ?? heldValidators.lastModified) === heldValidators.lastModified
		&& (contentLength === undefined || isHeldLength(contentLength, received, stored));
};

/** Lengths are only comparable if both messages have the same content coding; content that arrived decoded has another length. */
const isHeldLength = (contentLength: string, received: HeaderFields, stored: StoredResponse): boolean => {
	const isComparable = fieldValue(received, 'content-encoding') === rawFieldValue(stored.rawHeaders, 'content-encoding');
	const heldLength = stored.range?.completeLength ?? stored.body.byteLength;

	return !isComparable || contentLength === String(heldLength);
};
