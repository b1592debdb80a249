import {hash} from 'node:crypto';
import {isCredentialName} from './credentials.ts';
import {hasOpenQuote, listMembers, splitOutsideQuotes, trimWhitespace} from './list.ts';

/** RFC 9110 §12.5.2 to §12.5.4: weighted lists of case-insensitive names. */
const weightedNameFields: ReadonlySet<string> = new Set(['accept-charset', 'accept-encoding', 'accept-language']);

/**
A selecting field's value in the one form that all values of the same meaning share, RFC 9111 §4.1.

The members of a weighted list are ordered by weight, and members of equal weight keep their order. RFC 9110 gives that order no meaning, but servers do: `negotiator`, the parser of Express, Koa and Fastify, prefers the first one.

A field with an unknown grammar, or with a quotation mark that is never closed, only loses its whitespace around commas: in another order, other commas would be within quotes.
*/
export const normalizeSelectingValue = (name: string, value: string): string => {
	const isWeightedName = weightedNameFields.has(name);
	if ((isWeightedName || name === 'accept') && !hasOpenQuote(value)) {
		return normalizeWeightedList(isWeightedName ? value.toLowerCase() : value);
	}

	// Compared byte by byte, and kept as a digest alone: a stored response tells nobody a secret.
	return isCredentialName(name) ? hash('sha256', trimWhitespace(value), 'base64url') : splitOutsideQuotes(value, ',').join(',');
};

/** Not joined with a bare comma, as version 0.1.0 did: its values say nothing of the order of equals, and must match none of these. */
const normalizeWeightedList = (value: string): string => {
	const members = listMembers(value).map(member => normalizeMember(member));
	// Parsers disagree about quotes, and about weights that are malformed or repeated.
	const isCertain = !value.includes('"') && members.every(({weight}) => weight !== undefined);
	const ordered = isCertain ? members.toSorted((first, second) => (second.weight ?? 0) - (first.weight ?? 0)) : members;

	return ordered.map(({text}) => text).join(', ');
};

type WeightedMember = {
	/** No optional whitespace, type and parameter names in lower case, the weight in its shortest form. */
	readonly text: string;
	/** `undefined` if the member has no valid weight, or several. */
	readonly weight: number | undefined;
};

const normalizeMember = (member: string): WeightedMember => {
	const [type = '', ...parameters] = splitOutsideQuotes(member, ';').map((part, position) => position === 0 ? part.toLowerCase() : normalizeParameter(part));
	const weights = parameters.filter(parameter => isWeight(parameter)).map(parameter => qualityValue(parameter));
	const weight = weights.length === 0 ? 1 : weights[0];

	// Some parsers ignore what stands behind a weight, so that one counts even where it says what goes without saying.
	if (weights.length === 1 && parameters.at(-1) === 'q=1') {
		parameters.pop();
	}

	return {text: [type, ...parameters].join(';'), weight: weights.length > 1 ? undefined : weight};
};

const normalizeParameter = (parameter: string): string => {
	const equals = parameter.indexOf('=');
	const name = parameter.slice(0, equals === -1 ? undefined : equals).toLowerCase();
	const normalized = equals === -1 ? name : `${name}${parameter.slice(equals)}`;
	const weight = isWeight(normalized) ? qualityValue(normalized) : undefined;

	return weight === undefined ? normalized : `q=${weight}`;
};

/** Whether a parser may take a parameter for a weight, valid or not. */
const isWeight = (parameter: string): boolean => /^q[\t ]*(?:=|$)/v.test(parameter);

/** RFC 9110 §12.4.2; `undefined` for what is none. */
const qualityValue = (parameter: string): number | undefined =>
	/^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/v.test(parameter) ? Number(parameter.slice(2)) : undefined;
