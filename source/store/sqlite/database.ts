import {statSync, type Stats} from 'node:fs';
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {applicationId, formatVersion} from './file-check.ts';
import {loadSqlite} from './node-sqlite.ts';
import {SqliteError, toSqliteError} from './sqlite-error.ts';

/** SQLite itself waits so long for a lock, which holds the event loop up: as long as others write a response. */
const busyTimeoutMs = 2;

const pageBytes = 8192;

const cacheKibibytes = 8192;

/** The log is cut back to that after it was moved into the database. */
const longestLogBytes = 32 * 1024 * 1024;

/*
The parts of a value have places in a row, so that a key finds its entry, and that its parts, without an index more. Ids grow, so that the order of the entries is that of their age.
*/
const schema = `
	CREATE TABLE entries (
		id INTEGER PRIMARY KEY,
		key TEXT NOT NULL UNIQUE,
		expires INTEGER,
		size INTEGER NOT NULL,
		start BLOB NOT NULL
	) STRICT;
	CREATE INDEX entries_by_expiry ON entries (expires) WHERE expires IS NOT NULL;
	CREATE TABLE parts (place INTEGER PRIMARY KEY, part BLOB NOT NULL) STRICT;
	CREATE TRIGGER entries_parts AFTER DELETE ON entries WHEN OLD.size > length(OLD.start) BEGIN
		DELETE FROM parts WHERE place BETWEEN OLD.id * 4096 AND OLD.id * 4096 + 4095;
	END;
	CREATE TABLE guards (key TEXT PRIMARY KEY, token TEXT NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE INDEX guards_by_expiry ON guards (expires);
	CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	PRAGMA application_id = ${applicationId};
	PRAGMA user_version = ${formatVersion};
`;

/** The place of a part of an entry, beside the start. */
export const placeOf = (id: number, number: number): number => (id * 4096) + number;

/**
An open database.
*/
export type Database = {
	/** A prepared statement, made once. */
	statement(sql: string): StatementSync;

	/** Does work in one step, with the right to write from the beginning. */
	transact<Result>(work: () => Result): Result;

	/** Reads in one step, as of one moment. */
	readAtOnce<Result>(work: () => Result): Result;

	/** Whether the path still leads to this file. */
	isInPlace(): boolean;

	/** Changes as soon as another connection has changed something. */
	dataVersion(): number;

	close(): void;
};

type Pragmas = Readonly<Record<string, unknown>>;

const numberIn = (row: unknown): number => Number(Object.values(row as Pragmas)[0]);

/** Two statements alike are one. */
const prepareOnce = (connection: DatabaseSync) => {
	const statements = new Map<string, StatementSync>();

	return (sql: string): StatementSync => {
		const known = statements.get(sql);
		if (known) {
			return known;
		}

		const made = connection.prepare(sql);
		statements.set(sql, made);
		return made;
	};
};

const isSame = (one: Stats | undefined, other: Stats | undefined): boolean => one?.ino === other?.ino && one?.dev === other?.dev;

/** A path and what lies there; nothing for a database in memory. */
export type Place = {
	readonly path: string;
	readonly found: Stats | undefined;
};

const noFile = {throwIfNoEntry: false} as const;

export const lookAt = (path: string): Place => ({path, found: statSync(path, noFile)});

const createTables = (connection: DatabaseSync): void => {
	connection.exec(`PRAGMA page_size = ${pageBytes}`);
	connection.exec('BEGIN IMMEDIATE');
	try {
		// Another process may have come first.
		if (numberIn(connection.prepare('SELECT count(*) FROM sqlite_schema').get()) === 0) {
			connection.exec(schema);
		}

		connection.exec('COMMIT');
	} catch (error) {
		connection.exec('ROLLBACK');
		throw error;
	}
};

const prepareFile = (connection: DatabaseSync, path: string | undefined, beforeLog: () => void): void => {
	// In this order: with tables in the file itself, it tells whose it is before anything stands in the log.
	connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON`);
	if (numberIn(connection.prepare('PRAGMA application_id').get()) !== applicationId) {
		createTables(connection);
	}

	beforeLog();
	const mode = String(Object.values(connection.prepare('PRAGMA journal_mode = WAL').get() ?? {})[0]);
	if (path !== undefined && mode !== 'wal') {
		throw new SqliteError('SQLITE_CANTOPEN', `The file system of ${path} does not allow a write-ahead log (WAL), as most network file systems do not: give a path on a local disk`);
	}

	connection.exec(`PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${cacheKibibytes}; PRAGMA journal_size_limit = ${longestLogBytes}`);
};

/**
@param path - `undefined`: in memory.
@param beforeLog - Called before a log is written beside the file.
@throws {SqliteError} If it can't be opened.
*/
export const openDatabase = (path: string | undefined, beforeLog: () => void): Database => {
	const sqlite = loadSqlite();
	if (!sqlite) {
		throw new SqliteError('SQLITE_CANTOPEN', 'This Node.js has no node:sqlite');
	}

	let connection: DatabaseSync;
	try {
		connection = new sqlite.DatabaseSync(path ?? ':memory:');
	} catch (error) {
		throw toSqliteError(error);
	}

	const opened = path === undefined ? undefined : lookAt(path);
	try {
		prepareFile(connection, path, beforeLog);
	} catch (error) {
		connection.close();
		throw toSqliteError(error);
	}

	const statement = prepareOnce(connection);

	const inTransaction = <Result>(begin: string, work: () => Result): Result => {
		statement(begin).run();
		try {
			const result = work();
			statement('COMMIT').run();
			return result;
		} catch (error) {
			try {
				statement('ROLLBACK').run();
			} catch {
				// SQLite has done so itself.
			}

			throw error;
		}
	};

	return {
		statement,
		transact: work => inTransaction('BEGIN IMMEDIATE', work),
		readAtOnce: work => inTransaction('BEGIN', work),
		isInPlace: () => opened === undefined || isSame(opened.found, statSync(opened.path, noFile)),
		dataVersion: () => numberIn(statement('PRAGMA data_version').get()),
		close() {
			connection.close();
		},
	};
};
