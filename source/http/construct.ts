import type {StoredRange, StoredResponse} from '../types/stored.ts';
import {currentAgeSeconds} from './age.ts';
import {evaluatePreconditions} from './conditional.ts';
import {bytesFields, filterRawHeaders} from './header-fields.ts';
import type {RequestHead, ResponseHead} from './message.ts';
import {formatContentRange, selectRange} from './range.ts';

export type ConstructedResponse = Omit<ResponseHead, 'rawHeaders'> & {
	readonly rawHeaders: string[];
	/** The body shares its bytes with the stored body and must not be changed. */
	readonly body: Uint8Array;
};

const noBody = new Uint8Array();

const withoutContent = {
	'not-modified': {statusCode: 304, statusMessage: 'Not Modified'},
	failed: {statusCode: 412, statusMessage: 'Precondition Failed'},
};

/**
Constructs the response to a request from a stored response that may answer it, RFC 9111 §4.
*/
export const construct = (request: RequestHead, stored: StoredResponse, nowMs: number): ConstructedResponse => {
	const {httpVersion} = stored;
	const rawHeaders = withAge(stored.rawHeaders, Math.floor(currentAgeSeconds(stored.policy, nowMs)));
	const precondition = evaluatePreconditions(request, stored);

	if (precondition !== 'met') {
		return {...withoutContent[precondition], httpVersion, rawHeaders: withoutContentFields(rawHeaders), body: noBody};
	}

	const selection = selectRange(request, stored);

	if (selection.kind === 'part') {
		const {range} = selection;

		return {statusCode: 206, statusMessage: 'Partial Content', httpVersion, rawHeaders: withRange(rawHeaders, range), body: partOf(stored, range)};
	}

	if (selection.kind === 'unsatisfiable') {
		const contentRange = ['Content-Range', `bytes */${selection.completeLength}`];

		return {statusCode: 416, statusMessage: 'Range Not Satisfiable', httpVersion, rawHeaders: [...withoutContentFields(rawHeaders), ...contentRange], body: noBody};
	}

	const {statusCode, statusMessage, body} = stored;

	return {statusCode, statusMessage, httpVersion, rawHeaders, body: request.method === 'HEAD' ? noBody : body};
};

/** RFC 9111 §5.1. The origin's `Date` is kept. */
const withAge = (rawHeaders: readonly string[], ageSeconds: number): string[] => {
	const aged: string[] = [];

	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const name = rawHeaders[index] ?? '';
		if (name.length !== 3 || name.toLowerCase() !== 'age') {
			aged.push(name, rawHeaders[index + 1] ?? '');
		}
	}

	aged.push('Age', String(ageSeconds));

	return aged;
};

/** The fields that describe content, removed if none is sent. RFC 9110 §15.4.5 keeps `Content-Location`. */
const contentFields: ReadonlySet<string> = new Set([...bytesFields, 'content-encoding', 'content-language', 'content-type']);

const withoutContentFields = (rawHeaders: readonly string[]): string[] => filterRawHeaders(rawHeaders, name => !contentFields.has(name));

const withRange = (rawHeaders: readonly string[], range: StoredRange): string[] => {
	const kept = filterRawHeaders(rawHeaders, name => !bytesFields.has(name));
	kept.push('Content-Range', formatContentRange(range), 'Content-Length', String(range.lastByte - range.firstByte + 1));

	return kept;
};

const partOf = (stored: StoredResponse, range: StoredRange): Uint8Array => {
	const offset = stored.range?.firstByte ?? 0;

	return stored.body.subarray(range.firstByte - offset, range.lastByte - offset + 1);
};
