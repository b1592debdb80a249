import {crc32} from 'node:zlib';
import type {StoredRecord} from '../stored.ts';
import {
	bodyOf,
	decodeHead,
	encode,
	encodeHead,
	headLengthOf,
	longBodyLength,
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
	type KeyRing,
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

	/** How to write a record whose body was read here, under the same key, without it; `undefined` where that gains little, or the head does not fit. */
	writeHead(record: StoredRecord, key: string): HeadChange | undefined;

	/** A copy of a body that was read is as good as that. */
	noteCopy(body: Uint8Array, copy: Uint8Array): void;

	/** `undefined` for what is no record, or not readable here. Never rejects. */
	read(bytes: Uint8Array, key: string): Eventually<StoredRecord | undefined>;

	/** What the first bytes tell, as many as the head takes or more. */
	readHead(bytes: Uint8Array, key: string): RecordHead | undefined;
};

/** The cipher's tag says as much and more. */
const noChecksum = () => 0;

/** Now if it can be, and then without a turn in between. */
export const eventually = <Value, Result>(value: Eventually<Value>, next: (value: Value) => Eventually<Result>): Eventually<Result> => value instanceof Promise ? value.then(next) : next(value);

export const isSettled = <Value>(values: ReadonlyArray<Eventually<Value>>): values is readonly Value[] => values.every(value => !(value instanceof Promise));

/** Where a body was read. */
type Place = {
	readonly key: string;
	readonly value: Pick<HeadChange, 'before' | 'length'>;
	readonly body: BodyReference;
};

export const createValues = ({isCompressing, keyRing, prefix}: ValueOptions): Values => {
	const checksum = keyRing ? noChecksum : crc32;

	/** Of long bodies alone. */
	const places = new WeakMap<Uint8Array, Place>();

	const finish = (head: RecordHead, storedBody: Uint8Array, note: (body: Uint8Array) => void): Eventually<StoredRecord | undefined> => {
		const whole = bodyOf(head, storedBody, checksum);
		return eventually(whole && head.isCompressed ? decompressBody(whole, head.bodyLength) : whole, body => {
			if (body === undefined) {
				return undefined;
			}

			if (storedBody.length >= longBodyLength) {
				note(body);
			}

			return withBody(head.record, body);
		});
	};

	/** Remembers where a body is from. */
	const noteAt = (key: string, bytes: Uint8Array, bodyStart: number, {headLength, bodyChecksum, isCompressed}: RecordHead) => (body: Uint8Array) => {
		places.set(body, {key, value: {before: bytes.subarray(0, bodyStart), length: bytes.length}, body: {headLength, bodyChecksum, isCompressed}});
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
		writeHead(record, key) {
			const place = record.kind === 'response' ? places.get(record.body) : undefined;
			if (record.kind !== 'response' || place?.key !== key) {
				return undefined;
			}

			const {value} = place;
			const encoded = encodeHead(record, key, place.body, checksum);
			const head = encoded && keyRing ? resealHead(keyRing, value.before, encoded, prefix + key) : encoded;
			if (head === undefined) {
				return undefined;
			}

			// Another change of it may come before this one is answered.
			places.set(record.body, {...place, value: {...value, before: head}});
			return {...value, head};
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
				return head && finish(head, bytes.subarray(head.headLength), noteAt(key, bytes, head.headLength, head));
			}

			const unsealed = open(keyRing, bytes, key);
			if (unsealed === undefined) {
				return undefined;
			}

			const {opened, head} = unsealed;
			return eventually(openBody(opened, bytes, prefix + key), body => body && finish(head, body, noteAt(key, bytes, opened.bodyStart, head)));
		},
		readHead: (bytes, key) => keyRing ? open(keyRing, bytes, key)?.head : decodeHead(bytes, key),
	};
};
