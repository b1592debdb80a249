import {Buffer} from 'node:buffer';
import {STATUS_CODES} from 'node:http';
import zlib from 'node:zlib';
import {isJsonType, textOf, toBodyFile, type BodyFile, type BodyFormat} from '../fixtures/body-file.ts';
import {compareText} from '../fixtures/compare.ts';
import {isBodilessStatus} from '../http/status-codes.ts';
import type {MatchingRules} from './options.ts';
import {redactField, redactJson} from './redaction.ts';

export type WrittenFields = Readonly<Record<string, string | readonly string[]>>;

/** A response as it is written, but for the name of the file of its body. */
export type RecordedResponse = {
	readonly status: number;
	/** Only if it is not the usual one. */
	readonly statusText?: string | undefined;
	readonly headers: WrittenFields;
	/** The time from `Date` to `Expires`: a recording has neither date. */
	readonly expiresAfterSeconds?: number | undefined;
	/** The name of the file of the body; no body if absent. */
	readonly body?: string | undefined;
	readonly bodyFormat?: BodyFormat;
	/** Whether the file has the bytes of the content coding, which could not be decoded. */
	readonly isBodyEncoded?: boolean | undefined;
};

/** A response as it was received. */
export type ReceivedResponse = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: readonly string[];
	readonly body: Uint8Array;
};

/** Fields of the connection, and those whose value is another one each time; they follow from the replay itself. */
const unwrittenFields: ReadonlySet<string> = new Set([
	'age',
	'connection',
	'date',
	'keep-alive',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

type Coding = {
	readonly encode: (body: Uint8Array) => Uint8Array;
	readonly decode: (body: Uint8Array) => Uint8Array;
};

const gzip: Coding = {encode: zlib.gzipSync, decode: zlib.gunzipSync};

const codings: Readonly<Record<string, Coding | undefined>> = {
	gzip,
	'x-gzip': gzip,
	deflate: {encode: zlib.deflateSync, decode: zlib.inflateSync},
	br: {encode: zlib.brotliCompressSync, decode: zlib.brotliDecompressSync},
	// From Node.js 22.15.
	zstd: typeof zlib.zstdCompressSync === 'function' ? {encode: zlib.zstdCompressSync, decode: zlib.zstdDecompressSync} : undefined,
};

const codingOf = (contentEncoding: string | undefined): Coding | undefined => {
	const name = contentEncoding?.trim().toLowerCase() ?? '';

	return Object.hasOwn(codings, name) ? codings[name] : undefined;
};

const isEncoded = (contentEncoding: string | undefined): boolean => contentEncoding !== undefined && contentEncoding.trim().toLowerCase() !== 'identity';

const decodedBody = (body: Uint8Array, contentEncoding: string | undefined): Uint8Array | undefined => {
	if (body.byteLength === 0 || !isEncoded(contentEncoding)) {
		return body;
	}

	try {
		return codingOf(contentEncoding)?.decode(body);
	} catch {
		return undefined;
	}
};

/** The body as it is sent: in the content coding that the header fields name. */
export const encodedBody = (body: Uint8Array, {headers, isBodyEncoded}: RecordedResponse): Uint8Array => {
	const contentEncoding = headers['content-encoding'];
	if (typeof contentEncoding !== 'string' || isBodyEncoded === true || body.byteLength === 0) {
		return body;
	}

	return codingOf(contentEncoding)?.encode(body) ?? body;
};

/** Whether a response has no body, so that its `Content-Length` speaks of another one. */
const hasNoBody = (method: string, statusCode: number): boolean => method === 'HEAD' || isBodilessStatus(statusCode);

const groupFields = (rawHeaders: readonly string[]): Map<string, string[]> => {
	const fields = new Map<string, string[]>();
	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]?.toLowerCase() ?? '';
		// Of HTTP/2.
		if (!name.startsWith(':')) {
			fields.set(name, [...fields.get(name) ?? [], rawHeaders[index + 1] ?? '']);
		}
	}

	return fields;
};

