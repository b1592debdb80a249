import type {GuardedWriter} from '../ports/guards.ts';
import {createHints} from '../../types/hints.ts';
import type {Values} from '../codec/values.ts';
import type {MemoryTier} from '../memory/memory.ts';
import {ask, groupByNode, type Backend, type Expectation} from '../ports/backend.ts';
import {guardLifeMs, purgeToken} from '../ports/guard-token.ts';
import {ownTimers} from '../ports/own-timers.ts';
import {failoverMemoryMs, type Doubt} from './failovers.ts';
import type {Guard} from './guard.ts';

/** Deletions are remembered until the store has confirmed them, but no more than this. */
const maxUnconfirmed = 10_000;

/** A deletion that failed is tried again after this, while the store answers. */
const confirmationMs = 1000;

export type DeletionOptions = {
	readonly backend: Backend;
	readonly values: Values;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	/** The last write of each key that is under way. */
	readonly writes: ReadonlyMap<string, Promise<unknown>>;
	/** Whether nothing is to be seen at all, for all was removed, and the store may not know. */
	readonly isAllHidden: () => boolean;
	/** Whether all was removed lately. */
	readonly wasCleared: () => boolean;
	/** To be called before a deletion is sent. */
	readonly onDeletion: () => void;
};

/**
Deletions that the store may have missed. Until the store has confirmed it, this process does not see the keys.
*/
export type Deletions = {
	isUnconfirmed(key: string): boolean;

	/** To be called when reading begins. Returns whether a key is not to be seen in what was read: what came of another master may be older than a deletion that this one has confirmed again meanwhile. */
	beginReading(): (key: string) => boolean;

	/** The number of the key's deletion that the store has not confirmed. */
	unconfirmedOf(key: string): number | undefined;

	/** Forgets that deletion, for the key is known to be without what was to go. A later one still holds. */
	settle(key: string, deletion: number | undefined): void;

	/** Resolves to whether the store confirmed it. */
	remove(keys: readonly string[]): Promise<boolean>;

	/** Deletes what is stored of a resource, and refuses what is under way. */
	readonly purge: GuardedWriter['purge'];

	/** Hides what was deleted lately: the store may be another master that does not know. */
	doubt(): Doubt | undefined;

	/** Tries again what is not confirmed yet. */
	confirm(): Promise<void>;

	/** The same where the last try is some time ago. */
	confirmWhenDue(): void;
};

export const createDeletions = ({backend, values, guard, tier, writes, isAllHidden, wasCleared, onDeletion}: DeletionOptions): Deletions => {
	const {guarded, keyv, prefix} = backend;
	/** Keys that were to be deleted, and which deletion that was. */
	const unconfirmed = new Map<string, number>();
	/** The deletions that a failover may undo. */
	const confirmed = backend.masters && createHints<true>(maxUnconfirmed, failoverMemoryMs);
	/** Of what is hidden until it is known which master the store is. */
	const doubts = new Set<number>();
	let doubtCount = 0;
	let deletions = 0;
	/** When those that failed are tried again: other deletions, which may come all the time, do not put that off. */
	let dueMs = Infinity;

	const settle = (key: string, deletion: number | undefined): void => {
		if (unconfirmed.get(key) === deletion) {
			unconfirmed.delete(key);
		}
	};

	const deleteAll = async (keys: readonly string[]): Promise<unknown> => {
		const wireKeys = keys.map(key => prefix + key);
		return backend.hasBatches ? keyv.delete(wireKeys) : Promise.all(wireKeys.map(async key => ask(backend, async () => keyv.delete(key))));
	};

	/** Hides keys until their deletion is confirmed. */
	const begin = (keys: readonly string[]): number => {
		const deletion = ++deletions;
		for (const key of keys) {
			unconfirmed.set(key, deletion);
			tier?.invalidate(key);
		}

		return deletion;
	};

	const end = (keys: readonly string[], deletion: number, isConfirmed: boolean): void => {
		if (isConfirmed) {
			for (const key of keys) {
				settle(key, deletion);
				confirmed?.set(key, true);
			}

			return;
		}

		dueMs = Math.min(dueMs, ownTimers.now() + confirmationMs);
		for (const key of unconfirmed.keys().take(Math.max(0, unconfirmed.size - maxUnconfirmed))) {
			unconfirmed.delete(key);
		}
	};

	const remove = async (keys: readonly string[]): Promise<boolean> => {
		onDeletion();
		const deletion = begin(keys);
		const pending = keys.map(key => writes.get(key)).filter(write => write !== undefined);
		// On its way through Keyv, a write may be overtaken by a deletion that came after it.
		if (pending.length > 0) {
			await Promise.allSettled(pending);
		}

		const areConfirmed = await Promise.all(groupByNode(backend, keys).map(async group => {
			const attempted = await guard.attempt('delete', group[0], async () => deleteAll(group));
			end(group, deletion, attempted !== undefined);
			return attempted !== undefined;
		}));
		return areConfirmed.every(Boolean);
	};

	const purge: GuardedWriter['purge'] = async ({guardKey, keys, indexes}) => {
		// Where it is tried again, the guard is deleted with the rest: that refuses as much.
		const allKeys = [guardKey, ...keys];
		onDeletion();
		const deletion = begin(allKeys);
		const expected = new Map<string, Expectation>(indexes.map(({key, index}) => [key, index === 'nothing' ? index : values.startOf(index) ?? 'anything']));
		const changes = keys.map(key => ({kind: 'delete', key: prefix + key, expected: expected.get(key) ?? 'anything'} as const));
		const token = purgeToken();
		const attempted = await guard.attempt('delete', guardKey, async () => guarded.purge({key: prefix + guardKey, token, ttlMs: guardLifeMs}, changes));
		const result = attempted?.result;
		end(allKeys, deletion, result?.kind === 'done');
		if (result?.kind === 'done') {
			return {kind: 'purged', token, formerToken: result.formerToken};
		}

		return {kind: result === undefined ? 'failed' : 'conflict'};
	};

	const confirm = async (): Promise<void> => {
		dueMs = Infinity;
		const keys = unconfirmed.entries().filter(([, deletion]) => !doubts.has(deletion)).map(([key]) => key).toArray();
		if (keys.length > 0) {
			await remove(keys);
		}
	};

	const isUnconfirmed = (key: string): boolean => unconfirmed.has(key) || isAllHidden();

	const doubt = (): Doubt | undefined => {
		doubtCount++;
		// Unconfirmed deletions are tried again in any case.
		const keys = confirmed?.keys().filter(key => !unconfirmed.has(key) || doubts.has(unconfirmed.get(key) ?? 0)).toArray() ?? [];
		if (keys.length === 0) {
			return undefined;
		}

		const deletion = begin(keys);
		doubts.add(deletion);
		return {
			settle() {
				doubts.delete(deletion);
				for (const key of keys) {
					settle(key, deletion);
				}
			},
			renew() {
				doubts.delete(deletion);
				void remove(keys);
			},
		};
	};

	return {
		isUnconfirmed,
		beginReading() {
			const earlierDoubts = doubtCount;
			return key => isUnconfirmed(key) || (doubtCount !== earlierDoubts && (confirmed?.has(key) === true || wasCleared()));
		},
		unconfirmedOf: key => unconfirmed.get(key),
		settle,
		remove,
		purge,
		doubt,
		confirm,
		confirmWhenDue() {
			if (unconfirmed.size > 0 && ownTimers.now() > dueMs) {
				void confirm();
			}
		},
	};
};
