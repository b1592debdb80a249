import type {Keyv} from 'keyv';
import type {TimeToLive} from './store.ts';

/** What a value looks like on its way through Keyv. */
export type Encoding = {
	toValue(bytes: Uint8Array): unknown;
	/** `undefined` for what cannot be ours. */
	toBytes(value: unknown): Uint8Array | undefined;
};

export type RawEntry = {
	readonly key: string;
	readonly value: unknown;
	/** How long the store keeps it; `undefined`: for ever. */
	readonly ttlMs: number | undefined;
};

/** What a Redis does when it is full. */
export type Eviction = {
	/** 0: there is no bound. */
	readonly maxBytes: number;
	/** Such as `'noeviction'` or `'allkeys-lru'`. */
	readonly policy: string;
};

/** What makes another record of a value, the body staying where it is. */
export type HeadChange = {
	/** What the value begins with. */
	readonly before: Uint8Array;
	/** What is to take its place: as many bytes. */
	readonly head: Uint8Array;
	/** Of the whole value. */
	readonly length: number;
};

/** The first bytes of a value, which no other value has, and how long it is. */
export type ValueStart = {
	readonly start: Uint8Array;
	readonly length: number;
};

/** What has to lie under a key for a change to be made. */
export type Expectation = 'anything' | 'nothing' | ValueStart;

/** A change of one key that is made together with others, all of them or none. */
export type Change =
	| {readonly kind: 'put'; readonly key: string; readonly expected: Expectation; readonly value: Uint8Array; readonly ttlMs: number | undefined}
	/** What was written under `partKey` before, in pieces. */
	| {readonly kind: 'move'; readonly key: string; readonly expected: Expectation; readonly partKey: string; readonly ttlMs: number | undefined}
	| {readonly kind: 'replace-head'; readonly key: string; readonly change: HeadChange; readonly ttlMs: number | undefined}
	| {readonly kind: 'delete'; readonly key: string; readonly expected: Expectation};

/** `conflict`: what lies under the key of that change is not what was expected. */
export type ChangeResult = {readonly kind: 'done'; readonly formerToken?: string | undefined} | {readonly kind: 'refused'} | {readonly kind: 'conflict'; readonly position: number};

/**
Changes of a resource that depend on its guard, each in one step for all who use the store. The keys lie in one slot.
*/
export type GuardedChanges = {
	/** Puts a guard there if there is none, and gives the token of the one that lies there now. */
	place(guardKey: string, token: string, ttlMs: number): Promise<string>;

	/** Makes changes if the guard has the token; `refused` if it has another, or is gone. Shortens the life of the guard to `ttlMs`. */
	commit(guard: {readonly key: string; readonly token: string; readonly ttlMs: number}, changes: readonly Change[]): Promise<ChangeResult>;

	/** Replaces all guards: what is under way now is not written. */
	replaceAll(): Promise<void>;

	/** Replaces the guard, and makes changes: what counts on the former guard is refused from then on. Gives the token of the former guard, if there was one. */
	purge(guard: {readonly key: string; readonly token: string; readonly ttlMs: number}, changes: readonly Change[]): Promise<ChangeResult>;
};

/** A server that takes writes. */
export type Master = {
	/** Of a cluster's. */
	readonly address: string | undefined;
	/** Replies are text. */
	send(arguments_: readonly string[]): Promise<unknown>;
};

/** The nodes of a cluster, by their addresses. */
export type Nodes = {
	/** Those that are there now: another array after each change. Empty until they are known. */
	readonly addresses: readonly string[];
	/** The one that keeps a key, with its prefix or without; `undefined` until they are known. */
	of(key: string): string | undefined;
	/**
	Asks nodes that answer whether others have taken the place of one that does not, and learns where the keys lie by now if so.

	@returns The addresses of those others.
	*/
	replace(address: string, answering: readonly string[]): Promise<readonly string[] | undefined>;
};

export type Swallowed = {
	count: number;
	last: unknown;
};

