import CachePolicy from 'http-cache-semantics';
import {deltaSecondsCeiling, directiveSeconds, type CacheControl} from './cache-control.ts';
import {formatHttpDate, parseHttpDate} from './dates.ts';
import {fieldValue} from './header-fields.ts';
import type {HeaderFields} from './message.ts';
import {heuristicallyCacheable} from './status-codes.ts';

/** RFC 9111 §4.2.2 leaves the ceiling of heuristic lifetimes to the cache. A week, as in Firefox, limits the harm of a wrong guess. */
const heuristicCeilingSeconds = 7 * 24 * 60 * 60;

export type FreshnessInput = {
	readonly statusCode: number;
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
	readonly isExpiresHeeded: boolean;
	readonly isShared: boolean;
	readonly responseTimeMs: number;
};

/** The part of a response that states its lifetime. */
export type StatedSource = 's-maxage' | 'max-age' | 'expires';

/** The part of a response whose lifetime counts, in the order of RFC 9111 §4.2.1; `undefined` if none states one. */
export const statedSource = ({headers, directives, isExpiresHeeded, isShared}: FreshnessInput): StatedSource | undefined => {
	if (isShared && directives.has('s-maxage')) {
		return 's-maxage';
	}

	if (directives.has('max-age')) {
		return 'max-age';
	}

	return isExpiresHeeded && fieldValue(headers, 'expires') !== undefined ? 'expires' : undefined;
};

/** The freshness lifetime in seconds that the response states, RFC 9111 §4.2.1; `undefined` if it states none. */
export const explicitLifetimeSeconds = (input: FreshnessInput): number | undefined => {
	const {headers, directives, isExpiresHeeded} = input;
	const fields = {
		'cache-control': [...lifetimeDirective(directives, 's-maxage'), ...lifetimeDirective(directives, 'max-age')].join(', '),
		expires: isExpiresHeeded ? fieldValue(headers, 'expires') : undefined,
	};

	return statedSource(input) === undefined ? undefined : Math.min(lifetimeSeconds(input, fields), deltaSecondsCeiling);
};

/** RFC 9111 §4.2.2. */
export const heuristicLifetimeSeconds = (input: FreshnessInput): number => {
	const lastModified = canUseHeuristics(input) ? fieldValue(input.headers, 'last-modified') : undefined;

	return lastModified === undefined ? 0 : Math.min(lifetimeSeconds(input, {'last-modified': lastModified}), heuristicCeilingSeconds);
};

/** RFC 9111 §4.2.2: heuristics require a status code or a directive that allows them. */
const canUseHeuristics = ({statusCode, directives}: FreshnessInput): boolean =>
	heuristicallyCacheable.has(statusCode) || directives.has('public');

/** Reduces a directive to the single number that http-cache-semantics reads. */
const lifetimeDirective = (directives: CacheControl, name: string): string[] => {
	const seconds = directiveSeconds(directives, name);

	return seconds === undefined ? [] : [`${name}=${seconds}`];
};

type LifetimeFields = {
	readonly 'cache-control'?: string;
	readonly expires?: string | undefined;
	readonly 'last-modified'?: string;
};

/** The lifetime by http-cache-semantics, which decides which field counts. It gets the fields in the one form that it reads, and nothing that it would take as a reason not to store. */
const lifetimeSeconds = ({headers, isShared, responseTimeMs}: FreshnessInput, {'cache-control': cacheControl = '', expires, 'last-modified': lastModified}: LifetimeFields): number => {
	const imfFixdate = (value: string) => readableDate(parseHttpDate(value, responseTimeMs));
	// Only dates need `Date`. A response without `Date` gets the end of the current second.
	const date = () => readableDate(parseHttpDate(fieldValue(headers, 'date'), responseTimeMs) ?? (Math.ceil(responseTimeMs / 1000) * 1000));
	const fields = {
		'cache-control': cacheControl === '' ? 'public' : `public, ${cacheControl}`,
		...((expires ?? lastModified) !== undefined && {date: date()}),
		...(expires !== undefined && {expires: imfFixdate(expires)}),
		...(lastModified !== undefined && {'last-modified': imfFixdate(lastModified)}),
	};

	return new CachePolicy({method: 'GET', headers: {}}, {status: 200, headers: fields}, {shared: isShared}).maxAge();
};

/** RFC 9111 §5.3: an invalid date is in the past. Dates before 1970 are raised to 1970, because JavaScript maps the first years of our era to this century. */
const readableDate = (timeMs: number | undefined): string => timeMs === undefined ? 'none' : formatHttpDate(Math.max(0, timeMs));
