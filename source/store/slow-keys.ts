import {createHints} from '../types/hints.ts';
import {noBytes} from './codec/bytes.ts';
import {isForeign} from './codec/codec.ts';
import type {Deletions} from './guard/deletions.ts';
import type {Guard} from './guard/guard.ts';
import type {Backend} from './ports/backend.ts';

const bounds = {max: 1000, ttlMs: 10_000};

export type SlowKeyOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly deletions: Deletions;
	/** Counts what is no record of ours. */
	readonly counters: {corrupt: number};
};

/**
Keys whose reading was given up, while the store was in use.
*/
export type SlowKeys = {
	has(key: string): boolean;

	/** Whether there are none. */
	readonly isEmpty: boolean;

	/** Says of keys whether they could be read in time. */
	note(keys: readonly string[], isRead: boolean): void;

	/**
	Removes what took too long to read and is no record: what is as long as that is not read again.

	@param keys - Of one node.
	@returns Whether the keys may be read.
	*/
	removeForeign(keys: readonly string[]): Promise<boolean>;
};

export const createSlowKeys = ({backend: {prefix, readStart}, guard, deletions, counters}: SlowKeyOptions): SlowKeys => {
	const slow = createHints<true>(bounds.max, bounds.ttlMs);

	return {
		has: key => slow.has(key),
		get isEmpty() {
			return slow.size === 0;
		},
		note(keys, isRead) {
			if (isRead && slow.size === 0) {
				return;
			}

			for (const key of keys) {
				if (isRead) {
					slow.delete(key);
				} else if (guard.isHealthy(key)) {
					slow.set(key, true);
				}
			}
		},
		async removeForeign(keys) {
			const suspects = readStart ? keys.filter(key => slow.has(key)) : [];
			if (!readStart || suspects.length === 0) {
				return true;
			}

			const attempted = await guard.attempt('read', suspects[0], async () => Promise.all(suspects.map(async key => readStart(prefix + key))));
			if (attempted === undefined) {
				return false;
			}

			const foreign = suspects.filter((_, position) => isForeign(attempted.result[position] ?? noBytes));
			counters.corrupt += foreign.length;
			return foreign.length === 0 || deletions.remove(foreign);
		},
	};
};
