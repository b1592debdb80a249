import type {InitHook} from 'got';
import {isOptionName} from '../resolve-options.ts';

/*
What an instance or a call is given, before got merges it with what is there already.
*/

type Given = Parameters<InitHook>[0];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Whether an object can only be options of this cache. */
const isCacheOptions = (value: unknown): boolean => isObject(value) && Object.keys(value).length > 0 && !('get' in value) && Object.keys(value).every(name => isOptionName(name));

const refuseCacheOption = (cache: unknown): void => {
	if (isCacheOptions(cache)) {
		throw new TypeError(`The option \`cache\` is got's own, and takes a storage adapter: options of this cache for one request go into \`context\`, as in {context: {cache: {${Object.keys(cache as Record<string, unknown>).join(', ')}}}}`);
	}
};

const refuseCacheableRequestOptions = (cacheOptions: unknown, cache: unknown): void => {
	const name = !cache && isObject(cacheOptions) ? Object.keys(cacheOptions).find(each => cacheOptions[each] !== undefined) : undefined;
	if (name === undefined) {
		return;
	}

	const place = isOptionName(name) ? `as in redisCache({${name}: …})` : 'in redisCache()';
	throw new TypeError(`The option \`cacheOptions\` is for got's own \`cache\`, and this cache would ignore its \`${name}\`: pass options of this cache to it, ${place}`);
};

/** Whether it is the cache itself that an instance is extended with. */
const isExtension = ({hooks}: Given): boolean => hooks?.init?.includes(checkGiven) === true;

/** Got's `cache: false` is the way to say that a request has no cache. */
const withoutCache = ({context}: Given): Given['context'] => {
	const cache: unknown = context?.cache;

	return {...context, cache: {...isObject(cache) && cache, disabled: true}};
};

/**
Refuses what this cache would pass over in silence, and has got's `cache: false` hold for this cache.

@param given - A copy of got's own, whose properties can be replaced.
@param self - What it is merged into.
*/
export const checkGiven: InitHook = (given, self) => {
	if (isExtension(given)) {
		refuseCacheableRequestOptions(self.cacheOptions, self.cache);
		return;
	}

	refuseCacheOption(given.cache);
	refuseCacheableRequestOptions(given.cacheOptions, given.cache ?? self.cache);
	if (given.cache === false) {
		given.context = withoutCache(given);
	}
};
