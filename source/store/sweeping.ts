import {createHints} from '../types/hints.ts';
import type {GuardedWriter} from './ports/guards.ts';
import type {RecordWriter} from './ports/records.ts';
import {failoverMemoryMs, type Doubt} from './guard/failovers.ts';
import type {Guard} from './guard/guard.ts';
import type {MemoryTier} from './memory/memory.ts';
import type {Backend, GuardedChanges} from './ports/backend.ts';

export type SweepingOptions = {
	readonly backend: Backend;
	readonly guarded: GuardedChanges;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	/** The last write of each key that is under way. */
	readonly writes: ReadonlyMap<string, Promise<unknown>>;
	/** To be called before it begins. */
	readonly onSweep: () => void;
	/** Sweeping goes through all keys, and no request waits for it. */
	readonly timeoutMs: number;
};

/**
Operations on all keys of the namespace.
*/
export type Sweeping = Pick<RecordWriter, 'clear'> & Pick<GuardedWriter, 'replaceGuards'> & {
	/** Whether all was removed, and the store may not know. */
	readonly isAllHidden: boolean;

	/** Whether all was removed lately. */
	readonly wasCleared: boolean;

	/** Has it done again what was done lately: the store may be another master that does not know. */
	doubt(): Doubt | undefined;

	/** Tries again what is not done yet. */
	confirm(): void;
};

type Sweep = 'clear' | 'replaceGuards';

export const createSweeping = ({backend, guarded, guard, tier, writes, onSweep, timeoutMs}: SweepingOptions): Sweeping => {
	/** The sweeps that a failover may undo. */
	const confirmed = createHints<true>(2, failoverMemoryMs);
	const doubted = new Set<Sweep>();
	/** The sweeps that have to be done again. */
	const due = new Set<Sweep>();

	const sweep = async (kind: Sweep, operation: () => Promise<void>): Promise<boolean> => {
		onSweep();
		tier?.lose();
		const isConfirmed = await guard.attempt('delete', undefined, operation, {deadlineMs: timeoutMs}) !== undefined;
		if (isConfirmed) {
			doubted.delete(kind);
			due.delete(kind);
			if (backend.masters) {
				confirmed.set(kind, true);
			}
		}

		return isConfirmed;
	};

	const sweeps = {
		replaceGuards: async () => sweep('replaceGuards', async () => guarded.replaceAll()),
		async clear() {
			tier?.lose();
			await Promise.allSettled(writes.values());
			return sweep('clear', async () => {
				// Guards first: what is under way is not written after its key was passed by.
				await guarded.replaceAll();
				await backend.clear();
			});
		},
	};

	const confirm = () => {
		for (const kind of due) {
			void sweeps[kind]();
		}
	};

	return {
		...sweeps,
		get isAllHidden() {
			return doubted.has('clear');
		},
		get wasCleared() {
			return confirmed.has('clear');
		},
		doubt() {
			const kinds = confirmed.keys().toArray() as Sweep[];
			if (kinds.length === 0) {
				return undefined;
			}

			tier?.lose();
			for (const kind of kinds) {
				doubted.add(kind);
			}

			return {
				settle() {
					for (const kind of kinds) {
						if (!due.has(kind)) {
							doubted.delete(kind);
						}
					}
				},
				renew() {
					for (const kind of kinds) {
						due.add(kind);
					}

					confirm();
				},
			};
		},
		confirm,
	};
};
