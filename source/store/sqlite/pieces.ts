import type {Backend} from '../ports/backend.ts';
import type {Database} from './database.ts';
import {expiryAfter, findEntry, hasPart, putEntry, putPart, readPart} from './entries.ts';
import type {Write} from './guarded.ts';
import type {Upkeep} from './upkeep.ts';

export type Read = <Result>(keys: readonly string[], work: (database: Database) => Result) => Promise<Result>;

const nothing = new Uint8Array();

/** The longest value has some 1000 pieces, and each piece one place of 4096. */
export const createPieces = (read: Read, write: Write, upkeep: Upkeep): NonNullable<Backend['pieces']> => ({
	async append(key, piece, {number, length}, ttlMs) {
		upkeep.refuseTooLarge(length);
		return write([key], database => {
			if (number === 0) {
				putEntry(database, key, {expires: expiryAfter(ttlMs), size: length, start: piece});
			} else {
				const entry = findEntry(database, key);
				if (!entry || (number > 1 && !hasPart(database, entry.id, number - 1))) {
					return false;
				}

				putPart(database, entry.id, number, piece);
				database.statement('UPDATE entries SET expires = ? WHERE id = ?').run(expiryAfter(ttlMs), entry.id);
			}

			upkeep.afterWrite(database, piece.length);
			return true;
		});
	},
	length: async key => read([key], database => findEntry(database, key)?.size ?? 0),
	read: async (key, number) => read([key], database => {
		const entry = findEntry(database, key);
		if (!entry) {
			return nothing;
		}

		return number === 0 ? entry.start : readPart(database, entry.id, number) ?? nothing;
	}),
});
