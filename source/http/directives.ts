import {noDirectives, parseCacheControl, type CacheControl} from './cache-control.ts';
import {fieldValue} from './header-fields.ts';
import {listMembers} from './list.ts';
import type {HeaderFields, RequestHead} from './message.ts';
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

/** The request with `only-if-cached`, RFC 9111 §5.2.1.7. */
export const withOnlyIfCached = (request: RequestHead): RequestHead => {
	const cacheControl = request.headers['cache-control'];

	return {...request, headers: {...request.headers, 'cache-control': cacheControl === undefined ? 'only-if-cached' : `${String(cacheControl)}, only-if-cached`}};
};

/** The directives that apply to a response, and whether `Expires` still counts beside them. */
export type ResponseDirectives = {
	/** The field that has the directives, in lower case; `undefined` if none counts. */
	readonly field: string | undefined;
	readonly directives: CacheControl;
	readonly isExpiresHeeded: boolean;
};

/** The first targeted field that is present and valid (RFC 9213 §2.2), or else `Cache-Control`. */
export const responseDirectives = (headers: HeaderFields, settings: Pick<Settings, 'heedsCacheControl' | 'targets'>): ResponseDirectives => {
	if (!settings.heedsCacheControl) {
		return {field: undefined, directives: noDirectives, isExpiresHeeded: false};
	}

	for (const target of settings.targets) {
		const directives = parseTargetedField(fieldValue(headers, target));
		if (directives !== undefined) {
			return {field: target, directives, isExpiresHeeded: false};
		}
	}

	const cacheControl = fieldValue(headers, 'cache-control');
	if (cacheControl === undefined && hasPragmaNoCache(headers)) {
		// `Pragma` has no defined meaning in responses, but origins that send it mean `no-cache`.
		return {field: 'pragma', directives: noCache, isExpiresHeeded: true};
	}

	return {field: cacheControl === undefined ? undefined : 'cache-control', directives: parseCacheControl(cacheControl), isExpiresHeeded: true};
};

const hasPragmaNoCache = (headers: HeaderFields): boolean => {
	const pragma = fieldValue(headers, 'pragma');

	return pragma !== undefined && listMembers(pragma).some(member => member.toLowerCase() === 'no-cache');
};
