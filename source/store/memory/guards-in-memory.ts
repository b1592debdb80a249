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

	/**
	@param change - Makes changes, all of them or none.
	@param prefix - The prefix of the keys.
	*/
	guard(change: (changes: readonly Change[]) => ChangeResult, prefix: string): GuardedChanges;
};

export const createGuardsInMemory = (): GuardsInMemory => {
	const tokens = createHints<string>(maxGuards);

	return {
		peek(key) {
			const token = isGuardKey(key) ? tokens.get(key) : undefined;
			return token === undefined ? undefined : writeGuard({kind: 'guard', token});
		},
		guard: (change, prefix) => ({
			async place(guardKey, token, ttlMs) {
				const known = tokens.get(guardKey);
				if (known !== undefined) {
					return known;
				}

				tokens.set(guardKey, token, {ttlMs});
				return token;
			},
			async replaceAll() {
				// The keys that are there now: one that is replaced comes last.
				for (const key of tokens.keys()) {
					if (key.startsWith(`${prefix}{`)) {
						tokens.set(key, purgeToken(), {ttlMs: guardLifeMs});
					}
				}
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
