import {parseDictionary, type BareItem, type Item} from 'structured-headers';

/**
Which URLs of a path are equivalent, by the `No-Vary-Search` of their responses: https://www.ietf.org/archive/id/draft-ietf-httpbis-no-vary-search-10.html
*/
export type SearchVariance = {
	/** The field's value, as it came. */
	readonly field: string;
	/** Of query parameters, decoded. */
	readonly names: ReadonlySet<string>;
	/** `true`: these parameters alone tell URLs apart; `false`: all but these do. */
	readonly isExcept: boolean;
};

/** It is kept with every path that has it. */
const maxFieldLength = 4096;

/**
What a field's value says; `undefined` if that is nothing: if it is absent, too long or anything but what the draft allows.

Both spellings are heeded, `params, except=("a")` of the browsers and `except=("a")` of the draft since its sixth version.
*/
export const urlVariation = (field: string | undefined): SearchVariance | undefined => {
	if (field === undefined || field.length > maxFieldLength) {
		return undefined;
	}

	try {
		const dictionary = parseDictionary(field);
		const [keyOrder = false, params, except] = ['key-order', 'params', 'except'].map(name => dictionary.get(name)?.[0]);
		const isExcept = except !== undefined || params === true;
		const names = isExcept ? exceptedNames(params, except) : namesIn(params);
		const isNothing = !isExcept && names?.size === 0 && !keyOrder;

		return names === undefined || typeof keyOrder !== 'boolean' || isNothing ? undefined : {field, names, isExcept};
	} catch {
		return undefined;
	}
};

type Value = BareItem | Item[] | undefined;

const exceptedNames = (params: Value, except: Value): ReadonlySet<string> | undefined =>
	params === undefined || params === true ? namesIn(except) : undefined;

/** `undefined` for what is no list of names; what is not there lists none. */
const namesIn = (value: Value = []): ReadonlySet<string> | undefined => {
	if (!Array.isArray(value)) {
		return undefined;
	}

	const names = value.map(([name]) => typeof name === 'string' ? decodedName(name) : undefined);

	return names.includes(undefined) ? undefined : new Set(names as string[]);
};

/**
A name as `URLSearchParams` would read it.

@throws {URIError} If its bytes are not UTF-8.
*/
const decodedName = (name: string): string => decodeURIComponent(name.replaceAll('+', ' ').replaceAll(/%(?![\da-f]{2})/giv, '%25'));

/**
The URL that all equivalent ones have in common: the parameters that count, as `application/x-www-form-urlencoded` has them.

The order of their names never tells requests apart in this cache, `key-order` or not.
*/
export const simplifiedUrl = (url: string, {names, isExcept}: SearchVariance): string => {
	const queryStart = url.indexOf('?');
	if (queryStart === -1) {
		return url;
	}

	const parameters = [...new URLSearchParams(url.slice(queryStart))];
	const counting = new URLSearchParams(parameters.filter(([name]) => names.has(name) === isExcept));
	counting.sort();
	const location = url.slice(0, queryStart);

	return counting.size === 0 ? location : `${location}?${counting.toString()}`;
};

/** Whether a response with such a field that is stored for one URL answers a request for the other; without the field, if the two are the same. */
export const isEquivalent = (first: string, second: string, searchVariance: SearchVariance | undefined): boolean =>
	first === second || (searchVariance !== undefined && simplifiedUrl(first, searchVariance) === simplifiedUrl(second, searchVariance));
