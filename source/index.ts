export {
	cacheInfo,
	redisCache,
	redisCache as default,
	type RedisCache,
	type RedisCacheEvents,
	type RedisCacheHealth,
} from './got/plugin.ts';
export type {CacheInfo} from './got/info.ts';
export type {Duration} from './duration.ts';
export type {CachedResponse, CacheEntry, EntryFilter, Purgeable, RequestLike} from './inventory.ts';
export type {
	CacheableRequest,
	CacheableResponse,
	CacheMode,
	ExpireAfter,
	Lifetime,
	RedisCacheOptions,
	RequestCacheOptions,
} from './options.ts';
export type {StoreOption} from './store/connection.ts';
