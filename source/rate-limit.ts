import {createHash} from 'node:crypto';
import './node-version.ts';
import type {RedisCache} from './got/redis-cache.ts';
import {gateOrigin, gatedCacheOf} from './got/state/origin-gate.ts';
import {describeRedacted} from './options/validate.ts';
import {systemClock} from './rate-limit/clock.ts';
import type {HostCounts} from './rate-limit/counters.ts';
import {createEvents, type RateLimitEvents} from './rate-limit/events.ts';
import {createFleetBucket} from './rate-limit/fleet-bucket.ts';
import {createLimiter} from './rate-limit/limiter.ts';
import {resolveRateLimit, type HostLimits, type RateLimitOptions} from './rate-limit/options.ts';
import {createRedisBucket} from './rate-limit/redis-bucket.ts';
import {withinBudget} from './store/guard/budget.ts';

export type {HostCounts} from './rate-limit/counters.ts';
export type {LimitedRequest, OriginLimit, RateLimitEvents} from './rate-limit/events.ts';
export type {RateLimit} from './rate-limit/limits.ts';
export type {HostLimits, RateLimitOptions} from './rate-limit/options.ts';
export {RateLimitError} from './rate-limit/rate-limit-error.ts';

/** The rate limits of a cache: what `rateLimit()` returns. */
export type RateLimiter = Disposable & {
	/**
	Calls `listener` at each event of that name. Nobody has to listen.

	@throws {TypeError} If there is no such event.
	*/
	on<Event extends keyof RateLimitEvents>(event: Event, listener: (...parameters: RateLimitEvents[Event]) => void): RateLimiter;

	/** Returns what this process has counted, by host. It asks nothing. */
	stats(): Readonly<Record<string, HostCounts>>;

	/** Ends the limits. Requests that wait go on waiting for their turns. */
	close(): void;
};

/**
Limits the requests that a cache sends to origins: those of all processes that share its Redis and its namespace together. Hits, and requests that are answered with the response to an equal one, count nothing; misses, validations, retries, each hop of a redirect and refreshes in the background count.

A request over the limit waits for its turn, is answered with a stale response where one may be used, or fails with a `RateLimitError`. All processes heed the limits that origins tell of (`Retry-After`, `RateLimit`, `X-RateLimit-*`).

@param cache - A cache that `redisCache()` made.
@param limits - By host, with its port if that is not the scheme's: a limit such as `'100/m'`, several in an array, or `'auto'` to go by what the origin says. `'*'` is for each other host by itself.
@param options - How long requests wait, and how stale responses may be meanwhile.
@returns The limits, with their events and statistics.
@throws {TypeError} If `cache` is none, or has a rate limit already; or if a host, a limit or an option is wrong.

@example
```
import {rateLimit} from 'got-redis-cache/rate-limit';

const limits = rateLimit(cache, {'api.example.com': '100/m'});

limits.on('limited', ({host, limit, outcome, waitMs}) => {
	console.log(host, limit, outcome, waitMs);
});
```

@example
```
import {rateLimit} from 'got-redis-cache/rate-limit';

rateLimit(cache, {
	'api.example.com': ['10/s', '5000/h'],
	'*': 'auto',
}, {maxWait: '5s', maxStale: '15m'});
```
*/
export const rateLimit = (cache: RedisCache, limits: Readonly<Record<string, HostLimits>>, options: RateLimitOptions = {}): RateLimiter => {
	const gated = typeof cache === 'object' && cache !== null ? gatedCacheOf(cache) : undefined;
	if (!gated) {
		throw new TypeError(`Expected a cache that redisCache() made in rateLimit(), got ${describeRedacted(cache)}`);
	}

	const {store, timeoutMs, isEncrypted} = gated;
	const settings = resolveRateLimit(limits, options);
	const events = createEvents();
	let isRefused = false;
	const onRefusal = (error: Error): void => {
		if (isRefused) {
			return;
		}

		isRefused = true;
		events.emit('error', () => new Error(`got-redis-cache: Redis refuses the scripts of rateLimit(), so that each process counts its requests for itself: ${error.message}`, {cause: error}));
	};

	const limiter = createLimiter({
		settings,
		clock: systemClock,
		events,
		createBucket(host) {
			const name = isEncrypted ? createHash('sha256').update(host).digest('base64url').slice(0, 22) : host;

			return createFleetBucket(systemClock, () => {
				const {plainCommand: command} = store();
				return command && createRedisBucket({name, command, onRefusal});
			});
		},
		withinBudgetOf: (_request, {budget}) => async step => withinBudget(budget, timeoutMs, step, {otherwise: undefined, isBounded: false, isAnswering: store().isAnswering}),
	});

	const stop = gateOrigin(gated, limiter.gate);
	if (!stop) {
		throw new TypeError('The cache has a function before the origin already, from rateLimit() or beforeOrigin(): give all hosts in one rateLimit(), or end the other one first');
	}

	return {
		on(event, listener) {
			events.on(event, listener);

			return this;
		},
		stats: limiter.counts,
		close: stop,
		[Symbol.dispose]: stop,
	};
};