const expiresAfter = (fields: ReadonlyMap<string, readonly string[]>): number | undefined => {
	const [date, expires] = [fields.get('date')?.[0], fields.get('expires')?.[0]].map(value => Date.parse(value ?? ''));
	const seconds = ((expires ?? NaN) - (date ?? NaN)) / 1000;

	return Number.isNaN(seconds) ? undefined : seconds;
};

/** The secrets that the user named in JSON; other bodies stay as they are. */
const redactBody = (body: Uint8Array, contentType: string | undefined, {isOwnSecret}: MatchingRules): Uint8Array => {
	const text = isJsonType(contentType) ? textOf(body) : undefined;
	if (text === undefined) {
		return body;
	}

	try {
		const value: unknown = JSON.parse(text);
		const safe = JSON.stringify(redactJson(value, isOwnSecret));
		return safe === JSON.stringify(value) ? body : Buffer.from(safe);
	} catch {
		return body;
	}
};

export type ResponseToWrite = {
	readonly response: Omit<RecordedResponse, 'body'>;
	readonly file: BodyFile | undefined;
};

/** A received response as it is written. */
export const toRecordedResponse = (method: string, {statusCode, statusMessage, rawHeaders, body}: ReceivedResponse, rules: MatchingRules, now: number): ResponseToWrite => {
	const fields = groupFields(rawHeaders);
	const expiresAfterSeconds = expiresAfter(fields);
	const contentType = fields.get('content-type')?.[0];
	const decoded = decodedBody(body, fields.get('content-encoding')?.join(', '));
	const file =
		body.byteLength === 0
			? undefined
			: toBodyFile(
				decoded === undefined ? body : redactBody(decoded, contentType, rules),
				decoded === undefined ? 'application/octet-stream' : contentType,
			);
	const isWritten = (name: string) => !unwrittenFields.has(name)
		&& (name !== 'content-length' || hasNoBody(method, statusCode))
		&& (name !== 'expires' || expiresAfterSeconds === undefined);
	const headers = fields.entries()
		.filter(([name]) => isWritten(name))
		.map(([name, values]) => [name, values.map(value => redactField(name, value, rules, now))] as const)
		.toArray()
		.toSorted(([one], [other]) => compareText(one, other))
		.map(([name, values]) => [name, values.length === 1 ? values[0] ?? '' : values] as const);

	return {
		response: {
			status: statusCode,
			statusText: ['', STATUS_CODES[statusCode]].includes(statusMessage) ? undefined : statusMessage,
			headers: Object.fromEntries(headers),
			expiresAfterSeconds,
			bodyFormat: file?.format,
			isBodyEncoded: decoded === undefined ? true : undefined,
		},
		file,
	};
};

const httpDate = (epochMs: number): string => new Date(epochMs).toUTCString();

/**
A recorded response as bytes of HTTP/1.1. Its dates count from now, and its length is that of the body.

@param body - The body, before its content coding.
*/
export const toHttpBytes = (method: string, response: RecordedResponse, body: Uint8Array, now: number): Uint8Array => {
	const {status, statusText, headers, expiresAfterSeconds} = response;
	const isBodiless = hasNoBody(method, status);
	const content = isBodiless ? new Uint8Array() : encodedBody(body, response);
	const fields: Array<readonly [string, string]> = Object.entries(headers).flatMap(([name, value]) => [value].flat().map(each => [name, each] as const));
	if (headers.date === undefined) {
		fields.push(['date', httpDate(now)]);
	}

	if (expiresAfterSeconds !== undefined && headers.expires === undefined) {
		fields.push(['expires', httpDate(now + (expiresAfterSeconds * 1000))]);
	}

	const framed = isBodiless ? fields : [...fields.filter(([name]) => name !== 'content-length'), ['content-length', String(content.byteLength)] as const];
	const head = [`HTTP/1.1 ${status} ${statusText ?? STATUS_CODES[status] ?? ''}`, ...framed.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');

	return Buffer.concat([Buffer.from(head, 'latin1'), content]);
};
