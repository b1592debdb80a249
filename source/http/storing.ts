import {qualifiedFieldNames, type CacheControl} from './cache-control.ts';
import {formatHttpDate} from './dates.ts';
import {bytesFields, filterRawHeaders, perConnectionFieldNames, rawFieldValue} from './header-fields.ts';
import type {ResponseHead} from './message.ts';
import type {Statement} from './policy.ts';
import type {Settings} from './settings.ts';
import {isWeak} from './validators.ts';

/** The header fields of a response as its caller may see them in what is made of a stored response: without those of the connection, and with a date. */
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

/** The header fields to store of a response, RFC 9111 §3.1. */
export const headersToStore = (response: Pick<ResponseHead, 'rawHeaders'>, responseTimeMs: number, settings: Settings, {directives}: Pick<Statement, 'directives'>): readonly string[] =>
	withoutFields(receivedHeaders(response, responseTimeMs), qualifiedNames(directives, settings));

/** RFC 9111 §3.2: they describe the stored bytes, which a response without content does not change. */
const keptFields: ReadonlySet<string> = new Set([...bytesFields, 'content-encoding']);

/** The stored header fields with those of a 304 or HEAD response in place of their namesakes, RFC 9111 §3.2. */
export const updatedHeaders = (stored: readonly string[], update: readonly string[]): string[] => {
	const names = new Set<string>();
	// An origin that compared entity tags weakly says nothing of bytes: a strong one would let a range be put together with others.
	const isTagKept = isWeak(rawFieldValue(stored, 'etag') ?? '');
	const added = filterRawHeaders(update, name => {
		if (keptFields.has(name) || (isTagKept && name === 'etag')) {
			return false;
		}

		names.add(name);

		return true;
	});

	// The former age is the former response's own.
	names.add('age');
	const kept = filterRawHeaders(stored, name => !names.has(name));
	kept.push(...added);

	return kept;
};
