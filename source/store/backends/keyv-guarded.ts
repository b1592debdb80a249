import {ask, type Backend, type Change, type GuardedChanges} from '../ports/backend.ts';
import {readGuard, writeGuard} from '../ports/guard-token.ts';

/*
The way of a store that can't check and change in one step: what was written is taken back where the guard is another one. An exchange puts no guard there, and a guard that is absent counts as unchanged.
*/

/** The token of an exchange if nobody has purged. */
const noToken = '';

export const guardThroughKeyv = (backend: Pick<Backend, 'keyv' | 'swallowed' | 'toBytes' | 'toValue'>): GuardedChanges => {
	const {keyv, toBytes, toValue} = backend;

	const readBytes = async (key: string): Promise<Uint8Array | undefined> => {
		const value = await ask(backend, async () => keyv.get<unknown>(key));
		return value === undefined || value === null ? undefined : toBytes(value);
	};

	const tokenOf = async (key: string): Promise<string> => {
		const bytes = await readBytes(key);
		return (bytes && readGuard(bytes)?.token) ?? noToken;
	};

	/** @returns Whether it was made. */
	const makeChange = async (change: Change): Promise<boolean> => {
		if (change.kind === 'delete') {
			await ask(backend, async () => keyv.delete(change.key));
			return true;
		}

		return change.kind === 'put' && ask(backend, async () => keyv.set(change.key, toValue(change.value), change.ttlMs));
	};

	/** All at once: what is looked up after that finds them. */
	const makeChanges = async (changes: readonly Change[]): Promise<boolean> => {
		const made = await Promise.all(changes.map(async change => makeChange(change)));
		return !made.includes(false);
	};

	return {
		place: async guardKey => tokenOf(guardKey),
		async commit({key, token}, changes) {
			const isMade = await makeChanges(changes);
			if (isMade && await tokenOf(key) === token) {
				return {kind: 'done'};
			}

			// The purge came before, and looked for it in vain.
			await Promise.all(changes.filter(({kind}) => kind === 'put').map(async change => ask(backend, async () => keyv.delete(change.key))));
			return {kind: 'refused'};
		},
		async purge({key, token, ttlMs}, changes) {
			const formerToken = await tokenOf(key);
			await ask(backend, async () => keyv.set(key, toValue(writeGuard({kind: 'guard', token})), ttlMs));
			await makeChanges(changes);
			return {kind: 'done', formerToken};
		},
	};
};
