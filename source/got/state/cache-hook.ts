import type {BeforeRequestHook} from 'got';
import type {RedisCacheOptions} from '../../options/options.ts';
import type {GotOptions} from './got-options.ts';

/*
A cache is known by its `beforeRequest` hook, also to another version of this package in the same process: both would want the last word.
*/

const cacheOf = Symbol.for('got-redis-cache');

type HookedCache = {
	readonly options: RedisCacheOptions;
	/** Whether the user has been warned of unsafe methods that a client makes cacheable. */
	isWarned: boolean;
};

/** A function, so that no secret among the options is printed with the hook. */
type CacheHook = BeforeRequestHook & {readonly [cacheOf]: () => HookedCache};

/** Whether a hook is a cache's, of whatever version of this package. */
export const isCacheHook = (hook: BeforeRequestHook): hook is CacheHook => Object.hasOwn(hook, cacheOf);

/** Marks the hook of a cache. */
export const registerHook = (hook: BeforeRequestHook, options: RedisCacheOptions): void => {
	const cache: HookedCache = {options, isWarned: false};
	Object.defineProperty(hook, cacheOf, {value: () => cache});
};

const lastCacheHook = ({hooks: {beforeRequest}}: Pick<GotOptions, 'hooks'>): CacheHook | undefined => beforeRequest.findLast(hook => isCacheHook(hook));

/** Of several caches in one chain of `extend`, the last takes part. The last hook of all needs no search. */
export const isOwner = (options: Pick<GotOptions, 'hooks'>, hook: BeforeRequestHook): boolean => options.hooks.beforeRequest.at(-1) === hook || lastCacheHook(options) === hook;

/** The cache that takes part; `undefined` if there is none, or it is one of another version. */
export const cacheIn = (options: Pick<GotOptions, 'hooks'>): HookedCache | undefined => {
	const find: unknown = lastCacheHook(options)?.[cacheOf];

	return typeof find === 'function' ? (find as () => HookedCache)() : undefined;
};
