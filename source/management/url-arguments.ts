import {hasCredential, isRedacted, redacted, redactedUrl} from '../http/credentials.ts';
import {normalizeEscapes, normalizeQuery} from '../http/url.ts';
import {whyNoUrlPattern} from '../options/url-pattern.ts';
import {describeRedacted, isString} from '../options/validate.ts';
import {isFilled} from './arguments.ts';

/*
Checks of URLs, and of prefixes and patterns of stored URLs. A pattern or prefix that matches no stored URL is a mistake, whose message says how stored URLs look.
*/

const schemes = ['http://', 'https://', 'unix:'];

export const isAbsoluteUrl = (value: unknown): boolean => (isString(value) || value instanceof URL) && URL.canParse(String(value)) && ['http:', 'https:', 'unix:'].includes(new URL(value).protocol);

/** The beginning of a URL in the form that stored URLs have; `undefined` where there is none. */
const inStoredForm = (prefix: string): string | undefined => {
	const authority = prefix.slice(prefix.indexOf('://') + 3);
	const isWhole = prefix.startsWith('unix:') || /[#\/?]/v.test(authority);
	if (isWhole) {
		return URL.canParse(prefix) ? redactedUrl(new URL(prefix).href) : undefined;
	}

	// A URL does not say the port that is its scheme's own.
	const isDefaultPort = /:\d+$/v.test(authority) && URL.canParse(prefix) && new URL(prefix).port === '';

	// The host may go on.
	return /[\s@]/v.test(authority) ? undefined : prefix.slice(0, isDefaultPort ? prefix.lastIndexOf(':') : undefined).toLowerCase();
};

export const isUrlPrefix = (value: unknown): boolean => {
	if (!isFilled(value) || schemes.some(scheme => scheme.startsWith(value))) {
		return value !== '' && isString(value);
	}

	// A URL has no dot or question mark at its end; what begins with one of them may.
	const completed = /[.?]$/v.test(value) ? `${value}a` : value;

	return schemes.some(scheme => value.startsWith(scheme)) && inStoredForm(completed)?.startsWith(normalizeEscapes(value)) === true;
};

const wholeUrlHint = 'delete() takes the URL as it was requested';

export const describePrefix = (value: unknown): string => {
	const storedForm = isString(value) && schemes.some(scheme => value.toLowerCase().startsWith(scheme)) ? inStoredForm(value) : undefined;
	const hint =
		storedForm === undefined || storedForm === value
			? ''
			: `, which no stored URL begins with: they have the form ${describeRedacted(storedForm)}${storedForm.includes('?') ? `, with the query parameters in the order of their names${isRedacted(storedForm) ? `, and ${redacted} in the place of credentials: ${wholeUrlHint}` : ''}` : ''}`;

	return `${describeRedacted(value)}${hint}`;
};

/** The query of a pattern, as far as it can be told. */
const queryOf = (pattern: unknown): string => {
	if (isString(pattern)) {
		return pattern.split('?', 2)[1] ?? '';
	}

	const {search} = pattern as {readonly search?: unknown};

	return isString(search) ? search : '';
};

/** A stored URL has its query parameters in the order of their names, and no credentials. */
export const whyNoPatternOfStored = (pattern: unknown): string | undefined => {
	const why = whyNoUrlPattern(pattern);
	if (why !== undefined) {
		return why;
	}

	if (hasCredential(queryOf(pattern))) {
		return `a pattern with a credential in its query, which matches no stored URL: those have ${redacted} in its place; ${wholeUrlHint}`;
	}

	const query = isString(pattern) ? pattern.split('?', 2)[1] : undefined;
	const isInOrder = query === undefined || query.includes('*') || normalizeQuery(query, new Set()) === query;

	return isInOrder ? undefined : `${describeRedacted(pattern)}, which matches no stored URL: the query parameters of those are in the order of their names`;
};

/** Where a `*` can only be meant as a wildcard: in a host, and at the end of a path. A query may well end with one, and a path have one in its middle. */
const hasWildcard = (text: string): boolean => {
	const [location = '', query] = text.split('?', 2);
	const host = /^[^\/]*\/\/(?<host>[^\/]*)/v.exec(location)?.groups?.host ?? '';

	return host.includes('*') || (query === undefined && location.endsWith('*'));
};

export const refuseWildcard = (given: string | URL | undefined, property: string, where: string, isMeant: (text: string) => boolean = hasWildcard): void => {
	if (given !== undefined && isMeant(String(given))) {
		throw new TypeError(
			`Expected the ${property} in ${where} without a wildcard, got ${describeRedacted(given)}, in which \`*\` is a character like any other; did you mean \`pattern\`, as in invalidate({pattern: '*.example.com/items'}) and entries({pattern: …})?`,
		);
	}
};

/** A prefix ends with a wildcard anyway. */
export const isWildcardPrefix = (prefix: string): boolean => prefix.endsWith('*') || hasWildcard(prefix);
