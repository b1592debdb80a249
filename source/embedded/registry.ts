import {closeSync} from 'node:fs';
import {
	lstat,
	mkdir,
	readdir,
	readlink,
	realpath,
	rename,
	rm,
	stat,
	symlink,
} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {ownTimers} from '../store/ports/own-timers.ts';
import {readinessOf} from './ask.ts';
import {exists, isServerDirectory, openOwners, socketPathOf} from './directory.ts';
import {
	newOwnerFile,
	pollIntervalMs,
	shutDown,
	tellWatchdog,
	type Ownership,
} from './ownership.ts';
import {abandonPlace, preparePlace, startServer} from './server.ts';

/*
Beside `cache.rdb` lies the directory `cache.rdb.server`. It holds one entry as long as a server runs on that file: a symbolic link to the directory of the server's socket, by that directory's name, which no other server has. Two rules keep it right without a lock:

- To claim the file is to rename a directory with one's own entry to `cache.rdb.server`, which the system refuses while that holds an entry.
- An entry is dead for good once its FIFO has no reader, and is removed by its name, so that nobody removes the one that came after it.
*/

/** How long a server that has an owner may be without a socket before it is taken for a dead one. */
const absenceTimeoutMs = 2000;

/** How long to wait for a server that is shutting down; it saves its data. */
const shutdownTimeoutMs = 60_000;

type Registry = {
	readonly rdbPath: string;
	readonly directory: string;
};

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

const isForeign = async (file: string): Promise<boolean> => {
	const stats = await lstat(file).catch(() => undefined);
	return stats !== undefined && stats.uid !== process.geteuid?.();
};

const openRegistry = async (given: string): Promise<Registry> => {
	const absolute = path.resolve(given);
	let rdbPath: string;
	try {
		// However the processes spell the directory, they mean the same one.
		rdbPath = path.join(await realpath(path.dirname(absolute)), path.basename(absolute));
	} catch (error) {
		throw new Error(`embeddedRedis(): the option \`path\` is '${given}', but there is no directory ${path.dirname(absolute)}`, {cause: error});
	}

	const file = await stat(rdbPath).catch(() => undefined);
	if (file && !file.isFile()) {
		throw new Error(`embeddedRedis(): the option \`path\` is '${given}', which is not a file`);
	}

	return {rdbPath, directory: `${rdbPath}.server`};
};

/** The directory of the server that is, or was, running on the file. */
const findServer = async (registry: Registry): Promise<string | undefined> => {
	let names: string[];
	try {
		names = await readdir(registry.directory);
	} catch (error) {
		if (codeOf(error) === 'ENOENT') {
			return undefined;
		}

		throw new Error(`embeddedRedis(): cannot read ${registry.directory}`, {cause: error});
	}

	const [name] = names;
	if (name === undefined) {
		return undefined;
	}

	let server: string;
	try {
		server = await readlink(path.join(registry.directory, name));
	} catch (error) {
		if (codeOf(error) === 'ENOENT') {
			return undefined;
		}

		throw new Error(`embeddedRedis(): ${path.join(registry.directory, name)} is not an entry of a running server: remove ${registry.directory}`, {cause: error});
	}

	// Someone else's server could answer anything.
	if (!isServerDirectory(server) || await isForeign(registry.directory) || await isForeign(server)) {
		throw new Error(`embeddedRedis(): ${registry.rdbPath} is in use by another user (${registry.directory})`);
	}

	return server;
};

const entryOf = (registry: Registry, server: string): string => path.join(registry.directory, path.basename(server));

const claim = async (registry: Registry, server: string): Promise<boolean> => {
	const candidate = `${registry.directory}.${path.basename(server)}`;
	try {
		await mkdir(candidate, {mode: 0o700});
		await symlink(server, path.join(candidate, path.basename(server)));
		await rename(candidate, registry.directory);
		return true;
	} catch (error) {
		await rm(candidate, {recursive: true, force: true});
		if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) {
			return false;
		}

		throw new Error(`embeddedRedis(): cannot write to the directory of ${registry.rdbPath}`, {cause: error});
	}
};

const removeDead = async (registry: Registry, server: string): Promise<void> => {
	await shutDown(server);
	await rm(entryOf(registry, server), {force: true});
};

/** `false` if the server has ended, or has died, meanwhile. */
const isAcceptedAndReady = async (registry: Registry, {directory, descriptor, ownerFile}: Ownership): Promise<boolean> => {
	const entry = entryOf(registry, directory);
	const startedAt = ownTimers.now();
	let lastSeenAt: number | undefined;
	tellWatchdog(descriptor, path.basename(ownerFile));

	/* eslint-disable no-await-in-loop -- Polls. */
	for (;;) {
		if (await exists(ownerFile)) {
			lastSeenAt ??= ownTimers.now();
			const readiness = await readinessOf(socketPathOf(directory));
			if (readiness === 'ready') {
				return true;
			}

			if (readiness === 'loading') {
				lastSeenAt = ownTimers.now();
			} else if (ownTimers.now() - lastSeenAt > absenceTimeoutMs) {
				await rm(entry, {force: true});
				return false;
			}
		} else if (ownTimers.now() - startedAt > shutdownTimeoutMs) {
			throw new Error(`embeddedRedis(): the server that was using ${registry.rdbPath} has not ended within ${shutdownTimeoutMs / 1000} s`);
		}

		if (!await exists(entry) || !tellWatchdog(descriptor, '')) {
			return false;
		}

		await delay(pollIntervalMs);
	}
	/* eslint-enable no-await-in-loop */
};

const join = async (registry: Registry, server: string): Promise<Ownership | undefined> => {
	const descriptor = openOwners(server);
	if (descriptor === undefined) {
		await removeDead(registry, server);
		return undefined;
	}

	const ownership = {directory: server, descriptor, ownerFile: newOwnerFile(server)};
	let isOurs = false;
	try {
		isOurs = await isAcceptedAndReady(registry, ownership);
		return isOurs ? ownership : undefined;
	} finally {
		if (!isOurs) {
			closeSync(descriptor);
			await rm(ownership.ownerFile, {force: true});
		}
	}
};

/** `undefined` if another process was faster. */
const start = async (registry: Registry, binary: string): Promise<Ownership | undefined> => {
	const place = await preparePlace(registry.rdbPath);
	const server = place.ownership.directory;
	let isClaimed = false;
	try {
		isClaimed = await claim(registry, server);
	} finally {
		if (!isClaimed) {
			await abandonPlace(place);
		}
	}

	return isClaimed ? startServer(binary, place, registry.rdbPath, entryOf(registry, server)) : undefined;
};

/** Joins the server that runs on the file, or starts one. */
export const shareServer = async (given: string, binary: () => Promise<string>): Promise<Ownership> => {
	const registry = await openRegistry(given);

	/* eslint-disable no-await-in-loop -- Each round rests on what the last one left. */
	for (;;) {
		const server = await findServer(registry);
		const ownership = server === undefined
			? await start(registry, await binary())
			: await join(registry, server);
		if (ownership) {
			return ownership;
		}
	}
	/* eslint-enable no-await-in-loop */
};
