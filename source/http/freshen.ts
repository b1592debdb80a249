import type {StoredResponse} from '../stored.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import type {RequestHead, ResponseHead} from './message.ts';
import {storedPolicy} from './policy.ts';
import type {Settings} from './settings.ts';
import {headersToStore, updatedHeaders} from './storing.ts';
import {validatorsOf} from './validators.ts';

type FreshenInput = {
	readonly request: RequestHead;
	readonly response: ResponseHead;
	readonly requestTimeMs: number;
	readonly responseTimeMs: number;
	readonly settings: Settings;
};

/** The stored response with the header fields and the freshness of a response without content that speaks of it, RFC 9111 §4.3.4. */
export const freshenedBy = ({request, response, requestTimeMs, responseTimeMs, settings}: FreshenInput, stored: StoredResponse): StoredResponse => {
	const {statusCode, statusMessage, httpVersion} = stored;
	const rawHeaders = updatedHeaders(stored.rawHeaders, headersToStore(response, responseTimeMs, settings));
	const policy = storedPolicy(request, {
		statusCode, statusMessage, httpVersion, rawHeaders,
	}, requestTimeMs, responseTimeMs, settings);

	return {...stored, rawHeaders, policy};
};

/** RFC 9111 §4.3.5: freshened if all that the HEAD response says of it holds, invalid if not. */
export const freshenedByHead = (input: FreshenInput, stored: StoredResponse): StoredResponse => {
	const received = headersOf(input.response.rawHeaders);
	const held = headersOf(stored.rawHeaders);
	const [receivedValidators, heldValidators] = [validatorsOf(received), validatorsOf(held)];
	const contentLength = fieldValue(received, 'content-length');
	const heldLength = stored.range?.completeLength ?? stored.body.byteLength;

	const isSame = (receivedValidators.etag === undefined || receivedValidators.etag === heldValidators.etag)
		&& (receivedValidators.lastModified === undefined || receivedValidators.lastModified === heldValidators.lastModified)
		&& (contentLength === undefined || contentLength === (fieldValue(held, 'content-length') ?? String(heldLength)));

	return isSame ? freshenedBy(input, stored) : {...stored, policy: {...stored.policy, isInvalidated: true}};
};
