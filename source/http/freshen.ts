import type {StoredResponse} from '../stored.ts';
import {fieldValue, headersOf, rawFieldValue} from './header-fields.ts';
import type {HeaderFields, ResponseHead} from './message.ts';
import {appraise, type Reception} from './policy.ts';
import {whyNotStorable} from './storability.ts';
import {headersToStore, updatedHeaders} from './storing.ts';
import {normalizeUrl} from './url.ts';
import {validatorsOf} from './validators.ts';
import {selectedBy} from './vary.ts';

/** The stored response with the header fields and the freshness of a response without content that speaks of it, RFC 9111 §4.3.4. */
export const freshenedBy = (reception: Reception, stored: StoredResponse): StoredResponse => {
	const {request, response: update, responseTimeMs, settings} = reception;
	const {statusCode, statusMessage, httpVersion} = stored;
	const response: ResponseHead = {
		statusCode,
		statusMessage,
		httpVersion,
		rawHeaders: updatedHeaders(stored.rawHeaders, headersToStore(update, responseTimeMs, settings)),
	};
	const appraisal = appraise({...reception, response});
	const reason = whyNotStorable({...reception, response, appraisal});
	// What the origin would no longer have stored is not reused before it was asked again.
	const isWithdrawn = reason !== undefined && reason !== 'not-reusable';

	return {
		...stored,
		// Of equivalent URLs, the one that the origin was asked for.
		url: normalizeUrl(request.url, settings.ignoredParameters),
		rawHeaders: response.rawHeaders,
		selectingHeaders: selectedBy(appraisal.headers, settings.matchHeaders, request),
		policy: isWithdrawn ? {...appraisal.policy, isNoCache: true} : appraisal.policy,
	};
};

/** RFC 9111 §4.3.5: freshened if all that the HEAD response says of it holds, invalid if not. */
export const freshenedByHead = (input: Reception, stored: StoredResponse): StoredResponse => {
	const received = headersOf(input.response.rawHeaders);

	return isSameRepresentation(received, stored) ? freshenedBy(input, stored) : {...stored, policy: {...stored.policy, isInvalidated: true}};
};

const isSameRepresentation = (received: HeaderFields, stored: StoredResponse): boolean => {
	const held = headersOf(stored.rawHeaders);
	const [receivedValidators, heldValidators] = [validatorsOf(received), validatorsOf(held)];
	const contentLength = fieldValue(received, 'content-length');

	return (receivedValidators.etag ?? heldValidators.etag) === heldValidators.etag
		&& (receivedValidators.lastModified ?? heldValidators.lastModified) === heldValidators.lastModified
		&& (contentLength === undefined || isHeldLength(contentLength, received, stored));
};

/** The length of content that arrived decoded says nothing of what was decoded. */
const isHeldLength = (contentLength: string, received: HeaderFields, stored: StoredResponse): boolean => {
	const isComparable = fieldValue(received, 'content-encoding') === rawFieldValue(stored.rawHeaders, 'content-encoding');
	const heldLength = stored.range?.completeLength ?? stored.body.byteLength;

	return !isComparable || contentLength === String(heldLength);
};
