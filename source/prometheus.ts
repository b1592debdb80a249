import {
	Counter,
	Gauge,
	Histogram,
	register,
	type Metric,
	type OpenMetricsContentType,
	type Registry,
} from 'prom-client';
import './node-version.ts';
import {RedisCache} from './got/redis-cache.ts';
import {createBounded, createErrorTypes, durationBounds, maxOrigins, originOf} from './observe/bounded.ts';
import type {ExchangeReport} from './observe/exchange-report.ts';
import {otherOrigins} from './observe/stats.ts';
import {storeKeysOf, storeStates} from './observe/store-metrics.ts';
import {describe, describeRedacted, isString, validate, type Rule} from './options/validate.ts';

/** The place of a cache's metrics, and their names. */
export type RegisterMetricsOptions = {
	/**
	The registry of the metrics.

	@default the default registry of prom-client
	*/
	registry?: Registry | Registry<OpenMetricsContentType> | undefined;

	/**
	The beginning of the metrics' names. Two caches with one registry need two.

	@default 'got_redis_cache_'
	*/
	prefix?: string | undefined;
};

const isRegistry = (value: unknown): boolean =>
	typeof value === 'object'
	&& value !== null
	&& ['registerMetric', 'getSingleMetric', 'removeSingleMetric'].every(name => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');

const isPrefix = (value: unknown): boolean => isString(value) && /^[:a-z_][\w:]*$/iv.test(value);

const rules: Readonly<Record<keyof RegisterMetricsOptions, Rule>> = {
	registry: [isRegistry, 'a Registry of prom-client', describeRedacted],
	prefix: [isPrefix, 'the beginning of a name of Prometheus: letters, digits, `_` and `:`, and no digit first', describe],
};

type Instruments = ReturnType<typeof createInstruments>;

/** Makes the metrics, which no registry has yet. */
const createInstruments = (cache: RedisCache, prefix: string) => {
	const named = (name: string, help: string) => ({name: `${prefix}${name}`, help, registers: []});

	return {
		requests: new Counter({...named('requests_total', 'Requests that went through the cache. Redirects and retries are requests of their own.'), labelNames: ['status', 'reason', 'origin']}),
		duration: new Histogram({...named('request_seconds', 'Time from when a request reaches the cache to its end.'), labelNames: ['status'], buckets: durationBounds}),
		lookUps: new Histogram({...named('lookup_seconds', 'Time that look-ups take, by where the body then came from.'), labelNames: ['tier'], buckets: durationBounds}),
		bytes: new Counter({...named('bytes_total', 'Bytes of all bodies, decompressed.'), labelNames: ['tier']}),
		savedTime: new Counter(named('saved_seconds_total', 'Time that the origin would have taken to send what the cache had.')),
		collapsed: new Counter(named('collapsed_total', 'Requests that the response to another, equal request answered.')),
		refreshes: new Counter(named('refreshes_total', 'Refreshes in the background that asked the origin.')),
		errors: new Counter({...named('errors_total', 'Requests and refreshes that failed or were aborted.'), labelNames: ['type']}),
		notStored: new Counter({...named('not_stored_total', 'Responses of the origin that were not stored.'), labelNames: ['reason']}),
		storeUp: new Gauge({
			...named('store_up', '0 while the store is given up or closed, 1 otherwise.'),
			collect() {
				this.set(isUp(cache) ? 1 : 0);
			},
		}),
		storeState: new Gauge({
			...named('store_state', 'The state of the store: 1 for the current state, 0 for each other one.'),
			labelNames: ['state'],
			collect() {
				for (const [state, value] of storeStates(cache.health())) {
					this.set({state}, value);
				}
			},
		}),
		storeKeys: new Counter({
			...named('store_keys_total', 'Keys of the store by what became of them. A request reads several.'),
			labelNames: ['outcome'],
			collect() {
				this.reset();
				for (const [outcome, count] of storeKeysOf(cache.health())) {
					this.inc({outcome}, count);
				}
			},
		}),
	};
};

const isUp = (cache: RedisCache): boolean => !['unavailable', 'closed'].includes(cache.health().state);

/** Makes a function that counts one exchange. */
const createRecord = (instruments: Instruments): ((report: ExchangeReport) => void) => {
	const labelOfOrigin = createBounded(maxOrigins, origin => origin ?? otherOrigins);
	const errorTypeOf = createErrorTypes('other');

	const recordRequest = ({url, status, reason, tier, totalMs, lookUpMs, savedMs, isCollapsed}: ExchangeReport): void => {
		instruments.requests.inc({status, reason, origin: labelOfOrigin(originOf(url))});
		instruments.duration.observe({status}, totalMs / 1000);
		if (lookUpMs !== undefined) {
			instruments.lookUps.observe({tier: tier ?? 'none'}, lookUpMs / 1000);
		}

		instruments.savedTime.inc(savedMs / 1000);
		if (isCollapsed) {
			instruments.collapsed.inc();
		}
	};

	return report => {
		const {tier, bytes = 0, notStored, isRefresh, error} = report;
		if (isRefresh) {
			instruments.refreshes.inc();
		} else {
			recordRequest(report);
		}

		if (tier !== undefined) {
			instruments.bytes.inc({tier}, bytes);
		}

		if (notStored !== undefined) {
			instruments.notStored.inc({reason: notStored});
		}

		if (error !== undefined) {
			instruments.errors.inc({type: errorTypeOf(error)});
		}
	};
};

/**
Registers the metrics of a cache with prom-client. `docs/operations.md` lists them.

@returns A function that removes them from the registry. Closing the cache removes them too.
@throws {TypeError} If `cache` is no cache, the registry has a metric of the same name already, or an option is unknown or of the wrong type.

@example
```
import {redisCache} from 'got-redis-cache';
import {registerMetrics} from 'got-redis-cache/prometheus';
import {register} from 'prom-client';

const cache = redisCache();
registerMetrics(cache);

console.log(await register.metrics());
```
*/
export const registerMetrics = (cache: RedisCache, options: RegisterMetricsOptions = {}): (() => void) => {
	if (!(cache instanceof RedisCache)) {
		throw new TypeError(`Expected a cache that redisCache() made in registerMetrics(), got ${describeRedacted(cache)}`);
	}

	validate(options, rules, {where: 'registerMetrics()', noun: 'option'});
	const {registry = register, prefix = 'got_redis_cache_'} = options;
	const instruments = createInstruments(cache, prefix);
	const metrics = Object.values(instruments) as unknown as Array<Metric & {readonly name: string}>;
	const taken = metrics.find(({name}) => registry.getSingleMetric(name));
	if (taken) {
		throw new TypeError(
			`Expected the option \`prefix\` in registerMetrics() to be one whose metrics the registry does not have yet, got '${prefix}': '${taken.name}' is there already. A cache is registered once, and a second cache with a prefix or a registry of its own`,
		);
	}

	for (const metric of metrics) {
		registry.registerMetric(metric);
	}

	const record = createRecord(instruments);
	cache.on('exchange', record);

	const unregister = () => {
		cache.off('exchange', record);
		cache.off('closed', unregister);
		for (const metric of metrics) {
			if (registry.getSingleMetric(metric.name) === metric) {
				registry.removeSingleMetric(metric.name);
			}
		}
	};

	cache.once('closed', unregister);
	return unregister;
};
