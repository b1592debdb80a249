import {createHints} from '../../types/hints.ts';
import type {Change, ChangeResult, GuardedChanges} from '../ports/backend.ts';
import {guardLifeMs, isGuardKey, purgeToken, writeGuard} from '../ports/guard-token.ts';

/** A guard is evicted only while more requests than these are under way. */
const maxGuards = 50_000;

/**
Guards of a store that is in the memory of the process: beside what is stored, so that they leave nothing behind.
*/
export type GuardsInMemory = {
	/** A guard as it would lie in the store. */
	peek(key: string): Uint8Array | undefined;

	/** Replaces the guards under keys that begin with the prefix and a brace, and gives their number. */
	replaceAll(prefix: string): number;

	/** @param change - Makes changes, all of them or none. */
	guard(change: (changes: readonly Change[]) => ChangeResult): GuardedChanges;
};

export const createGuardsInMemory = (): GuardsInMemory => {
	const tokens = createHints<string>(maxGuards);

	return {
		peek(key) {
			const token = isGuardKey(key) ? tokens.get(key) : undefined;
			return token === undefined ? undefined : writeGuard({kind: 'guard', token});
		},
		replaceAll(prefix) {
			// The keys that are there now: one that is replaced comes last.
			const keys = tokens.keys().filter(key => key.startsWith(`${prefix}{`)).toArray();
			for (const key of keys) {
				tokens.set(key, purgeToken(), {ttlMs: guardLifeMs});
			}

			return keys.length;
		},
		guard: change => ({
			async place(guardKey, token, ttlMs) {
				const known = tokens.get(guardKey);
				if (known !== undefined) {
					return known;
				}

				tokens.set(guardKey, token, {ttlMs});
				return token;
			},
			async commit({key, token, ttlMs}, changes) {
				if (tokens.get(key) !== token) {
					return {kind: 'refused'};
				}

				const result = change(changes);
				if (result.kind === 'done') {
					tokens.set(key, token, {ttlMs});
				}

				return result;
			},
			async purge({key, token, ttlMs}, changes) {
				const formerToken = tokens.get(key);
				tokens.set(key, token, {ttlMs});
				const result = change(changes);
				return result.kind === 'done' ? {...result, formerToken} : result;
			},
		}),
	};
};
