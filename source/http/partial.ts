import type {StoredRange, StoredResponse} from '../types/stored.ts';
import {deltaSeconds} from './cache-control.ts';
import {bytesFields, filterRawHeaders, headersOf, rawFieldValue} from './header-fields.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {StoredHead} from './outcome.ts';
import {contentRangeOf, formatContentRange, rangeOf, suffixLengthOf} from './range.ts';
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

/** The bytes of a partial response that goes with a stored one: the same strong validator, the same length, no gap. RFC 9111 §3.4. */
export const combinableRange = (stored: StoredResponse, {statusCode, rawHeaders}: Pick<ResponseHead, 'statusCode' | 'rawHeaders'>): StoredRange | undefined => {
	const headers = headersOf(rawHeaders);
	const range = statusCode === 206 ? contentRangeOf(headers) : undefined;
	if (range === undefined || (stored.statusCode !== 200 && stored.statusCode !== 206)) {
		return undefined;
	}

	const validator = strongValidator(headersOf(stored.rawHeaders));
	const held = rangeOf(stored);
	const isCombinable = validator !== undefined
		&& validator === strongValidator(headers)
		&& held.completeLength === range.completeLength
		&& held.firstByte <= range.lastByte + 1
		&& range.firstByte <= held.lastByte + 1;

	return isCombinable ? range : undefined;
};

/** Bytes, and which of a representation they are. */
type Bytes = {readonly range: StoredRange; readonly body: Uint8Array};

/**
The bytes of a stored response and those of a part that goes with it, RFC 9111 §3.4; `undefined` if the part is not as long as it says.
*/
export const combine = (stored: StoredResponse, range: StoredRange, part: Uint8Array): Bytes | undefined => {
	if (part.byteLength !== range.lastByte - range.firstByte + 1) {
		return undefined;
	}

	const held = rangeOf(stored);
	const union = {
		firstByte: Math.min(held.firstByte, range.firstByte),
		lastByte: Math.max(held.lastByte, range.lastByte),
		completeLength: held.completeLength,
	};
	const body = new Uint8Array(union.lastByte - union.firstByte + 1);
	body.set(stored.body, held.firstByte - union.firstByte);
	body.set(part, range.firstByte - union.firstByte);

	return {range: union, body};
};

/** The response as it would have been had all these bytes come at once. */
export const withBytes = (stored: StoredResponse, {range, body}: Bytes): StoredResponse => {
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
