import type {Keyv} from 'keyv';
import type {TimeToLive} from './records.ts';

/** The form of a value in Keyv. */
export type Encoding = {
	toValue(bytes: Uint8Array): unknown;
	/** Returns the bytes; `undefined` for a value that cannot be this cache's. */
	toBytes(value: unknown): Uint8Array | undefined;
};

export type RawEntry = {
	readonly key: string;
	readonly value: unknown;
	/** The remaining time to live; `undefined`: forever. */
	readonly ttlMs: number | undefined;
};

/** The eviction settings of a Redis. */
export type Eviction = {
	/** The memory limit; 0: none. */
	readonly maxBytes: number;
	/** Such as `'noeviction'` or `'allkeys-lru'`. */
	readonly policy: string;
};

/** A change of a value's head that leaves the body in place. */
export type HeadChange = {
	/** The current beginning of the value. */
	readonly before: Uint8Array;
	/** The replacement, of the same length. */
	readonly head: Uint8Array;
	/** The length of the whole value. */
	readonly length: number;
};

/** The first bytes of a value, which are unique to it, and its length. */
export type ValueStart = {
	readonly start: Uint8Array;
	readonly length: number;
};

/** The expected current value of a key. */
export type Expectation = 'anything' | 'nothing' | ValueStart;

/** A change of one key that is made together with others, all of them or none. */
export type Change =
	| {readonly kind: 'put'; readonly key: string; readonly expected: Expectation; readonly value: Uint8Array; readonly ttlMs: number | undefined}
	/** Moves the value that was written in pieces under `partKey`. */
	| {readonly kind: 'move'; readonly key: string; readonly expected: Expectation; readonly partKey: string; readonly ttlMs: number | undefined}
	| {readonly kind: 'replace-head'; readonly key: string; readonly change: HeadChange; readonly ttlMs: number | undefined}
	| {readonly kind: 'delete'; readonly key: string; readonly expected: Expectation};

/** The result of changes. `conflict`: the current value of the change at `position` is not the expected one. */
export type ChangeResult = {readonly kind: 'done'; readonly formerToken?: string | undefined} | {readonly kind: 'refused'} | {readonly kind: 'conflict'; readonly position: number};

/**
Changes of a resource that depend on its guard, each atomic for all users of a store that can check and change at once. The keys lie in one slot.
*/
export type GuardedChanges = {
	/** Places a guard if there is none, and returns the current token. */
	place(guardKey: string, token: string, ttlMs: number): Promise<string>;

	/** Makes changes if the guard has the token; `refused` if it has another token or is gone. Shortens the guard's life to `ttlMs`. */
	commit(guard: {readonly key: string; readonly token: string; readonly ttlMs: number}, changes: readonly Change[]): Promise<ChangeResult>;

	/** Replaces the guard and makes changes; writes that rely on the former guard are refused from then on. Returns the former token, if any. */
	purge(guard: {readonly key: string; readonly token: string; readonly ttlMs: number}, changes: readonly Change[]): Promise<ChangeResult>;
};

/** A server that keeps keys, with the operations that go through all of them, step by step. */
export type Server = {
	/** The address, for a master of a cluster. */
	readonly address: string | undefined;

	/** Deletes only the keys that begin with the prefix and a brace. Each step gives the number of keys that it removed. */
	clear(): AsyncIterable<number>;

	/** Replaces all guards, so that writes in progress are refused. Each step gives the number of guards that it replaced. Absent if no write relies on a guard that is there. */
	replaceGuards?(): AsyncIterable<number>;

	/**
	Lists the values under keys that begin with the prefix and a brace, in batches. Only the first bytes of a value may be given. Throws if the keys cannot be listed.

	@param start - The beginning of the wanted keys, behind the prefix. The store may leave out other keys.
	*/
	scan(start?: string): AsyncIterable<readonly RawEntry[]>;
};

/** A server that takes writes. */
export type Master = {
	/** The address, for a master of a cluster. */
	readonly address: string | undefined;
	/** Replies are text. */
	send(arguments_: readonly string[]): Promise<unknown>;
};

