import type {StoredRecord} from '../stored.ts';

/** The longest that a record is kept: milliseconds, or `'forever'` when the user switched expiry off. */
export type TimeToLive = number | 'forever';

/**
Where records are kept. No method rejects: a fault is reported once per change as an event, and reads as a miss.
*/
export type Store = {
	/** The record in the memory tier, if it is there: no I/O. */
	peek(key: string): StoredRecord | undefined;

	/** The records of keys that share a hash slot, in one round trip. */
	get(keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>>;

	/** Resolves to whether the record was written; one whose time to live is not positive is not written. */
	set(key: string, record: StoredRecord, timeToLive: TimeToLive): Promise<boolean>;

	/** Resolves to whether the store confirmed it. */
	delete(keys: readonly string[]): Promise<boolean>;

	/** Removes the namespace and nothing else. */
	clear(): Promise<void>;

	/** Flushes queued writes within the deadline and closes what the store itself opened. */
	close(): Promise<void>;
};
