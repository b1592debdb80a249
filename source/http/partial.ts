import type {StoredRange, StoredResponse} from '../types/stored.ts';
import {deltaSeconds} from './cache-control.ts';
import {bytesFields, filterRawHeaders, headersOf, rawFieldValue} from './header-fields.ts';
import type {HeaderFields, RequestHead, ResponseHead} from './message.ts';
import type {StoredHead} from './outcome.ts';
import {contentRangeOf, formatContentRange, rangeOf, suffixLengthOf} from './range.ts';
import {strongValidator} from './validators.ts';

/**
Makes a stored response from its head and its body; `undefined` if they do not match, so that it must not be stored. RFC 9111 §3.3.
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

/** The bytes that arrived, if fewer than `Content-Range` says. */
const arrivedRange = (requestHeaders: HeaderFields, range: StoredRange, length: number): StoredRange | undefined => {
	const {firstByte, lastByte, completeLength} = range;
	const declaredLength = lastByte - firstByte + 1;

	if (length === declaredLength) {
		return range;
	}

	if (length === 0 || length > declaredLength) {
		return undefined;
	}

	// A response to a suffix range that has the requested length contains the last bytes.
	const isSuffix = lastByte === completeLength - 1 && length === suffixLengthOf(requestHeaders);

	return isSuffix ? {...range, firstByte: completeLength - length} : {...range, lastByte: firstByte + length - 1};
};

/** The header fields that request the missing part of a stored partial response; `undefined` if one range cannot express it, or no validator would confirm that the part belongs to it. */
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

/** The range of a partial response that can be combined with a stored one: same strong validator, same length, no gap. RFC 9111 §3.4. */
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

/** Bytes and their position in a representation. */
type Bytes = {readonly range: StoredRange; readonly body: Uint8Array};

/**
Combines a stored response with a matching part, RFC 9111 §3.4; `undefined` if the part's length is not the one it declares.
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

/** The response as if all bytes had arrived at once. */
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
