import type {StoreEvent, StoreHealth} from './ports/health.ts';
import {StoreError} from './ports/store-error.ts';
import type {PurgeResult} from './ports/guards.ts';
import type {Store} from './ports/store.ts';
import {readyPatienceMs} from './readiness.ts';

/*
The store where none was given: a Redis on this machine, or the memory of this process for as long as no Redis has answered.
*/

/** One store of each kind, with the same names for keys. */
type OpenStore = (onEvent: (event: StoreEvent) => void) => Store;

export type DefaultStoreOptions = {
	readonly openRedis: OpenStore;
	readonly openMemory: OpenStore;
	/** Where the Redis is expected. */
	readonly address: string;
	/** The longest that the first operation waits for it. */
	readonly timeoutMs: number;
	readonly onEvent: (event: StoreEvent) => void;
	/** Redis has answered: from now on it is the store, and what memory held is dropped. */
	readonly onTakeover: (redis: Store, memoryStore: Store) => void;
};

const advice = 'Start a Redis, set REDIS_URL, or give the option `store`, which can be \'memory\'';

/**
A store that asks Redis once, and is memory until a Redis answers. Purges are made in both meanwhile, so that this process does not see the purged responses again when Redis takes over. They are not confirmed, since other processes know nothing of them.
*/
export const createDefaultStore = ({openRedis, openMemory, address, timeoutMs, onEvent, onTakeover}: DefaultStoreOptions): Store => {
	let mode: 'undecided' | 'memory' | 'redis' = 'undecided';
	let deciding: Promise<void> | undefined;
	let aloneSince = new Date();
	let reason: StoreError | undefined;

	const dropMemory = async () => {
		await memory.clear();
		await memory.close();
	};

	const takeOver = () => {
		const wasAlone = mode === 'memory';
		mode = 'redis';
		void dropMemory();
		onTakeover(redis, memoryStore);
		if (wasAlone) {
			onEvent({type: 'recovered'});
		}
	};

	const redis = openRedis(event => {
		if (mode === 'redis') {
			onEvent(event);
		} else if (event.type === 'recovered') {
			takeOver();
		}
	});
	const memory = openMemory(onEvent);

	const isClosed = () => redis.health().state === 'closed';

	const standAlone = () => {
		const {lastError} = redis.health();
		mode = 'memory';
		aloneSince = new Date();
		reason = new StoreError(
			`got-redis-cache: No Redis answers, so responses are kept in the memory of this process alone until one does (store: ${address}). ${advice}`,
			{store: address, code: lastError?.code, cause: lastError},
		);
		onEvent({type: 'degraded', error: reason});
	};

	const decide = async (patienceMs: number): Promise<void> => {
		const isThere = await redis.confirmConnection(patienceMs);
		if (mode === 'redis' || isClosed()) {
			return;
		}

		if (isThere) {
			takeOver();
		} else if (mode === 'undecided') {
			standAlone();
		}
	};

	const present = (): Store => mode === 'memory' ? memory : redis;

	/** Without a turn in between where it is known: writes keep their order. */
	const use = async <Result>(operation: (store: Store) => Promise<Result>): Promise<Result> => {
		if (mode === 'undecided') {
			deciding ??= decide(timeoutMs);
			await deciding;
		}

		return operation(present());
	};

	const useInBackground = (operation: (store: Store) => void): void => {
		if (mode === 'undecided') {
			return;
		}

		operation(present());
	};

	const memoryStore: Store = {
		get address() {
			return present().address;
		},
		get isAlone() {
			return mode === 'memory';
		},
		peek: key => mode === 'undecided' ? undefined : present().peek(key),
		peekAll: keys => mode === 'undecided' ? undefined : present().peekAll(keys),
		text: (body, decode) => present().text(body, decode),
		takeBody: body => present().takeBody(body),
		get: async keys => use(async store => store.get(keys)),
		get needsExtraRoundTrip() {
			return mode === 'undecided' || present().needsExtraRoundTrip;
		},
		set: async (...parameters) => use(async store => store.set(...parameters)),
		placeGuard: async (...parameters) => use(async store => store.placeGuard(...parameters)),
		settleGuard(key) {
			useInBackground(store => {
				store.settleGuard(key);
			});
		},
		commit: async write => use(async store => store.commit(write)),
		purge: async purge => use<PurgeResult>(async store => {
			if (store === memory) {
				// Remembered there until it can be done.
				void redis.purge(purge);
			}

			return store.purge(purge);
		}),
		replaceGuards: async () => use(async store => await store.replaceGuards() && store !== memory),
		get watchReplicas() {
			return mode === 'memory' ? undefined : redis.watchReplicas;
		},
		onDoubt: redis.onDoubt,
		extend(...parameters) {
			useInBackground(store => {
				store.extend(...parameters);
			});
		},
		update: async (...parameters) => use(async store => store.update(...parameters)),
		get longBodyBytes() {
			return present().longBodyBytes;
		},
		get mostBodyBytes() {
			return present().mostBodyBytes;
		},
		isAtomic: true,
		get keepsOrder() {
			return mode !== 'undecided' && present().keepsOrder;
		},
		nameOf: redis.nameOf,
		forget(key) {
			redis.forget(key);
			memory.forget(key);
		},
		async * entries(...parameters) {
			const store = await use(async each => each);
			yield * store.entries(...parameters);
		},
		delete: async keys => use(async store => {
			if (store === redis) {
				return redis.delete(keys);
			}

			// Remembered there until it can be done.
			void redis.delete(keys);
			await memory.delete(keys);
			return false;
		}),
		clear: async () => use(async store => await store.clear() && store !== memory),
		command: redis.command,
		plainCommand: redis.plainCommand,
		async ready(expires) {
			if (mode !== 'redis') {
				deciding = decide(readyPatienceMs);
				await deciding;
			}

			return mode === 'memory' && !isClosed()
				? {
					address: 'memory',
					warnings: [`No Redis answers at ${address}, so responses are kept in the memory of this process alone until one does. ${advice}`],
				}
				: redis.ready(expires);
		},
		confirmConnection: redis.confirmConnection,
		async flush() {
			await Promise.all([redis.flush(), memory.flush()]);
		},
		get isHealthy() {
			return present().isHealthy;
		},
		isReadable: key => present().isReadable(key),
		isWritable: key => present().isWritable(key),
		health(): StoreHealth {
			const health = redis.health();
			return mode === 'memory' && !isClosed() ? {state: 'memory', since: aloneSince, lastError: reason, lastErrorAt: aloneSince} : health;
		},
		get counters() {
			return present().counters;
		},
		async close() {
			await Promise.all([redis.close(), memory.close()]);
		},
	};

	return memoryStore;
};
