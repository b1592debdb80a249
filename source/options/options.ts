import type {NormalizedOptions} from 'got';
import type {Settings} from '../http/settings.ts';
import type {StoreOption} from '../store/backends/connection.ts';
import type {Duration} from '../types/duration.ts';
import type {UrlPattern} from './url-pattern.ts';

/**
How a request may use the cache, as `Request#cache` of the Fetch standard.

- `'default'`: RFC 9111.
- `'no-store'`: neither look nor store.
- `'reload'`: do not look, but store what comes.
- `'no-cache'`: always ask the origin whether the stored response is still good.
- `'force-cache'`: any stored response will do, however old, unless it was invalidated; without one, ask the origin.
- `'only-if-cached'`: likewise; without one, answer 504 (Gateway Timeout).

@see https://fetch.spec.whatwg.org/#concept-request-cache-mode
*/
export type CacheMode = Settings['mode'];

/** A request that is about to be looked up. */
export type CacheableRequest = {
	/** Upper-case, such as `GET`. */
	readonly method: string;
	/** Absolute, without credentials and fragment. */
	readonly url: string;
	/** By lower-case name, as they are sent. */
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
	/** The body that got sends, such as the JSON of its option `json`, decoded as UTF-8; `undefined` if there is none, or if it is a stream. */
	readonly body: string | undefined;
	/** Got's, with the `context` of the request. */
	readonly options: NormalizedOptions;
};

/** A response that is about to be stored. */
export type CacheableResponse = {
	/** The status code. */
	readonly statusCode: number;
	/** By lower-case name, as `http.IncomingMessage#headers`. */
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
	/** The body as got gives it: decompressed, decoded as UTF-8. A function that reads it is called again when the body has come, and the result of that call counts. */
	readonly body: string;
};

/**
A freshness lifetime: how long a response answers without the origin being asked.

- A duration, from when the origin sent the response: a number of milliseconds, or a string with a unit. With `0`, the response is stored and is stale at once: each use asks the origin whether it is still good, and it may be reused stale where the options allow that.
- `'never'`: the response never expires. It stays in the store without a TTL.
- `'no-store'`: the response is not stored, and a stored one is not used for it, not even when the origin fails.
*/
export type Lifetime = Duration | 'never' | 'no-store';

/** A freshness lifetime of your own: fixed, or a function of the response. A function that returns `undefined` leaves the lifetime to the response. */
export type ExpireAfter = Lifetime | ((response: CacheableResponse, request: CacheableRequest) => Lifetime | undefined);

/** The failures that a stale response may replace, and how long it may have been stale. */
export type StaleIfErrorRule = {
	/**
	From 400 to 599.

	@default [500, 502, 503, 504]
	*/
	readonly statusCodes?: readonly number[] | undefined;

	/**
	How long it may have been stale. It is kept for at least that long.

	@default undefined, as long as it is kept
	*/
	readonly for?: Duration | undefined;
};

