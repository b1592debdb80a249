import {listMembers} from './list.ts';
import type {HeaderFields} from './message.ts';

/** RFC 9110 §7.6.1, RFC 9111 §3.1: they speak of one connection or of one proxy, never of the stored response. */
const perConnectionFields: ReadonlySet<string> = new Set([
	'connection',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authentication-info',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/** They describe the very bytes that a message carries: of other bytes they would be wrong. RFC 9110 §8.6, §14.4, RFC 9530 §2. */
export const bytesFields: ReadonlySet<string> = new Set(['content-digest', 'content-length', 'content-md5', 'content-range']);

/**
Header fields by lower-case name: repeated fields are joined with `, ` (RFC 9110 §5.2), `set-cookie` is an array.

The object has no prototype, so that a field named `__proto__` is a field and nothing else.
*/
export const headersOf = (rawHeaders: readonly string[]): HeaderFields => {
	const headers = Object.create(null) as Record<string, string | string[] | undefined>;

	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const name = (rawHeaders[index] ?? '').toLowerCase();
		const value = rawHeaders[index + 1] ?? '';
		const present = headers[name];

		if (name === 'set-cookie') {
			if (Array.isArray(present)) {
				present.push(value);
			} else {
				headers[name] = [value];
			}
		} else {
			headers[name] = present === undefined ? value : `${present as string}, ${value}`;
		}
	}

	return headers;
};

/** One field's value, its repetitions joined; `undefined` if it is absent. */
export const fieldValue = (headers: HeaderFields, name: string): string | undefined => {
	const value = headers[name];

	if (typeof value === 'string') {
		return value;
	}

	// Anything else, such as what `headers.constructor` finds on a plain object, is not a field.
	return Array.isArray(value) ? value.join(', ') : undefined;
};

/** The same, without the cost of an object for all fields. */
export const rawFieldValue = (rawHeaders: readonly string[], name: string): string | undefined => {
	let value: string | undefined;

	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const rawName = rawHeaders[index] ?? '';
		if (rawName.length !== name.length || rawName.toLowerCase() !== name) {
			continue;
		}

		const line = rawHeaders[index + 1] ?? '';
		value = value === undefined ? line : `${value}, ${line}`;
	}

	return value;
};

/** The fields whose name `isKept` accepts, in order. */
export const filterRawHeaders = (rawHeaders: readonly string[], isKept: (name: string) => boolean): string[] => {
	const kept: string[] = [];

	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const rawName = rawHeaders[index] ?? '';
		if (isKept(rawName.toLowerCase())) {
			kept.push(rawName, rawHeaders[index + 1] ?? '');
		}
	}

	return kept;
};

/** Lower-case names of the fields that end with the connection: the fixed ones, and those that `Connection` lists. */
export const perConnectionFieldNames = (connection: string | undefined): ReadonlySet<string> => {
	if (connection === undefined) {
		return perConnectionFields;
	}

	const names = new Set(perConnectionFields);
	for (const option of listMembers(connection)) {
		names.add(option.toLowerCase());
	}

	return names;
};
