import {LRUCache} from 'lru-cache';
import type {StoredRecord} from '../stored.ts';
import type {Backend} from './backend.ts';
import {isForeign, type RecordHead} from './codec.ts';
import {isCompressionSupported} from './compression.ts';
import {resolveStore, type StoreOption} from './connection.ts';
import type {KeyRing} from './encryption.ts';
import type {StoreEvent} from './fault-log.ts';
import {createGuard} from './guard.ts';
import {createMemoryTier} from './memory.ts';
import {createNaming, withNames} from './naming.ts';
import type {Store, TimeToLive} from './store.ts';
import {createValues, eventually, isSettled, type Eventually, type HeadChange} from './values.ts';

export type StoreOptions = {
	readonly store: StoreOption;
	/** Stands before each key, with a colon between. No braces: they are the keys'. */
	readonly namespace: string;
	/** The longest that an operation is waited for. */
	readonly timeoutMs: number;
	/** What memory may hold of it. */
	readonly memoryBytes: number;
	/** Default: where the records leave the process, if Node.js can. */
	readonly isCompressing?: boolean | undefined;
	readonly keyRing?: KeyRing | undefined;
	readonly onEvent?: (event: StoreEvent) => void;
	/** The circuit breaker's first cooldown. */
	readonly cooldownMs?: number;
	/** Bytes that may wait to be written; more are dropped. */
	readonly queueBytes?: number;
};

const noBytes = new Uint8Array(0);

const defaultQueueBytes = 32 * 1024 * 1024;

/** Deletions that the store did not confirm, remembered until it does. */
const maxUnconfirmed = 10_000;

/** They are tried again no more often, while the store answers. */
const confirmationMs = 1000;

/** What could not be read in time is not written at once: that would be as much again for the same connection. */
const largeBytes = 65_536;
const slowKeys = {max: 1000, ttl: 10_000};

/** Of a record that is on its way to be written, roughly. */
const sizeOf = (record: StoredRecord): number => recordSize + (record.kind === 'response' ? record.body.length : 0);
const recordSize = 512;

/** Clearing goes through all keys, and no request waits for it. */
const clearTimeoutMs = 60_000;

/** Redis takes whole milliseconds, and no more than it can add to the clock. */
const toTtlMs = (timeToLive: TimeToLive): number | undefined => timeToLive === 'forever' ? undefined : Math.min(Math.ceil(timeToLive), Number.MAX_SAFE_INTEGER / 2);

/** Of those who update the same record at once, all but one have to try again. */
const maxUpdateTries = 10;

