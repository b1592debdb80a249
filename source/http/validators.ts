import {parseHttpDate} from './dates.ts';
import {fieldValue} from './header-fields.ts';
import type {HeaderFields} from './message.ts';

/** What identifies one state of a representation, RFC 9110 §8.8. */
export type Validators = {
	readonly etag: string | undefined;
	/** Only if it is a date. */
	readonly lastModified: string | undefined;
};

/** No header field may have it: a request that carries it fails. */
const unsendable = /[^\t\u{20}-\u{7E}\u{80}-\u{FF}]/v;

export const validatorsOf = (headers: HeaderFields): Validators => {
	const etag = fieldValue(headers, 'etag');
	const lastModified = fieldValue(headers, 'last-modified');

	return {
		etag: etag === undefined || etag === '' || unsendable.test(etag) ? undefined : etag,
		lastModified: parseHttpDate(lastModified, 0) === undefined ? undefined : lastModified,
	};
};

export const hasValidator = ({etag, lastModified}: Validators): boolean => etag !== undefined || lastModified !== undefined;

/** RFC 9110 §8.8.3: case matters. */
export const isWeak = (etag: string): boolean => etag.startsWith('W/');

const opaqueTag = (etag: string): string => (isWeak(etag) ? etag.slice(2) : etag);

/** RFC 9110 §8.8.3.2. */
export const isStrongMatch = (first: string, second: string): boolean => !isWeak(first) && first === second;

/** RFC 9110 §8.8.3.2. */
export const isWeakMatch = (first: string, second: string): boolean => opaqueTag(first) === opaqueTag(second);

/**
The validator by which two responses can be told to be the same byte by byte, which a range needs; `undefined` if there is none.
*/
export const strongValidator = (headers: HeaderFields): string | undefined => {
	const {etag, lastModified} = validatorsOf(headers);
	if (etag !== undefined) {
		return isWeak(etag) ? undefined : etag;
	}

	return strongDateMs(headers, 0) === undefined ? undefined : lastModified;
};

/** RFC 9110 §8.8.2.2: the time of a `Last-Modified` that is strong, as it is at least a second before `Date`. */
export const strongDateMs = (headers: HeaderFields, nowMs: number): number | undefined => {
	const lastModifiedMs = parseHttpDate(fieldValue(headers, 'last-modified'), nowMs);
	const dateMs = parseHttpDate(fieldValue(headers, 'date'), nowMs);

	return lastModifiedMs !== undefined && dateMs !== undefined && dateMs - lastModifiedMs >= 1000 ? lastModifiedMs : undefined;
};

/**
Whether a response to a request that carried the stored response's validators speaks of the stored response, RFC 9111 §4.3.4.

@param isOnlyTagSent - Whether the stored entity tag was the only one that the origin was asked about. It has compared the two weakly then (RFC 9110 §13.1.2): nginx says `W/"x"` of what it compresses, and `"x"` of the same when it is not modified.
*/
export const isAboutStored = (response: Validators, stored: Validators, isOnlyTagSent = false): boolean => {
	if (response.etag !== undefined && stored.etag !== undefined) {
		return isOnlyTagSent || isWeak(response.etag) ? isWeakMatch(response.etag, stored.etag) : response.etag === stored.etag;
	}

	if (response.lastModified !== undefined && stored.lastModified !== undefined) {
		return response.lastModified === stored.lastModified;
	}

	// Many an origin leaves the validator out of its 304; the request named one stored response and no other.
	return true;
};
