import type {StoredRecord} from '../../types/stored.ts';

/** The time to live of a record in milliseconds, or `'forever'` if the user disabled expiry. */
export type TimeToLive = number | 'forever';

/** The purpose of a write: a purge or a switch is tried even while writes are suspended. After a `'soft purge'`, responses must remain. */
export type Purpose = 'purge' | 'soft purge' | 'switch' | undefined;

/** Reads records: of the memory of this process, and of the store behind it. */
export type RecordReader = {
	/** Returns the record if memory has it, without I/O. */
	peek(key: string): StoredRecord | undefined;

	/** Returns the records of keys if memory knows each record or its absence, without I/O. */
	peekAll(keys: readonly string[]): ReadonlyArray<StoredRecord | undefined> | undefined;

	/** Reads the records of keys in one round trip. */
	get(keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>>;

	/** Whether `get()` may need more than one operation. */
	readonly needsExtraRoundTrip: boolean;
};

/** Writes, updates and deletes records one by one, whatever exchanges are under way. */
export type RecordWriter = {
	/**
	Writes a record. Resolves to whether the record was written; a record without a positive time to live is not.

	@param purpose - If Redis is too full for a purge, the record is deleted instead.
	*/
	set(key: string, record: StoredRecord, timeToLive: TimeToLive, purpose?: Purpose): Promise<boolean>;

	/**
	Replaces a record by the result of `change`, which is called again if somebody else changed the record in the meantime. Resolves to the current record, or to `undefined` if that is uncertain.

	@param change - Returns `undefined` to keep the record.
	*/
	update(
		key: string,
		change: (current: StoredRecord | undefined) => StoredRecord | undefined,
		timeToLive: TimeToLive | 'keep' | ((current: StoredRecord | undefined) => TimeToLive | 'keep'),
		purpose?: Purpose,
	): Promise<{readonly record: StoredRecord | undefined} | undefined>;

	/** Extends the life of a key to at least this time, without waiting. */
	extend(key: string, timeToLive: TimeToLive): void;

	/** Deletes keys. Resolves to whether the store confirmed the deletion; until then, this process does not see the keys. */
	delete(keys: readonly string[]): Promise<boolean>;

	/** Removes a key's record from memory. */
	forget(key: string): void;

	/** Deletes the keys of the namespace only. Resolves to whether the store confirmed the deletion. */
	clear(): Promise<boolean>;
};

/** Bodies that memory holds. */
export type BodyMemory = {
	/** The body of a response as text, which memory may have cached. */
	text(body: Uint8Array, decode: () => string): string;

	/** Transfers a body's bytes to the caller if nobody else uses them, which empties the given array; `undefined` otherwise. */
	takeBody(body: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
};
