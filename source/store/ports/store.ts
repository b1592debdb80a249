import type {StoredRecord, VariantIndex} from '../../types/stored.ts';
import type {StoreHealth} from './health.ts';

/** Whether what is waited for has answered something, be it to others, since then, by `performance.now()`. */
export type Answering = (sinceMonoMs: number) => boolean;

export type StoreReadiness = {
	/** Where it is, without credentials. */
	readonly address: string;
	/** What works, though not all of it or not for long, each in a sentence or two. */
	readonly warnings: readonly string[];
};

/** What a write is for: a purge is tried also while writing rests. `'soft purge'`: what is purged is to remain. */
export type Purpose = 'purge' | 'soft purge' | undefined;

/** What replicas have of a purge. */
export type ReplicaWatch = {
	/** To be called before a key is written, or without a key before any may be. */
	note(key?: string): void;

	/** Resolves to whether so many replicas have what was written until now, of each master that was written to. */
	confirm(options?: {readonly isInBackground?: boolean}): Promise<boolean>;
};

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
	/** Of the responses that the caller was told are stored, those that then were not: they were dropped, or the store did not take them. */
	readonly unwritten: number;
};

/** What Redis replied to a command, or the error with which it refused to do anything. */
export type CommandResult =
	| {readonly reply: unknown; readonly refusal?: undefined}
	| {readonly reply?: undefined; readonly refusal: Error};

export type CommittedRecord = {
	readonly key: string;
	readonly record: StoredRecord;
	readonly timeToLive: TimeToLive;
	/** What an index takes the place of: an index that was read or written here, or no record. Default: whatever lies there. */
	readonly replaces?: VariantIndex | 'nothing' | undefined;
};

/** What an exchange brings. The keys are those of one resource. */
export type GuardedWrite = {
	readonly guard: {readonly key: string; readonly token: string};
	readonly records: readonly CommittedRecord[];
	readonly deletedKeys: readonly string[];
};

/** The keys are those of one resource. */
export type Purge = {
	readonly guardKey: string;
	readonly keys: readonly string[];
	/** What has to lie under those of the keys that may have an index. */
	readonly indexes: ReadonlyArray<{readonly key: string; readonly index: VariantIndex | 'nothing'}>;
};

export type PurgeResult =
	| {readonly kind: 'purged'; readonly token: string; readonly formerToken: string | undefined}
	/** An index is another one than was expected. The guard is replaced all the same. */
	| {readonly kind: 'conflict'}
	/** The store did not confirm it. */
	| {readonly kind: 'failed'};

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
Where records are kept. No method rejects but `ready()` and `entries()`: a fault is reported once per change as an event, and reads as a miss.
*/
export type Store = {
	/** What this one is a part of, with bounds of its own. */
	readonly unbudgeted?: Store;

	/** Whether the memory of this process stands in for a store that has not answered yet: what is changed there is confirmed to nobody. */
	readonly isAlone: boolean;

	/** Waits for what all who use the store wait for, no longer than for a step of one's own; only where there are such bounds. */
	withinBudget?<Result>(step: Promise<Result>, otherwise: Result): Promise<Result>;

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
	readonly needsExtraRoundTrip: boolean;

	/**
	Resolves to whether the record was written; one whose time to live is not positive is not written.

	@param purpose - A Redis that is too full for a purge removes what lies there instead.
	*/
	set(key: string, record: StoredRecord, timeToLive: TimeToLive, purpose?: Purpose): Promise<boolean>;

	/**
	Puts a guard there if there is none. Resolves to the token of the one that is there then, and whether it is new; to `undefined` when that is not certain.

	@param sinceMonoMs - One that is being placed since then, or later, will do.
	*/
	placeGuard(key: string, sinceMonoMs: number): Promise<{readonly token: string; readonly isNew: boolean} | undefined>;

	/** Lets a guard that this process has placed expire soon: the exchange is over. */
	settleGuard(key: string): void;

	/**
	Writes what an exchange brings, all of it or nothing, if the guard is still the one that the exchange counts on.

	- `'refused'`: the guard is another one, or gone.
	- `'conflict'`: what lies there is not what a record is to replace.
	- `'dropped'`: it is too much to write now, or its head is too long.
	- `'failed'`: the store did not confirm it.
	*/
	commit(write: GuardedWrite): Promise<'written' | 'refused' | 'conflict' | 'dropped' | 'failed'>;

	/** Replaces a guard and deletes keys in one step: what counts on the former guard is not written any more. Until the store has confirmed it, this process does not see the keys. */
	purge(purge: Purge): Promise<PurgeResult>;

	/** Replaces the guards of all resources, as a purge does. Resolves to whether the store confirmed it. */
	replaceGuards(): Promise<boolean>;

	/** Watches what replicas have of what is written from now on. Absent if no purge waits for them. */
	watchReplicas?(): Promise<ReplicaWatch>;

	/** Calls back, as long as the store is open, when it may be another master than the one that has confirmed what was written: a failover may have undone that. */
	onDoubt(listener: () => void): void;

	/** Has a key live for so long at least, without waiting for it. */
	extend(key: string, timeToLive: TimeToLive): void;

	/**
	Replaces a record by what `change` makes of it, which is asked once more where somebody else has changed it meanwhile. Resolves to what lies there then, or to `undefined` when that is not certain.

	@param change - Returns `undefined` to leave it as it is.
	*/
	update(key: string, change: (current: StoredRecord | undefined) => StoredRecord | undefined, timeToLive: TimeToLive | 'keep' | ((current: StoredRecord | undefined) => TimeToLive | 'keep'), purpose?: Purpose): Promise<{readonly record: StoredRecord | undefined} | undefined>;

	/** Responses whose bodies have that many bytes are written under `longIdOf()` their variant's id, and are read and written in pieces, in a time that grows with their length. `Infinity` if the store can't. */
	readonly longBodyBytes: number;

	/** The longest body that the store takes. */
	readonly mostBodyBytes: number;

	/** Whether `update()` is one step for all who use the store. Where it is not, two at once may become one. */
	readonly isAtomic: boolean;

	/** Whether operations about one resource are carried out in the order in which they are begun. */
	readonly keepsOrder: boolean;

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

	/**
	Tries whether the store can do what is asked of it.

	@param expires - Whether keys have a TTL.
	@throws {StoreError} If it can't be reached, read or written to.
	*/
	ready(expires: boolean): Promise<StoreReadiness>;

	/**
	Connects, and resolves to whether the store has answered.

	@param patienceMs - The longest that it is waited for.
	*/
	confirmConnection(patienceMs: number): Promise<boolean>;

	/** Resolves when what is being written now has been, or has failed. */
	flush(): Promise<void>;

	/** Whether the store is asked at all: `false` while it is given up, which it is until it answers again. Of a cluster, whether any node is. */
	readonly isHealthy: boolean;

	/** Of a cluster: whether all nodes that are waited for have answered something since then. */
	readonly isAnswering?: Answering | undefined;

	/** Whether it is asked about a key: `false` also while the node of a cluster that keeps it is given up. */
	isReadable(key: string): boolean;

	/** Whether the store writes under a key: `false` also while it is read-only, or full. */
	isWritable(key: string): boolean;

	health(): StoreHealth;

	readonly counters: StoreCounters;

	/** Flushes queued writes within the deadline and closes what the store itself opened. */
	close(): Promise<void>;
};
