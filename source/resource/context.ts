import type {TimeToLive} from '../store/ports/records.ts';
import type {ValidityContext} from '../tags/validity.ts';
import {createHints, type Hints} from '../types/hints.ts';
import type {StoredResponse, VariantIndex} from '../types/stored.ts';

/**
The stored data of one resource: a response under the resource's key, or with `Vary` an index and one key per variant.
*/
export type ResourceContext = ValidityContext & {
	/** The indexes that this process has seen, so that one look-up can name index and variant. A hint: the store's answer takes precedence. */
	readonly indexes: Hints<VariantIndex>;
	/** The last purge of each resource by this process. A response that was requested before the purge is not stored. */
	readonly purges: Hints<OwnPurge>;
	/** The request whose response this process wrote last, by key and by variant. */
	readonly newest: Hints<Newest>;
	/** Responses that this process writes while it reads the same key. A reply in transit is older than these. */
	readonly readsInFlight: Map<string, ReadsInFlight>;
	/** Variants that wait to be written, by the key of their index. */
	readonly variantQueues: Map<string, VariantQueue>;
};

export type OwnPurge = {
	/** The time of the purge, by `performance.now()`. */
	readonly monoMs: number;
	/** The guard's token, once the store has confirmed the purge. */
	readonly token?: string;
	readonly formerToken?: string | undefined;
};

export type Newest = {
	/** The time of the look-up, by `performance.now()`. */
	readonly startedMonoMs: number;
	/** Whether the response has no `Vary`. */
	readonly isForAll: boolean;
};

/** A queue that writes one index at a time, because concurrent writes would lose a variant. Waiting variants go with the next write. */
export type VariantQueue = {
	waiting: VariantWrite[];
	sending: Promise<void>;
	/** Whether the current write has a long body. */
	isLong: boolean;
};

export type ReadsInFlight = {
	readers: number;
	written: StoredResponse | undefined;
	/** The time of the write, by `performance.now()`. */
	writtenMonoMs: number;
};

export type VariantWrite = {
	readonly write: Write;
	readonly vary: readonly string[];
	readonly isLong: boolean;
};

export type Write = {
	readonly key: string;
	/** The index that the look-up found. */
	readonly index: VariantIndex | undefined;
	readonly stored: StoredResponse;
	/** The token of the resource's guard that the exchange relies on. */
	readonly token: string;
	/** The time of the look-up, by `performance.now()`. */
	readonly startedMonoMs: number;
	readonly matchHeaders: readonly string[];
	readonly timeToLive: TimeToLive;
};

/** Creates what a process remembers of resources. Nothing is read with it that the store has not confirmed. */
export const createResourceHints = (maxHints: number): Omit<ResourceContext, keyof ValidityContext> => ({
	indexes: createHints(maxHints),
	purges: createHints(maxHints),
	newest: createHints(maxHints),
	readsInFlight: new Map(),
	variantQueues: new Map(),
});
