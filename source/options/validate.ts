import {METHODS, validateHeaderName} from 'node:http';
import {inspect} from 'node:util';
import {lacksUnit, parseDuration} from '../types/duration.ts';
import {lettersOf, nearestNames} from './similarity.ts';

/** The rule for a value, in code and in words; and how to describe a value that is no secret. */
export type Rule = readonly [isValid: (value: unknown) => boolean, expected: string, tell?: (value: unknown) => string];

export const durationExpected = 'a duration: milliseconds, or a string such as \'15m\', and not negative';

export const lifetimeExpected = `${durationExpected}; or 'no-store', or 'never'`;

export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const isString = (value: unknown): value is string => typeof value === 'string';
export const isDuration = (value: unknown) => parseDuration(value) !== undefined;
export const isLifetime = (value: unknown) => value === 'never' || value === 'no-store' || isDuration(value);

// RFC 9110 §5.6.2
export const isToken = (value: unknown): value is string => {
	try {
		validateHeaderName(value as string);
		return true;
	} catch {
		return false;
	}
};

/** Node.js parses no others. */
const methods: ReadonlySet<string> = new Set([...METHODS, 'QUERY']);

export const isMethod = (value: unknown): value is string => isString(value) && methods.has(value.toUpperCase());

/** A header field whose name has a wildcard is none that anybody sends. */
export const isFieldName = (value: unknown): value is string => isToken(value) && !value.includes('*');

/** The value may be long, and may hold a secret further down. */
export const describe = (value: unknown): string => {
	const description = inspect(value, {depth: 0, breakLength: Infinity});
	return description.length > 80 ? `${description.slice(0, 80)}…` : description;
};

/** Describes a duration; one without a unit with what it lacks. */
export const describeDuration = (value: unknown): string => lacksUnit(value)
	? `${describe(value)}, which has no unit: write '${value.trim()}s' for seconds, or the number ${Number(value)} for milliseconds`
	: describe(value);

/** Other caches have numbers for a lifetime without end. */
export const describeLifetime = (value: unknown): string => value === Infinity || value === -1
	? `${describe(value)}: a lifetime without end is 'never'`
	: describeDuration(value);

/** A URL is described without userinfo and query, which may be secret; an object, which may hold a secret anywhere, by its type alone. */
export const describeRedacted = (value: unknown): string => {
	if (isString(value) || value instanceof URL) {
		const [location = '', query] = String(value).split('?', 2);
		const told = location.replace(/^(?<scheme>[^\/]*\/\/)[^\/]*@/v, '$<scheme>…@');
		return describe(query === undefined ? told : `${told}?…`);
	}

	if (typeof value !== 'object' || value === null) {
		return describe(value);
	}

	return Array.isArray(value) ? 'an array' : `an object of class ${value.constructor?.name ?? 'none'}`;
};

/** How much of two names is the same beginning, whatever its case: from 0 to 1. */
const likeness = (one: string, other: string): number => {
	const difference = [...one].findIndex((letter, index) => letter.toLowerCase() !== other[index]?.toLowerCase());
	return (difference === -1 ? one.length : difference) / Math.max(one.length, other.length);
};

/** Not a `Map`, a promise or anything else whose content is in no property. */
const isObject = (value: unknown): value is Record<string, unknown> => Object.prototype.toString.call(value) === '[object Object]';

type Subject = {
	/** The name in messages. */
	readonly where: string;
	readonly noun: 'option' | 'property';
	/** Where one without a rule belongs, if that is known. */
	readonly hint?: (name: string) => string | undefined;
	/** Other names of some, in lower case, letters alone. */
	readonly synonyms?: ReadonlyMap<string, string>;
};

/** Few names are told all. */
const maxNames = 8;

/** The names that a misspelt name was likely meant to be, the likeliest first. */
const namesNear = (name: string, names: readonly string[], synonyms: ReadonlyMap<string, string> | undefined): string[] => {
	if (names.length <= maxNames) {
		return names.toSorted((one, other) => likeness(other, name) - likeness(one, name));
	}

	const synonym = synonyms?.get(lettersOf(name));
	const likely = synonym !== undefined && names.includes(synonym) ? [synonym] : [];

	return [...new Set([...likely, ...nearestNames(name, names)])].slice(0, 3);
};

/**
@throws {TypeError} If what was given is no object, has a property without a rule, or one that breaks its rule.
*/
export const validate = (given: unknown, rules: Readonly<Record<string, Rule>>, {where, noun, hint, synonyms}: Subject): void => {
	if (!isObject(given)) {
		throw new TypeError(`Expected an object with options in ${where}, got ${describe(given)}`);
	}

	for (const [name, value] of Object.entries(given)) {
		const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
		if (!rule) {
			throw new TypeError(`Unknown ${noun} \`${name}\` in ${where}: ${hint?.(name) ?? `expected one of ${namesNear(name, Object.keys(rules), synonyms).join(', ')}`}`);
		}

		const [isValid, expected, tell = describe] = rule;
		if (value !== undefined && !isValid(value)) {
			throw new TypeError(`Expected the ${noun} \`${name}\` in ${where} to be ${expected}, got ${tell(value)}`);
		}
	}
};
