/* eslint-disable no-bitwise -- flags are packed into bytes */
import {Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import type {
	StoredMark,
	StoredPolicy,
	StoredRange,
	StoredRecord,
	StoredResponse,
	VariantIndex,
	VariantReference,
} from '../stored.ts';
import {Reader, Writer} from './bytes.ts';
import {headerNames, headerNumbers} from './header-names.ts';

/*
A stored record as bytes, described in docs/storage.md:

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
const longestHead = 256 * 1024;

const flag = {
	index: 1,
	/** The run of strings is UTF-16, for what latin1 cannot hold. */
	utf16: 2,
	mark: 4,
	compressed: 8,
};
const knownFlags = flag.index | flag.utf16 | flag.mark | flag.compressed;

const kindFlags = {response: 0, index: flag.index, mark: flag.mark};

const policyFlag = {
	isShared: 1,
	isNoCache: 2,
	isMustRevalidate: 4,
	isImmutable: 8,
	isInvalidated: 16,
	hasStaleWhileRevalidate: 32,
	hasStaleIfError: 64,
	hasRange: 128,
};

/** The first two bits of a response's form. */
const methods = ['', 'GET', 'HEAD', 'POST'];
/** The next two. */
const httpVersions = ['', '1.1', '2.0', '1.0'];
const formFlag = {
	/** The response was received a whole number of milliseconds after the request was sent. */
	hasDelay: 16,
	hasTags: 32,
	hasGeneration: 64,
	hasSelectingHeaders: 128,
};

const noBytes = Buffer.alloc(0);

type Checksum = (bytes: Uint8Array | string, initial?: number) => number;

type EncodeOptions = {
	/** The body in its compressed form. */
	readonly packed?: Uint8Array | undefined;
	/** Default: CRC-32. */
	readonly checksum?: Checksum;
};

/** Behind the head of a long body, for another one to fit in its place: writing that anew is what costs. */
const leastRoom = 64;
export const longBodyLength = 16 * 1024;

/** Whole steps, so that heads of much the same length take the same. */
const withRoom = (headLength: number): number => Math.ceil((headLength + leastRoom) / leastRoom) * leastRoom;

/**
The bytes of a record. They are tied to `key`: stored under another one, they do not decode.

@throws {RangeError} When the record without its body is longer than 256 KiB.
*/
export const encode = (record: StoredRecord, key: string, {packed, checksum = crc32}: EncodeOptions = {}) => {
	const head = writeHead(record);
	if (head.length > longestHead) {
		throw new RangeError(`The head of a stored record takes ${head.length} bytes, more than ${longestHead}`);
	}

	const body = packed ?? (record.kind === 'response' ? record.body : noBytes);
	const headLength = body.length < longBodyLength ? head.length : withRoom(head.length);
	const bytes = layOut(head, {headLength, bodyChecksum: checksum(body), isCompressed: packed !== undefined}, headLength + body.length);
	bytes.set(body, headLength);
	bytes.writeUInt32LE(checksum(bytes.subarray(6, headLength), checksum(key)), 2);
	return bytes;
};

/**
A head to put in the place of the one that a body was read behind; `undefined` where it does not fit.

@param body - What that one says of the body, which stays as it is.
*/
export const encodeHead = (record: StoredResponse, key: string, body: BodyReference, checksum: Checksum = crc32): Uint8Array | undefined => {
	const head = writeHead(record);
	if (head.length > body.headLength) {
		return undefined;
	}

	const bytes = layOut(head, body, body.headLength);
	bytes.writeUInt32LE(checksum(bytes.subarray(6), checksum(key)), 2);
	return bytes;
};

/** What is shorter is as well sent as what would say that it stays. */
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
What is in front of the strings of an index, to be put there in the place of another; `undefined` where other strings belong to it, or it takes another length.

@param length - Of the one in whose place it comes.
*/
export const encodeNumbers = (index: VariantIndex, key: string, {strings, length}: {readonly strings: Uint8Array; readonly length: number}, checksum: Checksum = crc32): Uint8Array | undefined => {
	const head = writeHead(index);
	if (head.writer.position !== length || head.length !== length + strings.length) {
		return undefined;
	}

	const bytes = layOut(head, {headLength: head.length, bodyChecksum: checksum(noBytes), isCompressed: false}, head.length);
	bytes.writeUInt32LE(checksum(bytes.subarray(6), checksum(key)), 2);
	return bytes.subarray(length).equals(strings) ? Buffer.from(bytes.subarray(0, length)) : undefined;
};

