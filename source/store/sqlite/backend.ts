import {Buffer} from 'node:buffer';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {version} from 'node:process';
import {Keyv, type KeyvStoreAdapter} from 'keyv';
import {binary, type Backend, type RawEntry} from '../ports/backend.ts';
import {binaryKeyvOptions} from '../ports/keyv-options.ts';
import type {SqliteLocation} from './address.ts';
import {
	expiryAfter,
	findEntry,
	hasStart,
	putValue,
	readValue,
	removeKey,
	replaceStart,
	shortenGuard,
	type Entry,
} from './entries.ts';
import {createSqliteFile} from './file.ts';
import {whyUnusable} from './file-check.ts';
import {createGuardedChanges, replaceGuards, type Write} from './guarded.ts';
import {createLine} from './line.ts';
import {loadSqlite} from './node-sqlite.ts';
import {createPieces, type Read} from './pieces.ts';
import {isFull, isRefusal, isTooBig} from './sqlite-error.ts';
import {createUpkeep} from './upkeep.ts';

/*
A file of SQLite as a place to keep bytes in. Its calls are synchronous: each does little.
*/

/** The longest wait for a lock leaves time to say so before the operation is given up. */
const patienceShare = 0.8;

/** The keys and heads that are listed in one step. */
const listedAtOnce = 100;

/** Removing a long value reads much of it. */
const clearedAtOnce = {count: 200, bytes: 4 * 1024 * 1024};

export type SqliteBackendOptions = {
	readonly namespace: string;
	readonly timeoutMs: number;
	/** Hears of a file that was set aside or replaced. */
	readonly onFault: (error: Error) => void;
};

type KeyvValue = {readonly value: Uint8Array};

const toKeyvValue = (value: Uint8Array | undefined): KeyvValue | undefined => value && {value};

type Listed = Pick<Entry, 'expires' | 'start'> & {readonly key: string};

const isSame = (one: Uint8Array | undefined, other: unknown): boolean => one === undefined || !(other instanceof Uint8Array) ? one === other : Buffer.compare(one, other) === 0;

/** @throws {TypeError} If the path is a mistake, or this Node.js has no SQLite. */
const checkLocation = ({path}: SqliteLocation): void => {
	if (!loadSqlite()) {
		throw new TypeError(`The option \`store\` is an SQLite database, for which Node.js 22.13 or later is needed; this is ${version}`);
	}

	const why = path === undefined ? undefined : whyUnusable(path);
	if (why !== undefined) {
		throw new TypeError(`The option \`store\` leads to ${path ?? ''}, ${why}`);
	}
};