/**
The options that one request can set for itself, in `context.cache`, over those of the cache. With `false` in their place, the cache takes no part in the request. A wrong one rejects the request with got's `RequestError`, whose `cause` is a `TypeError` that says what is wrong.

@example
```
import type {RequestCacheOptions} from 'got-redis-cache';

const cache: RequestCacheOptions = {mode: 'reload', tags: ['catalog']};

await client('https://api.example.com/items', {context: {cache}});
```
*/
export type RequestCacheOptions = {
	/**
	How this request may use the cache.

	@default 'default'
	*/
	mode?: CacheMode | undefined;

	/**
	Names to purge the stored response by, with `cache.invalidate({tag})`. They are given to what is stored for this request, not to what already is.

	@default []
	*/
	tags?: readonly string[] | undefined;

	/**
	When a stale response may stand in for a failure of the origin.

	- `'disconnected'`: on network errors and timeouts any that is still kept (RFC 9111 §4.2.4 allows it to a disconnected cache); on 500, 502, 503 and 504 where the stored response's `stale-if-error` allows it.
	- `true`: any that is still kept, on those status codes too.
	- A duration: one that has been stale for that long at most, on those status codes too.
	- `false`: the response's own `stale-if-error` alone (RFC 5861 §4).
	- `{statusCodes, for}`: as a duration, on these status codes in place of 500, 502, 503 and 504; without `for`, any that is still kept. With 429 among them, a request that the origin turns away is answered at once, and not after the time of its `Retry-After`.

	`must-revalidate`, `no-cache`, and in a shared cache `proxy-revalidate` and `s-maxage`, which implies it (RFC 9111 §5.2.2.10), always win: such a response is never reused stale.

	@default 'disconnected'
	*/
	staleIfError?: 'disconnected' | boolean | Duration | StaleIfErrorRule | undefined;

	/**
	Retry as got's `retry` says before a stale response stands in: fewer stale answers, for which callers wait longer. Streams, which got leaves to their consumers to retry, are given theirs at once all the same.

	@default false
	*/
	retryFirst?: boolean | undefined;

	/**
	How long to wait for the origin while a stale response is at hand that could stand in for a failure, see `staleIfError`. After that the stale response answers, and the request goes on in the background and refreshes it, whatever got's own `timeout` is (for 30 seconds at least). If the origin's answer may not be stored, the request asks for it itself.

	@default undefined, as long as got's `timeout` says

	@example
	```
	redisCache({staleAfter: '200ms'});
	```
	*/
	staleAfter?: Duration | undefined;

	/**
	Whether a stale response may answer at once while it is refreshed in the background: always (`true`), when it has been stale for that long at most (a duration), or only as the response's own `stale-while-revalidate` allows (`false`, RFC 5861 §3).

	@default false
	*/
	staleWhileRevalidate?: boolean | Duration | undefined;

	/**
	Refresh a response in the background shortly before it expires, so that no caller has to wait for it: the sooner to its end, the more often it is asked for, and the longer the origin takes to answer, the likelier (probabilistic early expiration: Vattani, Chierichetti and Lowenstein, “Optimal Probabilistic Cache Stampede Prevention”, PVLDB 8(8), 2015).

	@default false
	*/
	refreshAhead?: boolean | undefined;

	/**
	A freshness lifetime of your own, in place of the one that the response declares. Bends RFC 9111 §4.2.1.

	The first of these counts:

	1. `expireAfter` of the request, in `context.cache`;
	2. `urlsExpireAfter` of the cache: the first pattern that matches;
	3. `expireAfter` of the cache;
	4. what the response states: `s-maxage` in a shared cache, `max-age`, `Expires`;
	5. a tenth of the time since the response's `Last-Modified`, a week at most.

	A function at 1 to 3 that returns `undefined` leaves the lifetime to the response, at 4.

	In a shared cache, this alone is no permission to give a response with `Set-Cookie`, or to a request with `Authorization`, `Cookie`, `X-Api-Key` or another known credential, to others: it is not stored, unless the response, `matchHeaders`, `user` or `key` says more.

	@default undefined

	@example
	```
	redisCache({expireAfter: '5m'});

	redisCache({expireAfter: ({statusCode}) => statusCode === 404 ? '10s' : undefined});
	```
	*/
	expireAfter?: ExpireAfter | undefined;

	/**
	`false` ignores the cache directives of responses, `no-store` and `private` too: `expireAfter` or `urlsExpireAfter`, of which it needs one, decides alone. Bends RFC 9111 §5.2.2.

	@default true
	*/
	cacheControl?: boolean | undefined;

	/**
	Methods of requests that are looked up and whose responses may be stored. A request that only reads can make its own method one of these, such as a POST that is a search or a GraphQL query. For a whole cache or client, say with `filter` which requests of an unsafe method only read: any other would be answered from the cache as well, without the origin. Without `filter` or `key`, such a method of a cache or a client is a process warning (`GOT_REDIS_CACHE_UNSAFE_METHODS`).

	@default ['GET', 'HEAD', 'QUERY']

	@example
	```
	await client.post('https://api.example.com/search', {json: {q: 'redis'}, context: {cache: {methods: ['POST'], expireAfter: '5m'}}});
	```
	*/
	methods?: readonly string[] | undefined;

	/**
	Ask the origin each time whether the stored response is still good.

	@default false
	*/
	alwaysRevalidate?: boolean | undefined;

	/**
	Answer from the cache or with 504 (Gateway Timeout), without asking the origin: what may be reused by RFC 9111, as the request directive `only-if-cached` (§5.2.1.7).

	@default false
	*/
	onlyIfCached?: boolean | undefined;

	/**
	Look, but store nothing.

	@default false
	*/
	readOnly?: boolean | undefined;

	/**
	Take no part in the request, as with `context: {cache: false}`, or got's own option `cache: false`.

	@default false
	*/
	disabled?: boolean | undefined;

	/**
	How long a stored response is kept past its freshness lifetime, to be validated, or reused when the origin fails. With a Redis store, the TTL of the key is the lifetime plus this.

	@default '1h'
	*/
	ttlOffset?: Duration | undefined;

	/**
	Bytes. Responses with a larger body are handed on without being stored.

	@default 26_214_400 // 25 MiB
	*/
	maxBodySize?: number | undefined;
};

