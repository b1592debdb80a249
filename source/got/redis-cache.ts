import {EventEmitter} from 'node:events';
import type {HandlerFunction} from 'got';
import {checkEventName, checkStatsPeriod, refuseMore} from '../management/arguments.ts';
import {listEntries} from '../management/entries.ts';
import type {ExportedResponse, ImportResult} from '../management/exported.ts';
import type {Explanation} from '../management/explanation.ts';
import type {EntriesOptions, EntryFilter, Purgeable, RequestLike} from '../management/filters.ts';
import {getStored, getStoredByKey, hasStored, type CachedResponse, type ListedEntry} from '../management/inventory.ts';
import {clearAll, purgeAll, removeByKey, removeStored} from '../management/purging.ts';
import {endSwitch, listSwitches, setSwitch, type Switchable} from '../management/switches.ts';
import {touchStored} from '../management/touching.ts';
import {copyAll, exportAll, importAll} from '../management/transfer.ts';
import type {FleetStatistics} from '../observe/fleet-statistics.ts';
import {countedUrl, type Statistics} from '../observe/statistics.ts';
import type {CacheStats, FleetStats} from '../observe/stats.ts';
import type {RedisCacheOptions} from '../options/options.ts';
import {describeRedacted} from '../options/validate.ts';
import {flushWrites} from '../resource/variant-queue.ts';
import type {StoreHealth} from '../store/ports/health.ts';
import type {StoreCounters} from '../store/ports/status.ts';
import {switchesIn, type OriginSwitch} from '../tags/switching.ts';
import type {Duration} from '../types/duration.ts';
import {assemble} from './assemble.ts';
import type {RedisCacheEvents} from './events.ts';
import type {ExplainOptions} from './explain.ts';
import {createHandler} from './handler.ts';
import {createHooks} from './hooks.ts';
import type {GotContext, Hooks} from './state/context.ts';
import {gateOrigin, gatedCacheOf, type OriginGate} from './state/origin-gate.ts';
import {optionsOfGot, requireCurrentGot} from './state/got-module.ts';

/** The findings of `ready()`. */
export type RedisCacheReadiness = {
	/** Where responses are kept, without credentials: `'redis://localhost:6379'`. */
	readonly store: string;
	/** Defects that do not stop the cache: a `maxmemory-policy` that lets Redis become full, or a permission that only some methods need. Each begins with `got-redis-cache:`. */
	readonly warnings: readonly string[];
};

/** How the store does, and what this process has seen of it. */
export type RedisCacheHealth = StoreHealth & {
	/** Since the cache was made; in keys of the store, of which a request reads several. */
	readonly counters: StoreCounters;
	/** The origins that are frozen or bypassed, as far as this process knows: by `freeze()` and `bypass()`, here or in another process. A process learns of a switch with its next request to the origin; `switches()` looks for all. */
	readonly switches: readonly OriginSwitch[];
};

/**
An HTTP cache for got: what `redisCache()` returns and `got.extend()` takes.
*/
export class RedisCache {
	static {
		// It is what tells a storage adapter, as got's own option `cache` takes, from a cache. No adapter is without it.
		Object.defineProperty(this.prototype, 'set', {
			get() {
				throw new TypeError(
					'What redisCache() returns is an extension of got and no storage adapter: pass it to got.extend(), as in got.extend(redisCache()), and leave got\'s own option `cache` out',
				);
			},
		});
	}

	readonly #emitter = new EventEmitter<RedisCacheEvents>();
	readonly #context: GotContext;
	readonly #statistics: Statistics | undefined;
	readonly #fleet: FleetStatistics | undefined;
	#isClosed = false;

	/** For got. */
	readonly hooks: Hooks;

	/** For got. */
	readonly handlers: HandlerFunction[];

