import type {Attributes, Meter} from '@opentelemetry/api';
import type {RedisCache} from '../got/redis-cache.ts';
import {createErrorTypes, durationBounds} from '../observe/bounded.ts';
import type {ExchangeReport} from '../observe/exchange-report.ts';
import {storeKeysOf, storeStates} from '../observe/store-metrics.ts';
import {createServers, methodOf, other} from './attributes.ts';

const seconds = {unit: 's', advice: {explicitBucketBoundaries: [...durationBounds]}};

const createInstruments = (meter: Meter) => ({
	requests: meter.createCounter('got_redis_cache.requests', {unit: '{request}', description: 'Requests that went through the cache. Redirects and retries are requests of their own.'}),
	duration: meter.createHistogram('got_redis_cache.request.duration', {...seconds, description: 'Time from when a request reaches the cache to its end.'}),
	lookUpDuration: meter.createHistogram('got_redis_cache.lookup.duration', {...seconds, description: 'Time that look-ups take.'}),
	bodies: meter.createCounter('got_redis_cache.io', {unit: 'By', description: 'Bytes of all bodies, decompressed.'}),
	savedTime: meter.createCounter('got_redis_cache.saved_time', {unit: 's', description: 'Time that the origin would have taken to send what the cache had.'}),
	collapsed: meter.createCounter('got_redis_cache.collapsed', {unit: '{request}', description: 'Requests that the response to another, equal request answered.'}),
	refreshes: meter.createCounter('got_redis_cache.refreshes', {unit: '{request}', description: 'Refreshes in the background that asked the origin.'}),
	notStored: meter.createCounter('got_redis_cache.not_stored', {unit: '{response}', description: 'Responses of the origin that were not stored.'}),
	storeState: meter.createObservableGauge('got_redis_cache.store.state', {unit: '1', description: 'The state of the store: 1 for the current state, 0 for each other one.'}),
	storeKeys: meter.createObservableCounter('got_redis_cache.store.keys', {unit: '{key}', description: 'Keys of the store by what became of them. A request reads several.'}),
});

/**
Records the metrics of a cache.

@returns A function that ends it.
*/
export const recordMetrics = (cache: RedisCache, meter: Meter): (() => void) => {
	const instruments = createInstruments(meter);
	const {storeState, storeKeys} = instruments;
	const serverOf = createServers();
	const errorTypeOf = createErrorTypes(other);

	const recordRequest = ({method, url, status, reason, tier, statusCode, totalMs, lookUpMs, savedMs, isCollapsed, error}: ExchangeReport): void => {
		const server = serverOf(url);
		const place = tier === undefined ? {} : {'cache.tier': tier};
		const attributes: Attributes = {
			'http.request.method': methodOf(method),
			...server,
			...place,
			'cache.status': status,
			'cache.reason': reason,
			...(statusCode !== undefined && {'http.response.status_code': statusCode}),
			...(error && {'error.type': errorTypeOf(error)}),
		};

		instruments.requests.add(1, attributes);
		instruments.duration.record(totalMs / 1000, {'cache.status': status, ...server});
		if (lookUpMs !== undefined) {
			instruments.lookUpDuration.record(lookUpMs / 1000, place);
		}

		if (savedMs > 0) {
			instruments.savedTime.add(savedMs / 1000, server);
		}

		if (isCollapsed) {
			instruments.collapsed.add(1, server);
		}
	};

	const record = (report: ExchangeReport): void => {
		const {url, tier, bytes = 0, notStored, isRefresh, error} = report;
		if (isRefresh) {
			instruments.refreshes.add(1, {...serverOf(url), ...(error && {'error.type': errorTypeOf(error)})});
		} else {
			recordRequest(report);
		}

		if (tier !== undefined && bytes > 0) {
			instruments.bodies.add(bytes, {'cache.tier': tier});
		}

		if (notStored !== undefined) {
			instruments.notStored.add(1, {'cache.not_stored': notStored});
		}
	};

	const observeState: Parameters<typeof storeState.addCallback>[0] = result => {
		for (const [state, value] of storeStates(cache.health())) {
			result.observe(value, {'cache.store.state': state});
		}
	};

	const observeKeys: Parameters<typeof storeKeys.addCallback>[0] = result => {
		for (const [outcome, count] of storeKeysOf(cache.health())) {
			result.observe(count, {'cache.store.outcome': outcome});
		}
	};

	cache.on('exchange', record);
	storeState.addCallback(observeState);
	storeKeys.addCallback(observeKeys);

	return () => {
		cache.off('exchange', record);
		storeState.removeCallback(observeState);
		storeKeys.removeCallback(observeKeys);
	};
};
