import {Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import {LRUCache} from 'lru-cache';
import type {StoredRecord, StoredResponse, VariantIndex} from '../stored.ts';
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

export type ValueOptions = {
	readonly isCompressing: boolean;
	readonly keyRing: KeyRing | undefined;
	/** What stands before the keys in the store. */
	readonly prefix: string;
};

export type Eventually<Value> = Value | Promise<Value>;

/** What makes another record of a value, the body staying where it is. */
export type HeadChange = {
	/** What the value begins with. */
	readonly before: Uint8Array;
	/** What is to take its place: as many bytes. */
	readonly head: Uint8Array;
	/** Of the whole value. */
	readonly length: number;
};

/**
Records as they lie in the store: encoded, and compressed and encrypted where the user wants it. Promises where it would hold the event loop up.
*/
export type Values = {
	/** @throws {RangeError} As `encode`. */
	write(record: StoredRecord, key: string): Eventually<Uint8Array>;

	/** How to write a response whose body was read here, or an index whose strings were read or written, under the same key, without them; `undefined` where that gains little, or what is in front of them does not fit. */
	writeHead(record: StoredRecord, key: string): HeadChange | undefined;

	/** The bytes of a body that nobody else has; the body itself is empty then. `undefined` where others may have them. */
	takeBody(body: Uint8Array): Uint8Array<ArrayBuffer> | undefined;

	/** A copy of a body that was read is as good as that. */
	noteCopy(body: Uint8Array, copy: Uint8Array): void;

	/** `undefined` for what is no record, or not readable here. Never rejects. */
	read(bytes: Uint8Array, key: string): Eventually<StoredRecord | undefined>;

	/** What the first bytes tell, as many as the head takes or more. */
	readHead(bytes: Uint8Array, key: string): RecordHead | undefined;
};

/** The cipher's tag says as much and more. */
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

/** Where the strings of an index lie. */
type IndexPlace = {
	readonly value: Pick<HeadChange, 'before' | 'length'>;
	readonly strings: Uint8Array;
	/** Of what is in front of them, before it is encrypted. */
	readonly numbersLength: number;
};

const indexPlacesBytes = 1024 * 1024;

const sizeOfPlace = ({value, strings}: IndexPlace): number => value.before.length + strings.length;

export const createValues = ({isCompressing, keyRing, prefix}: ValueOptions): Values => {
	const checksum = keyRing ? noChecksum : crc32;

	/** Of long bodies alone. */
	const places = new WeakMap<Uint8Array, Place>();

	/** By key, of long indexes alone. */
	const indexPlaces = new LRUCache<string, IndexPlace>({maxSize: indexPlacesBytes, sizeCalculation: sizeOfPlace});

	/** Bodies that were made of what was read and are in nobody else's hands: long ones, for a copy of others costs less. */
	const fresh = new WeakSet<Uint8Array>();

	const finish = (head: RecordHead, storedBody: Uint8Array, note: (body: Uint8Array) => void): Eventually<StoredRecord | undefined> => {
		const whole = bodyOf(head, storedBody, checksum);
		return eventually(whole && head.isCompressed ? decompressBody(whole, head.bodyLength) : whole, body => {
			if (body === undefined) {
				return undefined;
			}

			if (storedBody.length >= longBodyLength) {
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

	/** As `encode` wrote it, up to its body; of an index whose strings are encrypted by themselves, with them. */
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
	Remembers what stands in front of the strings of an index.

	@param value - As it lies in the store.
	@param encoded - The same as `encode` wrote it.
	*/
	const noteIndex = (key: string, value: Uint8Array, encoded: Uint8Array): void => {
		const numbersLength = longStringsStart(encoded);
		const bodyStart = keyRing ? headLengthOf(value) : numbersLength;
		if (numbersLength === undefined || bodyStart === undefined) {
			indexPlaces.delete(key);
			return;
		}

		// In bytes of its own: the value is a view of whatever the socket read with it.
		indexPlaces.set(key, {
			value: {before: new Uint8Array(value.subarray(0, bodyStart)), length: value.length},
			strings: new Uint8Array(encoded.subarray(numbersLength)),
			numbersLength,
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

	const changeIndex = (index: VariantIndex, key: string): HeadChange | undefined => {
		const place = indexPlaces.get(key);
		const change = place && replacing(place.value, encodeNumbers(index, key, {strings: place.strings, length: place.numbersLength}, checksum), key);
		if (place && change) {
			indexPlaces.set(key, {...place, value: {before: change.head, length: change.length}});
		}

		return change;
	};

	return {
		write(record, key) {
			const packing = isCompressing && record.kind === 'response' ? compressBody(record) : undefined;
			return eventually(packing, packed => {
				const bytes = encode(record, key, {packed, checksum});
				const sealed = keyRing ? seal(keyRing, bytes, longStringsStart(bytes) ?? headLengthOf(bytes) ?? 0, prefix + key) : bytes;
				return record.kind === 'index'
					? eventually(sealed, value => {
						noteIndex(key, value, bytes);
						return value;
					})
					: sealed;
			});
		},
		writeHead(record, key) {
			if (record.kind === 'mark') {
				return undefined;
			}

			return record.kind === 'index' ? changeIndex(record, key) : changeResponse(record, key);
		},
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
			if (keyRing === undefined) {
				const head = decodeHead(bytes, key);
				if (head?.record.kind === 'index') {
					noteIndex(key, bytes, bytes);
				}

				return head && finish(head, bytes.subarray(head.headLength), noteAt(key, bytes, head.headLength, head));
			}

			const unsealed = open(keyRing, bytes, key);
			if (unsealed === undefined) {
				return undefined;
			}

			const {opened, encoded, head} = unsealed;
			if (head.record.kind === 'index') {
				noteIndex(key, bytes, encoded);
			}

			if (encoded !== opened.head) {
				return finish(head, encoded.subarray(head.headLength), noNote);
			}

			return eventually(openBody(opened, bytes, prefix + key), body => body && finish(head, body, noteAt(key, bytes, opened.bodyStart, head)));
		},
		readHead: (bytes, key) => keyRing ? open(keyRing, bytes, key)?.head : decodeHead(bytes, key),
	};
};
