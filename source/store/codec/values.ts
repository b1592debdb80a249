import {Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import type {StoredRecord, StoredResponse, VariantIndex} from '../../types/stored.ts';
import {startLength, type HeadChange, type ValueStart} from '../ports/backend.ts';
import {isGuardKey, readGuard, writeGuard} from '../ports/guard-token.ts';
import type {UnreadableReason} from '../ports/listing.ts';
import {
	bodyOf,
	decodeHead,
	encode,
	encodeHead,
	encodeNumbers,
	headLengthOf,
	longBodyLength,
	longStringsStart,
	withBody,
	type BodyReference,
	type RecordHead,
} from './codec.ts';
import {compressBody, decompressBody} from './compression.ts';
import {
	openBody,
	openHead,
	resealHead,
	seal,
	tagLength,
	type KeyRing,
	type OpenedHead,
} from './encryption.ts';
import {whyUnreadable} from './unreadable.ts';

export type ValueOptions = {
	readonly isCompressing: boolean;
	readonly keyRing: KeyRing | undefined;
	/** Whether only the cache can reach the values, so that nobody damages them. */
	readonly isPrivate?: boolean | undefined;
	/** The prefix of keys in the store. */
	readonly prefix: string;
};

export type Eventually<Value> = Value | Promise<Value>;

/**
Records as they lie in the store: encoded, and compressed and encrypted where the user wants it. Promises where it would hold the event loop up.
*/
export type Values = {
	/** @throws {RangeError} As `encode`. */
	write(record: StoredRecord, key: string): Eventually<Uint8Array>;

	/**
	How to write a response without its body, or an index without its strings, where they lie under the key already; `undefined` where that gains little, or what is in front of them does not fit.

	@param replaced - The index in whose place another comes: one that was read or written here.
	*/
	writeHead(record: StoredRecord, key: string, replaced?: VariantIndex): HeadChange | undefined;

	/** How the value of an index begins that was read or written here. */
	startOf(index: VariantIndex): ValueStart | undefined;

	/** The bytes of a body that nobody else has; the body itself is empty then. `undefined` where others may have them. */
	takeBody(body: Uint8Array): Uint8Array<ArrayBuffer> | undefined;

	/** A copy of a body that was read is as good as that. */
	noteCopy(body: Uint8Array, copy: Uint8Array): void;

	/** `undefined` for what is no record, or not readable here. Never rejects. */
	read(bytes: Uint8Array, key: string): Eventually<StoredRecord | undefined>;

	/** Reads the head from the first bytes, of which there are as many as the head takes, or more. */
	readHead(bytes: Uint8Array, key: string): RecordHead | undefined;

	/** The reason why `readHead()` gave nothing; `undefined` for a value that is gone or is no record. */
	whyUnreadable(bytes: Uint8Array, key: string): UnreadableReason | undefined;
};

/** Where the cipher's tag says as much and more, or nothing can be damaged. */
const noChecksum = () => 0;

const noNote = () => undefined;

/** Now if it can be, and then without a turn in between. */
export const eventually = <Value, Result>(value: Eventually<Value>, next: (value: Value) => Eventually<Result>): Eventually<Result> => value instanceof Promise ? value.then(next) : next(value);

export const isSettled = <Value>(values: ReadonlyArray<Eventually<Value>>): values is readonly Value[] => values.every(value => !(value instanceof Promise));

/** Where a body was read. */
type Place = {
	readonly key: string;
	readonly value: Pick<HeadChange, 'before' | 'length'>;
	readonly body: BodyReference;
};

/** The value of an index. */
type IndexPlace = ValueStart & {
	/** Where its strings are long enough to stay where they are. */
	readonly strings?: {
		/** All that stands in front of them. */
		readonly before: Uint8Array;
		readonly bytes: Uint8Array;
		/** Of what stands in front of them, before it is encrypted. */
		readonly numbersLength: number;
	};
};

export const createValues = ({isCompressing, keyRing, isPrivate = false, prefix}: ValueOptions): Values => {
	const checksum = keyRing ? noChecksum : crc32;
	const checksumOfBody = isPrivate ? noChecksum : checksum;

	/** Of long and compressed bodies alone. */
	const places = new WeakMap<Uint8Array, Place>();

	const indexPlaces = new WeakMap<VariantIndex, IndexPlace>();

	/** Bodies that were made of what was read and are in nobody else's hands: long ones, for a copy of others costs less. */
	const fresh = new WeakSet<Uint8Array>();

	const finish = (head: RecordHead, storedBody: Uint8Array, note: (body: Uint8Array) => void): Eventually<StoredRecord | undefined> => {
		const whole = bodyOf(head, storedBody, checksumOfBody);
		return eventually(whole && head.isCompressed ? decompressBody(whole, head.bodyLength) : whole, body => {
			if (body === undefined) {
				return undefined;
			}

			// A body is not compressed once more because its head has changed.
			if (head.isCompressed || storedBody.length >= longBodyLength) {
				note(body);
			}

			// Decompressed into room for a byte more.
			if (body.length >= longBodyLength && body.buffer.byteLength - body.length <= 1) {
				fresh.add(body);
			}

			return withBody(head.record, body);
		});
	};

	/** Remembers where a body is from. */
	const noteAt = (key: string, bytes: Uint8Array, bodyStart: number, {headLength, bodyChecksum, isCompressed}: RecordHead) => (body: Uint8Array) => {
		places.set(body, {key, value: {before: bytes.subarray(0, bodyStart), length: bytes.length}, body: {headLength, bodyChecksum, isCompressed}});
	};

	/** Gives the value as `encode` wrote it, up to its body; for an index whose strings are encrypted by themselves, with them. */
	const openEncoded = (opened: OpenedHead, bytes: Uint8Array, key: string): Uint8Array | undefined => {
		const missing = (headLengthOf(opened.head) ?? 0) - opened.head.length;
		if (missing <= 0) {
			return opened.head;
		}

		if (bytes.length !== opened.bodyStart + missing + tagLength) {
			return undefined;
		}

		const strings = openBody(opened, bytes, prefix + key);
		// No index is so long that it would take time.
		return strings === undefined || strings instanceof Promise ? undefined : Buffer.concat([opened.head, strings]);
	};

	const open = (ring: KeyRing, bytes: Uint8Array, key: string) => {
		const opened = openHead(ring, bytes, prefix + key);
		const encoded = opened && openEncoded(opened, bytes, key);
		const head = encoded && decodeHead(encoded, key, checksum);
		return head && {opened, encoded, head};
	};

	/**
	Remembers how the value of an index begins, and what stands in front of its strings.

	@param value - As it lies in the store.
	@param encoded - The same as `encode` wrote it.
	*/
	const noteIndex = (index: VariantIndex, value: Uint8Array, encoded: Uint8Array): void => {
		const numbersLength = longStringsStart(encoded);
		const bodyStart = keyRing ? headLengthOf(value) : numbersLength;
		// In bytes of its own: the value is a view of whatever the socket read with it.
		const place = {start: Buffer.from(value.subarray(0, startLength)), length: value.length};
		indexPlaces.set(index, bodyStart === undefined || numbersLength === undefined
			? place
			: {
				...place,
				strings: {before: new Uint8Array(value.subarray(0, bodyStart)), bytes: new Uint8Array(encoded.subarray(numbersLength)), numbersLength},
			});
	};

	/** Puts a part in the place of another of a value that is known to lie in the store. */
	const replacing = ({before, length}: Pick<HeadChange, 'before' | 'length'>, encoded: Uint8Array | undefined, key: string): HeadChange | undefined => {
		const head = encoded && keyRing ? resealHead(keyRing, before, encoded, prefix + key) : encoded;
		return head && {before, head, length};
	};

	const changeResponse = (record: StoredResponse, key: string): HeadChange | undefined => {
		const place = places.get(record.body);
		const change = place?.key === key ? replacing(place.value, encodeHead(record, key, place.body, checksum), key) : undefined;
		if (place && change) {
			// Another change of it may come before this one is answered.
			places.set(record.body, {...place, value: {before: change.head, length: change.length}});
		}

		return change;
	};

	const changeIndex = (index: VariantIndex, key: string, replaced: VariantIndex): HeadChange | undefined => {
		const {strings, length} = indexPlaces.get(replaced) ?? {};
		if (!strings || length === undefined) {
			return undefined;
		}

		const {before, bytes, numbersLength} = strings;
		const change = replacing({before, length}, encodeNumbers(index, key, {strings: bytes, length: numbersLength}, checksum), key);
		if (change) {
			indexPlaces.set(index, {start: Buffer.from(change.head.subarray(0, startLength)), length, strings: {before: change.head, bytes, numbersLength}});
		}

		return change;
	};

	return {
		write(record, key) {
			if (record.kind === 'guard') {
				return writeGuard(record);
			}

			const packing = isCompressing && record.kind === 'response' ? compressBody(record) : undefined;
			return eventually(packing, packed => {
				const bytes = encode(record, key, {packed, checksum, checksumOfBody, sharesBody: isPrivate});
				const sealed = keyRing ? seal(keyRing, bytes, longStringsStart(bytes) ?? headLengthOf(bytes) ?? 0, prefix + key) : bytes;
				return record.kind === 'index'
					? eventually(sealed, value => {
						noteIndex(record, value, bytes);
						return value;
					})
					: sealed;
			});
		},
		writeHead(record, key, replaced) {
			if (record.kind === 'response') {
				return changeResponse(record, key);
			}

			return replaced && record.kind === 'index' ? changeIndex(record, key, replaced) : undefined;
		},
		startOf: index => indexPlaces.get(index),
		takeBody(body) {
			return fresh.delete(body) ? new Uint8Array((body.buffer as ArrayBuffer).transferToFixedLength(body.length)) : undefined;
		},
		noteCopy(body, copy) {
			const place = places.get(body);
			if (place !== undefined) {
				// With the head in bytes of its own, for those of the value may go.
				places.set(copy, {...place, value: {...place.value, before: new Uint8Array(place.value.before)}});
			}
		},
		read(bytes, key) {
			if (isGuardKey(key)) {
				return readGuard(bytes);
			}

			if (keyRing === undefined) {
				const head = decodeHead(bytes, key);
				if (head?.record.kind === 'index') {
					noteIndex(head.record, bytes, bytes);
				}

				return head && finish(head, bytes.subarray(head.headLength), noteAt(key, bytes, head.headLength, head));
			}

			const unsealed = open(keyRing, bytes, key);
			if (unsealed === undefined) {
				return undefined;
			}

			const {opened, encoded, head} = unsealed;
			if (head.record.kind === 'index') {
				noteIndex(head.record, bytes, encoded);
			}

			if (encoded !== opened.head) {
				return finish(head, encoded.subarray(head.headLength), noNote);
			}

			return eventually(openBody(opened, bytes, prefix + key), body => body && finish(head, body, noteAt(key, bytes, opened.bodyStart, head)));
		},
		readHead: (bytes, key) => isGuardKey(key) ? undefined : (keyRing ? open(keyRing, bytes, key)?.head : decodeHead(bytes, key)),
		whyUnreadable: (bytes, key) => isGuardKey(key) ? undefined : whyUnreadable(bytes, prefix + key, keyRing),
	};
};
