import {closeSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, rmSync, statSync} from 'node:fs';
import path from 'node:path';
import {SqliteError} from './sqlite-error.ts';

/*
A file is taken out of the way while other processes may have it open. They go on with the file that they have opened until they see that the path leads to another one. SQLite finds the log and its index by their names, so nobody may begin a new log while the old one still bears its name: a directory stands as the sign of that.
*/

const signOf = (file: string): string => `${file}-moving`;

const logsOf = (file: string): readonly string[] => [`${file}-wal`, `${file}-shm`];

/** A process that ended meanwhile leaves the sign behind. */
const longestMoveMs = 10_000;

const isMoving = (file: string): boolean => {
	const sign = statSync(signOf(file), {throwIfNoEntry: false});
	return sign !== undefined && Date.now() - sign.mtimeMs < longestMoveMs;
};

const refuseBusy = (file: string): never => {
	throw new SqliteError('SQLITE_BUSY', `SQLITE_BUSY: another process is moving ${file} out of the way`);
};

/** @throws {SqliteError} While a file of that name is taken out of the way. */
export const refuseWhileMoving = (file: string): void => {
	if (isMoving(file)) {
		refuseBusy(file);
	}
};

const withSign = (file: string, move: () => void): void => {
	refuseWhileMoving(file);
	rmSync(signOf(file), {recursive: true, force: true});
	try {
		mkdirSync(signOf(file));
	} catch {
		refuseBusy(file);
	}

	try {
		move();
	} finally {
		rmdirSync(signOf(file));
	}
};

const isEmpty = (file: string): boolean => (statSync(file, {throwIfNoEntry: false})?.size ?? 0) === 0;

const hasLog = (file: string): boolean => logsOf(file).some(log => statSync(log, {throwIfNoEntry: false}) !== undefined);

/** Creates a file that its user alone can read, as the files beside it are then; a log without its database is removed. */
export const prepareEmptyFile = (file: string): void => {
	if (!isEmpty(file)) {
		return;
	}

	if (hasLog(file)) {
		withSign(file, () => {
			if (!isEmpty(file)) {
				return;
			}

			for (const log of logsOf(file)) {
				rmSync(log, {force: true});
			}
		});
	}

	closeSync(openSync(file, 'a', 0o600));
};

const timePattern = String.raw`\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z`;

/** The files that were set aside before, with their logs. */
const earlierOf = (file: string): readonly string[] => {
	const begin = `${path.basename(file)}.corrupt-`;
	const rest = new RegExp(`^${timePattern}(?:-wal)?$`, 'v');

	return readdirSync(path.dirname(file))
		.filter(name => name.startsWith(begin) && rest.test(name.slice(begin.length)))
		.map(name => path.join(path.dirname(file), name));
};

/**
Renames a database, and its log with it, unless another process has. Of former ones, none is kept: a disk that is failing would be full of them.

@param inode - The inode of the file that was found to be corrupt.
@returns The new name; `undefined` if another file lies there by now.
*/
export const setAside = (file: string, inode: number): string | undefined => {
	const name = `${file}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
	let isMoved = false;
	withSign(file, () => {
		if (statSync(file, {throwIfNoEntry: false})?.ino !== inode) {
			return;
		}

		for (const earlier of earlierOf(file)) {
			rmSync(earlier, {force: true});
		}

		renameSync(file, name);
		const [log = '', index = ''] = logsOf(file);
		try {
			renameSync(log, `${name}-wal`);
		} catch {
			// The file is not there.
		}

		rmSync(index, {force: true});
		isMoved = true;
	});

	return isMoved ? name : undefined;
};
