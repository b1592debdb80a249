import type {UnreadableEntry, UnreadableReason} from '../../index.ts';
import type {Output} from '../terminal/output.ts';

/*
Values in the store that nobody can read with what the command line was given: they are counted, and named as far as that helps.
*/

const meanings: Readonly<Record<UnreadableReason, readonly [what: string, advice: string]>> = {
	corrupt: ['corrupt', 'requests miss them, and the next response replaces each; `got-redis-cache purge KEY` removes one'],
	encrypted: ['encrypted', 'give the keys with --encryption-file or GOT_REDIS_CACHE_ENCRYPTION'],
	'other-encryption-key': ['encrypted with another key', 'add the former keys to --encryption-file, the current one first'],
	'not-encrypted': ['not encrypted', 'a cache with `encryption` does not use them; leave the keys out to see them'],
	'other-version': ['of another version of this package', 'see them with that version'],
};

/** The number of keys that a warning names. */
const mostNamed = 3;

export type UnreadableCount = {
	readonly note: (entry: UnreadableEntry) => void;
	readonly total: () => number;
	readonly byReason: () => Readonly<Partial<Record<UnreadableReason, {readonly count: number; readonly keys: readonly string[]}>>>;
	/** Tells how many there were, by reason, on stderr. */
	warn(output: Output): void;
};

export const countUnreadable = (): UnreadableCount => {
	const found = new Map<UnreadableReason, {count: number; readonly keys: string[]}>();

	const note = ({storeKey, reason}: UnreadableEntry): void => {
		const known = found.get(reason) ?? {count: 0, keys: []};
		found.set(reason, known);
		known.count++;
		if (known.keys.length < mostNamed) {
			known.keys.push(storeKey);
		}
	};

	return {
		note,
		total: () => found.values().reduce((sum, {count}) => sum + count, 0),
		byReason: () => Object.fromEntries(found),
		warn(output) {
			for (const [reason, {count, keys}] of found) {
				const [what, advice] = meanings[reason];
				const names = `${keys.join(', ')}${count > keys.length ? ', …' : ''}`;
				output.warn(`${count} ${count === 1 ? 'value is' : 'values are'} ${what} (${names}): ${advice}`, {reason, count, keys});
			}
		},
	};
};
