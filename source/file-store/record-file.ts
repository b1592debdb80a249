import {Buffer} from 'node:buffer';
import path from 'node:path';
import {readBodyOf, toBodyFile, type BodyFormat} from '../fixtures/body-file.ts';
import {
	checkMembers,
	FileError,
	isJsonObject,
	isOptional,
	parseJsonFile,
	toJsonFile,
	type JsonObject,
	type MemberRule,
} from '../fixtures/json-file.ts';
import {isCredentialName, redacted} from '../http/credentials.ts';
import {isString} from '../options/validate.ts';
import {decode, encode, type EncodedRecord} from '../store/codec/codec.ts';
import type {StoredPolicy, StoredRange, StoredResponse} from '../types/stored.ts';

/*
A stored record as a file, and back. A response is written for people; an index or a version as JSON; a value that cannot be read here, such as an encrypted one, as Base64.
*/

/** An entry of the store: a value in bytes, and its end in milliseconds since the epoch. */
export type FileEntry = {
	/** The value, as the cache writes it. */
	readonly value: Uint8Array;
	/** The time at which it ends, in milliseconds since the epoch; `undefined` if never. */
	readonly expires?: number | undefined;
};

/** The files of an entry. The body's name is that of the JSON file with its own ending. */
export type EntryFiles = {
	readonly response: StoredResponse | undefined;
	/** @param bodyName - The name of the file of the body. */
	readonly toJson: (bodyName: string | undefined) => string;
	readonly body: {readonly ending: string; readonly content: Uint8Array} | undefined;
};

/** The key without its namespace, which records are encoded with. */
const bareKey = (key: string): string => key.slice(key.indexOf('{'));

const dateOf = (epochMs: number | undefined): string | undefined => epochMs === undefined ? undefined : new Date(epochMs).toISOString();

/** JSON has no number for a life without end. */
const toNumberText = (value: unknown): unknown => value === Infinity ? 'Infinity' : value;

const withNumberTexts = (object: Record<string, unknown>): JsonObject => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, toNumberText(value)]));

const redactedValue = (name: string, value: string): string => {
	if (name === 'set-cookie') {
		return value.replace(/=[^;]+/v, () => `=${redacted}`);
	}

	return value !== '' && isCredentialName(name) ? redacted : value;
};

const toLines = (rawHeaders: readonly string[]): string[] => {
	const lines: string[] = [];
	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const name = rawHeaders[index] ?? '';
		lines.push(`${name}: ${redactedValue(name.toLowerCase(), rawHeaders[index + 1] ?? '')}`);
	}

	return lines;
};

const responseFiles = (response: StoredResponse, key: string, keptUntil: string | undefined): EntryFiles => {
	const {method, url, statusCode, statusMessage, httpVersion, rawHeaders, selectingHeaders, policy, range, tags, groups, versions, indexId, body} = response;
	const lines = toLines(rawHeaders);
	const contentType = lines.find(line => /^content-type:/iv.test(line))?.slice('content-type:'.length);
	const isEncoded = lines.some(line => /^content-encoding:/iv.test(line));
	const file = body.byteLength === 0 ? undefined : toBodyFile(body, isEncoded ? 'application/octet-stream' : contentType);

	return {
		response,
		body: file,
		toJson: bodyName => toJsonFile({
			method,
			url,
			selectingHeaders: Object.keys(selectingHeaders).length === 0 ? undefined : selectingHeaders,
			statusCode,
			statusMessage,
			httpVersion,
			headers: lines,
			body: bodyName,
			bodyFormat: file?.format,
			bodyBytes: body.byteLength,
			tags: tags.length === 0 ? undefined : tags,
			groups: groups.length === 0 ? undefined : groups,
			policy: withNumberTexts(policy),
			range,
			versions,
			indexId: indexId === '' ? undefined : indexId,
			keptUntil,
			key,
		}),
	};
};

/** The files for an entry. */
export const toFiles = (key: string, {value, expires}: FileEntry): EntryFiles => {
	const keptUntil = dateOf(expires);
	const record = decode(value, bareKey(key));
	if (record?.kind === 'response') {
		return responseFiles(record, key, keptUntil);
	}

	const content = record === undefined ? {value: Buffer.from(value).toString('base64')} : {record};

	return {response: undefined, body: undefined, toJson: () => toJsonFile({...content, keptUntil, key})};
};

const isLine = (value: unknown): boolean => isString(value) && /^[^\s:]+:(?: [^\0\n\r]*)?$/v.test(value);

const isListOf = (isMember: (value: unknown) => boolean) => (value: unknown): boolean => Array.isArray(value) && value.every(each => isMember(each));

const isStringRecord = (value: unknown): boolean => isJsonObject(value) && Object.values(value).every(each => isString(each));

const isDate = (value: unknown): boolean => isString(value) && !Number.isNaN(Date.parse(value));

const isNumber = (value: unknown): boolean => value === 'Infinity' || Number.isFinite(value);

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';

const isFileName = (value: unknown): boolean => isString(value) && value !== '' && path.basename(value) === value;

const strings: MemberRule = [isOptional(isListOf(isString)), 'an array of strings'];

const everyFile: Readonly<Record<string, MemberRule>> = {
	keptUntil: [isOptional(isDate), 'a date, such as \'2030-01-31T00:00:00.000Z\''],
	key: [isString, 'a string'],
};