/** The nodes of a cluster, by their addresses. */
export type Nodes = {
	/** The current addresses; each change gives another array. Empty until they are known. */
	readonly addresses: readonly string[];
	/** The node of a key, given with its prefix or without; `undefined` until the nodes are known. */
	of(key: string): string | undefined;
	/**
	Asks answering nodes whether others have replaced a silent one, and if so, updates the locations of the keys.

	@returns The addresses of the replacing nodes.
	*/
	replace(address: string, answering: readonly string[]): Promise<readonly string[] | undefined>;
};

export type Swallowed = {
	count: number;
	last: unknown;
};

/**
A store of bytes, reached through Keyv, with operations that Keyv lacks.
*/
export type Backend = Encoding & {
	/** The address for messages: a URL without credentials, or the kind of store. */
	readonly address: string;

	/** The reason why a connection that opens by itself is not open yet. */
	readonly connectionError?: Error | undefined;

	readonly keyv: Keyv;

	/** The prefix of each key, before its brace. */
	readonly prefix: string;

	/** Whether the values are only in this process's memory, which needs no transfer and no limit for the sake of others. */
	readonly isInProcess: boolean;

	/** Whether only the cache can reach the values, so that a check once passed stays valid. */
	readonly isPrivate?: boolean;

	/** Returns `undefined` if operations may be sent at once; otherwise a promise that resolves when they may. */
	readonly connect: () => Promise<void> | undefined;

	/** Aborts pending operations after the server fell silent. */
	reset(): void;

	/** The nodes that each keep some of the keys. Absent if one store keeps all. */
	readonly nodes?: Nodes;

	/** The time to wait for an answer to a probe before the next one. */
	readonly probePatienceMs: number;

	/** The servers that keep the keys, as far as they are known: a cluster has its masters, any other store one. A silent server does not stand in the way of the others. To be called when the store is connected. */
	servers(): readonly Server[];

	/** The time that one step of `clear()` or `replaceGuards()` may take: for a thousand keys, or for all. */
	readonly sweepStepMs: number;

	/**
	Writes a value if the expected value, or none, is still the current one, and returns whether it was. Absent if the store cannot do that atomically.

	@param ttlMs - `undefined`: forever; `'keep'`: unchanged.
	*/
	swap?(key: string, expected: unknown, value: unknown, ttlMs: number | 'keep' | undefined): Promise<boolean>;

	/** Returns the first bytes of a value, enough to recognize a record; no bytes if there is no value. Absent if the store cannot read a part. */
	readStart?(key: string): Promise<Uint8Array>;

	/**
	Replaces a value's head if the value has the expected head and length, and returns whether it did. Absent if the store cannot change a part of a value.

	@param ttlMs - `undefined`: forever; `'keep'`: unchanged.
	*/
	replaceHead?(key: string, change: HeadChange, ttlMs: number | 'keep' | undefined): Promise<boolean>;

	/** The operations for long values in pieces. Absent if the store does not support them. */
	readonly pieces?: {
		/** Appends a piece; resolves to `false` if the preceding piece has been removed. `length` is that of the whole value. */
		append(key: string, piece: Uint8Array, place: {readonly number: number; readonly length: number}, ttlMs: number): Promise<boolean>;
		/** Returns the length of the value; 0 if there is none. */
		length(key: string): Promise<number>;
		/** Returns a piece; no bytes if it does not exist. */
		read(key: string, number: number): Promise<Uint8Array>;
	};

	/** The guarded changes, atomic if the store can check and change at once. */
	readonly guarded: GuardedChanges;

	/** Extends a key's life to at least `ttlMs`; `undefined`: forever. Absent if the store would have to write the value. */
	extend?(key: string, ttlMs: number | undefined): Promise<void>;

	/** Shortens a key's life to at most `ttlMs`. Absent if keys need no earlier end, because they expire soon and leave nothing behind. */
	shorten?(key: string, ttlMs: number): Promise<void>;

	/** The masters of the store. Absent if there is no failover. */
	readonly masters?: {
		/** Calls back when replies may come from another master than before. Returns a function that ends the watch. */
		watch(onChange: () => void): () => void;
		/** Returns an id of the masters' data, which differs for other masters and after a replica's promotion; `undefined` if the masters do not tell. */
		identify(): Promise<string | undefined>;
		/** Returns the master of a key, or all masters without a key; none while they are unknown. */
		list(key?: string): readonly Master[];
	};

	/** Whether operations on one slot are executed in the order in which they begin. Several alternating connections do not guarantee that. */
	readonly keepsOrder?: boolean;

	/** Whether a cluster keeps the keys: one command then takes only keys with the same braces. */
	readonly isSharded?: boolean;

	/** Whether operations are answered in the order in which they begin: while others are answered, none is lost. */
	readonly answersInOrder?: boolean;

	/** Whether `keyv.getMany()` and `keyv.delete()` with several keys are one round trip, and fail when a key does. */
	readonly hasBatches: boolean;

	/** Whether the tracker passed to the backend is notified of changes to every key that was read, or `hasChanged()` tells. */
	readonly isTracking?: boolean;

	/** Whether others may have changed something since the last call, if the store tells when it is asked, without a wait. It then notifies no tracker. */
	hasChanged?(): boolean;

	/** Has the tracker told when all that Redis had to tell so far has arrived. Absent if each answer says as much. */
	readonly proveTracking?: (() => void) | undefined;

	/** Errors that Keyv reported as an event instead of an exception. */
	readonly swallowed?: Readonly<Swallowed>;

	/** Returns the value of a key, if that takes no I/O: what is not found is not there. */
	peek?(key: string): unknown;

	/** Whether no operation takes any I/O, so that none can hang. */
	readonly isImmediate?: boolean;

	/** Whether an error concerns one key, such as a value of another type, and not the store. */
	isForeignValue(error: unknown): boolean;

	/** Whether the store itself refused the operation, and is therefore reachable. */
	isRefusal(error: unknown): boolean;

	/** Whether the store refused the operation's arguments; such an error says nothing about its health. */
	isArgumentError(error: unknown): boolean;

	/** Whether the store refused a write because it is full; it then still accepts deletions. */
	isFull?(error: unknown): boolean;

	/** Reads the eviction settings of each server. Absent if the store is not Redis. */
	readEvictions?(): Promise<readonly Eviction[]>;

	/** Sends a Redis command, if the store is Redis; replies are bytes. */
	readonly send?: (key: string, arguments_: ReadonlyArray<string | Uint8Array>) => Promise<unknown>;

	/** Closes what the cache opened, and nothing of the user's. */
	close(): Promise<void>;
};

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

