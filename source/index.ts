import './node-version.ts';

export {redisCache, redisCache as default} from './got/plugin.ts';
export type {ExplainOptions} from './got/explain.ts';
export type {Finding} from './http/finding.ts';
export {cacheInfo} from './got/cache-info.ts';
export type {CacheHop, CacheInfo, CacheReason, NotStoredReason} from './observe/info.ts';
export type {ExchangeReport} from './observe/exchange-report.ts';
export type {CacheStats, FleetStats, HotOrigin, HotUrl, RefusedUrl, RequestCounts, StatsStep} from './observe/stats.ts';
export type {ExchangeTrace} from './observe/tracing.ts';
export type {Failover, RedisCacheEvents} from './got/events.ts';
export type {RedisCache, RedisCacheHealth, RedisCacheReadiness} from './got/redis-cache.ts';
export type {OriginAnswer, OriginGate, OriginPermission, OriginRequest} from './got/state/origin-gate.ts';
export type {Duration} from './types/duration.ts';
export type {ExportedResponse, ImportResult} from './management/exported.ts';
export type {CachedResponse, CacheEntry, ListedEntry} from './management/inventory.ts';
export type {
	ExplainedDecision,
	ExplainedFleetRefusal,
	ExplainedFreshness,
	ExplainedKey,
	ExplainedPurge,
	ExplainedRefusal,
	ExplainedResponse,
	ExplainedStaleness,
	ExplainedStore,
	ExplainedWindow,
	Explanation,
	OriginJudgement,
} from './management/explanation.ts';
export type {EntriesOptions, EntryFilter, Purgeable, RequestLike, UnreadableEntry} from './management/filters.ts';
export type {
	CacheableRequest,
	CacheableResponse,
	CacheMode,
	ExpireAfter,
	Lifetime,
	RedisCacheOptions,
	RequestCacheOptions,
	StaleIfErrorRule,
} from './options/options.ts';
export type {StoreOption} from './store/backends/connection.ts';
export type {SqliteOptions} from './store/sqlite/address.ts';
export type {UnreadableReason} from './store/ports/listing.ts';
export type {OriginSwitch} from './tags/switching.ts';
export type {Switchable} from './management/switches.ts';
export type {StoredPolicy, StoredRange} from './types/stored.ts';
export {StoreError, StoreTimeoutError} from './store/ports/store-error.ts';
export type {UrlPattern} from './options/url-pattern.ts';
