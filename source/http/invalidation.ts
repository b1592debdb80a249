import {structuredFields} from '../types/packages.cjs';
import {fieldValue, headersOf, rawFieldValue} from './header-fields.ts';
import type {RequestHead, ResponseHead} from './message.ts';
import type {Invalidation} from './outcome.ts';
import {isNonError} from './status-codes.ts';
import {normalizeUrl} from './url.ts';

/** The safe methods of https://www.iana.org/assignments/http-methods. An unknown method is not safe. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PRI', 'PROPFIND', 'QUERY', 'REPORT', 'SEARCH', 'TRACE']);

/** RFC 9110 §9.2.1. */
export const isSafe = (method: string): boolean => safeMethods.has(method);

/**
The URLs and groups that a response to an unsafe request invalidates, RFC 9111 §4.4; `undefined` if none.
*/
export const invalidationBy = (request: RequestHead, {statusCode, rawHeaders}: ResponseHead): Invalidation | undefined => {
	if (isSafe(request.method) || !isNonError(statusCode)) {
		return undefined;
	}

	const target = normalizeUrl(request.url);
	const headers = headersOf(rawHeaders);
	const urls = new Set([target]);

	for (const name of ['location', 'content-location']) {
		const url = sameOriginUrl(fieldValue(headers, name), target);
		if (url !== undefined) {
			urls.add(url);
		}
	}

	return {urls: [...urls], groups: stringList(fieldValue(headers, 'cache-group-invalidation'))};
};

/** RFC 9111 §4.4: only URLs of the target's origin are invalidated, because otherwise any origin could empty another's cache. */
const sameOriginUrl = (reference: string | undefined, target: string): string | undefined => {
	if (reference === undefined || !URL.canParse(reference, target)) {
		return undefined;
	}

	const url = new URL(reference, target);

	return url.origin === new URL(target).origin ? normalizeUrl(url.href) : undefined;
};

/** The cache groups of a response, RFC 9875 §2. A group belongs to one origin. */
export const cacheGroups = (rawHeaders: readonly string[]): string[] => stringList(rawFieldValue(rawHeaders, 'cache-groups'));

/** The strings of a List (RFC 9651 §3.1); a field that is not a List is ignored as a whole. */
const stringList = (value: string | undefined): string[] => {
	if (value === undefined) {
		return [];
	}

	try {
		return structuredFields().parseList(value).map(([item]) => item).filter(item => typeof item === 'string');
	} catch {
		return [];
	}
};
