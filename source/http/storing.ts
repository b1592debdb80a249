import {qualifiedFieldNames} from './cache-control.ts';
import {formatHttpDate} from './dates.ts';
import {responseDirectives} from './directives.ts';
import {
	bytesFields,
	fieldValue,
	filterRawHeaders,
	headersOf,
	perConnectionFieldNames,
	rawFieldValue,
} from './header-fields.ts';
import type {ResponseHead} from './message.ts';
import type {Appraisal} from './policy.ts';
import type {Settings} from './settings.ts';
import {isWeak} from './validators.ts';

type Read = Pick<Appraisal, 'headers' | 'directives'>;

const read = (rawHeaders: readonly string[], settings: Settings): Read => {
	const headers = headersOf(rawHeaders);
	const {directives} = responseDirectives(headers, settings);

	return {headers, directives};
};

/**
The header fields to store of a response, RFC 9111 §3.1.

@param appraisal - What was read of them already.
*/
export const headersToStore = ({rawHeaders}: Pick<ResponseHead, 'rawHeaders'>, responseTimeMs: number, settings: Settings, {headers, directives}: Read = read(rawHeaders, settings)): string[] => {
	const perConnectionNames = perConnectionFieldNames(fieldValue(headers, 'connection'));
	const qualifiedNames = new Set([
		...qualifiedFieldNames(directives, 'no-cache'),
		...(settings.isShared ? qualifiedFieldNames(directives, 'private') : []),
	]);
	const kept = filterRawHeaders(rawHeaders, name => !perConnectionNames.has(name) && !qualifiedNames.has(name));

	// RFC 9110 §6.6.1
	if (headers.date === undefined) {
		kept.push('Date', formatHttpDate(responseTimeMs));
	}

	return kept;
};

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
