import type {StoredRange, StoredResponse} from '../stored.ts';
import {deltaSeconds} from './cache-control.ts';
import {bytesFields, filterRawHeaders, headersOf, rawFieldValue} from './header-fields.ts';
import type {HeaderFields, RequestHead} from './message.ts';
import type {StoredHead} from './outcome.ts';
import {formatContentRange, rangeOf, suffixLengthOf} from './range.ts';
import {updatedHeaders} from './storing.ts';
import {strongValidator} from './validators.ts';

/**
A stored response from its head and its body, once that has arrived; `undefined` if the two do not fit, and it must not be stored. RFC 9111 §3.3.
*/
export const completed = (request: RequestHead, head: StoredHead, body: Uint8Array): StoredResponse | undefined => {
	if (head.method === 'HEAD') {
		return {...head, body: new Uint8Array()};
	}

	if (head.range !== undefined) {
		const range = arrivedRange(request.headers, head.range, body.byteLength);

		return range && {...head, range, body};
	}

	const declaredLength = deltaSeconds(rawFieldValue(head.rawHeaders, 'content-length'));

	return declaredLength === undefined || declaredLength === body.byteLength ? {...head, body} : undefined;
};

/** The bytes that really arrived, where fewer did than `Content-Range` says. */
const arrivedRange = (requestHeaders: HeaderFields, range: StoredRange, length: number): StoredRange | undefined => {
	const {firstByte, lastByte, completeLength} = range;
	const declaredLength = lastByte - firstByte + 1;

	if (length === declaredLength) {
		return range;
	}

	if (length === 0 || length > declaredLength) {
		return undefined;
	}

	// Who asked for the last bytes, and got as many as were asked for, has the last bytes.
	const isSuffix = lastByte === completeLength - 1 && length === suffixLengthOf(requestHeaders);

	return isSuffix ? {...range, firstByte: completeLength - length} : {...range, lastByte: firstByte + length - 1};
};

/** The header fields that ask for the one missing part of a stored partial response; `undefined` if no one range says it, or nothing would tell that it belongs. */
export const missingPartHeaders = (request: RequestHead, {range, rawHeaders}: StoredResponse): HeaderFields | undefined => {
	const isForWhole = request.method === 'GET' && request.headers.range === undefined;
	const validator = strongValidator(headersOf(rawHeaders));
	if (!isForWhole || range === undefined || validator === undefined) {
		return undefined;
	}

	if (range.firstByte === 0) {
		return {range: `bytes=${range.lastByte + 1}-`, 'if-range': validator};
	}

	return range.lastByte === range.completeLength - 1 ? {range: `bytes=0-${range.firstByte - 1}`, 'if-range': validator} : undefined;
};

/** Whether a partial response goes with a stored one: the same strong validator, the same length, no gap. RFC 9111 §3.4. */
export const isCombinable = (stored: StoredResponse, head: StoredHead): boolean => {
	const validator = strongValidator(headersOf(stored.rawHeaders));
	const [first, second] = [rangeOf(stored), head.range];

	return second !== undefined
		&& (stored.statusCode === 200 || stored.statusCode === 206)
		&& validator !== undefined
		&& validator === strongValidator(headersOf(head.rawHeaders))
		&& first.completeLength === second.completeLength
		&& first.firstByte <= second.lastByte + 1
		&& second.firstByte <= first.lastByte + 1;
};

/**
One response of a stored one and a partial one, of which `settle` gave the head, RFC 9111 §3.4; `undefined` if they do not go together.
*/
export const combine = (stored: StoredResponse, head: StoredHead, body: Uint8Array): StoredResponse | undefined => {
	const {range} = head;
	if (range === undefined || body.byteLength !== range.lastByte - range.firstByte + 1 || !isCombinable(stored, head)) {
		return undefined;
	}

	const held = rangeOf(stored);
	const union = {
		firstByte: Math.min(held.firstByte, range.firstByte),
		lastByte: Math.max(held.lastByte, range.lastByte),
		completeLength: held.completeLength,
	};
	const bytes = new Uint8Array(union.lastByte - union.firstByte + 1);
	bytes.set(stored.body, held.firstByte - union.firstByte);
	bytes.set(body, range.firstByte - union.firstByte);

	const rawHeaders = updatedHeaders(stored.rawHeaders, head.rawHeaders);

	return withBytes({...stored, url: head.url, policy: head.policy, rawHeaders}, union, bytes);
};

/** The response as it would have been had all these bytes come at once. */
const withBytes = (stored: StoredResponse, range: StoredRange, body: Uint8Array): StoredResponse => {
	const isWhole = body.byteLength === range.completeLength;
	const rawHeaders = filterRawHeaders(stored.rawHeaders, name => !bytesFields.has(name));
	rawHeaders.push('Content-Length', String(body.byteLength));
	if (!isWhole) {
		rawHeaders.push('Content-Range', formatContentRange(range));
	}

	return {
		...stored,
		statusCode: isWhole ? 200 : 206,
		statusMessage: isWhole ? 'OK' : 'Partial Content',
		rawHeaders,
		range: isWhole ? undefined : range,
		body,
	};
};
