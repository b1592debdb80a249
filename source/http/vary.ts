import {hash} from 'node:crypto';
import type {StoredResponse} from '../types/stored.ts';
import {fieldValue, rawFieldValue} from './header-fields.ts';
import {listMembers} from './list.ts';
import type {HeaderFields, RequestHead} from './message.ts';
import {normalizeSelectingValue} from './selecting-value.ts';

/**
The names of the request header fields that select among a resource's variants (RFC 9111 §4.1): lower-case, sorted, without duplicates. `'*'`: no request ever matches. `undefined`: nothing selects.

@param response - The response's header fields, in either form.
@param matchHeaders - Fields that select in addition to those in `Vary`; lower-case.
*/
export const selectingFieldNames = (response: HeaderFields | readonly string[], matchHeaders: readonly string[]): readonly string[] | '*' | undefined => {
	const vary = Array.isArray(response) ? rawFieldValue(response as readonly string[], 'vary') : fieldValue(response as HeaderFields, 'vary');
	if (vary === undefined && matchHeaders.length === 0) {
		return undefined;
	}

	const names = new Set(matchHeaders);
	for (const name of listMembers(vary ?? '')) {
		names.add(name.toLowerCase());
	}

	if (names.has('*')) {
		return '*';
	}

	return names.size === 0 ? undefined : [...names].toSorted();
};

/** The selecting fields of a request with normalised values. An absent field differs from an empty one. */
export const selectingHeaders = (names: readonly string[], requestHeaders: HeaderFields): Record<string, string> => {
	const selecting: Array<[string, string]> = [];

	for (const name of names) {
		const value = fieldValue(requestHeaders, name);
		if (value !== undefined) {
			selecting.push([name, normalizeSelectingValue(name, value)]);
		}
	}

	// `fromEntries` defines properties, so that a field named `__proto__` is an ordinary one.
	return Object.fromEntries(selecting);
};

/** The selecting fields to store with a response to a request; none if nothing selects. */
export const selectedBy = (response: HeaderFields, matchHeaders: readonly string[], request: RequestHead): Record<string, string> => {
	const names = selectingFieldNames(response, matchHeaders);

	return names === undefined || names === '*' ? {} : selectingHeaders(names, request.headers);
};

/** The short id of a variant: equal selecting fields give equal ids, in any order. */
export const variantId = (selecting: Readonly<Record<string, string>>): string => {
	const fields = Object.entries(selecting).toSorted(([first], [second]) => (first < second ? -1 : 1));

	return hash('sha256', JSON.stringify(fields), 'base64url').slice(0, 22);
};

/** Whether a stored response is the variant that a request selects, RFC 9111 §4.1. */
export const isSelected = (request: RequestHead, stored: StoredResponse, matchHeaders: readonly string[]): boolean => {
	const names = selectingFieldNames(stored.rawHeaders, matchHeaders);
	if (names === undefined) {
		return true;
	}

	if (names === '*') {
		return false;
	}

	const asked = selectingHeaders(names, request.headers);

	return names.every(name => ownValue(asked, name) === ownValue(stored.selectingHeaders, name));
};

const ownValue = (record: Readonly<Record<string, string>>, name: string): string | undefined =>
	Object.hasOwn(record, name) ? record[name] : undefined;
