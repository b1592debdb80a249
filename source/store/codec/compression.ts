import {promisify} from 'node:util';
import * as zlib from 'node:zlib';
import type {StoredResponse} from '../../types/stored.ts';

/** Node has it since 22.15 and 23.8. */
export const isCompressionSupported = typeof zlib.zstdCompress === 'function';

/** Higher levels gain a few per cent on JSON and HTML and take twice as long and more: docs/stores/redis.md. */
const level = 1;

/** Decompressing a smaller one takes a quarter of a hit from Redis, for less than a kilobyte saved: docs/stores/redis.md. */
const smallestBody = 2048;

/** A body that is larger when decompressed is neither written nor read: a few bytes in the store could fill the memory. */
export const largestBody = 64 * 1024 * 1024;

/** Larger bodies are compressed beside the event loop. */
const longBody = 128 * 1024;

/** The bytes of a long body that show whether the rest gains from compression. */
const sampleSize = 16 * 1024;

const compressedTypes =
	/^(?:(?:audio|video)\/(?!(?:\w+-)?(?:wav|midi|aiff))|image\/(?!svg|bmp|x-ms-bmp|tiff|x-icon|vnd\.microsoft\.icon|vnd\.adobe)|font\/woff|application\/(?:font-woff|zip|gzip|x-gzip|zstd|x-7z-compressed|x-bzip2?|x-xz|x-rar-compressed|vnd\.rar|java-archive|epub\+zip|vnd\.openxmlformats|vnd\.oasis\.opendocument))/v;

const contentType = (rawHeaders: readonly string[]): string => {
	const position = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
	return position === -1 ? '' : (rawHeaders[position + 1] ?? '').trim().toLowerCase();
};

const isWorthIt = (compressed: Uint8Array, body: Uint8Array): boolean => compressed.length < body.length * 0.9;

/** A table of 32 KiB, which fits into the nearest cache of a processor: a larger one finds no more in what is compressed here, and is slower. */
const hashLog = 13;

/** A body up to this length is compressed in one piece. */
const shortBody = 32 * 1024;

/** The pieces of a longer body, which mostly becomes shorter than half. Room that is not needed has V8 collect the whole heap more often. */
const pieceSize = 24 * 1024;

/** The longest that a body can become (`ZSTD_COMPRESSBOUND`): with room for that, Zstandard needs no buffer in between. */
const compressBound = (length: number): number => length + Math.ceil(length / 256) + 64;

const compressOptions = (length: number): zlib.ZstdOptions => ({
	params: {[zlib.constants.ZSTD_c_compressionLevel]: level, [zlib.constants.ZSTD_c_hashLog]: hashLog},
	pledgedSrcSize: length,
	chunkSize: length <= shortBody ? compressBound(length) : pieceSize,
});

const compressLong = async (body: Uint8Array): Promise<Uint8Array | undefined> => {
	const compressed = await promisify(zlib.zstdCompress)(body, compressOptions(body.length));
	return isWorthIt(compressed, body) ? compressed : undefined;
};

/**
The body of a response, compressed; `undefined` where that gains nothing. A promise where it takes long.
*/
export const compressBody = ({rawHeaders, body}: Pick<StoredResponse, 'rawHeaders' | 'body'>): Uint8Array | undefined | Promise<Uint8Array | undefined> => {
	if (body.length < smallestBody || body.length > largestBody || compressedTypes.test(contentType(rawHeaders))) {
		return undefined;
	}

	const start = body.length > longBody ? (body.length - sampleSize) / 2 : 0;
	const sample = body.length > longBody ? body.subarray(start, start + sampleSize) : body;
	const compressed = zlib.zstdCompressSync(sample, compressOptions(sample.length));
	if (!isWorthIt(compressed, sample)) {
		return undefined;
	}

	return sample === body ? compressed : compressLong(body);
};

const decompressOptions = (length: number): zlib.ZstdOptions => ({
	// No more than the record says, whatever the compressed bytes say.
	maxOutputLength: length,
	// A byte more than is wanted: Node gets another piece ready, and asks again, when one is full.
	chunkSize: Math.min(Math.max(length, 64), 1024 * 1024) + 1,
});

const decompressLong = async (compressed: Uint8Array, length: number): Promise<Uint8Array | undefined> => {
	try {
		const body = await promisify(zlib.zstdDecompress)(compressed, decompressOptions(length));
		return body.length === length ? body : undefined;
	} catch {
		return undefined;
	}
};

/**
A body of which the record says how long it is; `undefined` for what is not exactly that, or longer than any that is compressed here. A promise where it takes long.
*/
export const decompressBody = (compressed: Uint8Array, length: number): Uint8Array | undefined | Promise<Uint8Array | undefined> => {
	if (!isCompressionSupported || length > largestBody) {
		return undefined;
	}

	if (length > longBody) {
		return decompressLong(compressed, length);
	}

	try {
		const body = zlib.zstdDecompressSync(compressed, decompressOptions(length));
		return body.length === length ? body : undefined;
	} catch {
		return undefined;
	}
};
