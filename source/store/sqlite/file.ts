import {openDatabase, lookAt, type Database} from './database.ts';
import {whyUnusable} from './file-check.ts';
import {prepareEmptyFile, refuseWhileMoving, setAside} from './set-aside.ts';
import {isCorrupt, SqliteError, toSqliteError} from './sqlite-error.ts';

/** The tries with a file that is moved out of the way again and again. */
const mostTries = 3;

export type SqliteFileOptions = {
	/** `undefined`: in memory. */
	readonly path: string | undefined;
	/** Called when a database was opened, before it is used. */
	readonly onOpen: (database: Database) => void;
	/** Hears of a file that was set aside or replaced. */
	readonly onFault: (error: Error) => void;
};

/**
A database that is opened when it is needed, and again when its file is another one.
*/
export type SqliteFile = {
	/**
	Does work in one go.

	@throws {SqliteError}
	*/
	run<Result>(work: (database: Database) => Result, isWriting: boolean): Result;

	/** Whether what was read may have changed since the last call. */
	hasChanged(): boolean;

	close(): void;
};

export const createSqliteFile = ({path, onOpen, onFault}: SqliteFileOptions): SqliteFile => {
	let database: Database | undefined;
	/** The inode of the file that is open, or was last. */
	let inode: number | undefined;
	let isClosed = false;
	let seen: {readonly database: Database; readonly version: number} | undefined;
	/** Word of others' changes reaches this process at its next turn at the earliest. */
	let isSeen = false;

	const drop = (): void => {
		const dropped = database;
		database = undefined;
		seen = undefined;
		try {
			dropped?.close();
		} catch {
			// This process cannot write its log back: others, or the next one, do.
		}
	};

	const open = (): Database => {
		if (path === undefined) {
			return openDatabase(path, () => undefined);
		}

		const why = whyUnusable(path);
		if (why !== undefined) {
			throw new SqliteError('SQLITE_CANTOPEN', `The path leads to ${path}, ${why}`);
		}

		refuseWhileMoving(path);
		prepareEmptyFile(path);
		inode = lookAt(path).found?.ino;
		return openDatabase(path, () => {
			refuseWhileMoving(path);
		});
	};

	const current = (): Database => {
		if (isClosed) {
			throw new SqliteError('SQLITE_MISUSE', 'The database is closed');
		}

		if (database?.isInPlace() === false) {
			drop();
			onFault(new SqliteError('SQLITE_READONLY_DBMOVED', `The database ${path ?? ''} was removed or replaced while it was in use, and is opened anew`));
		}

		if (!database) {
			const opened = open();
			try {
				onOpen(opened);
			} catch (error) {
				opened.close();
				throw error;
			}

			database = opened;
		}

		return database;
	};

	/** @returns Whether there is a database to go on with. */
	const replaceCorrupt = (error: SqliteError): boolean => {
		drop();
		const name = path === undefined || inode === undefined ? undefined : setAside(path, inode);
		if (name !== undefined) {
			onFault(new SqliteError(error.code, `The database ${path ?? ''} is damaged (${error.message}). It was set aside as ${name}, and an empty one begins`, error));
		}

		return path !== undefined;
	};

	const look = (): boolean => {
		if (!database?.isInPlace()) {
			return true;
		}

		const version = database.dataVersion();
		const isChanged = seen?.database !== database || seen.version !== version;
		seen = {database, version};
		isSeen = true;
		queueMicrotask(() => {
			isSeen = false;
		});
		return isChanged;
	};

	return {
		run(work, isWriting) {
			for (let tries = 1; ; tries++) {
				try {
					const opened = current();
					const result = work(opened);
					// A file that is no longer in place keeps nothing: the same is written to the one that is.
					if (!isWriting || tries === mostTries || opened.isInPlace()) {
						return result;
					}
				} catch (error) {
					const known = toSqliteError(error);
					if (tries === mostTries || !isCorrupt(known) || !replaceCorrupt(known)) {
						throw known;
					}
				}
			}
		},
		hasChanged() {
			if (isSeen) {
				return false;
			}

			try {
				return look();
			} catch {
				// The next operation tells what is wrong.
				return true;
			}
		},
		close() {
			isClosed = true;
			drop();
		},
	};
};
