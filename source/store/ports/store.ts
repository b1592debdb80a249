import type {StoredRecord, VariantIndex} from '../../types/stored.ts';
import type {StoreHealth} from './health.ts';

/** Whether the store has answered any operation since a time, by `performance.now()`. */
export type Answering = (sinceMonoMs: number) => boolean;

export type StoreReadiness = {
	/** The store's address, without credentials. */
	readonly address: string;
	/** Warnings about features that work partially or temporarily, in one or two sentences each. */
	readonly warnings: readonly string[];
};

/** The purpose of a write: a purge is tried even while writes are suspended. After a `'soft purge'`, responses must remain. */
export type Purpose = 'purge' | 'soft purge' | undefined;

/** The progress of replicas with a purge. */
export type ReplicaWatch = {
	/** Called before a key is written, or without a key before any may be written. */
	note(key?: string): void;

	/** Resolves to whether enough replicas have all earlier writes, for each master that was written to. */
	confirm(options?: {readonly isInBackground?: boolean}): Promise<boolean>;
};

/** The time to live of a record in milliseconds, or `'forever'` if the user disabled expiry. */
export type TimeToLive = number | 'forever';

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

/** The reply of Redis to a command, or the error with which Redis refused it. */
export type CommandResult =
	| {readonly reply: unknown; readonly refusal?: undefined}
	| {readonly reply?: undefined; readonly refusal: Error};

export type CommittedRecord = {
	readonly key: string;
	readonly record: StoredRecord;
	readonly timeToLive: TimeToLive;
	/** The expected record that an index replaces: an index read or written by this process, or no record. Default: any record. */
	readonly replaces?: VariantIndex | 'nothing' | undefined;
};

/** The write of an exchange. All keys belong to one resource. */
export type GuardedWrite = {
	readonly guard: {readonly key: string; readonly token: string};
	readonly records: readonly CommittedRecord[];
	readonly deletedKeys: readonly string[];
};

/** A purge of one resource, to which all keys belong. */
export type Purge = {
	readonly guardKey: string;
	readonly keys: readonly string[];
	/** The expected records under keys that may have an index. */
	readonly indexes: ReadonlyArray<{readonly key: string; readonly index: VariantIndex | 'nothing'}>;
};

export type PurgeResult =
	| {readonly kind: 'purged'; readonly token: string; readonly formerToken: string | undefined}
	/** An index differs from the expected one. The guard is replaced nevertheless. */
	| {readonly kind: 'conflict'}
	/** The store did not confirm it. */
	| {readonly kind: 'failed'};

/** A key and its record, without reading the body. */
export type StoreEntry = {
	readonly key: string;
	/** The record, with an empty body. */
	readonly record: StoredRecord;
	readonly bodyBytes: number;
	/** The remaining time to live. */
	readonly timeToLive: TimeToLive;
};

/**
The reason why a value under a key of the cache cannot be read:

- `'corrupt'`: the value was damaged or cut short, was copied from another key, or is no value of this cache.
- `'encrypted'`: the value is encrypted, and this cache has no option `encryption`.
- `'other-encryption-key'`: no key of the option `encryption` opens the value.
- `'not-encrypted'`: the value is not encrypted, and this cache has the option `encryption`.
- `'other-version'`: another version of this package wrote the value, in a format that this one does not know.
*/
export type UnreadableReason = 'corrupt' | 'encrypted' | 'other-encryption-key' | 'not-encrypted' | 'other-version';

export type OnUnreadable = (key: string, reason: UnreadableReason) => void;

