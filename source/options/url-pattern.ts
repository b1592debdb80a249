import {normalizeEscapes} from '../http/url.ts';
import {describe, describeRedacted} from './validate.ts';

/** A `URLPattern` of the platform or of a polyfill. */
type UrlPatternObject = {
	readonly hostname: string;
	readonly pathname: string;
	test(url: string): boolean;
};

/**
A pattern that selects URLs.

- A string: `[scheme://]host[:port][/path]`. The host is the whole host, on every port if none is named; one of a single word, other than `localhost`, has its scheme or port, as in `'http://api'` and `'api:*'`. The path is the beginning of the URL's path and query. `*` stands for any characters, in the host for any but `/`. A path alone is one of every origin; it begins with `/` and has a `*`, as in `'/static/*'`.
- A regular expression, which is tried on the whole URL.
- A `URLPattern`.

In `invalidate()` and `entries()`, a pattern is tried on URLs as they are stored, with `REDACTED` in the place of credentials, such as the value of `api_key`. A string or a `URLPattern` that names a credential throws a `TypeError`; a regular expression that names one matches nothing. In `urlsExpireAfter`, it is tried on the URL as it is requested.

@example
```
await cache.invalidate({pattern: /[?&]page=\d+/});
await cache.invalidate({pattern: /[?&]api_key=REDACTED/}); // Whatever the key.
```
*/
export type UrlPattern = string | RegExp | UrlPatternObject;

/**
Matches without a regular expression, so that no pattern can be slow: each `*` takes the nearest place where what follows it fits.
*/
const matchesGlob = (glob: string, text: string, isPrefix: boolean): boolean => {
	const [first = '', ...rest] = glob.split('*');
	if (!text.startsWith(first)) {
		return false;
	}

	const last = isPrefix ? undefined : rest.pop();
	let position = first.length;
	for (const part of rest) {
		const found = text.indexOf(part, position);
		if (found === -1) {
			return false;
		}

		position = found + part.length;
	}

	if (isPrefix) {
		return true;
	}

	return last === undefined ? position === text.length : text.length - last.length >= position && text.endsWith(last);
};

type Parts = {
	/** With its colon, lower-case. */
	readonly scheme: string | undefined;
	/** Lower-case, with the port if there is one. */
	readonly host: string;
	/** Path and query. */
	readonly path: string;
};

const partsOf = (pattern: string): Parts => {
	// Further on, it is part of a query: `proxy.example.com/?url=https://…`.
	const schemeEnd = /^[^\/?]*:\/\//v.test(pattern) ? pattern.indexOf('://') : -1;
	const scheme = schemeEnd === -1 ? undefined : pattern.slice(0, schemeEnd + 1).toLowerCase();
	const location = schemeEnd === -1 ? pattern : pattern.slice(schemeEnd + 3);
	const pathStart = location.includes('/') ? location.indexOf('/') : location.length;
	const host = location.slice(0, pathStart).toLowerCase();

	return {scheme, host: pattern.startsWith('/') ? '*' : host, path: location.slice(pathStart)};
};

/**
@param url - Absolute. Of URLs that RFC 3986 §6.2.2 takes for the same, all match or none.
*/
export const matchesUrlPattern = (pattern: UrlPattern, url: string): boolean => {
	if (pattern instanceof RegExp) {
		pattern.lastIndex = 0;
		return pattern.test(normalizeEscapes(url));
	}

	if (typeof pattern !== 'string') {
		return pattern.test(normalizeEscapes(url));
	}

	const {scheme, host, path} = partsOf(pattern);
	const {protocol, port, hostname, pathname, search} = new URL(url);
	// A URL does not say the port that is its scheme's own.
	const portOfScheme = protocol === 'https:' ? '443' : '80';

	return (scheme === undefined || scheme === protocol)
		&& (matchesGlob(host, `${hostname}:${port || portOfScheme}`, false) || matchesGlob(host, hostname, false))
		&& matchesGlob(normalizeEscapes(path), normalizeEscapes(pathname + search), true);
};

/** Whether all URLs that one pattern matches are matched by another: `false` where that is not known. */
export const isCovered = (pattern: UrlPattern, by: UrlPattern): boolean => {
	if (typeof pattern !== 'string' || typeof by !== 'string') {
		return pattern === by;
	}

	const [inner, outer] = [partsOf(pattern), partsOf(by)];
	// A wildcard that matches another one also matches all that the other one matches.
	const isHostCovered = [inner.host, inner.host.replace(/:[\d*]+$/v, '')].some(host => matchesGlob(outer.host, host, false));

	return (outer.scheme === undefined || outer.scheme === inner.scheme)
		&& isHostCovered
		&& matchesGlob(normalizeEscapes(outer.path), normalizeEscapes(inner.path), true);
};

const isUrlPatternObject = (value: unknown): value is UrlPatternObject => {
	const {test, hostname, pathname} = (value ?? {}) as Partial<UrlPatternObject>;

	return typeof value === 'object' && typeof test === 'function' && typeof hostname === 'string' && typeof pathname === 'string';
};

export const urlPatternExpected = 'a string such as \'*.example.com/items\', a regular expression, or a URLPattern';