/**
The options of `redisCache()`: what holds for the cache, and what holds for each request that does not set it for itself.
*/
export type RedisCacheOptions = Omit<RequestCacheOptions, 'mode' | 'tags'> & {
	/**
	Where responses are kept:

	- a URL: `redis://localhost:6379`, `rediss://…` (TLS), `valkey://…`, `unix:///path/to/redis.sock`;
	- the word `'redis'` (`redis://localhost:6379`) or `'memory'` (this process only);
	- a file of SQLite: `sqlite:./cache.db`, `sqlite:///absolute/path/cache.db`, or with a bound `{sqlite: './cache.db', maxSize: 104_857_600}`; Node.js 22.13 or later;
	- the options of node-redis's `createClient()`, but for a few that would have no effect and are refused, see `StoreOption`;
	- a node-redis client, cluster, sentinel or pool, or a client or cluster of ioredis or iovalkey, connected or not: it stays yours, the cache never closes it;
	- an embedded Redis, see `got-redis-cache/embedded`;
	- a `Keyv`, any Keyv storage adapter, or a `Map`.

	By default, it is the Redis that the environment variable `REDIS_URL` names; without that, the Redis on this machine or, until one has answered, the memory of this process alone, of which `health()`, `cacheInfo()` and a `degraded` event tell. Once a Redis has answered, it is the store, and what memory held is dropped. A store that is given, or named by `REDIS_URL`, is never stood in for; nor is any with `memory: false`.

	If the option is there and `undefined`, as from an unset environment variable, the default is used, and a process warning with the code `GOT_REDIS_CACHE_STORE_UNDEFINED` says so.

	@default The `REDIS_URL` of the environment, else 'redis://localhost:6379' or, until it answers, 'memory'
	*/
	store?: StoreOption | undefined;

	/**
	The beginning of all keys in the store. Caches with different namespaces do not see each other.

	@default 'http_cache'
	*/
	namespace?: string | undefined;

	/**
	`false`: the store never removes a response by time. Not together with `ttlOffset`.

	@default true
	*/
	ttl?: boolean | undefined;

	/**
	`true`: a cache that many users share (RFC 9111 §1); responses marked `private`, and most responses to requests with `Authorization`, are not stored. `false`: the cache of a single user; `Authorization` and `Cookie` then tell responses apart.

	@default true
	*/
	shared?: boolean | undefined;

	/**
	`expireAfter` by URL: the first pattern that matches counts, and if none does, `expireAfter` of the cache. `expireAfter` of a request comes before both. A pattern that no URL can match, or that never has its turn behind a more general one, throws a `TypeError`. A pattern is one of:

	- a string `[scheme://]host[:port][/path]`: the whole host, on every port if none is named, and the beginning of the path; `*` stands for any characters, in the host for any but `/`; a host of one word, other than `localhost`, needs its scheme or port, as in `'http://api'` and `'api:*'`;
	- a path of every origin, which begins with `/` and has a `*`: `'/static/*'`;
	- a regular expression, which is tried on the whole URL, with its escapes in the form of RFC 3986 §6.2.2: `~` and `%C3`, not `%7E` and `%c3`;
	- a [`URLPattern`](https://developer.mozilla.org/docs/Web/API/URLPattern).

	@default undefined

	@example
	```
	redisCache({
		urlsExpireAfter: [
			['api.example.com/prices', '10s'],
			['*.example.com/account', 'no-store'],
			['*.example.com', '1h'],
			[/\.png$/, 'never'],
		],
	});
	```
	*/
	urlsExpireAfter?: ReadonlyArray<readonly [pattern: UrlPattern, expireAfter: ExpireAfter]> | undefined;

	/**
	Status codes whose responses may be stored: any from 200 to 599, but for 304, 412 and 416, which answer the precondition or the range of one request.

	@default The ones of RFC 9110 §15.1, and every final one with explicit freshness
	*/
	statusCodes?: readonly number[] | undefined;

	/**
	Query parameters and form or JSON fields that do not distinguish requests: their whole names, in upper or lower case, without wildcards. They are stored nowhere. Known credentials in a query, such as `api_key`, `access_token` and `X-Amz-Signature`, distinguish requests, and are stored and listed as `REDACTED`; `docs/security.md` names all.

	@default []
	*/
	ignoredParameters?: readonly string[] | undefined;

	/**
	Request header fields that distinguish requests, whether or not a response's `Vary` names them. In a shared cache, `Cookie` and `X-Api-Key` distinguish none by themselves: list them if the origin's responses depend on them and its `Vary` does not say so.

	@default []

	@example
	```
	redisCache({matchHeaders: ['cookie', 'x-api-key']});
	```
	*/
	matchHeaders?: readonly string[] | undefined;

	/**
	Adds to what distinguishes requests: requests for which it returns different strings do not share responses. Where it throws, returns no string, or one that a missing value comes to, such as `'undefined'`, the request fails; return `''` for none.

	@default undefined

	@example
	```
	redisCache({key: (request, options) => String(options.context.tenant)});
	```
	*/
	key?: ((request: CacheableRequest, options: NormalizedOptions) => string) | undefined;

	/**
	Names the user to whom the response to a request belongs. It tells users apart in place of `Authorization` and `Cookie`: with a new token, a user is given what was stored for him before. A response to a request of a user is private to that user, and is stored for him as a cache of his own stores it (`shared: false`), also where it is `private`, or varies by `Authorization` or `Cookie`; nobody else is given it. If the function returns `undefined`, the request is nobody's in particular, and `Authorization` and `Cookie` count as they do without this option.

	The origin does not see the credentials of a request that is answered from the cache, so return a name that you know to be the user's, not one that a stranger can send you. It may come from an `AsyncLocalStorage`, which is the request's also while the cache refreshes in the background.

	Where it throws, or returns anything but `undefined` or a string that names somebody, the request fails.

	@default undefined

	@example
	```
	redisCache({user: (request, options) => options.context.userId as string | undefined});

	await client('https://api.example.com/me', {context: {userId: 'alice'}, headers: {authorization: 'Bearer …'}});
	```
	*/
	user?: ((request: CacheableRequest, options: NormalizedOptions) => string | undefined) | undefined;

	/**
	Whether the cache takes part: asked with the request alone before a look-up, and with the response before it is stored. `false` leaves it out. If it reads the `body` of the response, it is asked once more when that has come. Where it throws, or returns no boolean, the request fails.

	@default undefined

	@example
	```
	redisCache({filter: ({url}, response) => !url.includes('/admin/') && response?.headers['set-cookie'] === undefined});
	```

	@example
	```
	// GraphQL: queries alone, no batches, and no answers with errors.
	const isQuery = (body = '') => {
		try {
			const {query} = JSON.parse(body);

			return typeof query === 'string' && !/\b(?:mutation|subscription)\b/.test(query);
		} catch {
			return false;
		}
	};

	redisCache({
		methods: ['GET', 'POST'],
		filter: ({method, body}, response) => method !== 'POST' || (isQuery(body) && !response?.body.includes('"errors"')),
	});
	```
	*/
	filter?: ((request: CacheableRequest, response?: CacheableResponse) => boolean) | undefined;

	/**
	A response field that names tags, separated by commas or spaces, to invalidate the stored response by: what a CDN goes by in front of the same origin, such as `'cache-tag'` or `'surrogate-key'`. They come on top of the request's own `tags`.

	@default undefined
	*/
	tagField?: string | undefined;

	/**
	The longest that the store may delay a request: a duration, of which a number is milliseconds.

	@default 250
	*/
	timeout?: Duration | undefined;

	/**
	How many replicas of the master that keeps it must have a purge before `delete()`, `invalidate()` and `clear()` confirm it (Redis's `WAIT`), so that a failover to one of them does not undo it: give the number of replicas. In a cluster, it is that of each master. `timeout` is the longest that a purge waits for them, two seconds if it is not given. If they do not have it in time, the purge gives `false`, and an `error` event says how many have it. The purges that an unsafe request makes are watched as well, and the request does not wait: an `error` event tells of those that replicas do not have in time.

	Needs a `store` that is a Redis, and the permissions `wait` and `info`.

	@default undefined, a purge is confirmed when the master has it

	@example
	```
	redisCache({waitForReplicas: 1});
	redisCache({waitForReplicas: {count: 2, timeout: '500ms'}});
	```
	*/
	waitForReplicas?: number | {
		/** The number of replicas. */
		readonly count: number;
		/** The longest wait for them. Default: `'2s'`. */
		readonly timeout?: Duration | undefined;
	} | undefined;

	/**
	Bytes of the tier in the process, which answers without a round trip and is kept coherent by Redis's client tracking; `false` switches it off.

	@default 67_108_864 // 64 MiB
	*/
	memory?: number | false | undefined;

	/**
	Compresses with Zstandard, in the store, the bodies that gain from it: of 2 KiB or more, and neither images, video, audio nor anything else that is compressed by itself. Compressed bodies can be read with every value of this option.

	By default it does so where the store is outside this process: in Redis, and in Keyv adapters; not in `'memory'`, in a `Map`, or in a `Keyv` over one.

	Needs Node.js 22.15 or later. On an older one the default is `false`, `true` throws a `TypeError`, and what others have compressed is a miss: set it to `false` everywhere while such processes share the store.

	@default true // Where the store is outside this process
	*/
	compression?: boolean | undefined;

	/**
	Encrypts all that is stored with AES-256-GCM, and names the keys in the store by keyed hashes. A key of 32 bytes (a `Uint8Array`, or a string in hexadecimal or base64), or several: the first one encrypts, all decrypt, the last one names.

	A key that is there and `undefined`, as from an unset environment variable, throws a `TypeError`: leave the option out to store responses unencrypted.

	To rotate, put the new key in front; leave the last one where it is, or begin with an empty cache. A response that no key decrypts, or that is not encrypted, is a miss.

	@default undefined

	@example
	```
	import {env} from 'node:process';
	import {redisCache} from 'got-redis-cache';

	const {NEW_CACHE_KEY = '', CACHE_KEY = ''} = env;

	redisCache({encryption: [NEW_CACHE_KEY, CACHE_KEY]});
	```
	*/
	encryption?: Uint8Array | string | ReadonlyArray<Uint8Array | string> | undefined;

	/**
	Whether equal requests that are on their way at the same time become one.

	- `'process'`: one of each process goes to the origin; the others wait for its response and share it, as far as RFC 9111 lets each of them.
	- `'fleet'`: one of all processes, by a lease in Redis that expires three seconds after its holder died. Needs a `store` that is a Redis.
	- `false`: each goes by itself.

	Nobody waits longer than for its own `timeout.request`, and nobody for a resource whose responses turned out not to be shareable. A stream's own consumer has each byte as it comes; who waits for a stream has the response when that consumer has read all of it, or goes alone once it falls behind the origin.

	@default 'process'
	*/
	coalesce?: 'process' | 'fleet' | false | undefined;

	/**
	`false`: got starts a request for every call, also for one that a stored response answers at once. Slower, and otherwise the same.

	@default true
	*/
	fastPath?: boolean | undefined;

	/**
	Counts requests for `cache.stats()`, and with a Redis for `cache.fleetStats()`. `false`: nothing is counted, and nothing written to Redis for it.

	@default true
	*/
	statistics?: boolean | undefined;

	/**
	Targeted cache-control fields to heed in place of `Cache-Control`, in this order (RFC 9213), such as `['cdn-cache-control']`.

	@default []
	*/
	targets?: readonly string[] | undefined;

	/**
	The cache's name in the `Cache-Status` field of responses (RFC 9211); `false` leaves the field alone, `true` is `'got-redis-cache'`.

	@default true
	*/
	cacheStatus?: boolean | string | undefined;
};