	/**
	@param defaultUrl - Where a Redis is expected if no store is given.
	@internal
	*/
	constructor(options: RedisCacheOptions, defaultUrl = 'redis://localhost:6379') {
		requireCurrentGot(optionsOfGot());
		const {context, statistics, fleet} = assemble(this, {options, defaultUrl, emitter: this.#emitter});
		this.#context = context;
		this.#statistics = statistics;
		this.#fleet = fleet;
		this.hooks = createHooks(this.#context);
		this.handlers = [createHandler(this.#context, this.hooks)];
	}

	/**
	Calls `listener` at each event of that name. Nobody has to listen: without a listener for `error`, errors are dropped, and nothing is printed.

	@throws {TypeError} If there is no such event.

	@example
	```
	cache.on('error', error => {
		console.error('The cache is in trouble, requests are not:', error.message);
	});
	```
	*/
	on<Event extends keyof RedisCacheEvents>(event: Event, listener: (...parameters: RedisCacheEvents[Event]) => void): this;

	on(event: keyof RedisCacheEvents, listener: (...parameters: never[]) => void, ...more: never[]): this {
		refuseMore(more, 2, 'on()');
		checkEventName(event, 'on()');
		this.#emitter.on(event, listener);
		return this;
	}

	/**
	Calls `listener` at the next event of that name.

	@throws {TypeError} If there is no such event.
	*/
	once<Event extends keyof RedisCacheEvents>(event: Event, listener: (...parameters: RedisCacheEvents[Event]) => void): this;

	once(event: keyof RedisCacheEvents, listener: (...parameters: never[]) => void, ...more: never[]): this {
		refuseMore(more, 2, 'once()');
		checkEventName(event, 'once()');
		this.#emitter.once(event, listener);
		return this;
	}

	/**
	Calls `listener` no more.

	@throws {TypeError} If there is no such event.
	*/
	off<Event extends keyof RedisCacheEvents>(event: Event, listener: (...parameters: RedisCacheEvents[Event]) => void): this;

	off(event: keyof RedisCacheEvents, listener: (...parameters: never[]) => void, ...more: never[]): this {
		refuseMore(more, 2, 'off()');
		checkEventName(event, 'off()');
		this.#emitter.off(event, listener);
		return this;
	}

	/**
	Removes all that is stored for a URL or a request, or for several in an array: every variant, for every process.

	@param request - An absolute URL, or `{url, method, headers, body, json, form, key, user}` where more than a URL tells requests apart; or an array of these.
	@returns Whether the store confirmed it, with the option `waitForReplicas` also its replicas, whether or not anything was there. Where the store did not, this process heeds it all the same, and tries again. So it does while the memory of this process stands in for a Redis.
	@throws {TypeError} If `request` is none, its URL is not absolute or has a wildcard, there is a second argument, something is missing that tells the requests of this cache apart (the `key`, the `method` of a `json`, the `content-type` of a `body`), or `user` or `key` is given of a cache without that option.

	@example
	```
	await cache.delete('https://api.example.com/items');
	await cache.delete(['https://api.example.com/items', {url: 'https://api.example.com/search', method: 'POST', json: {q: 'redis'}}]);
	```
	*/
	delete(request: string | URL | RequestLike | ReadonlyArray<string | URL | RequestLike>): Promise<boolean>;

	async delete(request: string | URL | RequestLike | ReadonlyArray<string | URL | RequestLike>, ...more: never[]): Promise<boolean> {
		refuseMore(more, 1, 'delete()', 'several URLs go into an array, as in delete([a, b]); a soft purge is invalidate({url}, {soft: true})');
		return removeStored(this.#context, request);
	}

	/**
	Purges all that has something in common. By tag, group and origin it takes the same short time however much is stored; by anything else it looks at everything.

	@param what - One of `{tag}`, `{group, origin}` (RFC 9875), `{origin}`, `{url}`, `{prefix}`, `{pattern}`, `{olderThan}`, `{stale: true}`. An array of tags or groups purges what has any of them.
	@param options - With `soft`, what is purged is validated before it is used again, and may still stand in when the origin fails.
	@returns Whether the store confirmed it, with the option `waitForReplicas` also its replicas. Where the store did not, this process heeds a purge by tag, group or origin all the same, and tries again.
	@throws {TypeError} If `what` is none of these.
	@throws {Error} If everything has to be looked at and the store cannot list it; `cause` is why. If it is a node of a Redis Cluster that cannot, the other nodes are purged by then, and the message has how many responses that were.

	@example
	```
	await cache.invalidate({tag: 'items'});
	await cache.invalidate({tag: ['items', 'prices']});
	await cache.invalidate({url: 'https://api.example.com/me'}); // For all users.
	await cache.invalidate({origin: 'https://api.example.com'}, {soft: true});
	```
	*/
	invalidate(what: Purgeable, options?: {readonly soft?: boolean | undefined}): Promise<boolean>;

	async invalidate(what: Purgeable, options?: {readonly soft?: boolean | undefined}, ...more: never[]): Promise<boolean> {
		refuseMore(more, 2, 'invalidate()', 'several tags go into an array, as in invalidate({tag: [\'a\', \'b\']})');
		return purgeAll(this.#context, what, options);
	}

	/**
	The stored response for a URL or a request.

	@returns The response with its body, fresh or not; `undefined` if nothing is stored, or the store does not answer. Of many variants the one that the request's `headers` select, without `headers` the one that was stored last.
	@throws {TypeError} If `request` is none, or its URL is not absolute.

	@example
	```
	const stored = await cache.get('https://api.example.com/items');

	stored?.isFresh;
	//=> true
	```
	*/
	get(request: string | URL | RequestLike): Promise<CachedResponse | undefined>;

	async get(request: string | URL | RequestLike, ...more: never[]): Promise<CachedResponse | undefined> {
		refuseMore(more, 1, 'get()', 'what tells requests apart goes into one object, as in get({url, headers})');
		return getStored(this.#context, request);
	}

	/**
	The stored response under a key, as Redis's own tools show it. A key of a resource with several variants stands for the one that was stored last.

	@param storeKey - The `storeKey` of an entry, or the `key` of `cacheInfo()`.
	@returns The response with its body, fresh or not; `undefined` if nothing is stored there, it cannot be read, or the store does not answer.
	@throws {TypeError} If the key is none of this cache, such as that of another namespace.

	@example
	```
	for await (const {storeKey} of cache.entries({tag: 'items'})) {
		console.log((await cache.getByKey(storeKey))?.body);
	}
	```
	*/
	getByKey(storeKey: string): Promise<CachedResponse | undefined>;

	async getByKey(storeKey: string, ...more: never[]): Promise<CachedResponse | undefined> {
		refuseMore(more, 1, 'getByKey()');
		return getStoredByKey(this.#context, storeKey);
	}

	/**
	Removes what is stored under a key, as Redis's own tools show it, whether or not it can be read. All variants of its URL go with it.

	@param storeKey - The `storeKey` of an entry or of an unreadable value, or the `key` of `cacheInfo()`.
	@returns Whether the store confirmed it, as `delete()` does.
	@throws {TypeError} If the key is none of this cache, such as that of another namespace.

	@example
	```
	await cache.deleteByKey('http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}');
	```
	*/
	deleteByKey(storeKey: string): Promise<boolean>;

	async deleteByKey(storeKey: string, ...more: never[]): Promise<boolean> {
		refuseMore(more, 1, 'deleteByKey()');
		return removeByKey(this.#context, storeKey);
	}

	/**
	Whether a request would be answered without the origin; with `stale`, whether anything is stored for it that could be validated or stand in.

	@throws {TypeError} If `request` is none, or its URL is not absolute.

	@example
	```
	await cache.has('https://api.example.com/items', {stale: true});
	```
	*/
	has(request: string | URL | RequestLike, options?: {readonly stale?: boolean | undefined}): Promise<boolean>;

	async has(request: string | URL | RequestLike, options?: {readonly stale?: boolean | undefined}, ...more: never[]): Promise<boolean> {
		refuseMore(more, 2, 'has()');
		return hasStored(this.#context, request, options);
	}

	/**
	Explains what the cache would do with a request now, and why: the decision and its rule, the key and what it is made of, all that is stored with its freshness and its time to live, purges, and why the last response was not stored. Nothing is counted, and nothing changes in the store.

	@param request - An absolute URL, or `{url, method, headers, body, json, form, key, user}`, as in `get()`. The header fields that got adds itself, such as `accept-encoding`, are added here as well; those of your client are for you to give.
	@param options - With `ask`, the origin is asked, by plain got and past the cache, and what it answers is judged, clause by clause; nothing of it is stored. Default: the origin is not asked.
	@returns Plain data, with all of it in words as `text`. If the store does not answer, it says so.
	@throws {TypeError} If `request` is none, its URL is not absolute, something is missing that tells the requests of this cache apart, or `ask` would send an unsafe request.
	@throws What the functions `filter` and `expireAfter` throw.

	@example
	```
	const {decision, text} = await cache.explain('https://api.example.com/items');

	decision.reason;
	//=> 'not-stored'

	console.log(text);
	```

	@example
	```
	const {origin} = await cache.explain('https://api.example.com/items', {ask: true});

	for (const {level, text, mend} of origin?.findings ?? []) {
		console.log(level, text, mend);
	}
	```
	*/
	explain(request: string | URL | RequestLike, options?: ExplainOptions): Promise<Explanation>;

	async explain(request: string | URL | RequestLike, options?: ExplainOptions, ...more: never[]): Promise<Explanation> {
		refuseMore(more, 2, 'explain()', 'what tells requests apart goes into one object, as in explain({url, headers})');
		const fleet = this.#fleet;
		const {ignoredParameters} = this.#context.settings.request.http;
		// Much code, which most programs never need.
		const {explain} = await import('./explain.ts');
		return explain(this.#context, request, options, fleet && (async url => fleet.refusalsOf(countedUrl(url, ignoredParameters))));
	}

	/**
	All stored responses, or those that a filter leaves, in no order and without their bodies, which are not read from Redis either. One may be given twice if the store changes meanwhile.

	@param options - With `onUnreadable`, a function that is called with each value that cannot be read, such as an encrypted one without its key.
	@throws {TypeError} If `filter` has a property that is unknown or wrong.
	@throws {Error} If the store cannot list what it holds, or does not answer; `cause` is why.

	@example
	```
	for await (const {url, age} of cache.entries({prefix: 'https://api.example.com/'})) {
		console.log(url, age);
	}
	```
	*/
	entries(filter?: EntryFilter, options?: EntriesOptions): AsyncGenerator<ListedEntry>;

	async * entries(filter?: EntryFilter, options?: EntriesOptions, ...more: never[]): AsyncGenerator<ListedEntry> {
		refuseMore(more, 2, 'entries()', 'one filter has all properties, as in entries({tag, origin})');
		yield * listEntries(this.#context, filter, options);
	}

	/**
	Gives what is stored for a URL or a request, every variant, a lifetime of your own from now on, and takes back a soft purge.

	@param expireAfter - Milliseconds, a string such as `'1h'`, or `'never'`: it stays fresh, and in the store without a TTL. A duration begins now, and the `ttlOffset` comes on top of it.
	@returns Whether anything was stored.
	@throws {TypeError} If `request` is none, its URL is not absolute, or `expireAfter` neither a duration nor `'never'`.

	@example
	```
	await cache.touch('https://api.example.com/items', '1h');
	```
	*/
	touch(request: string | URL | RequestLike, expireAfter: Duration | 'never'): Promise<boolean>;

	async touch(request: string | URL | RequestLike, expireAfter: Duration | 'never', ...more: never[]): Promise<boolean> {
		refuseMore(more, 2, 'touch()');
		return touchStored(this.#context, request, expireAfter);
	}

	/**
	Copies all stored responses to another cache, with what is left of their time. From a cache with `encryption` to one whose last key is another, or that has none, only what a URL without credentials alone tells apart is copied: not what a body, a credential in a query, or the option `key` or `user` does. An `error` event says how many responses were left out.

	@returns How many were copied.
	@throws {TypeError} If `other` is not what `redisCache()` returns.
	@throws {Error} If the store cannot list what it holds, or does not answer; `cause` is why.

	@example
	```
	await redisCache('redis://old.example.com').copyTo(redisCache('redis://new.example.com'));
	```
	*/
	copyTo(other: RedisCache): Promise<number>;

	async copyTo(other: RedisCache, ...more: never[]): Promise<number> {
		refuseMore(more, 1, 'copyTo()');
		if (typeof other !== 'object' || other === null || !(#context in other)) {
			throw new TypeError(`Expected a cache that redisCache() made in copyTo(), got ${describeRedacted(other)}`);
		}

		const {count, unnamedCount} = await copyAll(this.#context, other.#context);
		if (unnamedCount > 0) {
			this.#context.reportError(
				'copyTo()',
				new Error(
					`${unnamedCount} ${unnamedCount === 1 ? 'response was' : 'responses were'} not copied: the other cache has another last key of \`encryption\`, or none, and names what is stored by it. Only what the URL alone tells apart can be named anew, not what a body, a credential, the option \`key\` or \`user\`, or another \`Host\` does`,
				),
			);
		}

		return count;
	}

	/**
	Gives all stored responses, or those that a filter leaves, with their bodies, as plain data that another cache can import.

	@param options - With `onUnreadable`, as for `entries()`.
	@throws {TypeError} If `filter` has a property that is unknown or wrong.
	@throws {Error} If the store cannot list what it holds, or does not answer; `cause` is why.

	@example
	```
	const responses = await Array.fromAsync(cache.export({origin: 'https://api.example.com'}));
	```
	*/
	export(filter?: EntryFilter, options?: EntriesOptions): AsyncGenerator<ExportedResponse>;

	async * export(filter?: EntryFilter, options?: EntriesOptions, ...more: never[]): AsyncGenerator<ExportedResponse> {
		refuseMore(more, 2, 'export()', 'one filter has all properties, as in export({tag, origin})');
		yield * exportAll(this.#context, filter, options);
	}

	/**
	Stores responses that `export()` gave, with what is left of their time, in the place of whatever is stored for the same requests. They are trusted as much as the store is: a response is given to whoever asks for its key.

	@returns How many were stored, and how many were not, by reason.
	@throws {TypeError} If one of them is no exported response. The responses before it are stored.

	@example
	```
	const {imported} = await redisCache('redis://new.example.com').import(cache.export());
	```
	*/
	import(responses: Iterable<ExportedResponse> | AsyncIterable<ExportedResponse>): Promise<ImportResult>;

	async import(responses: Iterable<ExportedResponse> | AsyncIterable<ExportedResponse>, ...more: never[]): Promise<ImportResult> {
		refuseMore(more, 1, 'import()');
		return importAll(this.#context, responses);
	}

	/**
	Removes all that is stored in the cache's namespace.

	@returns Whether the store confirmed it, with the option `waitForReplicas` also its replicas. If a node of a Redis Cluster is dead, an `error` event says so, and what the other nodes have is removed.
	@throws {TypeError} If it is given an argument: part of what is stored is removed by `delete()` or `invalidate()`.
	*/
	clear(): Promise<boolean>;

	async clear(...more: never[]): Promise<boolean> {
		if (more.length > 0) {
			throw new TypeError(`Expected no argument in clear(), which removes everything, got ${describeRedacted(more[0])}; use delete() for a URL, or invalidate()`);
		}

		return clearAll(this.#context);
	}

	/**
	Freezes an origin for all processes: requests are answered with what is stored, fresh or stale, and the origin is not asked. A request for which nothing is stored is answered with 504 (Gateway Timeout), as with `onlyIfCached`. Requests that the cache takes no part in, such as a POST or one with `no-store`, still go to the origin.

	@param what - `{origin}`.
	@param duration - How long: milliseconds, or a string such as `'30m'`. The switch then ends by itself, in all processes.
	@returns Whether the store confirmed it, with the option `waitForReplicas` also its replicas. All processes heed it then within a second. Where the store did not, this process heeds it all the same, and tries again.
	@throws {TypeError} If `what` does not name an origin, or `duration` is no duration or zero.

	@example
	```
	await cache.freeze({origin: 'https://api.example.com'}, '30m');
	```
	*/
	freeze(what: Switchable, duration: Duration): Promise<boolean>;

	async freeze(what: Switchable, duration: Duration, ...more: never[]): Promise<boolean> {
		refuseMore(more, 2, 'freeze()');
		return setSwitch(this.#context, 'freeze', what, duration);
	}

	/**
	Has all processes bypass the cache for an origin: nothing stored is used, nothing is stored, and no request waits for an equal one. Stored responses stay, and are used again afterwards.

	@param what - `{origin}`.
	@param duration - How long: milliseconds, or a string such as `'10m'`. The switch then ends by itself, in all processes.
	@returns Whether the store confirmed it, as `freeze()` does.
	@throws {TypeError} If `what` does not name an origin, or `duration` is no duration or zero.

	@example
	```
	await cache.bypass({origin: 'https://api.example.com'}, '10m');
	```
	*/
	bypass(what: Switchable, duration: Duration): Promise<boolean>;

	async bypass(what: Switchable, duration: Duration, ...more: never[]): Promise<boolean> {
		refuseMore(more, 2, 'bypass()');
		return setSwitch(this.#context, 'bypass', what, duration);
	}

	/**
	Ends what `freeze()` or `bypass()` has begun, for all processes.

	@param what - `{origin}`.
	@returns Whether the store confirmed it, as `freeze()` does, whether or not there was a switch.
	@throws {TypeError} If `what` does not name an origin.

	@example
	```
	await cache.thaw({origin: 'https://api.example.com'});
	```
	*/
	thaw(what: Switchable): Promise<boolean>;

	async thaw(what: Switchable, ...more: never[]): Promise<boolean> {
		refuseMore(more, 1, 'thaw()');
		return endSwitch(this.#context, what);
	}

	/**
	Lists the switches that are in force, by `freeze()` and `bypass()` in any process, the one that ends first at the beginning. It looks for them in the store; `health().switches` has those that this process knows, without I/O.

	@throws {Error} If the store does not answer, or cannot list its keys.

	@example
	```
	await cache.switches();
	//=> [{origin: 'https://api.example.com', kind: 'freeze', until: 2025-11-23T05:12:24.000Z}]
	```
	*/
	switches(): Promise<OriginSwitch[]>;

	async switches(...more: never[]): Promise<OriginSwitch[]> {
		refuseMore(more, 0, 'switches()');
		return listSwitches(this.#context);
	}

	/**
	Calls a function before each request that is sent to an origin: a miss, a validation, a retry, each hop of a redirect, a refresh in the background, and requests that the cache takes no part in. The function decides whether the request is sent, waits, is answered with a stale response, or fails. Hits and requests that wait for an equal one do not reach it, and neither do requests of got's own `cache`. `rateLimit()` of `got-redis-cache/rate-limit` uses it.

	@param gate - Returns, or resolves to, `{kind: 'ask'}`, `{kind: 'stale', mostStaleMs}` or `{kind: 'refuse', error}`. If it throws, the request is sent, and an `error` event tells of it.
	@returns A function that ends it.
	@throws {TypeError} If `gate` is no function, or the cache has such a function already.

	@example
	```
	cache.beforeOrigin(({url}) => {
		console.log('asks', url.host);
		return {kind: 'ask'};
	});
	```
	*/
	beforeOrigin(gate: OriginGate): () => void;

	beforeOrigin(gate: OriginGate, ...more: never[]): () => void {
		refuseMore(more, 1, 'beforeOrigin()');
		if (typeof gate !== 'function') {
			throw new TypeError(`Expected a function in beforeOrigin(), got ${describeRedacted(gate)}`);
		}

		const gated = gatedCacheOf(this);
		// The function gets no more than it is promised.
		const stop = gated && gateOrigin(gated, async request => gate(request));
		if (!stop) {
			throw new TypeError('The cache has a function before the origin already, from beforeOrigin() or rateLimit(): end that one first');
		}

		return stop;
	}

	/**
	How the store does: asks nothing, so it may be called for each health check of a load balancer. A sick store makes no request fail, so it is no reason to take a process out of service.

	@example
	```
	cache.health();
	//=> {state: 'unavailable', since: 2025-11-23T04:42:24.000Z, lastError: StoreError: got-redis-cache: connect ECONNREFUSED …}
	```
	*/
	health(): RedisCacheHealth;

	health(...more: never[]): RedisCacheHealth {
		refuseMore(more, 0, 'health()');
		const {store} = this.#context;
		return {...store.health(), counters: {...store.counters}, switches: switchesIn(store, this.#context.now())};
	}

	/**
	Returns what this cache has done in this process since it was made, as plain data: requests by status, reason and origin, bytes, look-up times, the most frequent URLs. It asks nothing.

	@throws {TypeError} If the option `statistics` is `false`.

	@example
	```
	const {requests, statuses} = cache.stats();

	console.log(`${statuses.hit} of ${requests} requests were hits`);
	```
	*/
	stats(): CacheStats;

	stats(...more: never[]): CacheStats {
		refuseMore(more, 0, 'stats()');
		if (!this.#statistics) {
			throw new TypeError('Nothing is counted for stats(), because the option `statistics` in redisCache() is `false`: leave it out');
		}

		return this.#statistics.stats();
	}

	/**
	Returns what `stats()` returns, of all processes that share the Redis and the namespace. Each process adds its counts to Redis every ten seconds.

	@param options - `since`: how far to go back, two days at most, `'1h'` by default. Minutes are counted as a whole, origins and URLs in steps of ten minutes. `step`: a duration of whole minutes, for a `timeline` of such steps.
	@throws {TypeError} If the option `statistics` is `false`, or `since` or `step` is no duration, or too long, or `step` is not of whole minutes.
	@throws {Error} If the store is not a Redis, or does not answer; `cause` is why.

	@example
	```
	const {statuses, bytes, hottest} = await cache.fleetStats({since: '15m'});
	```
	*/
	fleetStats(options?: {readonly since?: Duration | undefined; readonly step?: Duration | undefined}): Promise<FleetStats>;

	async fleetStats(options?: {readonly since?: Duration | undefined; readonly step?: Duration | undefined}, ...more: never[]): Promise<FleetStats> {
		refuseMore(more, 1, 'fleetStats()');
		if (!this.#fleet) {
			throw new TypeError('Nothing is counted for fleetStats(), because the option `statistics` in redisCache() is `false`: leave it out');
		}

		return this.#fleet.read(checkStatsPeriod(options));
	}

	/**
	Connects to the store, and tries whether it can be read and written to, with a key that is removed again: for who wants to know at the start. Nobody has to call it, since the first request connects as well. It tries once, for five seconds at most, and does not wait for a store that is away.

	@returns The address of the store, and warnings.
	@throws {StoreError} If the address, TLS, the password or the permissions are wrong, or the store takes no writes. The message says which, and what to do. An `error` event says so too.

	@example
	```
	const {warnings} = await cache.ready();

	for (const warning of warnings) {
		console.warn(warning);
	}
	```
	*/
	ready(): Promise<RedisCacheReadiness>;

	async ready(...more: never[]): Promise<RedisCacheReadiness> {
		refuseMore(more, 0, 'ready()');
		const {store, settings: {expires}, leases} = this.#context;
		const {address, warnings} = await store.ready(expires);
		const refusal = await leases?.check();
		const all = refusal ? [...warnings, `Equal requests of several processes do not become one, as \`coalesce: 'fleet'\` wants it (${refusal.message})`] : warnings;

		return {store: address, warnings: all.map(warning => `got-redis-cache: ${warning} (store: ${address})`)};
	}

	/**
	Ends the connection, if the cache opened it; what is being written is written first, as far as the `timeout` allows, and a `clear()` that is under way is given time to finish. Later requests go on without a cache.

	A script need not call it: it ends by itself.
	*/
	close(): Promise<void>;

	async close(...more: never[]): Promise<void> {
		refuseMore(more, 0, 'close()');
		await Promise.all([flushWrites(this.#context), this.#fleet?.close()]);
		await this.#context.store.close();
		if (this.#isClosed) {
			return;
		}

		this.#isClosed = true;
		this.#emitter.emit('closed');
	}

	/** `close()`, for `await using`. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}
}
