import type {StoredRecord} from '../types/stored.ts';
import type {RecordReader} from './ports/records.ts';
import {isSettled} from './codec/values.ts';
import type {RecordEncoding} from './encoding.ts';
import type {Fetching} from './fetching.ts';
import type {Deletions} from './guard/deletions.ts';
import type {Guard} from './guard/guard.ts';
import type {LongValues} from './long-values.ts';
import type {MemoryTier} from './memory/memory.ts';
import {groupByNode, type Backend} from './ports/backend.ts';
import {isLongKey} from './ports/long-keys.ts';
import type {SlowKeys} from './slow-keys.ts';

export type ReadingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly tier: MemoryTier | undefined;
	readonly fetching: Fetching;
	readonly encoding: RecordEncoding;
	readonly deletions: Deletions;
	readonly slowKeys: SlowKeys;
	readonly longValues: LongValues | undefined;
	/** The last write of each key that is under way. */
	readonly writes: ReadonlyMap<string, Promise<unknown>>;
	readonly counters: {hits: number; misses: number};
};

/**
How records are read: from memory without I/O, or from the store.
*/
export type Reading = RecordReader & {
	/** Memory gives nothing any more. */
	close(): void;
};

const isNothing = (value: unknown): boolean => value === undefined || value === null;

export const createReading = ({backend, guard, tier, fetching, encoding, deletions, slowKeys, longValues, writes, counters}: ReadingOptions): Reading => {
	const {prefix} = backend;
	const {decode, fetchAll} = fetching;
	let isClosed = false;

	const isInMotion = (key: string) => isClosed || deletions.isUnconfirmed(key) || encoding.isUnderWay(key);

	/** Asks a store that tells of changes when it is asked. */
	const refreshTier = () => {
		if (!tier || !backend.hasChanged) {
			return;
		}

		if (backend.hasChanged()) {
			tier.lose();
		} else {
			tier.confirmConnection();
		}
	};

	const count = (record: StoredRecord | undefined) => {
		if (record === undefined) {
			counters.misses++;
		} else {
			counters.hits++;
		}
	};

	/** Keys that are read in one go: of one node. */
	const getTogether = async (keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>> => {
		const isReadable = slowKeys.isEmpty || await slowKeys.removeForeign(keys);
		const endReading = tier?.beginReading(keys);
		const isHidden = deletions.beginReading();
		let isRefused = false;
		const attempted = isReadable
			? await guard.attempt('read', keys[0], () => fetchAll(keys).catch((error: unknown) => {
				// A refusal says nothing of how long a value takes.
				isRefused = backend.isRefusal(error);
				throw error;
			}))
			: undefined;
		slowKeys.note(keys, attempted !== undefined || isRefused);
		const values = keys.map((key, position) => decode(attempted?.result[position], key));
		const decoded = isSettled(values) ? values : await Promise.all(values.map(async value => value));
		const records = keys.map((key, position) => {
			const record = isHidden(key) ? undefined : decoded[position];
			count(record);
			return record;
		});
		endReading?.(attempted && backend.isTracking ? records.map((record, position) => record ?? (isNothing(attempted.result[position]) ? 'absent' : undefined)) : []);
		return records;
	};

	const getShort = async (keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>> => {
		if (keys.length === 0) {
			return [];
		}

		if (encoding.isBusy) {
			await Promise.allSettled(keys.filter(key => encoding.isUnderWay(key)).map(async key => writes.get(key)));
		}

		const groups = groupByNode(backend, keys);
		if (groups.length === 1) {
			return getTogether(keys);
		}

		const found = new Map<string, StoredRecord | undefined>();
		await Promise.all(groups.map(async group => {
			const records = await getTogether(group);
			for (const [position, record] of records.entries()) {
				found.set(group[position] ?? '', record);
			}
		}));
		return keys.map(key => found.get(key));
	};

	const getLong = async ({read}: LongValues, key: string): Promise<StoredRecord | undefined> => {
		const endReading = tier?.beginReading([key]);
		const isHidden = deletions.beginReading();
		const value = await read(key);
		const decoded = await decode(value, key);
		const record = isHidden(key) ? undefined : decoded;
		count(record);
		endReading?.(backend.isTracking ? [record] : []);
		return record;
	};

	const getMixed = async (through: LongValues, keys: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined>> => {
		const shortKeys = keys.filter(key => !isLongKey(key));
		const longKeys = keys.filter(key => isLongKey(key));
		const [short, ...long] = await Promise.all([getShort(shortKeys), ...longKeys.map(async key => getLong(through, key))]);
		const found = new Map([...shortKeys, ...longKeys].map((key, position) => [key, [...short, ...long][position]]));
		return keys.map(key => found.get(key));
	};

	/** `undefined` if nothing lies under a key. */
	const peekOne = (key: string): StoredRecord | 'unknown' | undefined => {
		if (backend.peek) {
			const value = backend.peek(prefix + key);
			const record = isNothing(value) ? undefined : decode(value, key) ?? 'unknown';
			return record instanceof Promise ? 'unknown' : record;
		}

		return tier?.get(key) ?? (tier?.isAbsent(key) ? undefined : 'unknown');
	};

	return {
		peek(key) {
			if (isInMotion(key)) {
				return undefined;
			}

			refreshTier();
			const record = backend.peek === undefined ? tier?.get(key) : decode(backend.peek(prefix + key), key);
			if (record === undefined || record instanceof Promise) {
				return undefined;
			}

			counters.hits++;
			return record;
		},
		peekAll(keys) {
			refreshTier();
			const records: Array<StoredRecord | undefined> = [];
			for (const key of keys) {
				const found = isInMotion(key) ? 'unknown' : peekOne(key);
				if (found === 'unknown') {
					return undefined;
				}

				records.push(found);
			}

			for (const record of records) {
				count(record);
			}

			return records;
		},
		get: keys => longValues && keys.some(key => isLongKey(key)) ? getMixed(longValues, keys) : getShort(keys),
		get needsExtraRoundTrip() {
			return encoding.isBusy || !slowKeys.isEmpty;
		},
		close() {
			isClosed = true;
		},
	};
};
