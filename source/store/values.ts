import {crc32} from 'node:zlib';
import type {StoredRecord} from '../stored.ts';
import {
	bodyOf,
	decodeHead,
	encode,
	headLengthOf,
	withBody,
	type RecordHead,
} from './codec.ts';
import {compressBody, decompressBody} from './compression.ts';
import {
	openBody,
	openHead,
	seal,
	type KeyRing,
} from './encryption.ts';

export type ValueOptions = {
	readonly isCompressing: boolean;
	readonly keyRing: KeyRing | undefined;
	/** What stands before the keys in the store. */
	readonly prefix: string;
};

export type Eventually<Value> = Value | Promise<Value>;

/**
Records as they lie in the store: encoded, and compressed and encrypted where the user wants it. Promises where it would hold the event loop up.
*/
export type Values = {
	/** @throws {RangeError} As `encode`. */
	write(record: StoredRecord, key: string): Eventually<Uint8Array>;

	/** `undefined` for what is no record, or not readable here. Never rejects. */
	read(bytes: Uint8Array, key: string): Eventually<StoredRecord | undefined>;

	/** What the first bytes tell, as many as the head takes or more. */
	readHead(bytes: Uint8Array, key: string): RecordHead | undefined;
};

/** The cipher's tag says as much and more. */
const noChecksum = () => 0;

/** Now if it can be, and then without a turn in between. */
export const eventually = <Value, Result>(value: Eventually<Value>, next: (value: Value) => Eventually<Result>): Eventually<Result> => value instanceof Promise ? value.then(next) : next(value);

export const createValues = ({isCompressing, keyRing, prefix}: ValueOptions): Values => {
	const checksum = keyRing ? noChecksum : crc32;

	const finish = (head: RecordHead, storedBody: Uint8Array): Eventually<StoredRecord | undefined> => {
		const body = bodyOf(head, storedBody, checksum);
		if (body === undefined || !head.isCompressed) {
			return body && withBody(head.record, body);
		}

		return eventually(decompressBody(body, head.bodyLength), decompressed => decompressed && withBody(head.record, decompressed));
	};

	const open = (ring: KeyRing, bytes: Uint8Array, key: string) => {
		const opened = openHead(ring, bytes, prefix + key);
		const head = opened && decodeHead(opened.head, key, checksum);
		return head && {opened, head};
	};

	return {
		write(record, key) {
			const packing = isCompressing && record.kind === 'response' ? compressBody(record) : undefined;
			return eventually(packing, packed => {
				const bytes = encode(record, key, {packed, checksum});
				return keyRing ? seal(keyRing, bytes, headLengthOf(bytes) ?? 0, prefix + key) : bytes;
			});
		},
		read(bytes, key) {
			if (keyRing === undefined) {
				const head = decodeHead(bytes, key);
				return head && finish(head, bytes.subarray(head.headLength));
			}

			const unsealed = open(keyRing, bytes, key);
			return unsealed && eventually(openBody(unsealed.opened, bytes, prefix + key), body => body && finish(unsealed.head, body));
		},
		readHead: (bytes, key) => keyRing ? open(keyRing, bytes, key)?.head : decodeHead(bytes, key),
	};
};
