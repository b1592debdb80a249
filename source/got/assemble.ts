import type {Refusals} from '../cache/refusals.ts';
import {createFlights} from '../coalescing/flights.ts';
import {createLeases} from '../coalescing/lease.ts';
import {createFleetStatistics, type FleetStatistics} from '../observe/fleet-statistics.ts';
import {createObserver} from '../observe/observer.ts';
import {createStatistics, type Statistics} from '../observe/statistics.ts';
import type {RedisCacheOptions} from '../options/options.ts';
import {resolveOptions} from '../options/resolve-options.ts';
import {createResourceHints} from '../resource/context.ts';
import type {StoreOption} from '../store/backends/connection.ts';
import {createSealedText, plainText} from '../store/codec/sealed-text.ts';
import {createStore} from '../store/create-store.ts';
import {createDefaultStore} from '../store/default-store.ts';
import type {CommandSender} from '../store/ports/commands.ts';
import type {StoreEvent} from '../store/ports/health.ts';
import {registerPlace} from '../store/ports/place.ts';
import type {Store} from '../store/ports/store.ts';
import {carryOver, createValidityHints} from '../tags/validity.ts';
import {createHints} from '../types/hints.ts';
import {emitError, emitStoreEvent, type Emitter} from './events.ts';
import {createRefreshes} from './refresh/refresh.ts';
import type {GotContext} from './state/context.ts';
import {createHits} from './state/hits.ts';
import {registerGates} from './state/origin-gate.ts';

/*
Puts the parts of a cache together: its store, what it remembers of resources, and the features that its options ask for, each with one call.
*/

// A hint each, a few hundred bytes: as many as a busy process needs, no more than a small one can spare.
const maxHints = 10_000;

/** The refusals that `explain()` can tell of. */
const maxRefusals = 1000;

// No origin is worth more: then each asks for itself.
const flightPatienceMs = 30_000;

const leasesIn = ({command}: CommandSender) => {
	if (!command) {
		throw new TypeError('The option `coalesce: \'fleet\'` in redisCache() needs a `store` that is a Redis, which is where the processes meet');
	}

	return createLeases(command);
};

type Assembled = {
	readonly context: GotContext;
	readonly statistics: Statistics | undefined;
	readonly fleet: FleetStatistics | undefined;
};

type AssembleOptions = {
	readonly options: RedisCacheOptions;
	/** Where a Redis is expected if no store is given. */
	readonly defaultUrl: string;
	readonly emitter: Emitter;
};

/**
@param cache - The cache, as its users know it.
*/
export const assemble = (cache: WeakKey, {options, defaultUrl, emitter}: AssembleOptions): Assembled => {
	const settings = resolveOptions(options);
	const report = (event: StoreEvent) => {
		emitStoreEvent(emitter, event);
	};

	const {timeoutMs, memoryBytes, isCompressing, keyRing, replicas, namespace, store: storeOption = defaultUrl} = settings;
	const openStore = (store: StoreOption, onEvent: typeof report): Store => createStore({store, namespace, timeoutMs, memoryBytes, isCompressing, keyRing, replicas, onEvent});
	const openDefaultStore = (): Store => createDefaultStore({
		openRedis: onEvent => openStore(defaultUrl, onEvent),
		openMemory: onEvent => openStore('memory', onEvent),
		address: defaultUrl,
		timeoutMs,
		onEvent: report,
		onTakeover(redis, memoryStore) {
			carryOver(memoryStore, redis);
			context.indexes.clear();
			context.store = redis;
		},
	});
	// Without a tier in memory, there is none to stand in.
	const store = settings.store === undefined && memoryBytes > 0 ? openDefaultStore() : openStore(storeOption, report);
	if (replicas && !store.command) {
		throw new TypeError('The option `waitForReplicas` in redisCache() needs a `store` that is a Redis, which is what has replicas');
	}

	registerPlace(cache, () => ({address: context.store.address, namespace}));
	const reportError: GotContext['reportError'] = (what, error) => {
		emitError(emitter, new Error(`got-redis-cache: ${what}: ${error instanceof Error ? error.message : String(error)}`, {cause: error}));
	};

	const statistics = settings.hasStatistics ? createStatistics(() => Date.now(), settings.request.http.ignoredParameters) : undefined;
	const refusals: Refusals = createHints(maxRefusals);
	const context: Omit<GotContext, 'store'> & {store: Store} = {
		cache,
		options,
		settings,
		store,
		...createResourceHints(maxHints),
		...createValidityHints(maxHints),
		// A clock that is faked later on is followed.
		now: () => Date.now(),
		reportError,
		observer: createObserver({
			listeners: () => emitter.rawListeners('exchange'),
			listenerCount: () => emitter.listenerCount('exchange'),
			reportError,
			now: () => Date.now(),
			statistics: statistics && {
				count(state, ending) {
					statistics.count(state, ending);
					fleet?.note();
				},
			},
			refusals,
		}),
		hits: createHits(cache, error => {
			reportError('What listens to hits failed', error);
		}),
		filteredOut: {inRow: 0},
		gates: registerGates(cache, {
			store: () => context.store,
			timeoutMs,
			isEncrypted: keyRing !== undefined,
			reportError,
		}),
		refusals,
		refreshes: createRefreshes(),
		flights: settings.coalesce === false ? undefined : createFlights({maxFlightMs: flightPatienceMs, maxCoolingDown: maxHints}),
		leases: settings.coalesce === 'fleet' ? leasesIn(store) : undefined,
	};
	const fleet = statistics && createFleetStatistics({
		statistics,
		store: () => context.store,
		names: settings.keyRing ? createSealedText(settings.keyRing) : plainText,
		now: () => Date.now(),
		isReadOnly: settings.request.http.isReadOnly,
	});

	return {context, statistics, fleet};
};
