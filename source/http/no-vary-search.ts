import type {BareItem, Item} from 'structured-headers';
import {structuredFields} from '../types/packages.cjs';

/**
The rule by which URLs of a path are equivalent, from the `No-Vary-Search` of their responses: https://www.ietf.org/archive/id/draft-ietf-httpbis-no-vary-search-10.html
*/
export type SearchVariance = {
	/** The field's value as received. */
	readonly field: string;
	/** The decoded names of query parameters. */
	readonly names: ReadonlySet<string>;
	/** `true`: only these parameters distinguish URLs; `false`: all others do. */
	readonly isExcept: boolean;
};

/** The longest accepted field, since it is stored with every path that has it. */
const maxFieldLength = 4096;

/**
Parses the field; `undefined` if it is absent, too long, invalid or without effect.

Both spellings are supported: `params, except=("a")` of the browsers and `except=("a")` of the draft since its sixth version.
*/
export const urlVariation = (field: string | undefined): SearchVariance | undefined => {
	if (field === undefined || field.length > maxFieldLength) {
		return undefined;
	}

	try {
		const dictionary = structuredFields().parseDictionary(field);
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

/** The names in a list; `undefined` if the value is not a list of names. A missing value is an empty list. */
const namesIn = (value: Value = []): ReadonlySet<string> | undefined => {
	if (!Array.isArray(value)) {
		return undefined;
	}

	const names = value.map(([name]) => typeof name === 'string' ? decodedName(name) : undefined);

	return names.includes(undefined) ? undefined : new Set(names as string[]);
};

/**
Decodes a name as `URLSearchParams` would.

@throws {URIError} If its bytes are not UTF-8.
*/
const decodedName = (name: string): string => decodeURIComponent(name.replaceAll('+', ' ').replaceAll(/%(?![\da-f]{2})/giv, '%25'));

/**
The URL that all equivalent URLs share: only the parameters that count, in the form of `application/x-www-form-urlencoded`.

The order of parameter names never distinguishes requests in this cache, with or without `key-order`.
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

/** Whether a response stored for one URL answers a request for the other. Without the field, the URLs must be the same. */
export const isEquivalent = (first: string, second: string, searchVariance: SearchVariance | undefined): boolean =>
	first === second || (searchVariance !== undefined && simplifiedUrl(first, searchVariance) === simplifiedUrl(second, searchVariance));