/**
A store of records. Only `ready()` and `entries()` reject: other faults are reported as one event per change, and read as a miss.
*/
export type Store = {
	/** The underlying store, if this one is limited by a request's budget. */
	readonly unbudgeted?: Store;

	/** Whether this process's memory replaces a store that has not answered yet. Changes are then not confirmed. */
	readonly isAlone: boolean;

	/** Waits for a step that several requests share, within this request's budget; only present on a store with a budget. */
	withinBudget?<Result>(step: Promise<Result>, otherwise: Result): Promise<Result>;

	/** Returns the record if memory has it, without I/O. */
	peek(key: string): StoredRecord | undefined;

	/** Returns the records of keys if memory knows each record or its absence, without I/O. */
	peekAll(keys: readonly string[]): ReadonlyArray<StoredRecord | undefined> | undefined;

	/** The body of a response as text, which memory may have cached. */
	text(body: Uint8Array, decode: () => string): string;

	/** Transfers a body's bytes to the caller if nobody else uses them, which empties the given array; `undefined` otherwise. */
	takeBody(body: Uint8Array): Uint8Array<ArrayBuffer> | undefined;

	/** Reads the records of keys in one round trip. */
	get(keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>>;

	/** Whether `get()` may need more than one operation. */
	readonly needsExtraRoundTrip: boolean;

	/**
	Writes a record. Resolves to whether the record was written; a record without a positive time to live is not.

	@param purpose - If Redis is too full for a purge, the record is deleted instead.
	*/
	set(key: string, record: StoredRecord, timeToLive: TimeToLive, purpose?: Purpose): Promise<boolean>;

	/**
	Places a guard if there is none. Resolves to the token of the current guard and whether it is new; to `undefined` if that is uncertain.

	@param sinceMonoMs - A guard whose placing began at this time or later is shared.
	*/
	placeGuard(key: string, sinceMonoMs: number): Promise<{readonly token: string; readonly isNew: boolean} | undefined>;

	/** Makes a guard of this process expire soon, because its exchange is over. */
	settleGuard(key: string): void;

	/**
	Writes all records of an exchange or none, if the guard is still the one that the exchange relies on.

	- `'refused'`: the guard is gone or another one.
	- `'conflict'`: the current record is not the expected one.
	- `'dropped'`: too many writes are waiting, or the head is too long.
	- `'failed'`: the store did not confirm the write.
	*/
	commit(write: GuardedWrite): Promise<'written' | 'refused' | 'conflict' | 'dropped' | 'failed'>;

	/** Replaces a guard and deletes keys in one step, so that writes that rely on the former guard are refused. Until the store has confirmed the purge, this process does not see the keys. */
	purge(purge: Purge): Promise<PurgeResult>;

	/** Replaces the guards of all resources, as a purge does. Resolves to whether the store confirmed it. */
	replaceGuards(): Promise<boolean>;

	/** Watches the progress of replicas from now on. Absent if no purge waits for replicas. */
	watchReplicas?(): Promise<ReplicaWatch>;

	/** Calls back, as long as the store is open, when another master may have taken over: a failover may have undone confirmed writes. */
	onDoubt(listener: () => void): void;

	/** Extends the life of a key to at least this time, without waiting. */
	extend(key: string, timeToLive: TimeToLive): void;

	/**
	Replaces a record by the result of `change`, which is called again if somebody else changed the record in the meantime. Resolves to the current record, or to `undefined` if that is uncertain.

	@param change - Returns `undefined` to keep the record.
	*/
	update(key: string, change: (current: StoredRecord | undefined) => StoredRecord | undefined, timeToLive: TimeToLive | 'keep' | ((current: StoredRecord | undefined) => TimeToLive | 'keep'), purpose?: Purpose): Promise<{readonly record: StoredRecord | undefined} | undefined>;

	/** The body size from which responses are stored under `longIdOf()` their variant's id. They are written and read in pieces, in a time that grows with their length. `Infinity` if the store does not support pieces. */
	readonly longBodyBytes: number;

	/** The longest body that the store takes. */
	readonly mostBodyBytes: number;

	/** Whether `update()` is atomic for all users of the store. Otherwise one of two concurrent updates may be lost. */
	readonly isAtomic: boolean;

	/** Whether operations on one resource are executed in the order in which they begin. */
	readonly keepsOrder: boolean;

	/** The name that `entries()` uses for a key; with encryption, names reveal nothing. */
	nameOf(key: string): string;

	/** Removes a key's record from memory. */
	forget(key: string): void;

	/**
	Lists all records in no particular order, while they may change. A key may be listed twice.

	@param onUnreadable - Is called with each key whose value could not be read.
	@throws {Error} When the store does not answer, or cannot list its keys.
	*/
	entries(onUnreadable?: OnUnreadable): AsyncGenerator<StoreEntry>;

	/** Deletes keys. Resolves to whether the store confirmed the deletion; until then, this process does not see the keys. */
	delete(keys: readonly string[]): Promise<boolean>;

	/** Deletes the keys of the namespace only. Resolves to whether the store confirmed the deletion. */
	clear(): Promise<boolean>;

	/**
	Sends a Redis command for one key; absent if the store is not Redis. Resolves to `undefined` without a reply.

	@param toArguments - Receives the key as Redis has it.
	*/
	readonly command?: (key: string, toArguments: (wireKey: string) => readonly string[]) => Promise<CommandResult | undefined>;

	/** Sends a Redis command as `command` does, for a key that holds no record: its name is never hidden, and neither `entries()` nor `clear()` has it unless it begins with a brace. */
	readonly plainCommand?: Store['command'];

	/**
	Checks whether the store supports the operations of the cache.

	@param expires - Whether keys have a TTL.
	@throws {StoreError} If the store can't be reached, read or written to.
	*/
	ready(expires: boolean): Promise<StoreReadiness>;

	/**
	Connects, and resolves to whether the store has answered.

	@param patienceMs - The longest wait.
	*/
	confirmConnection(patienceMs: number): Promise<boolean>;

	/** Resolves when all current writes have ended, successfully or not. */
	flush(): Promise<void>;

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

	/** Flushes queued writes within the deadline, and closes connections that the store opened. */
	close(): Promise<void>;
};
