import type {CommandSender} from './commands.ts';
import type {FailoverWatcher} from './failover.ts';
import type {GuardedWriter} from './guards.ts';
import type {StoreLifecycle} from './lifecycle.ts';
import type {RecordLister} from './listing.ts';
import type {BodyMemory, RecordReader, RecordWriter} from './records.ts';
import type {StoreStatus} from './status.ts';
import type {StoreTraits} from './traits.ts';

/** The parts of a store that a request's time budget changes. */
type Budgeted = {
	/** The underlying store, if this one is limited by a request's budget. */
	readonly unbudgeted?: Store;

	/** Waits for a step that several requests share, within this request's budget; only present on a store with a budget. */
	withinBudget?<Result>(step: Promise<Result>, otherwise: Result): Promise<Result>;
};

/**
A store of records. Only `ready()` and `entries()` reject: other faults are reported as one event per change, and read as a miss.
*/
export type Store = BodyMemory & Budgeted & CommandSender & FailoverWatcher & GuardedWriter & RecordLister & RecordReader & RecordWriter & StoreLifecycle & StoreStatus & StoreTraits;