/**
The store that an option stands for: with a deadline, a circuit breaker and bounds, so that a sick store costs a request little and never its answer.
*/
export const createStore = ({store, namespace, timeoutMs, memoryBytes, onEvent, cooldownMs, queueBytes = defaultQueueBytes, isCompressing, keyRing}: StoreOptions): Store => {
	if (namespace === '' || /[\{\}]/v.test(namespace)) {
		throw new TypeError(`The option \`namespace\` is '${namespace}': expected a string without braces that is not empty`);
	}

	const tier = memoryBytes > 0
		? createMemoryTier(memoryBytes, {
			onCopy(body, copy) {
				codec.noteCopy(body, copy);
			},
		})
		: undefined;
	const backend = resolveStore(store, {
		namespace,
		memoryBytes,
		tracker: tier && {
			invalidate(changedKey) {
				tier.invalidate(changedKey.slice(prefix.length));
			},
			lose: tier.lose,
		},
	});
	const {keyv, prefix, send} = backend;
	const codec = createValues({isCompressing: isCompressing ?? (isCompressionSupported && !backend.isInProcess), keyRing, prefix});
	const counters = {
		hits: 0,
		misses: 0,
		get errors() {
			return guard.errors;
		},
		corrupt: 0,
		dropped: 0,
	};
	/** Keys that were to be deleted, and which deletion that was. */
	const unconfirmed = new Map<string, number>();
	let isClosed = false;
	let deletions = 0;
	let probes = 0;
	/** When deleting was last tried. */
	let deletedMs = -Infinity;
	/** The last write of each key that is under way. */
	const writes = new Map<string, Promise<unknown>>();
	/** Long records that are being encoded. What comes after them waits for them. */
	const encodings = new Map<string, Promise<Uint8Array>>();
	let queue = {bytes: 0};
	/** Keys whose reading was given up, while the store was in use. */
	const slow = new LRUCache<string, true>(slowKeys);

	const wireKey = (key: string): string => prefix + key;

	const guard = createGuard({
		backend,
		timeoutMs,
		cooldownMs,
		onEvent,
		// Another key each time: in a cluster, another node.
		probe: async () => keyv.get<unknown>(wireKey(`{probe ${++probes}}`)),
		onAnswer() {
			tier?.prove();
			// One that was only late, or lost with a connection.
			if (unconfirmed.size > 0 && performance.now() - deletedMs > confirmationMs) {
				void confirmDeletions();
			}
		},
		onRecovery() {
			queue = {bytes: 0};
			void confirmDeletions();
		},
	});

	const countIfCorrupt = (record: StoredRecord | undefined): StoredRecord | undefined => {
		if (record === undefined) {
			counters.corrupt++;
		}

		return record;
	};

	const decodeValue = (value: unknown, key: string): Eventually<StoredRecord | undefined> => {
		if (value === undefined || value === null) {
			return undefined;
		}

		const bytes = backend.toBytes(value);
		return eventually(bytes === undefined ? undefined : codec.read(bytes, key), countIfCorrupt);
	};

	const encode = (record: StoredRecord, key: string): Eventually<Uint8Array> => {
		const earlier = encodings.get(key);
		const bytes = earlier === undefined ? codec.write(record, key) : encodeAfter(earlier, record, key);
		if (bytes instanceof Promise) {
			encodings.set(key, bytes);
			void forgetEncoding(bytes, key);
		}

		return bytes;
	};

	const forgetEncoding = async (bytes: Promise<Uint8Array>, key: string): Promise<void> => {
		await Promise.allSettled([bytes]);
		if (encodings.get(key) === bytes) {
			encodings.delete(key);
		}
	};

	const encodeAfter = async (earlier: Promise<unknown>, record: StoredRecord, key: string): Promise<Uint8Array> => {
		await Promise.allSettled([earlier]);
		return codec.write(record, key);
	};

	const {swallowed} = backend;

	/** What Keyv swallowed while it found nothing, it found nothing for that reason. */
	const ask = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
		const before = swallowed?.count;
		const result = await operation();
		if (swallowed !== undefined && swallowed.count !== before && (result === undefined || result === false)) {
			throw swallowed.last;
		}

		return result;
	};

	const fetchOne = async (key: string): Promise<unknown> => {
		try {
			return await ask(async () => keyv.get<unknown>(wireKey(key)));
		} catch (error) {
			if (backend.isForeignValue(error)) {
				counters.corrupt++;
				return undefined;
			}

			throw error;
		}
	};

	const fetchAll = async (keys: readonly string[]): Promise<readonly unknown[]> => {
		const [first] = keys;
		if (first !== undefined && keys.length === 1) {
			return [await fetchOne(first)];
		}

		if (!backend.hasBatches) {
			return Promise.all(keys.map(async key => fetchOne(key)));
		}

		return backend.isSharded ? fetchBySlot(keys) : keyv.getMany(keys.map(key => wireKey(key)));
	};

	const fetchBySlot = async (keys: readonly string[]): Promise<readonly unknown[]> => {
		const values = new Map<string, unknown>();
		await Promise.all(Map.groupBy(keys, key => key.slice(0, key.indexOf('}'))).values().map(async group => {
			const found = await keyv.getMany<unknown>(group.map(key => wireKey(key)));
			for (const [position, key] of group.entries()) {
				values.set(key, found[position]);
			}
		}));
		return keys.map(key => values.get(key));
	};

	/** The way of a store that offers no better one. */
	const swap: NonNullable<Backend['swap']> = backend.swap ?? (async (key, expected, value, ttlMs) => {
		const raw = await ask(async () => keyv.getRaw<unknown>(key));
		if (raw?.value !== expected) {
			return false;
		}

		const expires = raw?.expires ?? undefined;
		return ask(async () => keyv.set(key, value, ttlMs === 'keep' ? expires && Math.max(1, expires - Date.now()) : ttlMs));
	});

	const headOf = (value: unknown, key: string): RecordHead | undefined => {
		const bytes = backend.toBytes(value);
		return bytes && codec.readHead(bytes, key);
	};

	const deleteAll = async (keys: readonly string[]): Promise<unknown> => {
		const wireKeys = keys.map(key => wireKey(key));
		return backend.hasBatches ? keyv.delete(wireKeys) : Promise.all(wireKeys.map(async key => ask(async () => keyv.delete(key))));
	};

	const confirmDeletions = async (): Promise<void> => {
		if (unconfirmed.size > 0) {
			await hasRemoved(unconfirmed.keys().toArray());
		}
	};

	const hasRemoved = async (keys: readonly string[]): Promise<boolean> => {
		const deletion = ++deletions;
		deletedMs = performance.now();
		const pending: Array<Promise<unknown>> = [];
		for (const key of keys) {
			unconfirmed.set(key, deletion);
			tier?.invalidate(key);
			const write = writes.get(key);
			if (write !== undefined) {
				pending.push(write);
			}
		}

		// On its way through Keyv, a write may be overtaken by a deletion that came after it.
		if (pending.length > 0) {
			await Promise.allSettled(pending);
		}

		const attempted = await guard.attempt('delete', async () => deleteAll(keys));
		if (attempted === undefined) {
			for (const key of unconfirmed.keys().take(Math.max(0, unconfirmed.size - maxUnconfirmed))) {
				unconfirmed.delete(key);
			}

			return false;
		}

		for (const key of keys) {
			if (unconfirmed.get(key) === deletion) {
				unconfirmed.delete(key);
			}
		}

		return true;
	};

	const hasWritten = async (key: string, record: StoredRecord, ttlMs: number | undefined): Promise<boolean> => {
		if (!guard.isHealthy) {
			return false;
		}

		const size = sizeOf(record);
		const myQueue = queue;
		const isTooMuch = myQueue.bytes > 0 && myQueue.bytes + size > queueBytes;
		if (isTooMuch || (size > largeBytes && slow.has(key))) {
			counters.dropped++;
			return false;
		}

		let isSent = false;
		const leaveQueue = () => {
			myQueue.bytes -= size;
		};

		myQueue.bytes += size;
		let bytes: Uint8Array;
		try {
			const encoded = encode(record, key);
			// Without a turn in between where none is needed: writes keep their order.
			bytes = encoded instanceof Promise ? await encoded : encoded;
		} catch {
			// Its header fields are too long: no fault of the store.
			leaveQueue();
			counters.dropped++;
			return false;
		}

		const attempted = await guard.attempt('write', async () => {
			isSent = true;
			try {
				return await ask(async () => keyv.set(wireKey(key), backend.toValue(bytes), ttlMs));
			} finally {
				leaveQueue();
			}
		});
		if (!isSent) {
			leaveQueue();
		}

		return attempted?.result ?? false;
	};

	const {replaceHead} = backend;

	/** How to write a record as no more than another head, if that is possible and nothing long is to be written before. */
	const headChangeOf = (record: StoredRecord, key: string): HeadChange | undefined => replaceHead && guard.isHealthy && !encodings.has(key) ? codec.writeHead(record, key) : undefined;

	/**
	@param writeAll - For what does not lie there any more as it was read.
	*/
	const hasReplacedHead = async (key: string, change: HeadChange, ttlMs: number | undefined, writeAll: () => Promise<boolean>): Promise<boolean> => {
		const attempted = await guard.attempt('write', async () => replaceHead?.(wireKey(key), change, ttlMs));
		return attempted?.result === false ? writeAll() : attempted?.result ?? false;
	};

	const noteSpeed = (keys: readonly string[], isRead: boolean) => {
		if (isRead && slow.size === 0) {
			return;
		}

		for (const key of keys) {
			if (isRead) {
				slow.delete(key);
			} else if (guard.isHealthy) {
				slow.set(key, true);
			}
		}
	};

	const {readStart} = backend;

	/**
	Removes what took too long to read and is no record: what is as long as that is not read again.

	@returns Whether the keys may be read.
	*/
	const removeForeign = async (keys: readonly string[]): Promise<boolean> => {
		const suspects = readStart ? keys.filter(key => slow.has(key)) : [];
		if (!readStart || suspects.length === 0) {
			return true;
		}

		const attempted = await guard.attempt('read', async () => Promise.all(suspects.map(async key => readStart(wireKey(key)))));
		if (attempted === undefined) {
			return false;
		}

		const foreign = suspects.filter((_, position) => isForeign(attempted.result[position] ?? noBytes));
		counters.corrupt += foreign.length;
		return foreign.length === 0 || hasRemoved(foreign);
	};

	const created: Store = {
		peek(key) {
			if (isClosed || unconfirmed.has(key) || encodings.has(key)) {
				return undefined;
			}

			const record = backend.peek === undefined ? tier?.get(key) : decodeValue(backend.peek(wireKey(key)), key);
			if (record === undefined || record instanceof Promise) {
				return undefined;
			}

			counters.hits++;
			return record;
		},
		text: (body, decode) => tier ? tier.text(body, decode) : decode(),
		takeBody: codec.takeBody,
		async get(keys) {
			if (keys.length === 0) {
				return [];
			}

			if (encodings.size > 0) {
				await Promise.allSettled(keys.filter(key => encodings.has(key)).map(async key => writes.get(key)));
			}

			const isReadable = slow.size === 0 || await removeForeign(keys);
			const endReading = tier?.beginReading(keys);
			const attempted = isReadable ? await guard.attempt('read', async () => fetchAll(keys)) : undefined;
			noteSpeed(keys, attempted !== undefined);
			const values = keys.map((key, position) => decodeValue(attempted?.result[position], key));
			const decoded = isSettled(values) ? values : await Promise.all(values.map(async value => value));
			const records = keys.map((key, position) => {
				const record = unconfirmed.has(key) ? undefined : decoded[position];
				if (record === undefined) {
					counters.misses++;
				} else {
					counters.hits++;
				}

				return record;
			});
			endReading?.(backend.isTracking ? records : []);
			return records;
		},
		get takesDetours() {
			return encodings.size > 0 || slow.size > 0;
		},
		async set(key, record, timeToLive, again) {
			if (timeToLive !== 'forever' && !(timeToLive > 0)) {
				return false;
			}

			const ttlMs = toTtlMs(timeToLive);
			tier?.invalidate(key);
			const earlierDeletion = unconfirmed.get(key);
			const change = headChangeOf(record, key);
			const writeAll = async (): Promise<boolean> => {
				tier?.invalidate(key);
				// What was written after this holds.
				if (writes.get(key) !== written) {
					return false;
				}

				return again ? await created.update(key, again, timeToLive) !== undefined : hasWritten(key, record, ttlMs);
			};

			const written: Promise<boolean> = change === undefined ? hasWritten(key, record, ttlMs) : hasReplacedHead(key, change, ttlMs, writeAll);
			writes.set(key, written);
			try {
				const isWritten = await written;
				// A later deletion still holds.
				if (isWritten && unconfirmed.get(key) === earlierDeletion) {
					unconfirmed.delete(key);
				}

				return isWritten;
			} catch (error) {
				guard.fail('write', error);
				return false;
			} finally {
				if (writes.get(key) === written) {
					writes.delete(key);
				}
			}
		},
		async update(key, change, timeToLive) {
			for (let tries = 0; tries < maxUpdateTries; tries++) {
				// eslint-disable-next-line no-await-in-loop -- each try begins with what the last one found
				const found = await guard.attempt('read', async () => fetchOne(key));
				if (found === undefined) {
					return undefined;
				}

				// eslint-disable-next-line no-await-in-loop
				const record = await decodeValue(found.result, key);
				const next = change(record);
				if (next === undefined) {
					return {record};
				}

				const ttlMs = timeToLive === 'keep' ? 'keep' : toTtlMs(timeToLive);
				const headChange = tries === 0 ? headChangeOf(next, key) : undefined;
				// eslint-disable-next-line no-await-in-loop
				const value = headChange ? undefined : backend.toValue(await encode(next, key));
				// eslint-disable-next-line no-await-in-loop
				const swapped = await guard.attempt('write', async () => headChange && replaceHead ? replaceHead(wireKey(key), headChange, ttlMs) : swap(wireKey(key), found.result ?? undefined, value, ttlMs));
				tier?.invalidate(key);
				if (swapped === undefined) {
					return undefined;
				}

				if (swapped.result) {
					return {record: next};
				}
			}

			return undefined;
		},
		isAtomic: backend.swap !== undefined,
		nameOf: key => key,
		forget(key) {
			tier?.invalidate(key);
		},
		async * entries() {
			const batches = backend.scan()[Symbol.asyncIterator]();
			for (;;) {
				// eslint-disable-next-line no-await-in-loop -- each step begins where the last one ended
				const step = await guard.attempt('command', async () => batches.next(), clearTimeoutMs);
				if (step === undefined) {
					const {state, lastError} = guard.health();
					throw state === 'closed' ? new Error('The store could not list what is stored: the cache is closed') : new Error('The store could not list what is stored', {cause: lastError});
				}

				if (step.result.done) {
					return;
				}

				for (const {key: listedKey, value, ttlMs} of step.result.value) {
					const key = listedKey.slice(prefix.length);
					const head = unconfirmed.has(key) ? undefined : headOf(value, key);
					if (head) {
						yield {key, record: head.record, bodyBytes: head.bodyLength, timeToLive: ttlMs ?? 'forever'};
					}
				}
			}
		},
		async delete(keys) {
			return keys.length === 0 || hasRemoved(keys);
		},
		async clear() {
			tier?.lose();
			await Promise.allSettled(writes.values());
			return await guard.attempt('delete', async () => backend.clear(), clearTimeoutMs) !== undefined;
		},
		command: send && (async (key, toArguments) => {
			const attempted = await guard.attempt('command', async () => send(wireKey(key), toArguments(wireKey(key))));
			return attempted && {reply: attempted.result};
		}),
		async flush() {
			await Promise.allSettled(writes.values());
		},
		get isHealthy() {
			return guard.isHealthy;
		},
		health: guard.health,
		counters,
		async close() {
			await Promise.allSettled(encodings.values());
			await guard.close();
			isClosed = true;
			tier?.lose();
			await backend.close();
		},
	};

	return keyRing === undefined ? created : withNames(created, createNaming(keyRing));
};
