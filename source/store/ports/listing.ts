import type {StoredRecord} from '../../types/stored.ts';
import type {TimeToLive} from './records.ts';

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

/** Is told of a cluster's node whose keys could not be listed, and why. */
export type OnUnlisted = (address: string, error: Error) => void;

/** Lists the records of the namespace. */
export type RecordLister = {
	/**
	Lists all records in no particular order, while they may change. A key may be listed twice.

	@param onUnreadable - Is called with each key whose value could not be read.
	@param start - The beginning of the wanted keys. It spares reading other values, unless encryption hides the names of keys.
	@param onUnlisted - Is called with each node of a cluster that could not list its keys; the others are then listed. Without it, that is an error.
	@throws {Error} When the store does not answer, or cannot list its keys.
	*/
	entries(onUnreadable?: OnUnreadable, start?: string, onUnlisted?: OnUnlisted): AsyncGenerator<StoreEntry>;

	/** The name that `entries()` uses for a key; with encryption, names reveal nothing. */
	nameOf(key: string): string;
};
