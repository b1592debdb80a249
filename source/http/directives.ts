import {noDirectives, parseCacheControl, type CacheControl} from './cache-control.ts';
import {fieldValue} from './header-fields.ts';
import {listMembers} from './list.ts';
import type {HeaderFields} from './message.ts';
import type {Settings} from './settings.ts';
import {parseTargetedField} from './targeted.ts';

const noCache: CacheControl = new Map([['no-cache', [undefined]]]);

/** A request's directives. `Pragma` counts only without `Cache-Control`, RFC 9111 §5.4. */
export const requestDirectives = (headers: HeaderFields): CacheControl => {
	const cacheControl = fieldValue(headers, 'cache-control');
	if (cacheControl !== undefined) {
		return parseCacheControl(cacheControl);
	}

	return hasPragmaNoCache(headers) ? noCache : noDirectives;
};

/** The directives that apply to a response, and whether `Expires` still counts beside them. */
export type ResponseDirectives = {
	readonly directives: CacheControl;
	readonly isExpiresHeeded: boolean;
};

/** The first targeted field that is present and valid (RFC 9213 §2.2), or else `Cache-Control`. */
export const responseDirectives = (headers: HeaderFields, settings: Pick<Settings, 'heedsCacheControl' | 'targets'>): ResponseDirectives => {
	if (!settings.heedsCacheControl) {
		return {directives: noDirectives, isExpiresHeeded: false};
	}

	for (const target of settings.targets) {
		const directives = parseTargetedField(fieldValue(headers, target));
		if (directives !== undefined) {
			return {directives, isExpiresHeeded: false};
		}
	}

	const cacheControl = fieldValue(headers, 'cache-control');
	if (cacheControl === undefined && hasPragmaNoCache(headers)) {
		// `Pragma` has no defined meaning in responses, but origins that send it mean `no-cache`.
		return {directives: noCache, isExpiresHeeded: true};
	}

	return {directives: parseCacheControl(cacheControl), isExpiresHeeded: true};
};

const hasPragmaNoCache = (headers: HeaderFields): boolean => {
	const pragma = fieldValue(headers, 'pragma');

	return pragma !== undefined && listMembers(pragma).some(member => member.toLowerCase() === 'no-cache');
};
