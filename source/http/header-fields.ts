import {listMembers} from './list.ts';
import type {HeaderFields} from './message.ts';

/** Fields of one connection or one proxy, which are not part of the stored response: RFC 9110 §7.6.1, RFC 9111 §3.1. */
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

/** Fields that describe the exact bytes of a message, and would be wrong for other bytes: RFC 9110 §8.6, §14.4, RFC 9530 §2. */
export const bytesFields: ReadonlySet<string> = new Set(['content-digest', 'content-length', 'content-md5', 'content-range']);

/**
Header fields by lower-case name: repeated fields are joined with `, ` (RFC 9110 §5.2), and `set-cookie` is an array.

The object has no prototype, so that a field named `__proto__` is an ordinary field.
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

/** One field's value, with repetitions joined; `undefined` if the field is absent. */
export const fieldValue = (headers: HeaderFields, name: string): string | undefined => {
	const value = headers[name];

	if (typeof value === 'string') {
		return value;
	}

	// Other values, such as `headers.constructor` of a plain object, are not fields.
	return Array.isArray(value) ? value.join(', ') : undefined;
};

/** Reads one field like `fieldValue()`, without the cost of an object for all fields. */
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

/** The lower-case names of the fields that apply to one connection only: the fixed ones and the options of `Connection`. */
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