export const binary: Encoding = {
	toValue: bytes => bytes,
	toBytes: value => isBytes(value) ? value : undefined,
};

/** Runs an operation, and throws the error that Keyv swallowed if the operation found nothing because of it. */
export const ask = async <Result>({swallowed}: Pick<Backend, 'swallowed'>, operation: () => Promise<Result>): Promise<Result> => {
	const before = swallowed?.count;
	const result = await operation();
	if (swallowed !== undefined && swallowed.count !== before && (result === undefined || result === false)) {
		throw swallowed.last;
	}

	return result;
};

/** The number of first bytes that distinguish a value from all others: they include its checksum, or its encryption vector. */
export const startLength = 55;

export const isExpected = (expected: Expectation, bytes: Uint8Array | undefined): boolean => {
	if (expected === 'anything') {
		return true;
	}

	if (expected === 'nothing') {
		return bytes === undefined;
	}

	const {start, length} = expected;
	return bytes?.length === length && start.every((byte, position) => byte === bytes[position]);
};

/** The longest time to live, some 140,000 years: Redis only takes integers, and the sum with the current time must fit a number and a `Date`. */
const longestTtlMs = 2 ** 52;

/** The time to live in milliseconds for a store; `undefined`: forever. */
export const toTtlMs = (timeToLive: TimeToLive): number | undefined => timeToLive === 'forever' ? undefined : Math.min(Math.ceil(timeToLive), longestTtlMs);

/** Groups keys by node, since a failure for some keys says nothing about those of another node. */
export const groupByNode = ({nodes}: Backend, keys: readonly string[]): ReadonlyArray<readonly string[]> =>
	nodes === undefined || keys.length < 2 ? [keys] : Map.groupBy(keys, key => nodes.of(key)).values().toArray();
