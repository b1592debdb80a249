import type {BareItem, Item} from 'structured-headers';
import {structuredFields} from '../types/packages.cjs';
import type {CacheControl} from './cache-control.ts';

/**
The directives of a targeted field, RFC 9213 §2.1; `undefined` if the field is absent, empty or not a Dictionary, and therefore ignored.
*/
export const parseTargetedField = (value: string | undefined): CacheControl | undefined => {
	if (value === undefined) {
		return undefined;
	}

	try {
		const directives = new Map<string, Array<string | undefined>>();
		for (const [name, [member]] of structuredFields().parseDictionary(value)) {
			if (member !== false) {
				directives.set(name, [argumentOf(member)]);
			}
		}

		return directives.size === 0 ? undefined : directives;
	} catch {
		return undefined;
	}
};

/** The argument in the spelling of `Cache-Control`. A value of a type that no directive has becomes empty, so that it is not coerced into a number. */
const argumentOf = (member: BareItem | Item[]): string | undefined => {
	if (member === true) {
		return undefined;
	}

	if (typeof member === 'number') {
		return Number.isSafeInteger(member) ? String(member) : '';
	}

	// Strings are field names in the qualified forms of `no-cache` and `private`. A string of digits is not a number.
	return typeof member === 'string' && !/^\d/v.test(member) ? member : '';
};
