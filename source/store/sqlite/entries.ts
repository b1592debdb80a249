import {Buffer} from 'node:buffer';
import {headLengthOf} from '../codec/codec.ts';
import {isGuardKey, writeGuard} from '../ports/guard-token.ts';
import {placeOf, type Database} from './database.ts';

/*
A value lies in an entry, whole if it is short. Otherwise the entry has its start, which is what is listed and replaced alone, and the rest lies in parts.
*/

/** A head is listed and replaced alone, so it has to be at hand without the body. */
const wholeBytes = 2048;
const startBytes = 1024;

/** In milliseconds since the epoch; `null`: never. */
// eslint-disable-next-line @typescript-eslint/no-restricted-types -- SQLite's
type Expiry = number | null;

export type Entry = {
	readonly id: number;
	readonly expires: Expiry;
	/** The length of the whole value. */
	readonly size: number;
	readonly start: Uint8Array;
};

export const expiryAfter = (ttlMs: number | undefined): Expiry => ttlMs === undefined ? null : Date.now() + ttlMs;

const isLive = ({expires}: Pick<Entry, 'expires'>): boolean => expires === null || expires > Date.now();

/** The entry under a key that has not expired. */
export const findEntry = ({statement}: Database, key: string): Entry | undefined => {
	const entry = statement('SELECT id, expires, size, start FROM entries WHERE key = ?').get(key) as Entry | undefined;
	return entry && isLive(entry) ? entry : undefined;
};

export const readPart = ({statement}: Database, id: number, number: number): Uint8Array | undefined => {
	const row = statement('SELECT part FROM parts WHERE place = ?').get(placeOf(id, number)) as {readonly part: Uint8Array} | undefined;
	return row?.part;
};

export const hasPart = ({statement}: Database, id: number, number: number): boolean => statement('SELECT 1 FROM parts WHERE place = ?').get(placeOf(id, number)) !== undefined;

/** The value of an entry; `undefined` for one that is in more parts, or misses some. */
const readWhole = (database: Database, {id, size, start}: Entry): Uint8Array | undefined => {
	if (size === start.length) {
		return start;
	}

	const rest = readPart(database, id, 1);
	if (rest?.length !== size - start.length) {
		return undefined;
	}

	const value = Buffer.allocUnsafeSlow(size);
	value.set(start);
	value.set(rest, start.length);
	return value;
};

export const findGuard = ({statement}: Database, key: string): string | undefined => {
	const guard = statement('SELECT token, expires FROM guards WHERE key = ?').get(key) as {readonly token: string; readonly expires: number} | undefined;
	return guard && isLive(guard) ? guard.token : undefined;
};

export const readValue = (database: Database, key: string): Uint8Array | undefined => {
	if (isGuardKey(key)) {
		const token = findGuard(database, key);
		return token === undefined ? undefined : writeGuard({kind: 'guard', token});
	}

	const entry = findEntry(database, key);
	return entry && readWhole(database, entry);
};

export const removeKey = ({statement}: Database, key: string): boolean => {
	const table = isGuardKey(key) ? 'guards' : 'entries';
	return Number(statement(`DELETE FROM ${table} WHERE key = ?`).run(key).changes) > 0;
};

const startOf = (value: Uint8Array): number => {
	if (value.length <= wholeBytes) {
		return value.length;
	}

	return Math.min(value.length, Math.max(startBytes, headLengthOf(value) ?? 0));
};

/** Puts an entry in the place of whatever lies under the key. */
export const putEntry = (database: Database, key: string, {expires, size, start}: Omit<Entry, 'id'>): number => {
	removeKey(database, key);
	return Number(database.statement('INSERT INTO entries (key, expires, size, start) VALUES (?, ?, ?, ?)').run(key, expires, size, start).lastInsertRowid);
};

export const putPart = ({statement}: Database, id: number, number: number, part: Uint8Array): void => {
	statement('INSERT OR REPLACE INTO parts (place, part) VALUES (?, ?)').run(placeOf(id, number), part);
};

export const putValue = (database: Database, key: string, value: Uint8Array, ttlMs: number | undefined): void => {
	const length = startOf(value);
	const id = putEntry(database, key, {expires: expiryAfter(ttlMs), size: value.length, start: value.subarray(0, length)});
	if (length < value.length) {
		putPart(database, id, 1, value.subarray(length));
	}
};

export const putGuard = ({statement}: Database, key: string, token: string, ttlMs: number): void => {
	statement('INSERT OR REPLACE INTO guards (key, token, expires) VALUES (?, ?, ?)').run(key, token, Date.now() + ttlMs);
};

export const shortenGuard = ({statement}: Database, key: string, ttlMs: number): void => {
	const expires = Date.now() + ttlMs;
	statement('UPDATE guards SET expires = ? WHERE key = ? AND expires > ?').run(expires, key, expires);
};

const beginsWith = (start: Uint8Array, expected: Uint8Array): boolean => start.length >= expected.length && Buffer.compare(start.subarray(0, expected.length), expected) === 0;

export type Head = {readonly before: Uint8Array; readonly head: Uint8Array; readonly length: number};

/** Whether a value has that length, and begins so. */
export const hasStart = (entry: Entry | undefined, {before, length}: Pick<Head, 'before' | 'length'>): entry is Entry => entry?.size === length && beginsWith(entry.start, before);

/** @param ttlMs - `'keep'`: unchanged. */
export const replaceStart = ({statement}: Database, {id, start, expires}: Entry, head: Uint8Array, ttlMs: number | 'keep' | undefined): void => {
	const next = Buffer.concat([head, start.subarray(head.length)]);
	statement('UPDATE entries SET start = ?, expires = ? WHERE id = ?').run(next, ttlMs === 'keep' ? expires : expiryAfter(ttlMs), id);
};
