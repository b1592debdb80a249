import type {StoredRecord} from '../stored.ts';
import type {StoreHealth} from './fault-log.ts';

/** The longest that a record is kept: milliseconds, or `'forever'` when the user switched expiry off. */
export type TimeToLive = number | 'forever';

/** What a store has seen since it was made. */
export type StoreCounters = {
	/** Keys that were asked for and found. */
	readonly hits: number;
	/** Keys that were asked for and not found, for whatever reason. */
	readonly misses: number;
	/** Operations that failed or were given up after the deadline. */
	readonly errors: number;
	/** Values that were no record of ours, or damaged. */
	readonly corrupt: number;
	/** Records that were not written because too many others waited to be, because they are large and the store is slow, or because their header fields take more than 256 KiB. */
	readonly dropped: number;
};

/** What Redis replied to a command, or the error with which it refused to do anything. */
export type CommandResult =
	| {readonly reply: unknown; readonly refusal?: undefined}
	| {readonly reply?: undefined; readonly refusal: Error};

/** A key and what is known of its record without reading the body. */
export type StoreEntry = {
	readonly key: string;
	/** Its body is left empty. */
	readonly record: StoredRecord;
	readonly bodyBytes: number;
	/** What is left of it. */
	readonly timeToLive: TimeToLive;
};

/**
Where records are kept. No method rejects: a fault is reported once per change as an event, and reads as a miss.
*/
export type Store = {
	/** What this one is a part of, with bounds of its own. */
	readonly whole?: Store;

	/** Waits for what all who use the store wait for, no longer than for a step of one's own; only where there are such bounds. */
	patiently?<Result>(step: Promise<Result>, otherwise: Result): Promise<Result>;

	/** The record, if memory has it: no I/O. */
	peek(key: string): StoredRecord | undefined;

	/** The records of keys, if memory knows of each what lies there, or that nothing does: no I/O. */
	peekAll(keys: readonly string[]): ReadonlyArray<StoredRecord | undefined> | undefined;

	/** The body of a response as text, which memory may have made before. */
	text(body: Uint8Array, decode: () => string): string;

	/** The bytes of a body that was read, for the caller to keep, if they are in nobody else's hands; what was given is empty then. `undefined` if they are. */
	takeBody(body: Uint8Array): Uint8Array<ArrayBuffer> | undefined;

	/** The records of keys, in one round trip. */
	get(keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>>;

	/** Whether `get()` may have something to see to first, so that it takes more than one operation. */
	readonly takesDetours: boolean;

	/**
	Resolves to whether the record was written; one whose time to live is not positive is not written.

	@param again - Where a part of the record was to be written, and what it is a part of is not what lies there any more: makes the record of what does, or leaves that as it is (`undefined`). Default: the record itself.
	*/
	set(key: string, record: StoredRecord, timeToLive: TimeToLive, again?: (current: StoredRecord | undefined) => StoredRecord | undefined): Promise<boolean>;

	/**
	Replaces a record by what `change` makes of it, which is asked once more where somebody else has changed it meanwhile. Resolves to what lies there then, or to `undefined` when that is not certain.

	@param change - Returns `undefined` to leave it as it is.
	*/
	update(key: string, change: (current: StoredRecord | undefined) => StoredRecord | undefined, timeToLive: TimeToLive | 'keep'): Promise<{readonly record: StoredRecord | undefined} | undefined>;

	/** Whether `update()` is one step for all who use the store. Where it is not, two at once may become one. */
	readonly isAtomic: boolean;

	/** What `entries()` calls a key: with encryption, names tell nothing. */
	nameOf(key: string): string;

	/** Forgets what memory has of a key's record. */
	forget(key: string): void;

	/**
	What is stored, in no order, while it may change. A key may be given twice.

	@throws {Error} When the store does not answer, or cannot list its keys.
	*/
	entries(): AsyncGenerator<StoreEntry>;

	/** Resolves to whether the store confirmed it. Until it has, this process does not see the keys. */
	delete(keys: readonly string[]): Promise<boolean>;

	/** Removes the namespace and nothing else. Resolves to whether the store confirmed it. */
	clear(): Promise<boolean>;

	/**
	Sends a command of Redis's about one key; absent where the store is no Redis. Resolves to `undefined` if there was no reply.

	@param toArguments - Is given the key as Redis has it.
	*/
	readonly command?: (key: string, toArguments: (wireKey: string) => readonly string[]) => Promise<CommandResult | undefined>;

	/** Resolves when what is being written now has been, or has failed. */
	flush(): Promise<void>;

	/** Whether the store is asked at all: `false` while it is given up, which it is until it answers again. */
	readonly isHealthy: boolean;

	health(): StoreHealth;

	readonly counters: StoreCounters;

	/** Flushes queued writes within the deadline and closes what the store itself opened. */
	close(): Promise<void>;
};
