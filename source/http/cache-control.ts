import {listMembers, unquote} from './list.ts';

/** The arguments of each directive by its lower-case name; a directive without an argument has the argument `undefined`. */
export type CacheControl = ReadonlyMap<string, ReadonlyArray<string | undefined>>;

/** RFC 9111 §1.2.2: larger numbers are replaced by this one. */
export const deltaSecondsCeiling = 2_147_483_648;

export const noDirectives: CacheControl = new Map();

/**
The directives of a `Cache-Control` field, RFC 9111 §5.2. This function takes linear time and never throws.
*/
export const parseCacheControl = (value: string | undefined): CacheControl => {
	if (value === undefined || value === '') {
		return noDirectives;
	}

	const directives = new Map<string, Array<string | undefined>>();

	for (const member of listMembers(value)) {
		const equals = member.indexOf('=');
		const name = (equals === -1 ? member : member.slice(0, equals)).toLowerCase();
		const argument = equals === -1 ? undefined : member.slice(equals + 1);

		addDirective(directives, name, argument);
	}

	return directives;
};

const addDirective = (directives: Map<string, Array<string | undefined>>, name: string, argument: string | undefined): void => {
	const trimmedName = name.trimEnd();
	// The grammar allows no whitespace before `=`. The directive counts, but its argument is made invalid.
	const soundArgument = trimmedName === name || argument === undefined ? argument : ` ${argument}`;
	const present = directives.get(trimmedName);

	if (present === undefined) {
		directives.set(trimmedName, [soundArgument]);
	} else {
		present.push(soundArgument);
	}
};

/**
A directive's argument as delta-seconds (RFC 9111 §1.2.2); `undefined` if the directive is absent.

An invalid argument, or contradicting arguments, yield 0: invalid freshness information means stale, RFC 9111 §4.2.1.
*/
export const directiveSeconds = (directives: CacheControl, name: string): number | undefined => {
	const values = directives.get(name);
	if (values === undefined) {
		return undefined;
	}

	const [first, ...rest] = values.map(value => deltaSeconds(value));

	return first === undefined || rest.some(other => other !== first) ? 0 : first;
};

/** RFC 9111 §1.2.2. The value may be quoted, as RFC 9111 §5.2 requires of recipients. */
export const deltaSeconds = (value: string | undefined): number | undefined => {
	const digits = value === undefined ? '' : unquote(value);

	return /^\d+$/v.test(digits) ? Math.min(Number(digits), deltaSecondsCeiling) : undefined;
};

/** Whether the directive is present in its unqualified form, without field names. RFC 9111 §5.2.2.4, §5.2.2.7. */
export const hasUnqualified = (directives: CacheControl, name: string): boolean => {
	const values = directives.get(name);

	return values?.some(value => fieldNames(value).length === 0) ?? false;
};

/** The lower-case field names of all qualified forms of a directive. */
export const qualifiedFieldNames = (directives: CacheControl, name: string): string[] =>
	(directives.get(name) ?? []).flatMap(value => fieldNames(value));

const fieldNames = (argument: string | undefined): string[] =>
	argument === undefined ? [] : listMembers(unquote(argument)).map(fieldName => fieldName.toLowerCase());
