import {ask, type Backend} from './backend.ts';
import type {Guard} from './guard.ts';
import type {MemoryTier} from './memory.ts';

/** What the store did not confirm is remembered until it does, and no more of it than this. */
const maxUnconfirmed = 10_000;

/** Deletions are tried again no more often, while the store answers. */
const confirmationMs = 1000;

export type DeletionOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	/** The last write of each key that is under way. */
	readonly writes: ReadonlyMap<string, Promise<unknown>>;
};

/**
What was to be deleted. Until the store has confirmed it, this process does not see the keys.
*/
export type Deletions = {
	isUnconfirmed(key: string): boolean;

	/** Which deletion of the key the store has not confirmed. */
	unconfirmedOf(key: string): number | undefined;

	/** Forgets that deletion, for the key is known to be without what was to go. A later one still holds. */
	settle(key: string, deletion: number | undefined): void;

	/** Resolves to whether the store confirmed it. */
	remove(keys: readonly string[]): Promise<boolean>;

	/** Tries again what is not confirmed yet. */
	confirm(): Promise<void>;

	/** The same where the last try is some time ago. */
	confirmWhenDue(): void;
};

export const createDeletions = ({backend, guard, tier, writes}: DeletionOptions): Deletions => {
	const {keyv, prefix} = backend;
	/** Keys that were to be deleted, and which deletion that was. */
	const unconfirmed = new Map<string, number>();
	let deletions = 0;
	/** When deleting was last tried. */
	let triedMs = -Infinity;

	const settle = (key: string, deletion: number | undefined): void => {
		if (unconfirmed.get(key) === deletion) {
			unconfirmed.delete(key);
		}
	};

	const deleteAll = async (keys: readonly string[]): Promise<unknown> => {
		const wireKeys = keys.map(key => prefix + key);
		return backend.hasBatches ? keyv.delete(wireKeys) : Promise.all(wireKeys.map(async key => ask(backend, async () => keyv.delete(key))));
	};

	const remove = async (keys: readonly string[]): Promise<boolean> => {
		const deletion = ++deletions;
		triedMs = performance.now();
		const pending: Array<Promise<unknown>> = [];
		for (const key of keys) {
			unconfirmed.set(key, deletion);
			tier?.invalidate(key);
			const write = writes.get(key);
			if (write !== undefined) {
				pending.push(write);
			}
		}

		// On its way through Keyv, a write may be overtaken by a deletion that came after it.
		if (pending.length > 0) {
			await Promise.allSettled(pending);
		}

		const attempted = await guard.attempt('delete', async () => deleteAll(keys));
		if (attempted === undefined) {
			for (const key of unconfirmed.keys().take(Math.max(0, unconfirmed.size - maxUnconfirmed))) {
				unconfirmed.delete(key);
			}

			return false;
		}

		for (const key of keys) {
			settle(key, deletion);
		}

		return true;
	};

	const confirm = async (): Promise<void> => {
		if (unconfirmed.size > 0) {
			await remove(unconfirmed.keys().toArray());
		}
	};

	return {
		isUnconfirmed: key => unconfirmed.has(key),
		unconfirmedOf: key => unconfirmed.get(key),
		settle,
		remove,
		confirm,
		confirmWhenDue() {
			if (unconfirmed.size > 0 && performance.now() - triedMs > confirmationMs) {
				void confirm();
			}
		},
	};
};
