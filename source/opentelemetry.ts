import {metrics, trace, type MeterProvider, type TracerProvider} from '@opentelemetry/api';
import './node-version.ts';
import {RedisCache} from './got/redis-cache.ts';
import {recordMetrics} from './opentelemetry/metrics.ts';
import {recordSpans} from './opentelemetry/spans.ts';
import {describeRedacted, validate, type Rule} from './options/validate.ts';

/** The providers that a cache's metrics and spans go to. */
export type InstrumentCacheOptions = {
	/**
	The provider of the metrics.

	@default the global one
	*/
	meterProvider?: MeterProvider | undefined;

	/**
	The provider of the spans.

	@default the global one
	*/
	tracerProvider?: TracerProvider | undefined;
};

const hasMethod = (name: string) => (value: unknown): boolean => typeof value === 'object' && value !== null && typeof (value as Readonly<Record<string, unknown>>)[name] === 'function';

const rules: Readonly<Record<keyof InstrumentCacheOptions, Rule>> = {
	meterProvider: [hasMethod('getMeter'), 'a MeterProvider of OpenTelemetry', describeRedacted],
	tracerProvider: [hasMethod('getTracer'), 'a TracerProvider of OpenTelemetry', describeRedacted],
};

/** The name of the instrumentation scope. */
const scope = 'got-redis-cache';

const instrumented = new WeakSet<RedisCache>();

/**
Records the requests of a cache with OpenTelemetry: metrics, and a span for each request, which is the parent of the spans for commands to Redis and for the request to the origin. `docs/operations.md` lists the metrics and attributes. Call it once for each cache, after the SDK was started.

@returns A function that ends it. Closing the cache ends it too.
@throws {TypeError} If `cache` is no cache, is instrumented already, or an option is unknown or of the wrong type.

@example
```
import {redisCache} from 'got-redis-cache';
import {instrumentCache} from 'got-redis-cache/opentelemetry';

const cache = redisCache();
const stop = instrumentCache(cache);
```
*/
export const instrumentCache = (cache: RedisCache, options: InstrumentCacheOptions = {}): (() => void) => {
	if (!(cache instanceof RedisCache)) {
		throw new TypeError(`Expected a cache that redisCache() made in instrumentCache(), got ${describeRedacted(cache)}`);
	}

	validate(options, rules, {where: 'instrumentCache()', noun: 'option'});
	if (instrumented.has(cache)) {
		throw new TypeError('This cache is instrumented already, and its requests would be counted twice: call the function that the first instrumentCache() returned, or leave the second call out');
	}

	const {meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider()} = options;
	const endings = [
		recordMetrics(cache, meterProvider.getMeter(scope)),
		recordSpans(cache, tracerProvider.getTracer(scope)),
	];
	instrumented.add(cache);

	const stop = () => {
		cache.off('closed', stop);
		instrumented.delete(cache);
		for (const end of endings.splice(0)) {
			end();
		}
	};

	cache.once('closed', stop);
	return stop;
};
