import {hash} from 'node:crypto';
import {isCredentialName} from './credentials.ts';
import {hasOpenQuote, listMembers, splitOutsideQuotes, trimWhitespace} from './list.ts';

/** These fields are weighted lists of case-insensitive names, RFC 9110 §12.5.2 to §12.5.4. */
const weightedNameFields: ReadonlySet<string> = new Set(['accept-charset', 'accept-encoding', 'accept-language']);

/**
Normalizes a selecting field: values with the same meaning give the same result, RFC 9111 §4.1.

The members of a weighted list are ordered by weight, and members of equal weight keep their order. RFC 9110 gives that order no meaning, but servers do: `negotiator`, the parser of Express, Koa and Fastify, prefers the first one.

A field with an unknown grammar, or with an unclosed quotation mark, only loses its whitespace around commas, because reordering could move commas into quotes.
*/
export const normalizeSelectingValue = (name: string, value: string): string => {
	const isWeightedName = weightedNameFields.has(name);
	if ((isWeightedName || name === 'accept') && !hasOpenQuote(value)) {
		return normalizeWeightedList(isWeightedName ? value.toLowerCase() : value);
	}

	// Credentials are stored as digests, so that a stored response reveals no secret.
	return isCredentialName(name) ? hash('sha256', trimWhitespace(value), 'base64url') : splitOutsideQuotes(value, ',').join(',');
};

/** Members are joined with a comma and a space. Version 0.1.0 used a comma alone and ignored the order of equals, so that its values must not match these. */
const normalizeWeightedList = (value: string): string => {
	const members = listMembers(value).map(member => normalizeMember(member));
	// Parsers disagree about quotes, and about weights that are malformed or repeated.
	const isCertain = !value.includes('"') && members.every(({weight}) => weight !== undefined);
	const ordered = isCertain ? members.toSorted((first, second) => (second.weight ?? 0) - (first.weight ?? 0)) : members;

	return ordered.map(({text}) => text).join(', ');
};

type WeightedMember = {
	/** The member without optional whitespace, with type and parameter names in lower case, and the weight in its shortest form. */
	readonly text: string;
	/** The weight; `undefined` if the member has an invalid weight, or several. */
	readonly weight: number | undefined;
};

const normalizeMember = (member: string): WeightedMember => {
	const [type = '', ...parameters] = splitOutsideQuotes(member, ';').map((part, position) => position === 0 ? part.toLowerCase() : normalizeParameter(part));
	const weights = parameters.filter(parameter => isWeight(parameter)).map(parameter => qualityValue(parameter));
	const weight = weights.length === 0 ? 1 : weights[0];

	// Some parsers ignore parameters after a weight, so that only a final `q=1` can be dropped.
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

/** A quality value, RFC 9110 §12.4.2; `undefined` if it is invalid. */
const qualityValue = (parameter: string): number | undefined =>
	/^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/v.test(parameter) ? Number(parameter.slice(2)) : undefined;
