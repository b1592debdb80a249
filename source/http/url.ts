const noParameters: ReadonlySet<string> = new Set();

/** An escape, and a percent sign directly in front of it that begins none. */
const escapes = /(?<stray>%(?![\da-f]{2})[\da-f]?)?%(?<code>[\da-f]{2})/giv;

/**
RFC 3986 §6.2.2: an escape of an unreserved character is that character, and every other one is in upper case. Reserved characters stay as they are: `%2F` is no `/`.

Also for the beginning of a URL. Takes linear time; normalising twice is normalising once.
*/
export const normalizeEscapes = (url: string): string => {
	if (!url.includes('%')) {
		return url;
	}

	return url.replaceAll(escapes, (_, stray: string | undefined, code: string) => {
		const character = String.fromCodePoint(Number.parseInt(code, 16));
		// Behind a percent sign that begins no escape, another digit could make it one.
		const isDecoded = (stray === undefined ? /[\w\-.~]/v : /[\-.g-z_~]/iv).test(character);

		return `${stray ?? ''}${isDecoded ? character : `%${code.toUpperCase()}`}`;
	});
};

/**
A URL without userinfo and fragment, its escapes in one form (RFC 3986 §6.2.2), its query parameters in the order of their names, without the ignored ones.

Parameters of the same name keep their order, `?a` is not `?a=`, and neither is absence: all that a server could tell apart stays apart. Ignored parameters are given in lower case.
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

/** Also for `application/x-www-form-urlencoded` content. `undefined` when nothing but ignored parameters was there. */
export const normalizeQuery = (query: string, ignoredParameters: ReadonlySet<string>): string | undefined => {
	const parameters = query.split('&');

	if (ignoredParameters.size === 0) {
		return parameters.length === 1 ? query : sortByName(parameters).join('&');
	}

	const kept = parameters.filter(parameter => !ignoredParameters.has(decodedName(parameter).toLowerCase()));

	return kept.length === 0 ? undefined : sortByName(kept).join('&');
};

/** Stable: parameters of the same name keep their order. */
const sortByName = (parameters: readonly string[]): string[] =>
	parameters
		.map(parameter => ({parameter, name: decodedName(parameter)}))
		.toSorted((first, second) => (first.name < second.name ? -1 : Number(first.name > second.name)))
		.map(({parameter}) => parameter);

const rawName = (parameter: string): string => {
	const equals = parameter.indexOf('=');

	return equals === -1 ? parameter : parameter.slice(0, equals);
};

/** As a server would read it: to the same one, parameters of one name in two spellings are repetitions, whose order counts. */
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
