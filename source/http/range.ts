import type {StoredRange, StoredResponse} from '../types/stored.ts';
import {parseHttpDate} from './dates.ts';
import {fieldValue, headersOf} from './header-fields.ts';
import {listMembers, trimWhitespace} from './list.ts';
import type {HeaderFields, RequestHead} from './message.ts';
import {isStrongMatch, strongDateMs, validatorsOf} from './validators.ts';

/** The part of a stored response that answers a request, RFC 9110 §14.2. */
export type Selection =
	/** The whole stored response answers. */
	| {readonly kind: 'whole'}
	/** These bytes of the stored response answer. */
	| {readonly kind: 'part'; readonly range: StoredRange}
	/** The representation has no such bytes. */
	| {readonly kind: 'unsatisfiable'; readonly completeLength: number}
	/** The bytes are not stored, or several ranges were requested. */
	| {readonly kind: 'not-stored'};

const whole: Selection = {kind: 'whole'};
const notStored: Selection = {kind: 'not-stored'};

/** A `Range` field, resolved to bytes of a representation of known length. */
type AskedRange = 'unsatisfiable' | 'several' | 'ignored' | {readonly firstByte: number; readonly lastByte: number};

export const selectRange = (request: RequestHead, stored: StoredResponse): Selection => {
	const rangeField = request.method === 'GET' ? fieldValue(request.headers, 'range') : undefined;
	const remainder = stored.range === undefined ? whole : notStored;
	if (rangeField === undefined || (stored.statusCode !== 200 && stored.statusCode !== 206) || !isIfRangeMet(request.headers, stored)) {
		return remainder;
	}

	const held = rangeOf(stored);
	const asked = parseRange(rangeField, held.completeLength);

	if (asked === 'ignored') {
		return remainder;
	}

	if (asked === 'several') {
		return notStored;
	}

	if (asked === 'unsatisfiable') {
		return {kind: 'unsatisfiable', completeLength: held.completeLength};
	}

	const isHeld = asked.firstByte >= held.firstByte && asked.lastByte <= held.lastByte;

	return isHeld ? {kind: 'part', range: {...asked, completeLength: held.completeLength}} : notStored;
};

/** The bytes that a stored response holds. */
export const rangeOf = ({range, body}: StoredResponse): StoredRange => range ?? {firstByte: 0, lastByte: body.byteLength - 1, completeLength: body.byteLength};

const rangesSpecifier = /^bytes=(?<set>.*)$/iv;
const rangeSpecification = /^(?<first>\d{1,15})-(?<last>\d{0,15})$/v;
const suffixSpecification = /^-(?<length>\d{1,15})$/v;

/** RFC 9110 §14.1.2. A range that cannot be read is ignored, RFC 9110 §14.2. */
const parseRange = (field: string, completeLength: number): AskedRange => {
	const [specification, ...others] = listMembers(rangesSpecifier.exec(field)?.groups?.set ?? '');
	if (specification === undefined) {
		return 'ignored';
	}

	if (others.length > 0) {
		return 'several';
	}

	const end = completeLength - 1;
	const suffix = suffixSpecification.exec(specification)?.groups?.length;
	if (suffix !== undefined) {
		const length = Math.min(Number(suffix), completeLength);

		return length === 0 ? 'unsatisfiable' : {firstByte: completeLength - length, lastByte: end};
	}

	const {first, last = ''} = rangeSpecification.exec(specification)?.groups ?? {};
	if (first === undefined || (last !== '' && Number(last) < Number(first))) {
		return 'ignored';
	}

	const firstByte = Number(first);

	return firstByte > end ? 'unsatisfiable' : {firstByte, lastByte: last === '' ? end : Math.min(Number(last), end)};
};

/** RFC 9110 §13.1.5: entity tags match by strong comparison, dates only if they are equal. */
const isIfRangeMet = (requestHeaders: HeaderFields, stored: StoredResponse): boolean => {
	const ifRange = fieldValue(requestHeaders, 'if-range');
	if (ifRange === undefined) {
		return true;
	}

	const headers = headersOf(stored.rawHeaders);
	const {etag} = validatorsOf(headers);
	const sinceMs = parseHttpDate(ifRange, stored.policy.responseTimeMs);

	return sinceMs === undefined ? etag !== undefined && isStrongMatch(ifRange, etag) : sinceMs === strongDateMs(headers, stored.policy.responseTimeMs);
};

const contentRange = /^bytes (?<firstByte>\d{1,15})-(?<lastByte>\d{1,15})\/(?<completeLength>\d{1,15})$/iv;

/** The range of a single part with a known complete length, RFC 9110 §14.4; `undefined` for anything else. */
export const contentRangeOf = (headers: HeaderFields): StoredRange | undefined => {
	const groups = contentRange.exec(fieldValue(headers, 'content-range') ?? '')?.groups;
	if (!groups) {
		return undefined;
	}

	const range = {
		firstByte: Number(groups.firstByte),
		lastByte: Number(groups.lastByte),
		completeLength: Number(groups.completeLength),
	};

	return range.firstByte <= range.lastByte && range.lastByte < range.completeLength ? range : undefined;
};

export const formatContentRange = ({firstByte, lastByte, completeLength}: StoredRange): string => `bytes ${firstByte}-${lastByte}/${completeLength}`;

/** The length of a suffix range, RFC 9110 §14.1.2; `undefined` if the request has another range or none. */
export const suffixLengthOf = (headers: HeaderFields): number | undefined => {
	const set = rangesSpecifier.exec(fieldValue(headers, 'range') ?? '')?.groups?.set;
	const length = set === undefined ? undefined : suffixSpecification.exec(trimWhitespace(set))?.groups?.length;

	return length === undefined ? undefined : Number(length);
};
