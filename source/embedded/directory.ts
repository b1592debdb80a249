import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, constants, openSync} from 'node:fs';
import {access, mkdtemp, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';

/** A Unix socket's address holds 104 bytes on macOS and 108 on Linux, with a NUL at the end. */
const socketPathLimitBytes = 103;

const prefix = 'got-redis-cache-';

export const socketPathOf = (directory: string): string => path.join(directory, 'redis.sock');
export const configurationPathOf = (directory: string): string => path.join(directory, 'redis.conf');
export const pidPathOf = (directory: string): string => path.join(directory, 'pid');

/** The FIFO of which every owner of the server holds a writing end. */
const fifoPathOf = (directory: string): string => path.join(directory, 'owners');

export const isServerDirectory = (directory: string): boolean => path.basename(directory).startsWith(prefix);

export const exists = async (file: string): Promise<boolean> => {
	try {
		await access(file);
		return true;
	} catch {
		return false;
	}
};

/** A fresh directory that is open to the current user alone, for one server's socket and whatever else it needs while it runs. */
export const makeDirectory = async (): Promise<string> => {
	const longest = socketPathOf(path.join(tmpdir(), `${prefix}XXXXXX`));
	const parent = Buffer.byteLength(longest) <= socketPathLimitBytes ? tmpdir() : '/tmp';
	// With the mode 0700.
	return mkdtemp(path.join(parent, prefix));
};

/** Makes the FIFO and opens both ends. No call waits for the other end: a reader that does not wait comes first, and makes place for one that does. */
export const makeFifo = async (directory: string): Promise<{reading: number; writing: number}> => {
	const fifo = fifoPathOf(directory);
	await once(spawn('/bin/sh', ['-c', 'PATH=$PATH:/usr/bin:/bin; mkfifo -m 600 "$0"', fifo], {stdio: 'ignore'}), 'exit');
	// eslint-disable-next-line no-bitwise -- Flags.
	const opener = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
	try {
		const writing = openSync(fifo, constants.O_WRONLY);
		return {reading: openSync(fifo, constants.O_RDONLY), writing};
	} finally {
		closeSync(opener);
	}
};

/** A further writing end of the FIFO; `undefined` if nobody reads it, and so nobody ends the server after its last owner. */
export const openOwners = (directory: string): number | undefined => {
	try {
		// eslint-disable-next-line no-bitwise -- Flags.
		return openSync(fifoPathOf(directory), constants.O_WRONLY | constants.O_NONBLOCK);
	} catch (error) {
		// Without a reader; or the directory is gone, as after a restart of the machine.
		if (['ENXIO', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) {
			return undefined;
		}

		throw error;
	}
};

/** The process id of a server that is ready. */
export const pidOf = async (directory: string): Promise<number> => Number(await readFile(pidPathOf(directory), 'utf8'));
