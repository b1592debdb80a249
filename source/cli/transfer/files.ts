import {randomUUID} from 'node:crypto';
import {createReadStream, rmSync} from 'node:fs';
import {open, rename, rm} from 'node:fs/promises';
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

export type Sink = {
	write(text: string): Promise<void>;
	/** Makes all that was written visible; without it, an existing file stays as it was. */
	finish(): Promise<void>;
	/** Drops it, unless it is finished. */
	close(): Promise<void>;
};

const fileSink = async (file: string): Promise<Sink> => {
	const temporary = `${file}.${randomUUID().slice(0, 8)}.tmp`;
	const endEarly = () => {
		rmSync(temporary, {force: true});
		// eslint-disable-next-line unicorn/no-process-exit -- The process was told to end.
		process.exit(exitCodes.interrupted);
	};

	const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
	for (const signal of signals) {
		process.once(signal, endEarly);
	}

	const openTemporary = async () => {
		try {
			return await open(temporary, 'wx', 0o600);
		} catch (error) {
			throw new Failure('wrongUsage', `${file} cannot be written (${(error as Error).message}): give another file with --output`, error);
		}
	};

	const handle = await openTemporary();
	let isFinished = false;
	return {
		async write(text) {
			await handle.write(text);
		},
		async finish() {
			await handle.close();
			await rename(temporary, file);
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

const nothing = async () => undefined;

/** Where an export goes: a file that only its owner may read, or stdout. */
export const openSink = async (file: string | undefined, output: Output): Promise<Sink> => file === undefined || file === '-'
	? {write: async text => output.bytes(text), finish: nothing, close: nothing}
	: fileSink(file);
