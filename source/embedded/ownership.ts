import {randomBytes} from 'node:crypto';
import {closeSync, writeSync} from 'node:fs';
import {readdir, rm} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {ownTimers} from '../store/ports/own-timers.ts';
import {ask} from './ask.ts';
import {exists, openOwners, socketPathOf} from './directory.ts';

export const pollIntervalMs = 10;

/** How long a server may take to end: longer than the watchdog grants it. */
const endTimeoutMs = 60_000;

/** The processes that keep a server alive. */
export type Ownership = {
	/** The server's. */
	readonly directory: string;
	/** An open writing end of the server's FIFO. */
	readonly descriptor: number;
	/** Tells other owners that there is this one. */
	readonly ownerFile: string;
};

export const newOwnerFile = (directory: string): string => path.join(directory, `owner-${process.pid}-${randomBytes(6).toString('hex')}`);

/** Writes a line to the watchdog; `false` if there is none any more. */
export const tellWatchdog = (descriptor: number, line: string): boolean => {
	try {
		writeSync(descriptor, `${line}\n`);
		return true;
	} catch (error) {
		// A full pipe has a reader.
		return (error as NodeJS.ErrnoException).code === 'EAGAIN';
	}
};

const isProcessAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
};

const hasOwner = async (directory: string): Promise<boolean> => {
	const files = await readdir(directory).catch(() => []);
	return files.some(file => {
		const [kind, pid] = file.split('-', 2);
		return kind === 'owner' && isProcessAlive(Number(pid));
	});
};

/** Ends a server that has no watchdog any more. It saves its data first, where it keeps any. */
export const shutDown = async (directory: string): Promise<void> => {
	try {
		await ask(socketPathOf(directory), 'SHUTDOWN');
	} catch {
		// The process has ended already.
	}

	await rm(directory, {recursive: true, force: true});
};

const isWatched = (directory: string): boolean => {
	const descriptor = openOwners(directory);
	if (descriptor === undefined) {
		return false;
	}

	closeSync(descriptor);
	return true;
};

/** Gives an ownership up. Resolves when the server has ended and its directory is gone, or at once if it has other owners. */
export const leave = async ({directory, descriptor, ownerFile}: Ownership): Promise<void> => {
	await rm(ownerFile, {force: true});
	closeSync(descriptor);
	const startedAt = ownTimers.now();

	/* eslint-disable no-await-in-loop -- Polls. */
	while (await exists(directory) && !await hasOwner(directory)) {
		if (!isWatched(directory)) {
			await shutDown(directory);
			return;
		}

		if (ownTimers.now() - startedAt > endTimeoutMs) {
			throw new Error(`embeddedRedis(): the server in ${directory} did not end within ${endTimeoutMs / 1000} s`);
		}

		await delay(pollIntervalMs);
	}
	/* eslint-enable no-await-in-loop */
};
