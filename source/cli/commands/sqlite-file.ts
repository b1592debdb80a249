import {statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {DatabaseSync} from 'node:sqlite';

/*
A file of SQLite, for questions to it that no cache asks.
*/

/** The path in a URL that the library has accepted; `undefined` for another store. */
export const fileOf = (url: string): string | undefined => url !== 'sqlite::memory:' && /^sqlite:/iv.test(url)
	? path.resolve(url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/v, ''))
	: undefined;

const look = <Result>(file: string, ask: (database: DatabaseSync) => Result): Result => {
	const sqlite = process.getBuiltinModule('node:sqlite');
	const database = new sqlite.DatabaseSync(file);
	try {
		return ask(database);
	} finally {
		database.close();
	}
};

/** When a key expires; `undefined`: never. */
export const expiryOf = (file: string, key: string): Date | undefined => look(file, database => {
	const row = database.prepare('SELECT expires FROM entries WHERE key = ?').get(key);
	return typeof row?.expires === 'number' ? new Date(row.expires) : undefined;
});

export type FileState = {
	/** The length of the file itself, without its log. */
	readonly bytes: number;
	readonly freeBytes: number;
	/** `'ok'`, or the first fault. */
	readonly integrity: string;
};

const numberIn = (database: DatabaseSync, pragma: string): number => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);

/** Reads all of the file. */
export const stateOf = (file: string): FileState => look(file, database => ({
	bytes: statSync(file).size,
	freeBytes: numberIn(database, 'freelist_count') * numberIn(database, 'page_size'),
	integrity: String(Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0]),
}));
