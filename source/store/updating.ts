import type {StoredRecord} from '../types/stored.ts';
import type {RecordWriter} from './ports/records.ts';
import type {RecordEncoding} from './encoding.ts';
import type {Fetching} from './fetching.ts';
import type {Guard} from './guard/guard.ts';
import {attemptFor} from './guard/purge-writes.ts';
import type {LongValues} from './long-values.ts';
import type {MemoryTier} from './memory/memory.ts';
import {ask, toTtlMs, type Backend} from './ports/backend.ts';
import {isLongKey} from './ports/long-keys.ts';

/** All but one of several updates of the same record at once have to be tried again. */
const maxUpdateTries = 10;

export type UpdatingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	readonly fetching: Fetching;
	readonly longValues: LongValues | undefined;
	readonly encoding: RecordEncoding;
};

/** The way of a store that offers no better one. */
const swapThroughKeyv = (backend: Backend): NonNullable<Backend['swap']> => async (key, expected, value, ttlMs) => {
	const {keyv} = backend;
	const raw = await ask(backend, async () => keyv.getRaw<unknown>(key));
	if (raw?.value !== expected) {
		return false;
	}

	const expires = raw?.expires ?? undefined;
	return ask(backend, async () => keyv.set(key, value, ttlMs === 'keep' ? expires && Math.max(1, expires - Date.now()) : ttlMs));
};

/**
How a record is replaced by what is made of it: only where it is still what was read, otherwise all over again.
*/
export const createUpdate = ({backend, guard, tier, fetching, longValues, encoding}: UpdatingOptions): RecordWriter['update'] => {
	const {prefix, replaceHead} = backend;
	const {fetchOne, decode} = fetching;
	const swap = backend.swap ?? swapThroughKeyv(backend);

	/** Resolves to `undefined` for a record that is longer than it may be. */
	const encodeIfPossible = async (record: StoredRecord, key: string): Promise<Uint8Array | undefined> => {
		try {
			return await encoding.encode(record, key);
		} catch {
			return undefined;
		}
	};

	const fetch = async (key: string): Promise<{readonly result: unknown} | undefined> => {
		if (!longValues || !isLongKey(key)) {
			return guard.attempt('read', key, async () => fetchOne(key));
		}

		const value = await longValues.read(key);
		return value && {result: value};
	};

	return async (key, change, timeToLive, purpose) => {
		const wireKey = prefix + key;
		const {kind, limits} = attemptFor(purpose, backend);
		for (let tries = 0; tries < maxUpdateTries; tries++) {
			// eslint-disable-next-line no-await-in-loop -- each try begins with what the last one found
			const found = await fetch(key);
			if (found === undefined) {
				return undefined;
			}

			// eslint-disable-next-line no-await-in-loop
			const record = await decode(found.result, key);
			const next = change(record);
			if (next === undefined) {
				return {record};
			}

			const nextTimeToLive = typeof timeToLive === 'function' ? timeToLive(record) : timeToLive;
			const ttlMs = nextTimeToLive === 'keep' ? 'keep' : toTtlMs(nextTimeToLive);
			const headChange = tries === 0 ? encoding.headChangeOf(next, key, record?.kind === 'index' ? record : undefined) : undefined;
			// eslint-disable-next-line no-await-in-loop
			const bytes = headChange ? undefined : await encodeIfPossible(next, key);
			if (!headChange && bytes === undefined) {
				return undefined;
			}

			const value = bytes && backend.toValue(bytes);
			// eslint-disable-next-line no-await-in-loop
			const swapped = await guard.attempt(
				kind,
				key,
				async () => (headChange && replaceHead ? replaceHead(wireKey, headChange, ttlMs) : swap(wireKey, found.result ?? undefined, value, ttlMs)),
				limits,
			);
			tier?.invalidate(key);
			if (swapped === undefined) {
				return undefined;
			}

			if (swapped.result) {
				return {record: next};
			}
		}

		return undefined;
	};
};
