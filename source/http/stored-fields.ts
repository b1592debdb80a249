import {qualifiedFieldNames, type CacheControl} from './cache-control.ts';
import {formatHttpDate} from './dates.ts';
import {bytesFields, filterRawHeaders, perConnectionFieldNames, rawFieldValue} from './header-fields.ts';
import type {ResponseHead} from './message.ts';
import type {Statement} from './policy.ts';
import type {Settings} from './settings.ts';
import {isWeak} from './validators.ts';

/** The header fields that a caller may see of a response, even when it is answered from the store: without those of the connection, and with a date. */
export const receivedHeaders = ({rawHeaders}: Pick<ResponseHead, 'rawHeaders'>, responseTimeMs: number): string[] => {
	const perConnectionNames = perConnectionFieldNames(rawFieldValue(rawHeaders, 'connection'));
	const kept = filterRawHeaders(rawHeaders, name => !perConnectionNames.has(name));

	// RFC 9110 §6.6.1
	if (rawFieldValue(rawHeaders, 'date') === undefined) {
		kept.push('Date', formatHttpDate(responseTimeMs));
	}

	return kept;
};

/** The fields that a qualified `no-cache` or `private` keeps out of the store, RFC 9111 §5.2.2.4, §5.2.2.7. */
export const qualifiedNames = (directives: CacheControl, {isShared}: Pick<Settings, 'isShared'>): string[] => [
	...qualifiedFieldNames(directives, 'no-cache'),
	...(isShared ? qualifiedFieldNames(directives, 'private') : []),
];

export const withoutFields = (rawHeaders: readonly string[], names: readonly string[]): readonly string[] => {
	const removed = new Set(names);

	return removed.size === 0 ? rawHeaders : filterRawHeaders(rawHeaders, name => !removed.has(name));
};

/** The header fields of a response that are stored, RFC 9111 §3.1. */
export const headersToStore = (response: Pick<ResponseHead, 'rawHeaders'>, responseTimeMs: number, settings: Settings, {directives}: Pick<Statement, 'directives'>): readonly string[] =>
	withoutFields(receivedHeaders(response, responseTimeMs), qualifiedNames(directives, settings));

/** RFC 9111 §3.2: these fields describe the stored bytes, which a response without content does not change. */
const keptFields: ReadonlySet<string> = new Set([...bytesFields, 'content-encoding']);

/** Updates stored header fields with those of a 304 or HEAD response, RFC 9111 §3.2. */
export const updatedHeaders = (stored: readonly string[], update: readonly string[]): string[] => {
	const names = new Set<string>();
	// A weak comparison of entity tags says nothing about bytes. Replacing a weak tag by a strong one would allow combining ranges of different representations.
	const isTagKept = isWeak(rawFieldValue(stored, 'etag') ?? '');
	const added = filterRawHeaders(update, name => {
		if (keptFields.has(name) || (isTagKept && name === 'etag')) {
			return false;
		}

		names.add(name);

		return true;
	});

	// The former `Age` belongs to the former response.
	names.add('age');
	const kept = filterRawHeaders(stored, name => !names.has(name));
	kept.push(...added);

	return kept;
};
