import {Buffer} from 'node:buffer';
import {accessSync, closeSync, constants, openSync, readSync, statSync} from 'node:fs';
import path from 'node:path';

/*
Whether a file may be used as a database of this cache, by its first bytes: nothing is opened with SQLite that may belong to somebody else.
*/

/** Stands in the header of each file: "grc" and a byte. */
export const applicationId = 0x67_72_63_01;

/** The version of the tables. */
export const formatVersion = 1;

const magic = 'SQLite format 3\0';

/** @see https://www.sqlite.org/fileformat.html#the_database_header */
const headerLength = 100;
const versionAt = 60;
const applicationAt = 68;

const databaseNames = /\.(?:cache|db3?|sqlite3?)$/iv;

/** The first bytes; fewer of a shorter file. */
const readHeader = (file: string) => {
	const descriptor = openSync(file, 'r');
	try {
		const header = Buffer.alloc(headerLength);
		return header.subarray(0, readSync(descriptor, header, 0, headerLength, 0));
	} finally {
		closeSync(descriptor);
	}
};

const isAllowed = (file: string, mode: number): boolean => {
	try {
		accessSync(file, mode);
		return true;
	} catch {
		return false;
	}
};

const whyNotIn = (directory: string): string | undefined => {
	const found = statSync(directory, {throwIfNoEntry: false});
	if (!found?.isDirectory()) {
		return `which is to lie in ${directory}, and that is no directory; create it`;
	}

	return isAllowed(directory, constants.W_OK | constants.X_OK) // eslint-disable-line no-bitwise
		? undefined
		: `but this user may not write to ${directory}, where SQLite keeps files beside the database; give another path, or the right to`;
};

const whyNotHeader = (header: ReturnType<typeof readHeader>, file: string): string | undefined => {
	const isDatabase = header.toString('latin1', 0, magic.length) === magic.slice(0, header.length);
	if (!isDatabase) {
		const isPlausible = databaseNames.test(file) || header.every(byte => byte === 0);
		return isPlausible ? undefined : 'which is no SQLite database, and was left as it is; give another path';
	}

	// A damaged one says nothing about whose it is.
	if (header.length < headerLength) {
		return undefined;
	}

	if (header.readUInt32BE(applicationAt) !== applicationId) {
		return 'which is the SQLite database of another application, and was left as it is; give another path';
	}

	const version = header.readUInt32BE(versionAt);
	return version === formatVersion
		? undefined
		: `which another version of got-redis-cache has written (format ${version}, and this one has ${formatVersion}), and was left as it is; give another path, or remove the file`;
};

/**
The reason why a path is not to be used, as the end of a sentence about it. A file that is damaged, and may be the cache's, is none.
*/
export const whyUnusable = (file: string): string | undefined => {
	const found = statSync(file, {throwIfNoEntry: false});
	const why = whyNotIn(path.dirname(file));
	if (why !== undefined || !found) {
		return why;
	}

	if (!found.isFile()) {
		return `which is ${found.isDirectory() ? 'a directory' : 'no file'}; give the path of a file in it, or another`;
	}

	if (!isAllowed(file, constants.R_OK | constants.W_OK)) { // eslint-disable-line no-bitwise
		return 'which this user may not read and write; give another path, or the rights';
	}

	const header = readHeader(file);
	return header.length === 0 ? undefined : whyNotHeader(header, file);
};