/**
Opens nothing yet.

@throws {TypeError} If the path is a directory, a file of something else, or may not be written; or if this Node.js has no SQLite.
*/
export const sqliteBackend = (location: SqliteLocation, {namespace, timeoutMs, onFault}: SqliteBackendOptions): Backend => {
	checkLocation(location);
	const prefix = `${namespace}:`;
	const range = [`${prefix}{`, `${prefix}|`] as const;
	const upkeep = createUpkeep(location.maxBytes);
	const line = createLine(timeoutMs * patienceShare);
	const file = createSqliteFile({path: location.path, onOpen: upkeep.begin, onFault});

	const read: Read = async (keys, work) => line.pass({keys, isWriting: false, run: () => file.run(work, false)});
	const write: Write = async (keys, work) => line.pass({keys, isWriting: true, run: () => file.run(database => database.transact(() => work(database)), true)});

	const put = async (key: string, value: Uint8Array, ttlMs: number | undefined): Promise<void> => {
		upkeep.refuseTooLarge(value.length);
		await write([key], database => {
			putValue(database, key, value, ttlMs);
			upkeep.afterWrite(database, value.length);
		});
	};

	const remove = async (keys: readonly string[]): Promise<boolean> => write(keys, database => {
		let isAnyRemoved = false;
		for (const key of keys) {
			isAnyRemoved = removeKey(database, key) || isAnyRemoved;
		}

		return isAnyRemoved;
	});

	const adapter: Pick<KeyvStoreAdapter, 'opts' | 'get' | 'getMany' | 'set' | 'delete' | 'deleteMany' | 'clear'> = {
		opts: {},
		get: async key => read([key], database => toKeyvValue(readValue(database, key)) as never),
		getMany: async keys => read(keys, database => database.readAtOnce(() => keys.map(key => toKeyvValue(readValue(database, key)) as never))),
		async set(key, {value}: KeyvValue, ttlMs) {
			await put(key, value, ttlMs);
			return true;
		},
		delete: async key => remove([key]),
		deleteMany: async keys => remove(keys),
		async clear() {
			await Array.fromAsync(clear());
		},
	};

	/** @returns The number of entries. */
	const clearSome = async (lastId: number): Promise<number> => write([], ({statement}) => {
		const rows = statement('SELECT id, size FROM entries WHERE key >= ? AND key < ? AND id <= ? LIMIT ?').all(...range, lastId, clearedAtOnce.count) as Array<Pick<Entry, 'id' | 'size'>>;
		let count = 0;
		let bytes = 0;
		for (const {id, size} of rows) {
			statement('DELETE FROM entries WHERE id = ?').run(id);
			count++;
			bytes += size;
			if (bytes >= clearedAtOnce.bytes) {
				break;
			}
		}

		return count;
	});

	const clear = async function * (): AsyncGenerator<number> {
		const lastId = await read([], ({statement}) => Number(Object.values(statement('SELECT coalesce(max(id), 0) FROM entries').get() ?? {0: 0})[0]));
		for (;;) {
			const count = await clearSome(lastId); // eslint-disable-line no-await-in-loop -- as much in each turn of the event loop as keeps it short
			if (count === 0) {
				return;
			}

			yield count;
			await nextTurn(); // eslint-disable-line no-await-in-loop
		}
	};

	const listAfter = async (key: string): Promise<readonly Listed[]> => read([], ({statement}) =>
		statement('SELECT key, expires, start FROM entries WHERE key > ? AND key < ? ORDER BY key LIMIT ?').all(key, range[1], listedAtOnce) as Listed[]);

	const scan = async function * (): AsyncGenerator<readonly RawEntry[]> {
		let [last] = range as readonly [string, string];
		for (;;) {
			const rows = await listAfter(last); // eslint-disable-line no-await-in-loop -- each step begins where the last one ended
			const nowMs = Date.now();
			yield rows.filter(({expires}) => expires === null || expires > nowMs).map(({key, expires, start}) => ({key, value: start, ttlMs: expires === null ? undefined : expires - nowMs}));
			if (rows.length < listedAtOnce) {
				return;
			}

			last = rows.at(-1)?.key ?? last;
			await nextTurn(); // eslint-disable-line no-await-in-loop
		}
	};

	return {
		...binary,
		address: `sqlite:${location.path ?? ':memory:'}`,
		prefix,
		isInProcess: location.path === undefined,
		keyv: new Keyv(adapter as KeyvStoreAdapter, {...binaryKeyvOptions, emitErrors: false}),
		connect() {
			return undefined;
		},
		reset() {
			// Nothing is under way.
		},
		probePatienceMs: 30_000,
		keepsOrder: true,
		answersInOrder: false,
		hasBatches: true,
		isTracking: true,
		hasChanged: () => file.hasChanged(),
		servers: () => [{
			address: undefined,
			clear,
			async * replaceGuards() {
				yield await replaceGuards(write, range);
			},
			scan,
		}],
		sweepStepMs: 60_000,
		swap: async (key, expected, value, ttlMs) => write([key], database => {
			const current = readValue(database, key);
			if (!isSame(current, expected ?? undefined)) {
				return false;
			}

			const expires = ttlMs === 'keep' ? findEntry(database, key)?.expires ?? undefined : undefined;
			putValue(database, key, value as Uint8Array, ttlMs === 'keep' ? expires && Math.max(1, expires - Date.now()) : ttlMs);
			upkeep.afterWrite(database, (value as Uint8Array).length);
			return true;
		}),
		guarded: createGuardedChanges(write, upkeep),
		pieces: createPieces(read, write, upkeep),
		async extend(key, ttlMs) {
			const expires = expiryAfter(ttlMs);
			await write([key], ({statement}) => {
				statement('UPDATE entries SET expires = ?1 WHERE key = ?2 AND expires > ?3 AND (?1 IS NULL OR expires < ?1)').run(expires, key, Date.now());
			});
		},
		async shorten(key, ttlMs) {
			await write([key], database => {
				shortenGuard(database, key, ttlMs);
			});
		},
		replaceHead: async (key, change, ttlMs) => write([key], database => {
			const entry = findEntry(database, key);
			if (!hasStart(entry, change) || entry.start.length < change.head.length) {
				return false;
			}

			replaceStart(database, entry, change.head, ttlMs);
			return true;
		}),
		isForeignValue: () => false,
		isRefusal,
		isArgumentError: isTooBig,
		isFull,
		async close() {
			file.close();
		},
	};
};
