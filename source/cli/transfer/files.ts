import {randomUUID} from 'node:crypto';
import {createReadStream, rmSync} from 'node:fs';
import {
	open,
	readlink,
	realpath,
	rename,
	rm,
	stat,
	type FileHandle,
} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {exitCodes, Failure} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';

// The bytes of a file, or those of standard input for `-`.
export const readFile = async function * (file: string): AsyncGenerator<Uint8Array> {
	try {
		yield * (file === '-' ? process.stdin : createReadStream(file)) as AsyncIterable<Uint8Array>;
	} catch (error) {
		throw new Failure('wrongUsage', `${file} cannot be read (${(error as Error).message}): give a file, or - for standard input`, error);
	}
};

const nothing = async () => undefined;

export type Sink = {
	write(text: string): Promise<void>;
	/** Makes all that was written visible; without it, an existing file stays as it was. */
	finish(): Promise<void>;
	/** Drops it, unless it is finished. */
	close(): Promise<void>;
};

/** The file that a path leads to, through symbolic links, also if it is not there yet. */
const targetOf = async (file: string): Promise<string> => {
	try {
		return await realpath(file);
	} catch (error) {
		const link = (error as NodeJS.ErrnoException).code === 'ENOENT' ? await readlink(file).catch(() => undefined) : undefined;
		return link === undefined ? file : targetOf(path.resolve(path.dirname(file), link));
	}
};

const openToWrite = async (file: string, {at, flags}: {readonly at: string; readonly flags: string}): Promise<FileHandle> => {
	try {
		return await open(at, flags, 0o600);
	} catch (error) {
		throw new Failure('wrongUsage', `${file} cannot be written (${(error as Error).message}): give another file with --output`, error);
	}
};

/** Writes all of a text; `FileHandle#write()` may write a part of it. */
const writeTo = async (handle: FileHandle, file: string, text: string): Promise<void> => {
	try {
		await handle.writeFile(text);
	} catch (error) {
		throw new Failure('unwritten', `${file} could not be written to its end (${(error as Error).message})`, error);
	}
};

/** A device or a pipe, which a file must not replace: what was written to it cannot be taken back. */
const throughSink = async (file: string): Promise<Sink> => {
	const handle = await openToWrite(file, {at: file, flags: 'w'});
	return {
		write: async text => writeTo(handle, file, text),
		finish: nothing,
		close: async () => handle.close(),
	};
};

const fileSink = async (file: string): Promise<Sink> => {
	const target = await targetOf(file);
	const temporary = `${target}.${randomUUID().slice(0, 8)}.tmp`;
	const endEarly = () => {
		rmSync(temporary, {force: true});
		// eslint-disable-next-line unicorn/no-process-exit -- The process was told to end.
		process.exit(exitCodes.interrupted);
	};

	const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
	for (const signal of signals) {
		process.once(signal, endEarly);
	}

	const handle = await openToWrite(file, {at: temporary, flags: 'wx'});
	let isFinished = false;
	return {
		write: async text => writeTo(handle, file, text),
		async finish() {
			await handle.close();
			await rename(temporary, target);
			isFinished = true;
			for (const signal of signals) {
				process.off(signal, endEarly);
			}
		},
		async close() {
			if (isFinished) {
				return;
			}

			await handle.close();
			await rm(temporary, {force: true});
		},
	};
};

/** Whether something is there that is no regular file. */
const isSpecial = async (file: string): Promise<boolean> => {
	const found = await stat(file).catch(() => undefined);
	return found !== undefined && !found.isFile();
};

/** Where an export goes: a file that only its owner may read, a device or a pipe, or stdout. */
export const openSink = async (file: string | undefined, output: Output): Promise<Sink> => {
	if (file === undefined || file === '-') {
		return {write: async text => output.bytes(text), finish: nothing, close: nothing};
	}

	return await isSpecial(file) ? throughSink(file) : fileSink(file);
};
