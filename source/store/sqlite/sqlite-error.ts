/*
Errors of SQLite, by the names of their codes.
*/

/** @see https://www.sqlite.org/rescode.html */
const codes: ReadonlyMap<number, string> = new Map([
	[5, 'SQLITE_BUSY'],
	[6, 'SQLITE_LOCKED'],
	[8, 'SQLITE_READONLY'],
	[10, 'SQLITE_IOERR'],
	[11, 'SQLITE_CORRUPT'],
	[13, 'SQLITE_FULL'],
	[14, 'SQLITE_CANTOPEN'],
	[15, 'SQLITE_PROTOCOL'],
	[18, 'SQLITE_TOOBIG'],
	[26, 'SQLITE_NOTADB'],
]);

/**
An error of SQLite, or of the file that it works on.
*/
export class SqliteError extends Error {
	override readonly name = 'SqliteError';

	/** Such as `'SQLITE_FULL'`. */
	readonly code: string;

	constructor(code: string, message: string, cause?: unknown) {
		super(message, {cause});
		this.code = code;
	}
}

/** The lower eight bits of an extended code are the code. */
const primaryMask = 0xFF;

export const toSqliteError = (error: unknown): SqliteError => {
	if (error instanceof SqliteError) {
		return error;
	}

	const {errcode, code, message} = error as {readonly errcode?: unknown; readonly code?: unknown; readonly message?: unknown};
	if (typeof errcode === 'number') {
		const name = codes.get(errcode & primaryMask) ?? 'SQLITE_ERROR'; // eslint-disable-line no-bitwise
		return new SqliteError(name, `${name}: ${String(message)}`, error);
	}

	return new SqliteError(typeof code === 'string' ? code : 'SQLITE_ERROR', String(message), error);
};

const hasCode = (...names: readonly string[]) => (error: unknown): boolean => error instanceof SqliteError && names.includes(error.code);

/** Another connection holds a lock. */
export const isBusy = hasCode('SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL');

export const isCorrupt = hasCode('SQLITE_CORRUPT', 'SQLITE_NOTADB');

/** The disk, or what SQLite may take of it. */
export const isFull = hasCode('SQLITE_FULL');

/** The database answers, and does not do what it was asked. */
export const isRefusal = hasCode('SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL', 'SQLITE_FULL', 'SQLITE_READONLY', 'SQLITE_TOOBIG');

export const isTooBig = hasCode('SQLITE_TOOBIG');
