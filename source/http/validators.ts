import {parseHttpDate} from './dates.ts';
import {fieldValue} from './header-fields.ts';
import type {HeaderFields} from './message.ts';

/** The validators that identify one state of a representation, RFC 9110 §8.8. */
export type Validators = {
	readonly etag: string | undefined;
	/** The value of `Last-Modified`, if it is a date. */
	readonly lastModified: string | undefined;
};

/** Characters that no header field may contain: Node.js would reject the request. */
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

/** RFC 9110 §8.8.3: `W/` is case-sensitive. */
export const isWeak = (etag: string): boolean => etag.startsWith('W/');

const opaqueTag = (etag: string): string => (isWeak(etag) ? etag.slice(2) : etag);

/** RFC 9110 §8.8.3.2. */
export const isStrongMatch = (first: string, second: string): boolean => !isWeak(first) && first === second;

/** RFC 9110 §8.8.3.2. */
export const isWeakMatch = (first: string, second: string): boolean => opaqueTag(first) === opaqueTag(second);

/**
The validator that shows that two responses are equal byte by byte, as ranges require; `undefined` if there is none.
*/
export const strongValidator = (headers: HeaderFields): string | undefined => {
	const {etag, lastModified} = validatorsOf(headers);
	if (etag !== undefined) {
		return isWeak(etag) ? undefined : etag;
	}

	return strongDateMs(headers, 0) === undefined ? undefined : lastModified;
};

/** The time of a strong `Last-Modified`, which is at least a second before `Date`, RFC 9110 §8.8.2.2. */
export const strongDateMs = (headers: HeaderFields, nowMs: number): number | undefined => {
	const lastModifiedMs = parseHttpDate(fieldValue(headers, 'last-modified'), nowMs);
	const dateMs = parseHttpDate(fieldValue(headers, 'date'), nowMs);

	return lastModifiedMs !== undefined && dateMs !== undefined && dateMs - lastModifiedMs >= 1000 ? lastModifiedMs : undefined;
};

/**
Whether a response to a request with the stored response's validators is about the stored response, RFC 9111 §4.3.4.

@param isOnlyTagSent - Whether the stored entity tag was the only one sent. The origin has then compared weakly (RFC 9110 §13.1.2): nginx sends `W/"x"` with compressed content, and `"x"` with a 304 for the same content.
*/
export const isAboutStored = (response: Validators, stored: Validators, isOnlyTagSent = false): boolean => {
	if (response.etag !== undefined && stored.etag !== undefined) {
		return isOnlyTagSent || isWeak(response.etag) ? isWeakMatch(response.etag, stored.etag) : response.etag === stored.etag;
	}

	if (response.lastModified !== undefined && stored.lastModified !== undefined) {
		return response.lastModified === stored.lastModified;
	}

	// Many origins leave validators out of a 304; the request named only one stored response.
	return true;
};
