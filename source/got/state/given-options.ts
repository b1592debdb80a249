import type {InitHook} from 'got';
import {refuseNearMisses} from '../../options/near-misses.ts';
import {isOptionName} from '../../options/option-rules.ts';
import {watchMethods} from './client-methods.ts';
import {requireCurrentGot} from './got-module.ts';

/*
The options that an instance or a call is given, before got merges them.
*/

type Given = Parameters<InitHook>[0];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isPlainObject = (value: unknown): value is Record<string, unknown> => Object.prototype.toString.call(value) === '[object Object]';

/** Whether an object can only be options of this cache. */
const isCacheOptions = (value: unknown): boolean => isObject(value) && Object.keys(value).length > 0 && !('get' in value) && Object.keys(value).every(name => isOptionName(name));

const refuseCacheOption = (cache: unknown): void => {
	if (isCacheOptions(cache)) {
		throw new TypeError(
			`The option \`cache\` is got's own, and takes a storage adapter: options of this cache for one request go into \`context\`, as in {context: {cache: {${Object.keys(cache as Record<string, unknown>).join(', ')}}}}`,
		);
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

/** Got calls it before its own cache stores a response. */
const refuseBeforeCache = (hooks: Given['hooks'], cache: unknown): void => {
	if (!cache && hooks?.beforeCache && hooks.beforeCache.length > 0) {
		throw new TypeError(
			'The hook `beforeCache` is for got\'s own `cache`, and this cache would never call it: say what is stored with its options `filter` and `expireAfter`, as in redisCache({filter: …})',
		);
	}
};

/** Whether it is the cache itself that an instance is extended with. */
const isExtension = ({hooks}: Given): boolean => hooks?.init?.includes(completeGiven) === true;

/** The options in `context.cache`. */
const optionsIn = (cache: unknown): unknown => cache === false ? {disabled: true} : cache;

/** Got replaces `context.cache` as a whole; an option that only the client sets holds for the request all the same. */
const mergedCache = (ofClient: unknown, given: unknown): unknown => {
	const [base, more] = [optionsIn(ofClient), optionsIn(given)];
	if (!isPlainObject(base) || !isPlainObject(more)) {
		return given;
	}

	const set = Object.entries(more).filter(([, value]) => value !== undefined);

	return {...base, ...Object.fromEntries(set)};
};

const withCache = (given: Given, cache: unknown): void => {
	given.context = {...given.context, cache};
};

/**
Refuses what this cache would pass over in silence, merges `context.cache` with that of the client, and has got's `cache: false` hold for this cache.

@param given - A copy of got's own, whose properties can be replaced.
@param self - The options that it is merged into.
*/
export const completeGiven: InitHook = (given, self) => {
	// The request may be made by another got than the one that this package finds.
	requireCurrentGot(self);
	if (isExtension(given)) {
		refuseNearMisses(self.context);
		refuseCacheableRequestOptions(self.cacheOptions, self.cache);
		refuseBeforeCache(self.hooks, self.cache);
		watchMethods(self);
	}

	refuseCacheOption(given.cache);
	refuseCacheableRequestOptions(given.cacheOptions, given.cache ?? self.cache);
	refuseBeforeCache(given.hooks, given.cache ?? self.cache);
	if (isObject(given.context)) {
		refuseNearMisses(given.context);
		if (given.context.cache !== undefined) {
			withCache(given, mergedCache(self.context.cache, given.context.cache));
			watchMethods(self);
		}
	}

	// Got's way to say that a request has no cache.
	if (given.cache === false) {
		withCache(given, mergedCache(given.context?.cache ?? self.context.cache ?? {}, false));
	}
};
