import type {StoredRecord} from '../types/stored.ts';
import {eventually, type Eventually, type Values} from './codec/values.ts';
import {ask, type Backend} from './ports/backend.ts';
import {isGuardKey} from './ports/guard-token.ts';

export type FetchingOptions = {
	readonly backend: Backend;
	readonly values: Values;
	/** Counts what is no record of ours. */
	readonly counters: {corrupt: number};
};

/**
Values under keys, as Keyv gives them, and the records in them.
*/
export type Fetching = {
	fetchOne(key: string): Promise<unknown>;

	fetchAll(keys: readonly string[]): Promise<readonly unknown[]>;

	/** `undefined` for nothing and for what is no record of ours. */
	decode(value: unknown, key: string): Eventually<StoredRecord | undefined>;
};

export const createFetching = ({backend, values, counters}: FetchingOptions): Fetching => {
	const {keyv, prefix} = backend;

	const fetchOne = async (key: string): Promise<unknown> => {
		if (backend.peek !== undefined && isGuardKey(key)) {
			return backend.peek(prefix + key);
		}

		try {
			return await ask(backend, async () => keyv.get<unknown>(prefix + key));
		} catch (error) {
			if (backend.isForeignValue(error)) {
				counters.corrupt++;
				return undefined;
			}

			throw error;
		}
	};

	const fetchBySlot = async (keys: readonly string[]): Promise<readonly unknown[]> => {
		const found = new Map<string, unknown>();
		await Promise.all(Map.groupBy(keys, key => key.slice(0, key.indexOf('}'))).values().map(async group => {
			const foundInSlot = await keyv.getMany<unknown>(group.map(key => prefix + key));
			for (const [position, key] of group.entries()) {
				found.set(key, foundInSlot[position]);
			}
		}));
		return keys.map(key => found.get(key));
	};

	/** Of values that cannot have changed, with bodies that are parts of them. */
	const decoded = new WeakMap<Uint8Array, StoredRecord>();

	const countIfCorrupt = (record: StoredRecord | undefined): StoredRecord | undefined => {
		if (record === undefined) {
			counters.corrupt++;
		}

		return record;
	};

	return {
		fetchOne,
		fetchAll(keys) {
			const [first] = keys;
			if (first !== undefined && keys.length === 1) {
				return fetchOne(first).then(value => [value]);
			}

			if (!backend.hasBatches) {
				return Promise.all(keys.map(async key => fetchOne(key)));
			}

			return backend.isSharded ? fetchBySlot(keys) : keyv.getMany(keys.map(key => prefix + key));
		},
		decode(value, key) {
			if (value === undefined || value === null) {
				return undefined;
			}

			const bytes = backend.toBytes(value);
			if (bytes === undefined || !backend.isPrivate) {
				return eventually(bytes && values.read(bytes, key), countIfCorrupt);
			}

			return decoded.get(bytes) ?? eventually(values.read(bytes, key), record => {
				if (record && (record.kind !== 'response' || record.body.buffer === bytes.buffer)) {
					decoded.set(bytes, record);
				}

				return countIfCorrupt(record);
			});
		},
	};
};
