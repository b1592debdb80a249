import type {RedisCacheOptions} from '../options/options.ts';
import {isOptionName} from '../options/option-rules.ts';
import type {StoreOption} from '../store/backends/connection.ts';
import {RedisCache} from './redis-cache.ts';

const storeMarks = ['clientOptions', 'connect', 'get'];
const clientMarks = ['url', 'socket', 'rootNodes', 'sentinelRootNodes'];

// A plain object is options, unless it can only be those of node-redis, an adapter or an embedded Redis. Where both are mixed, options are told where each belongs.
const isOptions = (value: unknown): value is RedisCacheOptions => {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const prototype: unknown = Object.getPrototypeOf(value);
	const isPlain = prototype === null || prototype === Object.prototype;
	if (!isPlain || storeMarks.some(name => Object.hasOwn(value, name))) {
		return false;
	}

	return clientMarks.every(name => !Object.hasOwn(value, name)) || Object.keys(value).some(name => isOptionName(name));
};

/**
Makes an HTTP cache for got, shared by all that use the same store.

@param options - The store among them. Without it, the Redis that the environment variable `REDIS_URL` names, else the one at `redis://localhost:6379` or, until it answers, the memory of this process alone.
@returns A cache for `got.extend()`, with methods to manage it.
@throws {TypeError} If an option is unknown, of the wrong type, or contradicts another; or if there is a second argument: a store and options are given together, as `{store, …}`.

@example
```
import got from 'got';
import {redisCache} from 'got-redis-cache';

const client = got.extend(redisCache());

const {isFromCache} = await client('https://api.example.com/items');
```

@example
```
const client = got.extend(redisCache({store: 'rediss://cache.example.com', ttlOffset: '1d'}));
```
*/
export function redisCache(options?: RedisCacheOptions): RedisCache;
/**
Makes an HTTP cache for got, shared by all that use the same store, with the default of every option.

@param store - A value of the option `store`. If it is `undefined`, as from an unset environment variable, the store is the default one, and a process warning says so.
@returns A cache for `got.extend()`, with methods to manage it.
@throws {TypeError} If it is no store.

@example
```
const client = got.extend(redisCache('redis://cache.example.com'));
```
*/
export function redisCache(store: StoreOption | undefined): RedisCache;
/** TypeScript explains why a wrong argument does not fit the last signature: it is an option most often. */
export function redisCache(options: RedisCacheOptions): RedisCache;
// Two signatures, so that an editor that is given `{` offers options, and not what strings, maps and clients have; and none for either, which would let a mixture of both pass.
export function redisCache(...given: ReadonlyArray<StoreOption | RedisCacheOptions | undefined>): RedisCache {
	const [storeOrOptions] = given;
	if (given.length > 1) {
		// The store may be a URL with a password.
		const store = storeOrOptions === 'memory' ? '\'memory\'' : '…';
		throw new TypeError(`Expected one argument in redisCache(), got ${given.length}: give the store among the options, as in redisCache({store: ${store}, ttlOffset: '1d'})`);
	}

	if (given.length === 0) {
		return new RedisCache({});
	}

	// An argument that is undefined was meant to be a store.
	return new RedisCache(isOptions(storeOrOptions) ? storeOrOptions : {store: storeOrOptions});
}

// Got takes a function in `got.extend()` for another instance, and reads this property of it.
Object.defineProperty(redisCache, 'defaults', { // eslint-disable-line unicorn/no-top-level-side-effects -- A property of the function alone.
	get() {
		throw new TypeError('Expected what redisCache() returns in got.extend(), got the function itself: call it, as in got.extend(redisCache())');
	},
});
