const noParameters: ReadonlySet<string> = new Set();

/** An escape, with a percent sign directly before it that does not begin an escape. */
const escapes = /(?<stray>%(?![\da-f]{2})[\da-f]?)?%(?<code>[\da-f]{2})/giv;

/**
Normalizes escapes by RFC 3986 §6.2.2: unreserved characters are decoded, and other escapes are in upper case. Reserved characters stay as they are: `%2F` is not `/`.

The function also accepts the beginning of a URL, takes linear time, and is idempotent.
*/
export const normalizeEscapes = (url: string): string => {
	if (!url.includes('%')) {
		return url;
	}

	return url.replaceAll(escapes, (_, stray: string | undefined, code: string) => {
		const character = String.fromCodePoint(Number.parseInt(code, 16));
		// After a percent sign that begins no escape, a decoded digit could form a new escape.
		const isDecoded = (stray === undefined ? /[\w\-.~]/v : /[\-.g-z_~]/iv).test(character);

		return `${stray ?? ''}${isDecoded ? character : `%${code.toUpperCase()}`}`;
	});
};

/** The origin of an absolute, normalised URL. */
export const originOf = (url: string): string => {
	const end = url.indexOf('/', url.indexOf('//') + 2);
	return end === -1 ? url : url.slice(0, end);
};

/**
Normalizes a URL: without userinfo, fragment and ignored parameters, with escapes in one form (RFC 3986 §6.2.2) and query parameters sorted by name.

Parameters with the same name keep their order, and `?a`, `?a=` and absence remain different, because a server could distinguish them. `ignoredParameters` is in lower case.
*/
export const normalizeUrl = (url: string, ignoredParameters: ReadonlySet<string> = noParameters): string => {
	const fragmentStart = url.indexOf('#');
	const withoutFragment = normalizeEscapes(fragmentStart === -1 ? url : url.slice(0, fragmentStart));
	const queryStart = withoutFragment.indexOf('?');
	const location = withoutUserinfo(queryStart === -1 ? withoutFragment : withoutFragment.slice(0, queryStart));

	if (queryStart === -1) {
		return location;
	}

	const query = normalizeQuery(withoutFragment.slice(queryStart + 1), ignoredParameters);

	return query === undefined ? location : `${location}?${query}`;
};

/** Normalizes a query or `application/x-www-form-urlencoded` content; `undefined` if it had only ignored parameters. */
export const normalizeQuery = (query: string, ignoredParameters: ReadonlySet<string>): string | undefined => {
	const parameters = query.split('&');

	if (ignoredParameters.size === 0) {
		return parameters.length === 1 ? query : sortByName(parameters).join('&');
	}

	const kept = parameters.filter(parameter => !ignoredParameters.has(decodedName(parameter).toLowerCase()));

	return kept.length === 0 ? undefined : sortByName(kept).join('&');
};

/** The names of the ignored parameters in a URL, as they are written there. */
export const ignoredNamesIn = (url: string, ignoredParameters: ReadonlySet<string>): string[] => {
	const [withoutFragment = ''] = url.split('#', 1);
	const queryStart = withoutFragment.indexOf('?');
	const query = queryStart === -1 ? '' : withoutFragment.slice(queryStart + 1);
	const names = query.split('&').map(parameter => decodedName(parameter)).filter(name => ignoredParameters.has(name.toLowerCase()));

	return [...new Set(names)];
};

/** Sorts parameters by name; the sort is stable, so that parameters with the same name keep their order. */
const sortByName = (parameters: readonly string[]): string[] =>
	parameters
		.map(parameter => ({parameter, name: decodedName(parameter)}))
		.toSorted((first, second) => (first.name < second.name ? -1 : Number(first.name > second.name)))
		.map(({parameter}) => parameter);

const rawName = (parameter: string): string => {
	const equals = parameter.indexOf('=');

	return equals === -1 ? parameter : parameter.slice(0, equals);
};

/** Decodes a parameter's name as a server would. Differently spelled names that are equal for a server are repetitions, whose order counts. */
export const decodedName = (parameter: string): string => {
	const name = rawName(parameter);
	if (!/[%+]/v.test(name)) {
		return name;
	}

	const [decoded = ''] = new URLSearchParams(`?${name}`).keys();

	return decoded;
};

const withoutUserinfo = (location: string): string => {
	if (!location.includes('@')) {
		return location;
	}

	const authorityStart = location.indexOf('//') + 2;
	const pathStart = location.indexOf('/', authorityStart);
	const authorityEnd = pathStart === -1 ? location.length : pathStart;
	const userinfoEnd = location.lastIndexOf('@', authorityEnd - 1);

	return userinfoEnd < authorityStart ? location : location.slice(0, authorityStart) + location.slice(userinfoEnd + 1);
};
