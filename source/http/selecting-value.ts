import {hash} from 'node:crypto';
import {
	hasOpenQuote,
	listMembers,
	splitOutsideQuotes,
	trimWhitespace,
} from './list.ts';

/** Compared byte by byte, and kept as a digest alone: a stored response tells nobody a secret. */
const credentialFields: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** RFC 9110 §12.5.2 to §12.5.4: weighted lists of case-insensitive names, whose order has no meaning. */
const weightedNameFields: ReadonlySet<string> = new Set(['accept-charset', 'accept-encoding', 'accept-language']);

/**
A selecting field's value in the one form that all values of the same meaning share, RFC 9111 §4.1.

Where a field's own grammar is not known, or a quotation mark is never closed, whitespace around commas is all that is dropped: in another order, other commas would be within quotes.
*/
export const normalizeSelectingValue = (name: string, value: string): string => {
	if (credentialFields.has(name)) {
		return hash('sha256', trimWhitespace(value), 'base64url');
	}

	const isWeightedName = weightedNameFields.has(name);
	if ((isWeightedName || name === 'accept') && !hasOpenQuote(value)) {
		return listMembers(isWeightedName ? value.toLowerCase() : value).map(member => normalizeParameters(member)).toSorted().join(',');
	}

	return splitOutsideQuotes(value, ',').join(',');
};

/** A member of a weighted list: no optional whitespace, type and parameter names in lower case, the weight in its shortest form. */
const normalizeParameters = (member: string): string => {
	const [type = '', ...parameters] = splitOutsideQuotes(member, ';');
	const normalized = [type.toLowerCase()];

	for (const parameter of parameters) {
		const equals = parameter.indexOf('=');
		const name = parameter.slice(0, equals === -1 ? undefined : equals).toLowerCase();
		const value = equals === -1 ? undefined : parameter.slice(equals + 1);
		const weight = name === 'q' ? qualityValue(value) : undefined;

		if (weight === undefined) {
			normalized.push(value === undefined ? name : `${name}=${value}`);
		} else if (weight !== 1) {
			normalized.push(`q=${weight}`);
		}
	}

	return normalized.join(';');
};

/** RFC 9110 §12.4.2; `undefined` for what is none. */
const qualityValue = (value: string | undefined): number | undefined =>
	value !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/v.test(value) ? Number(value) : undefined;
