import type {StoredRecord} from '../stored.ts';
import {createBreaker} from './breaker.ts';
import {decode, encode} from './codec.ts';
import {resolveStore, type StoreOption} from './connection.ts';
import {createFaultLog, type StoreEvent} from './fault-log.ts';
import {createMemoryTier} from './memory.ts';
import type {Store} from './store.ts';

export type StoreOptions = {
	readonly store: StoreOption;
	/** Stands before each key, with a colon between. No braces: they are the keys'. */
	readonly namespace: string;
	/** The longest that an operation is waited for. */
	readonly timeoutMs: number;
	/** What memory may hold of it. */
	readonly memoryBytes: number;
	readonly onEvent?: (event: StoreEvent) => void;
	/** The circuit breaker's first cooldown. */
	readonly cooldownMs?: number;
	/** Bytes that may wait to be written; more are dropped. */
	readonly queueBytes?: number;
};

type Kind = 'read' | 'write' | 'delete' | 'command';

/** Silence is no proof of sickness until it is repeated: a single value may be too large for the deadline. */
const failureThreshold = 3;

/** A timer that fires so late tells of a busy process, not of a slow store; the store then gets a little more. */
const lateMs = 10;
const graceMs = 50;

const defaultQueueBytes = 32 * 1024 * 1024;

/** Deletions that the store did not confirm, remembered until it does. */
const maxUnconfirmed = 10_000;

export class StoreTimeoutError extends Error {
	override readonly name = 'StoreTimeoutError';

	constructor(timeoutMs: number) {
		super(`The store did not answer within ${timeoutMs} ms`);
	}
}

