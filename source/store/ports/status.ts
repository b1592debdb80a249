import type {StoreHealth} from './health.ts';

/** Whether the store has answered any operation since a time, by `performance.now()`. */
export type Answering = (sinceMonoMs: number) => boolean;

/** Counters since the store was created. */
export type StoreCounters = {
	/** The number of keys that were found. */
	readonly hits: number;
	/** The number of keys that were not found, for any reason. */
	readonly misses: number;
	/** The number of operations that failed or exceeded the deadline. */
	readonly errors: number;
	/** The number of values that were damaged or not records of this cache. */
	readonly corrupt: number;
	/** The number of records that were not written because too many writes were waiting, because they are large and the store is slow, or because their header fields exceed 256 KiB. */
	readonly dropped: number;
	/** The number of responses that were reported as stored but then dropped, or refused by the store. */
	readonly unwritten: number;
};

/** The state of the store, as this process sees it. */
export type StoreStatus = {
	/** Whether this process's memory replaces a store that has not answered yet. Changes are then not confirmed. */
	readonly isAlone: boolean;

	/** Whether the store is asked: `false` while it is unavailable. In a cluster, whether any node is asked. */
	readonly isHealthy: boolean;

	/** In a cluster: whether all nodes with pending operations have answered since then. */
	readonly isAnswering?: Answering | undefined;

	/** Whether the store is asked about a key: `false` also while the key's node is unavailable. */
	isReadable(key: string): boolean;

	/** Whether the store writes a key: `false` also while the store is read-only or full. */
	isWritable(key: string): boolean;

	health(): StoreHealth;

	readonly counters: StoreCounters;
};
