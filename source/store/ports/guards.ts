import type {StoredRecord, VariantIndex} from '../../types/stored.ts';
import type {TimeToLive} from './records.ts';

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

/** Writes that are refused if the resource was purged since they were asked for, and the purges that refuse them. */
export type GuardedWriter = {
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
};