export type BodyReference = Pick<RecordHead, 'headLength' | 'bodyChecksum' | 'isCompressed'>;

/** Valid until the next one is written. */
type WrittenHead = {
	readonly writer: Writer;
	readonly flags: number;
	readonly length: number;
};

const writeHead = (record: StoredRecord): WrittenHead => {
	const writer = new Writer(prefixLength);
	switch (record.kind) {
		case 'index': {
			writeIndex(writer, record);
			break;
		}

		case 'mark': {
			writeMark(writer, record);
			break;
		}

		case 'response': {
			writeResponse(writer, record);
		}
	}

	const {isLatin1, strings, position} = writer;
	return {writer, flags: kindFlags[record.kind] | (isLatin1 ? 0 : flag.utf16), length: position + (isLatin1 ? strings.length : strings.length * 2)};
};

/** So many bytes that begin with a head, but for its checksum. */
const layOut = ({writer, flags, length}: WrittenHead, {headLength, bodyChecksum, isCompressed}: BodyReference, byteLength: number) => {
	const bytes = Buffer.allocUnsafe(byteLength);
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
export const decode = (bytes: Uint8Array, key: string): StoredRecord | undefined => {
	const head = decodeHead(bytes, key);
	const body = head?.isCompressed === false ? bodyOf(head, bytes.subarray(head.headLength)) : undefined;
	return head && body && withBody(head.record, body);
};

/**
What follows a head, if that is exactly what belongs to it.
*/
export const bodyOf = ({bodyLength, bodyChecksum, isCompressed}: RecordHead, bytes: Uint8Array, checksum: Checksum = crc32): Uint8Array | undefined =>
	(isCompressed || bytes.length === bodyLength) && checksum(bytes) === bodyChecksum ? bytes : undefined;

/**
What the first bytes of an encoded record tell of it.
*/
export type RecordHead = {
	/** Its body is left empty. */
	readonly record: StoredRecord;
	readonly headLength: number;
	/** Of the body as it is, not as it is compressed. */
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
	return headLength < prefixLength ? undefined : headLength;
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
	const isUnknown = (flags & ~knownFlags) !== 0 || stringsStart < prefixLength || stringsStart > headLength;
	if (isUnknown || view.readUInt32LE(2) !== checksum(view.subarray(6, headLength), checksum(key))) {
		return undefined;
	}

	const encoding = (flags & flag.utf16) === 0 ? 'latin1' : 'utf16le';
	const reader = new Reader(view, prefixLength, stringsStart, view.toString(encoding, stringsStart, headLength));
	const isResponse = (flags & (flag.index | flag.mark)) === 0;
	const bodyLength = isResponse ? reader.integer() : 0;
	const record = isResponse ? readResponse(reader) : readOther(reader, flags);
	if (reader.isBroken) {
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

const asBuffer = (bytes: Uint8Array) => Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const writeResponse = (writer: Writer, response: StoredResponse): void => {
	const {policy, range, tags, groups, marks, generation} = response;
	const selecting = Object.entries(response.selectingHeaders);
	const delay = policy.responseTimeMs - policy.requestTimeMs;
	const hasDelay = [delay, policy.requestTimeMs, policy.responseTimeMs].every(time => Number.isSafeInteger(time));
	const method = Math.max(0, methods.indexOf(response.method));
	const httpVersion = Math.max(0, httpVersions.indexOf(response.httpVersion));

	writer.integer(response.body.length);
	writer.byte(policyFlags(policy, range));
	writer.byte(method
		| (httpVersion << 2)
		| (hasDelay ? formFlag.hasDelay : 0)
		| (tags.length + groups.length > 0 ? formFlag.hasTags : 0)
		| (generation === '' ? 0 : formFlag.hasGeneration)
		| (selecting.length > 0 ? formFlag.hasSelectingHeaders : 0));
	writePolicy(writer, policy, hasDelay ? delay : undefined);
	if (range !== undefined) {
		writer.number(range.firstByte);
		writer.number(range.lastByte);
		writer.number(range.completeLength);
	}

	if (method === 0) {
		writer.string(response.method);
	}

	if (httpVersion === 0) {
		writer.string(response.httpVersion);
	}

	writer.string(response.url);
	writer.number(response.statusCode);
	writer.string(response.statusMessage);
	writeHeaders(writer, response.rawHeaders);
	if (selecting.length > 0) {
		writeHeaders(writer, selecting.flat());
	}

	if (tags.length + groups.length > 0) {
		writeStrings(writer, tags);
		writeStrings(writer, groups);
	}

	writeStrings(writer, marks);

	if (generation !== '') {
		writer.string(generation);
	}
};

const readResponse = (reader: Reader): StoredResponse => {
	const flags = reader.byte();
	const form = reader.byte();
	const policy = readPolicy(reader, flags, (form & formFlag.hasDelay) !== 0);
	const range = (flags & policyFlag.hasRange) === 0 ? undefined : readRange(reader);
	const method = knownOrWritten(methods[form & 3], reader);
	const httpVersion = knownOrWritten(httpVersions[(form >> 2) & 3], reader);
	return {
		kind: 'response',
		method,
		url: reader.string(),
		statusCode: reader.number(),
		statusMessage: reader.string(),
		httpVersion,
		rawHeaders: readHeaders(reader),
		selectingHeaders: (form & formFlag.hasSelectingHeaders) === 0 ? {} : readSelectingHeaders(reader),
		policy,
		range,
		tags: (form & formFlag.hasTags) === 0 ? [] : readStrings(reader),
		groups: (form & formFlag.hasTags) === 0 ? [] : readStrings(reader),
		marks: readStrings(reader),
		generation: (form & formFlag.hasGeneration) === 0 ? '' : reader.string(),
		body: noBytes,
	};
};

const knownOrWritten = (known: string | undefined, reader: Reader): string => known === undefined || known === '' ? reader.string() : known;

export const withBody = (record: StoredRecord, body: Uint8Array): StoredRecord => {
	if (record.kind === 'response') {
		// The response was made a moment ago and nobody else holds it: no second object.
		(record as {body: Uint8Array}).body = body;
	}

	return record;
};

const policyFlags = (policy: StoredPolicy, range: StoredRange | undefined): number =>
	(policy.isShared ? policyFlag.isShared : 0)
	| (policy.isNoCache ? policyFlag.isNoCache : 0)
	| (policy.isMustRevalidate ? policyFlag.isMustRevalidate : 0)
	| (policy.isImmutable ? policyFlag.isImmutable : 0)
	| (policy.isInvalidated ? policyFlag.isInvalidated : 0)
	| (policy.staleWhileRevalidateSeconds === undefined ? 0 : policyFlag.hasStaleWhileRevalidate)
	| (policy.staleIfErrorSeconds === undefined ? 0 : policyFlag.hasStaleIfError)
	| (range === undefined ? 0 : policyFlag.hasRange);

const writePolicy = (writer: Writer, policy: StoredPolicy, delayMs: number | undefined): void => {
	writer.number(policy.freshnessLifetimeSeconds);
	writer.number(policy.correctedInitialAgeSeconds);
	writer.number(policy.requestTimeMs);
	writer.number(delayMs ?? policy.responseTimeMs);
	if (policy.staleWhileRevalidateSeconds !== undefined) {
		writer.number(policy.staleWhileRevalidateSeconds);
	}

	if (policy.staleIfErrorSeconds !== undefined) {
		writer.number(policy.staleIfErrorSeconds);
	}
};

const readPolicy = (reader: Reader, flags: number, hasDelay: boolean): StoredPolicy => {
	const freshnessLifetimeSeconds = reader.number();
	const correctedInitialAgeSeconds = reader.number();
	const requestTimeMs = reader.number();
	const responseTimeMs = reader.number() + (hasDelay ? requestTimeMs : 0);
	return {
		isShared: (flags & policyFlag.isShared) !== 0,
		freshnessLifetimeSeconds,
		correctedInitialAgeSeconds,
		requestTimeMs,
		responseTimeMs,
		isNoCache: (flags & policyFlag.isNoCache) !== 0,
		isMustRevalidate: (flags & policyFlag.isMustRevalidate) !== 0,
		isImmutable: (flags & policyFlag.isImmutable) !== 0,
		staleWhileRevalidateSeconds: (flags & policyFlag.hasStaleWhileRevalidate) === 0 ? undefined : reader.number(),
		staleIfErrorSeconds: (flags & policyFlag.hasStaleIfError) === 0 ? undefined : reader.number(),
		isInvalidated: (flags & policyFlag.isInvalidated) !== 0,
	};
};

const readRange = (reader: Reader): StoredRange => ({
	firstByte: reader.number(),
	lastByte: reader.number(),
	completeLength: reader.number(),
});

const writeHeaders = (writer: Writer, rawHeaders: readonly string[]): void => {
	writer.integer(rawHeaders.length);
	for (const [index, text] of rawHeaders.entries()) {
		const number = index % 2 === 0 ? headerNumbers.get(text) : undefined;
		if (number !== undefined) {
			writer.byte(number);
			continue;
		}

		if (index % 2 === 0) {
			writer.byte(0);
		}

		writer.string(text);
	}
};

const readHeaders = (reader: Reader): string[] => {
	const count = reader.count();
	const rawHeaders: string[] = [];
	for (let index = 0; index < count && !reader.isBroken; index++) {
		const number = index % 2 === 0 ? reader.byte() : 0;
		rawHeaders.push(number === 0 ? reader.string() : headerNames[number] ?? reader.fail());
	}

	return rawHeaders;
};

/** `Object.fromEntries` defines each name as a property of its own, `__proto__` too. */
const readSelectingHeaders = (reader: Reader): Record<string, string> => {
	const flat = readHeaders(reader);
	const entries: Array<[string, string]> = [];
	for (let index = 0; index + 1 < flat.length; index += 2) {
		entries.push([flat[index] ?? '', flat[index + 1] ?? '']);
	}

	return Object.fromEntries(entries);
};

const writeStrings = (writer: Writer, strings: readonly string[]): void => {
	writer.integer(strings.length);
	for (const text of strings) {
		writer.string(text);
	}
};

const readStrings = (reader: Reader): string[] => Array.from({length: reader.count()}, () => reader.string());

const writeMark = (writer: Writer, mark: StoredMark): void => {
	writer.string(mark.generation);
	writer.string(mark.softGeneration);
	writer.number(mark.purgedAtMs);
	if (mark.noVarySearch !== undefined) {
		writer.string(mark.noVarySearch);
	}
};

const readOther = (reader: Reader, flags: number): VariantIndex | StoredMark => {
	if ((flags & flag.mark) === 0) {
		return readIndex(reader);
	}

	if ((flags & flag.index) !== 0) {
		reader.fail();
	}

	return readMark(reader);
};

const readMark = (reader: Reader): StoredMark => {
	const mark: StoredMark = {
		kind: 'mark',
		generation: reader.string(),
		softGeneration: reader.string(),
		purgedAtMs: reader.number(),
	};

	return reader.position === reader.end ? mark : {...mark, noVarySearch: reader.string()};
};

/** By id, so that a new order changes no strings. */
const writeIndex = (writer: Writer, index: VariantIndex): void => {
	writer.string(index.generation);
	writeStrings(writer, index.vary);
	writer.integer(index.variants.length);
	const places = index.variants.entries().toArray().toSorted(([, {id: first}], [, {id: second}]) => Number(first > second) - Number(first < second));
	for (const [place, {id, keptUntilMs, etag}] of places) {
		writer.string(id);
		writer.number(keptUntilMs);
		writer.string(etag);
		writer.integer(place);
	}
};

const readIndex = (reader: Reader): VariantIndex => ({
	kind: 'index',
	generation: reader.string(),
	vary: readStrings(reader),
	variants: readVariants(reader, reader.count()),
});

const readVariants = (reader: Reader, count: number): VariantReference[] => {
	const byPlace = new Map<number, VariantReference>();
	for (let read = 0; read < count && !reader.isBroken; read++) {
		const variant = readVariant(reader);
		byPlace.set(reader.integer(), variant);
	}

	return Array.from({length: count}, (_, place) => byPlace.get(place) ?? reader.fail()).filter(variant => variant !== '');
};

const readVariant = (reader: Reader): VariantReference => ({
	id: reader.string(),
	keptUntilMs: reader.number(),
	etag: reader.string(),
});