const responseRules: Readonly<Record<string, MemberRule>> = {
	method: [isString, 'a method, such as \'GET\''],
	url: [value => isString(value) && URL.canParse(value), 'an absolute URL'],
	selectingHeaders: [isOptional(isStringRecord), 'an object with a string for each header field'],
	statusCode: [value => Number.isSafeInteger(value) && Number(value) >= 200 && Number(value) <= 999, 'a final status code, such as 200'],
	statusMessage: [isString, 'a string'],
	httpVersion: [isString, 'a version of HTTP, such as \'1.1\''],
	headers: [isListOf(isLine), 'an array of header fields, such as \'Cache-Control: max-age=60\''],
	body: [isOptional(isFileName), 'the name of a file in the same folder'],
	bodyFormat: [isOptional(value => value === 'compact JSON'), '\'compact JSON\', or absent'],
	bodyBytes: [value => Number.isSafeInteger(value), 'a whole number'],
	tags: strings,
	groups: strings,
	policy: [isJsonObject, 'an object'],
	range: [isOptional(isJsonObject), 'an object'],
	versions: strings,
	indexId: [isOptional(isString), 'a string'],
	...everyFile,
};

const policyRules: Readonly<Record<keyof StoredPolicy, MemberRule>> = {
	isShared: [isBoolean, 'a boolean'],
	freshnessLifetimeSeconds: [isNumber, 'a number'],
	correctedInitialAgeSeconds: [isNumber, 'a number'],
	requestTimeMs: [isNumber, 'a number'],
	responseTimeMs: [isNumber, 'a number'],
	isNoCache: [isBoolean, 'a boolean'],
	isMustRevalidate: [isBoolean, 'a boolean'],
	isImmutable: [isBoolean, 'a boolean'],
	staleWhileRevalidateSeconds: [isOptional(isNumber), 'a number'],
	staleIfErrorSeconds: [isOptional(isNumber), 'a number'],
	isInvalidated: [isBoolean, 'a boolean'],
};

const rangeRules: Readonly<Record<keyof StoredRange, MemberRule>> = {
	firstByte: [Number.isSafeInteger, 'a whole number'],
	lastByte: [Number.isSafeInteger, 'a whole number'],
	completeLength: [Number.isSafeInteger, 'a whole number'],
};

const otherRules: Readonly<Record<string, MemberRule>> = {
	record: [isOptional(isJsonObject), 'an object'],
	value: [isOptional(isString), 'Base64'],
	...everyFile,
};

/** A field that a person's edit of the body has made wrong follows the body. */
const fieldsOf = (lines: readonly string[], bodyBytes: number | undefined): string[] => lines.flatMap(line => {
	const colon = line.indexOf(':');
	const name = line.slice(0, colon);
	const value = line.slice(colon + 2);

	return [name, bodyBytes !== undefined && name.toLowerCase() === 'content-length' ? String(bodyBytes) : value];
});

const numbersIn = (policy: JsonObject): StoredPolicy => {
	const values = Object.fromEntries(Object.entries(policy).map(([name, value]) => [name, value === 'Infinity' ? Infinity : value]));

	const complete: unknown = {staleWhileRevalidateSeconds: undefined, staleIfErrorSeconds: undefined, ...values};

	return complete as StoredPolicy;
};

type Emptiable = 'selectingHeaders' | 'tags' | 'groups' | 'indexId';

type ResponseFile = Omit<StoredResponse, Emptiable | 'kind' | 'rawHeaders' | 'policy' | 'body'> & Partial<Pick<StoredResponse, Emptiable>> & {
	readonly headers: readonly string[];
	readonly policy: JsonObject;
	readonly body?: string;
	readonly bodyFormat?: BodyFormat;
	readonly bodyBytes: number;
};

const readResponse = (file: string, object: JsonObject, readFile: (name: string) => Uint8Array | undefined): StoredResponse => {
	checkMembers(file, '', object, responseRules);
	const written = object as unknown as ResponseFile;
	checkMembers(file, 'policy', written.policy, policyRules);
	if (written.range) {
		checkMembers(file, 'range', written.range, rangeRules);
	}

	const body = readBodyOf(file, written, readFile);
	const isEdited = body.byteLength !== written.bodyBytes;
	const {method, url, selectingHeaders = {}, statusCode, statusMessage, httpVersion, range, tags = [], groups = [], versions, indexId = ''} = written;

	return {
		kind: 'response',
		method,
		url,
		selectingHeaders,
		statusCode,
		statusMessage,
		httpVersion,
		rawHeaders: fieldsOf(written.headers, isEdited ? body.byteLength : undefined),
		policy: numbersIn(written.policy),
		range,
		tags,
		groups,
		versions,
		indexId,
		body,
	};
};

/** The key that a file is for, and its other content. */
export const parseEntry = (file: string, content: Uint8Array): {readonly key: string; readonly object: JsonObject} => {
	const object = parseJsonFile(file, content);
	if (!isString(object.key)) {
		throw new FileError(file, `expected \`key\` to be ${everyFile.key?.[1] ?? ''}, got none`);
	}

	return {key: object.key, object};
};

/**
The entry that files stand for, which somebody may have edited.

@param readFile - Reads the file of a body; `undefined` if there is none.
@throws {FileError} If a file says what cannot be.
*/
export const toEntry = (file: string, key: string, object: JsonObject, readFile: (name: string) => Uint8Array | undefined): FileEntry => {
	const isOther = Object.hasOwn(object, 'record') || Object.hasOwn(object, 'value');
	if (isOther) {
		checkMembers(file, '', object, otherRules);
	}

	const record = isOther ? object.record : readResponse(file, object, readFile);
	const expires = object.keptUntil === undefined ? undefined : Date.parse(object.keptUntil as string);
	if (record === undefined) {
		return {value: Buffer.from(object.value as string, 'base64'), expires};
	}

	try {
		return {value: encode(record as EncodedRecord, bareKey(key)), expires};
	} catch (error) {
		throw new FileError(file, `cannot be stored: ${(error as Error).message}`, {cause: error});
	}
};
