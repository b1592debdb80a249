/* eslint-disable no-bitwise -- flags are packed into bytes */
import {Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import type {
	StoredGuard,
	StoredVersion,
	StoredRecord,
	StoredResponse,
	VariantIndex,
} from '../../types/stored.ts';
import {noBytes, Reader, Writer} from './bytes.ts';
import {takeRoom} from './kept-body.ts';
import {readTagVersion, writeTagVersion} from './tag-version.ts';
import {isResponseWithinBounds, readResponse, writeResponse} from './response.ts';
import {isIndexWithinBounds, readIndex, writeIndex} from './variant-index.ts';

/*
A stored record as bytes, described in docs/contributing/wire-format.md:

	 0  magic             2
	 2  CRC-32            4  of the key and everything from here to the end of the head
	 6  version           1
	 7  flags             1
	 8  length of head    3  to where the body begins
	11  end of numbers    3  where the run of strings begins
	14  CRC-32 of body    4
	18  numbers, then strings, then room to grow
	    body                to the end

The head's checksum covers the body's, so a head can be read, checked and replaced without its body, and never goes with another.
*/
const magic = 0xC7_AC;
const version = 1;
const prefixLength = 18;
/** Node takes 16 KiB of header fields unless it is told otherwise; an index names 64 variants with their entity tags. */
export const longestHead = 256 * 1024;

const flag = {
	index: 1,
	/** The run of strings is UTF-16, for what latin1 cannot hold. */
	utf16: 2,
	version: 4,
	compressed: 8,
};
const knownFlags = flag.index | flag.utf16 | flag.version | flag.compressed;

/** A guard is its token as it is. */
export type EncodedRecord = Exclude<StoredRecord, StoredGuard>;

const kindFlags = {response: 0, index: flag.index, version: flag.version};

type Checksum = (bytes: Uint8Array | string, initial?: number) => number;

type EncodeOptions = {
	/** The body in its compressed form. */
	readonly packed?: Uint8Array | undefined;
	/** Default: CRC-32. */
	readonly checksum?: Checksum;
	/** Default: `checksum`. */
	readonly checksumOfBody?: Checksum;
	/** Whether the value may share its bytes with the record's body: nobody else may get hold of them. Default: `false`. */
	readonly sharesBody?: boolean;
};

/** Behind the head of a long or compressed body, for another one to fit in its place: writing that body anew is what costs. */
const leastRoom = 64;
export const longBodyLength = 16 * 1024;

/** With its room, and with all that stands in front of it where it is encrypted. */
export const longestStored = longestHead + (2 * leastRoom) + 64;

/** Whole steps, so that heads of much the same length take the same. */
const withRoom = (headLength: number): number => Math.ceil((headLength + leastRoom) / leastRoom) * leastRoom;

/**
The bytes of a record. They are tied to `key`: stored under another one, they do not decode.

@throws {RangeError} When the record without its body is longer than 256 KiB, or has more of something than a reader takes.
*/
export const encode = (record: EncodedRecord, key: string, {packed, checksum = crc32, checksumOfBody = checksum, sharesBody = false}: EncodeOptions = {}) => {
	const head = writeHead(record);
	if (head.length > longestHead) {
		throw new RangeError(`The head of a stored record takes ${head.length} bytes, more than ${longestHead}`);
	}

	if (!isWithinBounds(record)) {
		throw new RangeError('A stored record has more tags, versions or variants than a reader takes');
	}

	const body = packed ?? (record.kind === 'response' ? record.body : noBytes);
	const headLength = packed === undefined && body.length < longBodyLength ? head.length : withRoom(head.length);
	const around = sharesBody ? takeRoom(body, headLength) : undefined;
	const bytes = around ?? Buffer.allocUnsafe(headLength + body.length);
	layOut(bytes, head, {headLength, bodyChecksum: checksumOfBody(body), isCompressed: packed !== undefined});
	if (!around) {
		bytes.set(body, headLength);
	}

	bytes.writeUInt32LE(checksum(bytes.subarray(6, headLength), checksum(key)), 2);
	return bytes;
};

/** The bytes of a head beside its strings. */
const mostBeside = 1024;

/** The longest `indexId` of an index, which its variants have as well. */
const mostGeneration = 64;

/** Whether `encode` takes the head of a response. */
export const isHeadWithinBounds = (response: StoredResponse): boolean => {
	const {url, statusMessage, rawHeaders, tags, groups, versions, selectingHeaders} = response;
	const texts = [url, statusMessage, ...rawHeaders, ...tags, ...groups, ...versions, ...Object.entries(selectingHeaders).flat()];
	const textLength = texts.reduce((sum, text) => sum + text.length, 0);
	// Two bytes of each character, and three numbers that say how long it is.
	return (2 * textLength) + (8 * texts.length) + mostBeside < longestHead || writeHead(response).length <= longestHead - mostGeneration;
};

/**
A head to put in the place of the one that a body was read behind; `undefined` where it does not fit.

@param body - The entry of the body in the former head; the body stays as it is.
*/
export const encodeHead = (record: StoredResponse, key: string, body: BodyReference, checksum: Checksum = crc32): Uint8Array | undefined => {
	const head = writeHead(record);
	if (head.length > body.headLength) {
		return undefined;
	}

	const bytes = layOut(Buffer.allocUnsafe(body.headLength), head, body);
	bytes.writeUInt32LE(checksum(bytes.subarray(6), checksum(key)), 2);
	return bytes;
};

/** Shorter strings are sent again, since a note that they stay would not be shorter. */
const longStringsLength = 1024;

/**
Where the strings of an encoded index begin, if they are long: validating one of its variants changes no more than what is in front of them.
*/
export const longStringsStart = (bytes: Uint8Array): number | undefined => {
	const view = asBuffer(bytes);
	const stringsStart = view.readUIntLE(11, 3);
	return (view.readUInt8(7) & flag.index) !== 0 && view.length - stringsStart >= longStringsLength ? stringsStart : undefined;
};

/**
The bytes in front of the strings of an index, to replace those of another; `undefined` if it has other strings, or takes another length.

@param length - The length of the index that it replaces.
*/
export const encodeNumbers = (index: VariantIndex, key: string, {strings, length}: {readonly strings: Uint8Array; readonly length: number}, checksum: Checksum = crc32): Uint8Array | undefined => {
	const head = writeHead(index);
	if (head.writer.position !== length || head.length !== length + strings.length) {
		return undefined;
	}

	const bytes = layOut(Buffer.allocUnsafe(head.length), head, {headLength: head.length, bodyChecksum: checksum(noBytes), isCompressed: false});
	bytes.writeUInt32LE(checksum(bytes.subarray(6), checksum(key)), 2);
	return bytes.subarray(length).equals(strings) ? Buffer.from(bytes.subarray(0, length)) : undefined;
};

export type BodyReference = Pick<RecordHead, 'headLength' | 'bodyChecksum' | 'isCompressed'>;

/** A record that would be refused on reading is refused on writing. */
const isWithinBounds = (record: EncodedRecord): boolean => {
	switch (record.kind) {
		case 'index': {
			return isIndexWithinBounds(record);
		}

		case 'version': {
			return true;
		}

		case 'response': {
			return isResponseWithinBounds(record);
		}
	}
};

/** Valid until the next one is written. */
type WrittenHead = {
	readonly writer: Writer;
	readonly flags: number;
	readonly length: number;
};

const writeHead = (record: EncodedRecord): WrittenHead => {
	const writer = new Writer(prefixLength);
	switch (record.kind) {
		case 'index': {
			writeIndex(writer, record);
			break;
		}

		case 'version': {
			writeTagVersion(writer, record);
			break;
		}

		case 'response': {
			writeResponse(writer, record);
		}
	}

	const {isLatin1, strings, position} = writer;
	return {writer, flags: kindFlags[record.kind] | (isLatin1 ? 0 : flag.utf16), length: position + (isLatin1 ? strings.length : strings.length * 2)};
};

type WritableBytes = ReturnType<typeof Buffer.allocUnsafe>;

/** Writes a head to the start of bytes, still without its checksum. */
const layOut = (bytes: WritableBytes, {writer, flags, length}: WrittenHead, {headLength, bodyChecksum, isCompressed}: BodyReference): WritableBytes => {
	const {strings, position: stringsStart} = writer;
	bytes.set(writer.scratch.subarray(0, stringsStart));
	bytes.write(strings, stringsStart, (flags & flag.utf16) === 0 ? 'latin1' : 'utf16le');
	bytes.fill(0, length, headLength);

	bytes.writeUInt16BE(magic, 0);
	bytes[6] = version;
	bytes[7] = flags | (isCompressed ? flag.compressed : 0);
	bytes.writeUIntLE(headLength, 8, 3);
	bytes.writeUIntLE(stringsStart, 11, 3);
	bytes.writeUInt32LE(bodyChecksum, 14);
	return bytes;
};

/**
The record that `bytes` hold, or `undefined` when they are not exactly what `encode` wrote for `key`, or compressed. The body is a view of `bytes`, not a copy.
*/
export const decode = (bytes: Uint8Array, key: string): EncodedRecord | undefined => {
	const head = decodeHead(bytes, key);
	const body = head?.isCompressed === false ? bodyOf(head, bytes.subarray(head.headLength)) : undefined;
	return head && body && withBody(head.record, body);
};

/**
The body that follows a head, if it is exactly the one that belongs to it.
*/
export const bodyOf = ({bodyLength, bodyChecksum, isCompressed}: RecordHead, bytes: Uint8Array, checksum: Checksum = crc32): Uint8Array | undefined =>
	(isCompressed || bytes.length === bodyLength) && checksum(bytes) === bodyChecksum ? bytes : undefined;

/**
The head of an encoded record.
*/
export type RecordHead = {
	/** Its body is left empty. */
	readonly record: EncodedRecord;
	readonly headLength: number;
	/** The length of the body before compression. */
	readonly bodyLength: number;
	readonly bodyChecksum: number;
	readonly isCompressed: boolean;
};

/** Whether bytes begin as no record of any version does. */
export const isForeign = (bytes: Uint8Array): boolean => bytes.length > 0 && (bytes.length < prefixLength || asBuffer(bytes).readUInt16BE(0) !== magic);

/**
How many bytes `decodeHead` needs, from the first `prefixLength` bytes of a record; `undefined` when they are no record.
*/
export const headLengthOf = (bytes: Uint8Array): number | undefined => {
	const view = asBuffer(bytes);
	if (view.length < prefixLength || view.readUInt16BE(0) !== magic || view[6] !== version) {
		return undefined;
	}

	const headLength = view.readUIntLE(8, 3);
	return headLength < prefixLength || headLength > longestStored ? undefined : headLength;
};

/**
The record without its body, from as many bytes as `headLengthOf` says or more.
*/
export const decodeHead = (bytes: Uint8Array, key: string, checksum: Checksum = crc32): RecordHead | undefined => {
	const headLength = headLengthOf(bytes);
	if (headLength === undefined || headLength > bytes.length) {
		return undefined;
	}

	const view = asBuffer(bytes);
	const flags = view.readUInt8(7);
	const stringsStart = view.readUIntLE(11, 3);
	const isResponse = (flags & (flag.index | flag.version)) === 0;
	const isUnknown = (flags & ~knownFlags) !== 0 || stringsStart < prefixLength || stringsStart > headLength || (!isResponse && (flags & flag.compressed) !== 0);
	if (isUnknown || view.readUInt32LE(2) !== checksum(view.subarray(6, headLength), checksum(key))) {
		return undefined;
	}

	const isLatin1 = (flags & flag.utf16) === 0;
	// Node.js 24.21 writes one byte beyond its own memory if the number of bytes and the address are odd.
	const textEnd = isLatin1 ? headLength : headLength - ((headLength - stringsStart) % 2);
	const reader = new Reader(view, prefixLength, stringsStart, view.toString(isLatin1 ? 'latin1' : 'utf16le', stringsStart, textEnd));
	const bodyLength = isResponse ? reader.integer() : 0;
	const record = isResponse ? readResponse(reader) : readOther(reader, flags);
	const stringsEnd = stringsStart + (reader.stringPosition * (isLatin1 ? 1 : 2));
	const isAllRead = !reader.isBroken && reader.position === stringsStart;
	if (!isAllRead || stringsEnd > longestHead || !isRoom(view, stringsEnd, headLength) || !isWithinBounds(record)) {
		return undefined;
	}

	return {
		record,
		headLength,
		bodyLength,
		bodyChecksum: view.readUInt32LE(14),
		isCompressed: (flags & flag.compressed) !== 0,
	};
};

/** Whether there is nothing between two positions. */
const isRoom = (bytes: Uint8Array, start: number, end: number): boolean => {
	for (let position = start; position < end; position++) {
		if (bytes[position] !== 0) {
			return false;
		}
	}

	return true;
};

const asBuffer = (bytes: Uint8Array) => Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const withBody = (record: EncodedRecord, body: Uint8Array): EncodedRecord => {
	if (record.kind === 'response') {
		// The response was made a moment ago and nobody else holds it: no second object.
		(record as {body: Uint8Array}).body = body;
	}

	return record;
};

const readOther = (reader: Reader, flags: number): VariantIndex | StoredVersion => {
	if ((flags & flag.version) === 0) {
		return readIndex(reader);
	}

	if ((flags & flag.index) !== 0) {
		reader.fail();
	}

	return readTagVersion(reader);
};
