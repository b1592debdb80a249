import type {StoredRecord, VariantIndex} from '../types/stored.ts';
import type {Eventually, Values} from './codec/values.ts';
import type {Guard} from './guard/guard.ts';
import type {Backend, HeadChange} from './ports/backend.ts';

export type EncodingOptions = {
	readonly backend: Backend;
	readonly guard: Guard;
	readonly values: Values;
};

/**
Records on their way to bytes. Long ones take their time, and what comes after them under the same key waits for them.
*/
export type RecordEncoding = {
	/** @throws {RangeError} As `encode` of the codec. */
	encode(record: StoredRecord, key: string): Eventually<Uint8Array>;

	/** How to write a record as no more than another head, if that is possible and nothing long is to be written before; an index in the place of `replaced`. */
	headChangeOf(record: StoredRecord, key: string, replaced?: VariantIndex): HeadChange | undefined;

	/** Whether a record is being encoded that is to lie under the key. */
	isUnderWay(key: string): boolean;

	/** Whether any is. */
	readonly isBusy: boolean;

	/** Resolves when what is being encoded now has been. */
	flush(): Promise<void>;
};

export const createEncoding = ({backend: {replaceHead}, guard, values}: EncodingOptions): RecordEncoding => {
	const encodings = new Map<string, Promise<Uint8Array>>();

	const encodeAfter = async (earlier: Promise<unknown>, record: StoredRecord, key: string): Promise<Uint8Array> => {
		await Promise.allSettled([earlier]);
		return values.write(record, key);
	};

	const forget = async (bytes: Promise<Uint8Array>, key: string): Promise<void> => {
		await Promise.allSettled([bytes]);
		if (encodings.get(key) === bytes) {
			encodings.delete(key);
		}
	};

	return {
		encode(record, key) {
			const earlier = encodings.get(key);
			const bytes = earlier === undefined ? values.write(record, key) : encodeAfter(earlier, record, key);
			if (bytes instanceof Promise) {
				encodings.set(key, bytes);
				void forget(bytes, key);
			}

			return bytes;
		},
		headChangeOf: (record, key, replaced) => replaceHead && guard.isHealthy(key) && !encodings.has(key) ? values.writeHead(record, key, replaced) : undefined,
		isUnderWay: key => encodings.has(key),
		get isBusy() {
			return encodings.size > 0;
		},
		async flush() {
			await Promise.allSettled(encodings.values());
		},
	};
};
