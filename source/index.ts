import './node-version.ts';

export {redisCache, redisCache as default} from './got/plugin.ts';
export {cacheInfo, type CacheHop, type CacheInfo, type CacheReason, type NotStoredReason} from './got/info.ts';
export type {RedisCache, RedisCacheEvents, RedisCacheHealth, RedisCacheReadiness} from './got/redis-cache.ts';
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
	StaleIfErrorRule,
} from './options.ts';
export type {StoreOption} from './store/connection.ts';
export {StoreError, StoreTimeoutError} from './store/store-error.ts';
export type {UrlPattern} from './url-pattern.ts';