const schemes: ReadonlySet<string | undefined> = new Set([undefined, 'http:', 'https:', 'unix:']);

const fillings = ['a', '1', '', 'z.z'];

/** URLs that a pattern was written for, as they are matched: each `*` stands for something, and something may follow. */
const examplesOf = ({scheme = 'http:', host, path}: Parts): string[] => fillings.flatMap(filling => ['', 'a'].flatMap(rest => {
	const url = `${scheme}//${(host + path).split('*').join(filling)}${path === '' ? '' : rest}`;

	return URL.canParse(url) ? [new URL(url).href] : [];
}));

/** Whether the pattern's host is beyond what an example can show: not every text makes an address or a name in Punycode. */
const isSpecialHost = (host: string): boolean => /^\[[\d*.:a-f]+\](?::[\d*]+)?$/v.test(host) || host.includes('xn--');

/** The pattern in the form that URLs have; `undefined` where there is none. */
const inUrlForm = ({scheme, host, path}: Parts): string | undefined => {
	const url = `${scheme ?? 'http:'}//${host}${path}`;
	if (/[*@]/v.test(host) || !URL.canParse(url)) {
		return undefined;
	}

	const {host: urlHost, pathname, search} = new URL(url);

	return `${scheme === undefined ? '' : `${scheme}//`}${urlHost}${path === '' && search === '' ? '' : pathname + search}`;
};

/** A word where a host is expected may have been meant for a path. */
const whyAmbiguous = (pattern: string): string | undefined => {
	const {scheme, host, path} = partsOf(pattern);
	const isWord = scheme === undefined && /^[\w\-]+$/v.test(host) && host !== 'localhost';

	return isWord ? `for a path of every origin, write ${quote(`/${host}${path.replace(/\*$/v, '')}*`)}; for the host, ${quote(`${host}:*${path}`)}` : undefined;
};

/** A scheme without its `://`. */
const brokenScheme = /^(?<scheme>https?)(?:\/{1,2}|:\/?|$)(?<location>[^\/].*)?$/iv;

const mistakeIn = (pattern: string): string | undefined => {
	if (pattern.trim() === '') {
		return '\'*\' matches every URL';
	}

	if (pattern.startsWith('//')) {
		return `for the host, write ${quote(pattern.replace(/^\/+/v, ''))}`;
	}

	if (pattern.startsWith('/') && /[\\^]/v.test(pattern)) {
		return 'a regular expression stands without quotation marks';
	}

	if (pattern.startsWith('/') && !pattern.includes('*')) {
		return `for a path of every origin, write ${quote(`*${pattern}`)} or ${quote(`${pattern}*`)}`;
	}

	const parts = partsOf(pattern);
	if (!schemes.has(parts.scheme)) {
		return 'a scheme is http://, https:// or unix://, or it is left out';
	}

	const broken = parts.scheme === undefined ? brokenScheme.exec(pattern)?.groups : undefined;
	if (broken) {
		return `with a scheme, write ${quote(`${broken.scheme}://${broken.location ?? '*'}`)}`;
	}

	if (isSpecialHost(parts.host) || examplesOf(parts).some(example => matchesUrlPattern(pattern, example))) {
		return undefined;
	}

	const urlForm = inUrlForm(parts);

	return urlForm === undefined || urlForm === pattern
		? 'the form is [scheme://]host[:port][/path], as in \'*.example.com/items\''
		: `a URL has the form ${quote(urlForm)}`;
};

/** Without userinfo and query, which may be secret. */
const quote = (pattern: string): string => {
	const [location = '', query] = pattern.split('?', 2);

	return describe(location.replace(/^(?<scheme>[^\/]*:\/\/)?[^\/]*@/v, '$<scheme>…@') + (query === undefined ? '' : '?…'));
};

/** A URL begins with its scheme: no regular expression matches it that begins with another letter, or with a slash. */
const isAnchoredElsewhere = ({source, flags}: RegExp): boolean => !flags.includes('m') && !source.includes('|') && /^\^(?:\\\/|[\-\/0-9A-GI-TV-Za-gi-tv-z](?![*?\{]))/v.test(source);

export const quotePattern = (pattern: UrlPattern): string => typeof pattern === 'string' ? quote(pattern) : describeRedacted(pattern);

/**
The mistake in a pattern, of whatever type, with its likeliest remedy: that it is none, that no URL can match it, or that its host may have been meant as a path.

@returns `undefined` if nothing is.
*/
export const whyNoUrlPattern = (pattern: unknown): string | undefined => {
	if (typeof pattern === 'string') {
		const mistake = mistakeIn(pattern);
		if (mistake !== undefined) {
			return `${quote(pattern)}, which matches no URL: ${mistake}`;
		}

		const ambiguity = whyAmbiguous(pattern);
		return ambiguity === undefined ? undefined : `${quote(pattern)}, which may be a host or a path: ${ambiguity}`;
	}

	if (pattern instanceof RegExp) {
		return isAnchoredElsewhere(pattern) ? `${describe(pattern)}, which matches no URL: a regular expression is tried on the whole URL, which begins with its scheme` : undefined;
	}

	return isUrlPatternObject(pattern) ? undefined : describeRedacted(pattern);
};
