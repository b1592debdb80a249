import type {StoredRecord} from '../types/stored.ts';
import type {RecordEncoding} from './encoding.ts';
import type {Deletions} from './guard/deletions.ts';
import type {Guard} from './guard/guard.ts';
import {attemptFor} from './guard/purge-writes.ts';
import {largeBytes, sizeOf, type WriteQueue} from './guard/write-queue.ts';
import type {MemoryTier} from './memory/memory.ts';
import {ask, toTtlMs, type Backend} from './ports/backend.ts';
import type {Purpose, RecordWriter} from './ports/records.ts';
import type {SlowKeys} from './slow-keys.ts';

export type WritingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	readonly encoding: RecordEncoding;
	readonly deletions: Deletions;
	readonly slowKeys: SlowKeys;
	readonly queue: WriteQueue;
	/** The last write of each key that is under way: kept here. */
	readonly writes: Map<string, Promise<unknown>>;
	readonly counters: {dropped: number};
};

/**
How a record is written by itself, whatever lies there. Only `update()` and `commit()` leave a body where it is.
*/
export const createSet = ({backend, guard, tier, encoding, deletions, slowKeys, queue, writes, counters}: WritingOptions): RecordWriter['set'] => {
	const {keyv, prefix} = backend;

	/** A purge that there is no room for removes what it was to take the place of, which is lost then, and so purged. */
	const removeIfFull = async (error: unknown, wireKey: string): Promise<void> => {
		if (backend.isFull?.(error)) {
			await keyv.delete(wireKey);
		}
	};

	const hasWritten = async (key: string, record: StoredRecord, ttlMs: number | undefined, purpose: Purpose): Promise<boolean> => {
		if (!guard.isHealthy(key)) {
			return false;
		}

		const size = sizeOf(record);
		const leaveQueue = size > largeBytes && slowKeys.has(key) ? undefined : queue.enter(size);
		if (leaveQueue === undefined) {
			counters.dropped++;
			return false;
		}

		let isSent = false;
		let bytes: Uint8Array;
		try {
			const encoded = encoding.encode(record, key);
			// Without a turn in between where none is needed: writes keep their order.
			bytes = encoded instanceof Promise ? await encoded : encoded;
		} catch {
			// Its header fields are too long: no fault of the store.
			leaveQueue();
			counters.dropped++;
			return false;
		}

		const {kind, limits} = attemptFor(purpose, backend);
		const attempted = await guard.attempt(kind, key, async () => {
			isSent = true;
			try {
				return await ask(backend, async () => keyv.set(prefix + key, backend.toValue(bytes), ttlMs));
			} catch (error) {
				if (purpose === 'purge') {
					await removeIfFull(error, prefix + key);
				}

				throw error;
			} finally {
				leaveQueue();
			}
		}, limits);
		if (!isSent) {
			leaveQueue();
		}

		return attempted?.result ?? false;
	};

	return async (key, record, timeToLive, purpose) => {
		if (timeToLive !== 'forever' && !(timeToLive > 0)) {
			return false;
		}

		tier?.invalidate(key);
		const earlierDeletion = deletions.unconfirmedOf(key);
		const written = hasWritten(key, record, toTtlMs(timeToLive), purpose);
		writes.set(key, written);
		try {
			const isWritten = await written;
			if (isWritten) {
				deletions.settle(key, earlierDeletion);
			}

			return isWritten;
		} catch (error) {
			guard.fail('write', key, error);
			return false;
		} finally {
			if (writes.get(key) === written) {
				writes.delete(key);
			}
		}
	};
};
