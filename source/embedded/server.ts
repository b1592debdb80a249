import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync} from 'node:fs';
import {rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Readable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {ownTimers} from '../store/ports/own-timers.ts';
import {ask, readinessOf} from './ask.ts';
import {
	configurationPathOf,
	makeDirectory,
	makeFifo,
	pidPathOf,
	socketPathOf,
} from './directory.ts';
import {leave, newOwnerFile, pollIntervalMs, type Ownership} from './ownership.ts';
import {watchdog} from './watchdog.ts';

/** How long a server may take until it accepts connections. */
const startTimeoutMs = 10_000;

/*
Without persistence nothing is written to disk. There is no limit of memory and so nothing is evicted before its TTL; the policy is for those who set a limit with `CONFIG SET maxmemory`.
*/
const configuration = (directory: string, rdbPath: string | undefined): string => Object.entries({
	port: '0',
	unixsocket: socketPathOf(directory),
	unixsocketperm: '700',
	'protected-mode': 'yes',
	pidfile: pidPathOf(directory),
	daemonize: 'no',
	loglevel: 'warning',
	maxmemory: '0',
	'maxmemory-policy': 'allkeys-lru',
	appendonly: 'no',
	'stop-writes-on-bgsave-error': 'no',
	...(rdbPath === undefined
		? {dir: directory, save: ''}
		: {dir: path.dirname(rdbPath), dbfilename: path.basename(rdbPath), save: '60 1'}),
}).map(([name, value]) => `${name} ${name === 'save' && value !== '' ? value : JSON.stringify(value)}\n`).join('');

/** A place for a server to run in, with its first owner, before there is a server. */
export type Place = {
	readonly ownership: Ownership;
	/** The reading end of the FIFO. While it or the watchdog's is open, others who find the place know it to be alive. */
	readonly reading: number;
};

/** @param rdbPath - Absolute; `undefined` for a server that keeps nothing. */
export const preparePlace = async (rdbPath?: string): Promise<Place> => {
	const directory = await makeDirectory();
	try {
		const ownerFile = newOwnerFile(directory);
		await writeFile(ownerFile, '');
		await writeFile(configurationPathOf(directory), configuration(directory, rdbPath));
		const {reading, writing} = await makeFifo(directory);
		return {ownership: {directory, descriptor: writing, ownerFile}, reading};
	} catch (error) {
		await rm(directory, {recursive: true, force: true});
		throw error;
	}
};

/** Where no server was started. */
export const abandonPlace = async ({ownership, reading}: Place): Promise<void> => {
	closeSync(ownership.descriptor);
	closeSync(reading);
	await rm(ownership.directory, {recursive: true, force: true});
};

/** The server's last words, without its greeting, and each line without process, role and time. */
const tailOf = (log: string): string => log
	.split('\n')
	.filter(line => line !== '' && !/oO0OoO|version=|Configuration loaded|Server initialized|overcommit|\[(?:additional )?info\]/v.test(line))
	.slice(-8)
	.map(line => `  ${line.replace(/^\d+:[A-Z] .{20,24}\.\d{3} . /v, '')}`)
	.join('\n');

/** @returns The output of the server. It ends with the server, which alone holds its other end. */
const launch = async (binary: string, {ownership: {directory}, reading}: Place, entry: string): Promise<Readable> => {
	try {
		// A session of its own: neither Ctrl+C nor a closed terminal ends the server before its owners.
		const child = spawn('/bin/sh', ['-c', watchdog, directory, binary, entry], {
			cwd: '/',
			detached: true,
			stdio: ['ignore', 'pipe', 'ignore', reading],
		});
		await once(child, 'spawn');
		child.unref();
		// With four entries in `stdio`, the types no longer know that the second one is a pipe.
		return child.stdout!;
	} finally {
		closeSync(reading);
	}
};

const untilReady = async (directory: string, output: Readable): Promise<void> => {
	const startedAt = ownTimers.now();
	let log = '';
	output.setEncoding('utf8').on('data', (text: string) => {
		log = (log + text).slice(-20_000);
	});

	/* eslint-disable no-await-in-loop -- Polls. */
	for (;;) {
		const readiness = await readinessOf(socketPathOf(directory));
		if (readiness === 'ready') {
			return;
		}

		if (output.readableEnded) {
			throw new Error(`ended before it was ready. It said:\n${tailOf(log)}`);
		}

		if (readiness === 'absent' && ownTimers.now() - startedAt > startTimeoutMs) {
			throw new Error(`did not open its socket within ${startTimeoutMs / 1000} s. It said:\n${tailOf(log)}`);
		}

		await delay(pollIntervalMs);
	}
	/* eslint-enable no-await-in-loop */
};

/**
Starts a server that ends after its last owner, of which the caller is the first.

@param entry - The file by which others find the place: removed when the server has ended.
*/
export const startServer = async (binary: string, place: Place, rdbPath = '', entry = ''): Promise<Ownership> => {
	const {ownership} = place;
	let output: Readable | undefined;
	try {
		output = await launch(binary, place, entry);
		await untilReady(ownership.directory, output);
		if (rdbPath) {
			// Unknown before Redis 7, where the watchdog's SIGKILL has to do.
			await ask(socketPathOf(ownership.directory), 'CONFIG SET shutdown-on-sigterm force');
		}
	} catch (error) {
		if (entry) {
			// A process that waits for this server tries for itself.
			await rm(entry, {force: true});
		}

		await leave(ownership);
		throw new Error(`embeddedRedis(): ${binary}${rdbPath && ` with the data in ${rdbPath}`} ${(error as Error).message}`, {cause: error});
	} finally {
		output?.destroy();
	}

	return ownership;
};
