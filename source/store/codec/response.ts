/* eslint-disable no-bitwise -- flags are packed into bytes */
import {
	maxTags,
	type StoredPolicy,
	type StoredRange,
	type StoredResponse,
} from '../../types/stored.ts';
import {
	noBytes,
	readStrings,
	writeStrings,
	type Reader,
	type Writer,
} from './bytes.ts';
import {headerNames, headerNumbers} from './header-names.ts';

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
	hasIndexId: 64,
	hasSelectingHeaders: 128,
};

/** One for each tag and group, and those of the resource, its origin and its path. */
const maxMarks = maxTags + 3;

/** Whether a response has no more of anything than a reader takes. */
export const isResponseWithinBounds = ({rawHeaders, tags, groups, versions}: StoredResponse): boolean =>
	tags.length + groups.length <= maxTags && versions.length <= maxMarks && rawHeaders.length % 2 === 0;

export const writeResponse = (writer: Writer, response: StoredResponse): void => {
	const {policy, range, tags, groups, versions, indexId} = response;
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
		| (indexId === '' ? 0 : formFlag.hasIndexId)
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

	writeStrings(writer, versions);

	if (indexId !== '') {
		writer.string(indexId);
	}
};

export const readResponse = (reader: Reader): StoredResponse => {
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
		versions: readStrings(reader),
		indexId: (form & formFlag.hasIndexId) === 0 ? '' : reader.string(),
		body: noBytes,
	};
};

const knownOrWritten = (known: string | undefined, reader: Reader): string => known === undefined || known === '' ? reader.string() : known;

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
	// Each name has a value.
	if (count % 2 === 1) {
		reader.fail();
	}

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