/**
The store that an option stands for: with a deadline, a circuit breaker and bounds, so that a sick store costs a request little and never its answer.
*/
export const createStore = ({store, namespace, timeoutMs, memoryBytes, onEvent, cooldownMs, queueBytes = defaultQueueBytes}: StoreOptions): Store => {
	if (namespace === '' || /[\{\}]/v.test(namespace)) {
		throw new TypeError(`The option \`namespace\` is '${namespace}': expected a string without braces that is not empty`);
	}

	const tier = memoryBytes > 0 ? createMemoryTier(memoryBytes) : undefined;
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
	const counters = {
		hits: 0,
		misses: 0,
		errors: 0,
		corrupt: 0,
		dropped: 0,
	};
	const faults = createFaultLog(onEvent);
	/** Keys that were to be deleted, and which deletion that was. */
	const unconfirmed = new Map<string, number>();
	let deletions = 0;
	/** The last write of each key that is under way. */
	const writes = new Map<string, Promise<unknown>>();
	let queue = {bytes: 0};
	let isClosed = false;

	const wireKey = (key: string): string => prefix + key;

	const reading = createBreaker({
		threshold: failureThreshold,
		cooldownMs,
		async probe() {
			await withPatience(async () => {
				await backend.connect();
				await keyv.get(wireKey('{probe}'));
			});
		},
		onOpen(error) {
			backend.reset();
			faults.degraded(error);
		},
		onClose() {
			queue = {bytes: 0};
			faults.recovered();
			void confirmDeletions();
		},
	});

	// A store that is read-only or full still answers: only writing rests.
	const writing = createBreaker({
		threshold: failureThreshold,
		cooldownMs,
		onOpen(error) {
			faults.degraded(error);
		},
		onClose() {
			faults.recovered();
		},
	});

	const withPatience = async (ask: () => Promise<void>): Promise<void> => {
		const {promise, reject} = Promise.withResolvers<never>();
		const timer = setTimeout(() => {
			backend.reset();
			reject(new StoreTimeoutError(backend.probePatienceMs));
		}, backend.probePatienceMs).unref();
		try {
			await Promise.race([ask(), promise]);
		} finally {
			clearTimeout(timer);
		}
	};

	const fail = (kind: Kind, error: Error, isFatal: boolean): void => {
		counters.errors++;
		faults.failed(error);
		if (kind === 'write' && !isFatal) {
			writing.failed(error);
		} else if (kind === 'read' || isFatal || !backend.isRefusal(error)) {
			reading.failed(error, {isFatal});
		}
	};

	/*
	Runs an operation for as long as the deadline allows; resolves to `undefined` when it failed. Its timer, not the socket, is what keeps the process alive meanwhile.
	*/
	const attempt = async <Result>(kind: Kind, operation: () => Promise<Result>): Promise<{result: Result} | undefined> => {
		if (isClosed || !reading.isClosed() || (kind === 'write' && !writing.isClosed())) {
			return undefined;
		}

		return new Promise(resolve => {
			let isOver = false;
			let isConnected = false;
			const dueMs = performance.now() + timeoutMs;
			const onDeadline = () => {
				giveUp(new StoreTimeoutError(timeoutMs), false);
			};

			let timer = setTimeout(() => {
				if (performance.now() - dueMs < lateMs) {
					onDeadline();
					return;
				}

				// The event loop was busy: the command may just have left, or its reply lie unread.
				timer = setTimeout(onDeadline, Math.min(timeoutMs, graceMs));
			}, timeoutMs);

			const giveUp = (error: Error, isFatal: boolean) => {
				if (isOver) {
					return;
				}

				isOver = true;
				clearTimeout(timer);
				fail(kind, error, isFatal);
				resolve(undefined);
			};

			const run = async () => {
				try {
					const connecting = backend.connect();
					if (connecting !== undefined) {
						await connecting;
					}

					// Nobody waits any more, and what is done late may undo what came after.
					if (isOver) {
						return;
					}

					isConnected = true;
					const result = await operation();
					if (isOver) {
						return;
					}

					isOver = true;
					clearTimeout(timer);
					tier?.prove();
					reading.succeeded();
					if (kind === 'write') {
						writing.succeeded();
					}

					resolve({result});
				} catch (error) {
					giveUp(asError(error), !isConnected);
				}
			};

			void run();
		});
	};

	const decodeValue = (value: unknown, key: string): StoredRecord | undefined => {
		if (value === undefined || value === null) {
			return undefined;
		}

		const bytes = backend.toBytes(value);
		const record = bytes === undefined ? undefined : decode(bytes, key);
		if (record === undefined) {
			counters.corrupt++;
		}

		return record;
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

		return backend.hasBatches ? keyv.getMany(keys.map(key => wireKey(key))) : Promise.all(keys.map(async key => fetchOne(key)));
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

		const attempted = await attempt('delete', async () => deleteAll(keys));
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
		if (!reading.isClosed()) {
			return false;
		}

		const bytes = encode(record, key);
		const myQueue = queue;
		if (myQueue.bytes > 0 && myQueue.bytes + bytes.length > queueBytes) {
			counters.dropped++;
			return false;
		}

		let isSent = false;
		const leaveQueue = () => {
			myQueue.bytes -= bytes.length;
		};

		myQueue.bytes += bytes.length;
		const attempted = await attempt('write', async () => {
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

	return {
		peek(key) {
			if (unconfirmed.has(key)) {
				return undefined;
			}

			const record = backend.peek === undefined ? tier?.get(key) : decodeValue(backend.peek(wireKey(key)), key);
			if (record !== undefined) {
				counters.hits++;
			}

			return record;
		},
		async get(keys) {
			if (keys.length === 0) {
				return [];
			}

			const endReading = tier?.beginReading(keys);
			const attempted = await attempt('read', async () => fetchAll(keys));
			const records = keys.map((key, position) => {
				const record = unconfirmed.has(key) ? undefined : decodeValue(attempted?.result[position], key);
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
		async set(key, record, timeToLive) {
			if (timeToLive !== 'forever' && !(timeToLive > 0)) {
				return false;
			}

			// Redis takes whole milliseconds, and no more than it can add to the clock.
			const ttlMs = timeToLive === 'forever' ? undefined : Math.min(Math.ceil(timeToLive), Number.MAX_SAFE_INTEGER / 2);
			tier?.invalidate(key);
			const earlierDeletion = unconfirmed.get(key);
			const written = hasWritten(key, record, ttlMs);
			writes.set(key, written);
			try {
				const isWritten = await written;
				// A later deletion still holds.
				if (isWritten && unconfirmed.get(key) === earlierDeletion) {
					unconfirmed.delete(key);
				}

				return isWritten;
			} catch (error) {
				fail('write', asError(error), false);
				return false;
			} finally {
				if (writes.get(key) === written) {
					writes.delete(key);
				}
			}
		},
		async delete(keys) {
			return keys.length === 0 || hasRemoved(keys);
		},
		async clear() {
			tier?.lose();
			await Promise.allSettled(writes.values());
			return await attempt('delete', async () => backend.clear()) !== undefined;
		},
		command: send && (async (key, toArguments) => {
			const attempted = await attempt('command', async () => send(wireKey(key), toArguments(wireKey(key)), false));
			return attempted && {reply: attempted.result};
		}),
		async flush() {
			await Promise.allSettled(writes.values());
		},
		get isHealthy() {
			return reading.isClosed();
		},
		counters,
		async close() {
			await Promise.allSettled(writes.values());
			isClosed = true;
			tier?.lose();
			reading.stop();
			writing.stop();
			await withPatience(async () => backend.close()).catch(() => undefined);
		},
	};
};

const asError = (error: unknown): Error => error instanceof Error ? error : new Error(`The store failed with ${String(error)}`);
