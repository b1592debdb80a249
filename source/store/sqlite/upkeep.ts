import type {Database} from './database.ts';
import {leastMaxBytes} from './address.ts';
import {SqliteError} from './sqlite-error.ts';

/*
Expired entries, and those that there is no room for, are removed along with writes: no timer, and no long pause.
*/

export const defaultMaxBytes = 512 * 1024 * 1024;

const sweepEveryMs = 10_000;

/** The number of expired entries that go with one write. */
const sweptAtOnce = 100;

/** The number of entries that are looked at together. */
const evictedAtOnce = 50;

/** Room is measured after so many bytes. */
const measureEveryBytes = 256 * 1024;

/** When it is full, some room more is made. */
const keptShare = 0.9;

/** Tag versions, of which there are few, are the oldest, and stand for many responses: they go last. */
const smallBytes = 256;

/** The bytes that an entry takes beside its value, roughly. */
const entryOverhead = 200;

/** No value may take more of the room than this, or else it would be all that is kept. */
const largestShare = 4;

export type Upkeep = {
	/** To be called when a database was opened. */
	begin(database: Database): void;

	/** To be called with each write, within its transaction. */
	afterWrite(database: Database, writtenBytes: number): void;

	/** @throws {SqliteError} If a value of that length is not to be stored. */
	refuseTooLarge(bytes: number): void;
};

type Sized = {readonly id: number; readonly size: number};

const numberIn = (database: Database, sql: string): number => Number(Object.values(database.statement(sql).get() ?? {0: 0})[0]);

const usedBytes = (database: Database): number => (numberIn(database, 'PRAGMA page_count') - numberIn(database, 'PRAGMA freelist_count')) * numberIn(database, 'PRAGMA page_size');

const sweep = ({statement}: Database): boolean => {
	const nowMs = Date.now();
	const {changes} = statement('DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires <= ? LIMIT ?)').run(nowMs, sweptAtOnce);
	const {changes: guards} = statement('DELETE FROM guards WHERE key IN (SELECT key FROM guards WHERE expires <= ? LIMIT ?)').run(nowMs, sweptAtOnce);
	return Number(changes) < sweptAtOnce && Number(guards) < sweptAtOnce;
};

/**
@param ownMaxBytes - The bound that the user gave.
*/
export const createUpkeep = (ownMaxBytes: number | undefined): Upkeep => {
	let maxBytes = ownMaxBytes ?? defaultMaxBytes;
	let sweptMs = -Infinity;
	let unmeasuredBytes = 0;
	/** The entries up to this one were removed, or are small. */
	let passedId = 0;
	let isSparingSmall = true;

	const readBound = (database: Database): void => {
		const stored = database.statement('SELECT value FROM settings WHERE name = \'maxSize\'').get() as {readonly value: number} | undefined;
		maxBytes = stored?.value ?? defaultMaxBytes;
	};

	/** The next ones, the oldest first. */
	const candidates = ({statement}: Database): readonly Sized[] => statement('SELECT id, size FROM entries WHERE id > ? ORDER BY id LIMIT ?').all(passedId, evictedAtOnce) as Sized[];

	/** @returns The bytes that it has freed. */
	const remove = ({statement}: Database, {id, size}: Sized): number => {
		passedId = id;
		if (isSparingSmall && size < smallBytes) {
			return 0;
		}

		statement('DELETE FROM entries WHERE id = ?').run(id);
		return size + entryOverhead;
	};

	const removeUpTo = (database: Database, rows: readonly Sized[], bytes: number): number => {
		let freed = 0;
		for (const row of rows) {
			if (freed >= bytes) {
				break;
			}

			freed += remove(database, row);
		}

		return freed;
	};

	const evict = (database: Database, bytes: number): void => {
		let freed = 0;
		while (freed < bytes) {
			const rows = candidates(database);
			if (rows.length === 0) {
				if (passedId === 0) {
					return;
				}

				// Once around: the small ones go as well, and then from the beginning again.
				passedId = 0;
				isSparingSmall = !isSparingSmall;
				if (isSparingSmall) {
					return;
				}
			}

			freed += removeUpTo(database, rows, bytes - freed);
		}
	};

	const makeRoom = (database: Database): void => {
		readBound(database);
		const surplus = usedBytes(database) - (maxBytes * keptShare);
		// Not all at once where the bound was lowered: each write makes more room than it takes.
		const written = unmeasuredBytes;
		unmeasuredBytes = 0;
		if (surplus > maxBytes * (1 - keptShare)) {
			evict(database, Math.min(surplus, Math.max(4 * written, leastMaxBytes)));
		}
	};

	return {
		begin(database) {
			passedId = 0;
			isSparingSmall = true;
			if (ownMaxBytes !== undefined) {
				database.statement('INSERT OR REPLACE INTO settings (name, value) VALUES (\'maxSize\', ?)').run(ownMaxBytes);
			}

			readBound(database);
		},
		afterWrite(database, writtenBytes) {
			const nowMs = Date.now();
			if (Math.abs(nowMs - sweptMs) >= sweepEveryMs && sweep(database)) {
				sweptMs = nowMs;
			}

			unmeasuredBytes += writtenBytes + entryOverhead;
			if (unmeasuredBytes >= Math.min(measureEveryBytes, maxBytes / 32)) {
				makeRoom(database);
			}
		},
		refuseTooLarge(bytes) {
			if (bytes > maxBytes / largestShare) {
				throw new SqliteError(
					'SQLITE_TOOBIG',
					`A value of ${bytes} bytes is not stored in a database of ${maxBytes} bytes at most, of which one may take a quarter: raise \`maxSize\` of the store, or lower \`maxBodySize\``,
				);
			}
		},
	};
};
