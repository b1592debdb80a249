import {validateHeaderValue} from 'node:http';
import {readBodyOf} from '../fixtures/body-file.ts';
import {
	checkMembers,
	FileError,
	headerFieldsExpected,
	isHeaderFields,
	isJsonObject,
	isOptional,
	parseJsonFile,
	toJsonFile,
	type JsonObject,
	type MemberRule,
} from '../fixtures/json-file.ts';
import {readFileIfAny} from '../fixtures/write-file.ts';
import {isMethod, isString} from '../options/validate.ts';
import type {Content} from './described-request.ts';
import type {MatchingRules} from './options.ts';
import type {RecordedResponse} from './recorded-answer.ts';
import {redactUrl} from './redaction.ts';

/** The header fields of a request that distinguish it; `null`: it must not have the field. */
// eslint-disable-next-line @typescript-eslint/no-restricted-types -- JSON has no `undefined`.
export type MatchedFields = Readonly<Record<string, string | null>>;

export type RecordedRequest = {
	readonly method: string;
	readonly url: string;
	readonly fields: MatchedFields;
	readonly content: Content;
};

/** A failure of the network, which a person has written in place of a response. */
export type RecordedError = {
	readonly code: string;
	readonly message?: string | undefined;
};

export type RecordedAnswer = {readonly kind: 'response'; readonly response: RecordedResponse} | {readonly kind: 'error'; readonly error: RecordedError};

/** A file of a folder of recordings. */
export type Recording = {
	/** The path of the file. */
	readonly file: string;
	readonly request: RecordedRequest;
	readonly answer: RecordedAnswer;
};

const isObject: MemberRule = [isJsonObject, 'an object'];

const requestRules: Readonly<Record<string, MemberRule>> = {
	method: [isMethod, 'a method, such as \'GET\''],
	url: [value => isString(value) && URL.canParse(value), 'an absolute URL'],
	headers: [
		isOptional(value => isJsonObject(value) && isHeaderFields(Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null)))),
		'an object with a string, or null, for each header field',
	],
	json: [() => true, 'any value'],
	form: [isOptional(isString), 'a string such as \'a=1&b=2\''],
	text: [isOptional(isString), 'a string'],
	sha256: [isOptional(value => isString(value) && /^[\da-f]{64}$/v.test(value)), '64 hexadecimal digits'],
	bytes: [isOptional(value => Number.isSafeInteger(value)), 'a whole number'],
};

const isStatusText = (value: unknown): boolean => {
	try {
		validateHeaderValue('status', value as string);
		return isString(value);
	} catch {
		return false;
	}
};

const responseRules: Readonly<Record<string, MemberRule>> = {
	status: [value => Number.isSafeInteger(value) && Number(value) >= 200 && Number(value) <= 999, 'a final status code, such as 200'],
	statusText: [isOptional(isStatusText), 'a string'],
	headers: [isOptional(isHeaderFields), headerFieldsExpected],
	expiresAfterSeconds: [isOptional(Number.isFinite), 'a number of seconds'],
	body: [isOptional(value => isString(value) && value !== '' && !value.includes('/') && !value.includes('\\')), 'the name of a file in the same folder'],
	bodyFormat: [isOptional(value => value === 'compact JSON'), '\'compact JSON\', or absent'],
	isBodyEncoded: [isOptional(value => typeof value === 'boolean'), 'a boolean'],
};

const errorRules: Readonly<Record<string, MemberRule>> = {
	code: [value => isString(value) && value !== '', 'a code of Node.js, such as \'ECONNRESET\''],
	message: [isOptional(isString), 'a string'],
};

const parts: Readonly<Record<string, MemberRule>> = {
	request: isObject,
	response: [isOptional(isJsonObject), 'an object'],
	error: [isOptional(isJsonObject), 'an object'],
};

const contentNames = ['json', 'form', 'text', 'sha256'] as const;

const contentIn = (file: string, request: JsonObject): Content => {
	const names = contentNames.filter(name => Object.hasOwn(request, name));
	if (names.length > 1) {
		throw new FileError(file, `\`request\` has \`${names.join('` and `')}\`: expected one of them`);
	}

	const {json, form, text, sha256, bytes} = request as {json?: unknown; form?: string; text?: string; sha256?: string; bytes?: number};
	if (names[0] === 'json') {
		return {kind: 'json', json};
	}

	if (form !== undefined) {
		return {kind: 'form', form};
	}

	if (text !== undefined) {
		return {kind: 'text', text};
	}

	return sha256 === undefined ? {kind: 'none'} : {kind: 'bytes', sha256, bytes: bytes ?? 0};
};

const lowerCaseNames = <Value>(fields: Readonly<Record<string, Value>>): Record<string, Value> => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));

/**
Reads a recording.

@throws {FileError} If the file is none.
*/
export const parseRecording = (file: string, content: Uint8Array, rules: MatchingRules): Recording => {
	const object = parseJsonFile(file, content);
	checkMembers(file, '', object, parts);
	const {request, response, error} = object as {request: JsonObject; response?: JsonObject; error?: JsonObject};
	checkMembers(file, 'request', request, requestRules);
	if ((response === undefined) === (error === undefined)) {
		throw new FileError(file, 'expected a `response`, or an `error` in its place');
	}

	if (response) {
		checkMembers(file, 'response', response, responseRules);
	} else if (error) {
		checkMembers(file, 'error', error, errorRules);
	}

	const recorded: RecordedRequest = {
		method: (request.method as string).toUpperCase(),
		url: redactUrl(request.url as string, rules),
		fields: lowerCaseNames(request.headers as MatchedFields | undefined ?? {}),
		content: contentIn(file, request),
	};
	if (!response) {
		return {file, request: recorded, answer: {kind: 'error', error: error as RecordedError}};
	}

	const {headers = {}, ...others} = response as Partial<RecordedResponse> & Pick<RecordedResponse, 'status'>;

	return {file, request: recorded, answer: {kind: 'response', response: {...others, headers: lowerCaseNames(headers)}}};
};

const contentMembers = (content: Content): JsonObject => {
	const {kind, ...members} = content;

	return members;
};

/** The content of the file of a recording. */
export const writeRecording = ({method, url, fields, content}: RecordedRequest, response: RecordedResponse): string => {
	const {status, statusText, headers, expiresAfterSeconds, body, bodyFormat, isBodyEncoded} = response;

	return toJsonFile({
		request: {
			method,
			url,
			headers: Object.keys(fields).length === 0 ? undefined : fields,
			...contentMembers(content),
		},
		response: {
			status,
			statusText,
			headers,
			expiresAfterSeconds,
			body,
			bodyFormat,
			isBodyEncoded,
		},
	});
};

/**
Reads the body of a recording.

@throws {FileError} If its file is missing, or is to be JSON and is not.
*/
export const readRecordedBody = ({file}: Recording, response: RecordedResponse): Uint8Array => readBodyOf(file, response, readFileIfAny);