/**
A place to keep bytes in, reached through Keyv, and what Keyv has no word for.
*/
export type Backend = Encoding & {
	/** Where it is, for messages: a URL without credentials, or its kind. */
	readonly address: string;

	/** Why a connection that opens by itself has not been opened yet. */
	readonly connectionError?: Error | undefined;

	readonly keyv: Keyv;

	/** What each key begins with in front of its brace. */
	readonly prefix: string;

	/** Whether the memory of this process is all that keeps it: nothing to transfer, and nobody else's room. */
	readonly isInProcess: boolean;

	/** Whether nobody but the cache can reach the values: what is in order once remains so. */
	readonly isPrivate?: boolean;

	/** `undefined` when operations may be sent right away, otherwise resolves when they may. */
	readonly connect: () => Promise<void> | undefined;

	/** Gives up what is under way after the other side fell silent. */
	reset(): void;

	/** Nodes that keep the keys, each for itself. Absent where there is one for all. */
	readonly nodes?: Nodes;

	/** How long to wait for a sign of life before asking again. */
	readonly probePatienceMs: number;

	/** Removes the keys that begin with the prefix and a brace, and no other. */
	clear(): Promise<void>;

	/** What lies under the keys that begin with the prefix and a brace, some at a time; the first bytes of a value may be all of it that is given. Throws when the keys cannot be listed. */
	scan(): AsyncIterable<readonly RawEntry[]>;

	/**
	Writes a value if another one, or none, is still what lies under the key, and tells whether it was; absent where the store cannot do that in one step.

	@param ttlMs - `undefined` for ever, `'keep'` as it was.
	*/
	swap?(key: string, expected: unknown, value: unknown, ttlMs: number | 'keep' | undefined): Promise<boolean>;

	/** The first bytes of a value, enough to tell whether it is a record; none where there is none. Absent where a part cannot be read. */
	readStart?(key: string): Promise<Uint8Array>;

	/**
	Puts a head in the place of another if a value with that head and of that length is what lies under the key, and tells whether it was; absent where the store cannot change a part of a value.

	@param ttlMs - `undefined` for ever, `'keep'` as it was.
	*/
	replaceHead?(key: string, change: HeadChange, ttlMs: number | 'keep' | undefined): Promise<boolean>;

	/** How long values are written and read in pieces. Absent where the store can't. */
	readonly pieces?: {
		/** Resolves to `false` if the piece before it is not there: it was removed meanwhile. `length`: of the whole value. */
		append(key: string, piece: Uint8Array, place: {readonly number: number; readonly length: number}, ttlMs: number): Promise<boolean>;
		/** 0 if there is nothing. */
		length(key: string): Promise<number>;
		/** No bytes where there is no such piece. */
		read(key: string, number: number): Promise<Uint8Array>;
	};

	/** Absent where the store cannot check and change in one step. */
	readonly guarded?: GuardedChanges;

	/** Has a key live for so long at least; `undefined`: for ever. Absent where the store cannot do that without writing the value. */
	extend?(key: string, ttlMs: number | undefined): Promise<void>;

	/** Has a key live for so long at most. Absent where what expires soon by itself leaves nothing behind. */
	shorten?(key: string, ttlMs: number): Promise<void>;

	/** The masters that keep the values. Absent where nothing fails over. */
	readonly masters?: {
		/** Calls back when replies may come from another master than before. Returns how to end it. */
		watch(onChange: () => void): () => void;
		/** Tells the data of the masters from that of others, and from what a replica makes of it when it is promoted; `undefined` if the masters do not say. */
		identify(): Promise<string | undefined>;
		/** The one that keeps a key, or without a key all of them; none while they are not known. */
		list(key?: string): readonly Master[];
	};

	/** Whether operations about one slot are carried out in the order in which they are begun; not if several connections take turns. */
	readonly keepsOrder?: boolean;

	/** Whether a cluster keeps the keys: several are one command only where the braces in them say the same. */
	readonly isSharded?: boolean;

	/** Whether operations are answered in the order in which they are begun: while others are answered, none is lost. */
	readonly answersInOrder?: boolean;

	/** Whether `keyv.getMany()` and `keyv.delete()` with several keys are one round trip, and fail when a key does. */
	readonly hasBatches: boolean;

	/** Whether the tracker that the backend was made with hears of every key that is read and then changed. */
	readonly isTracking?: boolean;

	/** What went wrong without an exception: Keyv tells of it as an event and gives nothing. */
	readonly swallowed?: Readonly<Swallowed>;

	/** The value of a key, where that takes no I/O. */
	peek?(key: string): unknown;

	/** Whether the error answers for one key alone, not for the store: a value of another type. */
	isForeignValue(error: unknown): boolean;

	/** Whether the store itself refused, and so is there. */
	isRefusal(error: unknown): boolean;

	/** Whether the store refused what it was asked to do, not to do it: such an error says nothing of its health. */
	isArgumentError(error: unknown): boolean;

	/** Whether the store refused to write for want of room: it lets keys be removed. */
	isFull?(error: unknown): boolean;

	/** Of each server that keeps keys. Absent where the store is no Redis. */
	readEvictions?(): Promise<readonly Eviction[]>;

	/** Sends a command of Redis's, if that is what this is; replies are bytes. */
	readonly send?: (key: string, arguments_: ReadonlyArray<string | Uint8Array>) => Promise<unknown>;

	/** Closes what was opened here, and nothing of the user's. */
	close(): Promise<void>;
};

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

export const binary: Encoding = {
	toValue: bytes => bytes,
	toBytes: value => isBytes(value) ? value : undefined,
};

/** What Keyv swallowed while it found nothing, it found nothing for that reason. */
export const ask = async <Result>({swallowed}: Backend, operation: () => Promise<Result>): Promise<Result> => {
	const before = swallowed?.count;
	const result = await operation();
	if (swallowed !== undefined && swallowed.count !== before && (result === undefined || result === false)) {
		throw swallowed.last;
	}

	return result;
};

/** How many first bytes of a value tell it from all others: they hold its checksum, or the vector that it is encrypted with. */
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

/** Some 140,000 years: a whole number, for nothing else is a time to live to Redis, and one that can be added to the clock, as a number and as a `Date`. */
const longestTtlMs = 2 ** 52;

/** What a store is given as a time to live; `undefined` for ever. */
export const toTtlMs = (timeToLive: TimeToLive): number | undefined => timeToLive === 'forever' ? undefined : Math.min(Math.ceil(timeToLive), longestTtlMs);

/** Keys, those of each node by themselves: what happens to some says nothing of the others. */
export const groupByNode = ({nodes}: Backend, keys: readonly string[]): ReadonlyArray<readonly string[]> =>
	nodes === undefined || keys.length < 2 ? [keys] : Map.groupBy(keys, key => nodes.of(key)).values().toArray();
