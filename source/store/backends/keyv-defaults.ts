import type {Backend} from '../ports/backend.ts';

/*
The members that the backends of a `Map` and of Keyv have in common.
*/

/** A store that needs no connection of the cache's. */
export const local = {
	connect() {
		return undefined;
	},
	reset() {
		// Nothing is under way.
	},
	probePatienceMs: 30_000,
	sweepStepMs: 60_000,
	// Several keys at once are no round trip less here, and Keyv swallows what goes wrong with them.
	hasBatches: false,
	isForeignValue: () => false,
	isRefusal: () => false,
	isArgumentError: () => false,
	async close() {
		// The user's.
	},
} satisfies Partial<Backend>;

export const remainingMs = (expires: number | null | undefined): number | undefined => typeof expires === 'number' ? expires - Date.now() : undefined; // eslint-disable-line @typescript-eslint/no-restricted-types -- Keyv's

/** Whether a key is one of the cache's, among those of others. */
export const isOurs = (key: unknown, prefix: string): key is string => typeof key === 'string' && key.startsWith(`${prefix}{`);
