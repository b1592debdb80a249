import CachePolicy from 'http-cache-semantics';
import {type CacheControl, deltaSecondsCeiling, directiveSeconds} from './cache-control.ts';
import {formatHttpDate, parseHttpDate} from './dates.ts';
import {fieldValue} from './header-fields.ts';
import type {HeaderFields} from './message.ts';
import {heuristicallyCacheable} from './status-codes.ts';

/** RFC 9111 §4.2.2 leaves the ceiling to the cache. A week, as in Firefox: a guess should not outlive it. */
const heuristicCeilingSeconds = 7 * 24 * 60 * 60;

export type FreshnessInput = {
	readonly statusCode: number;
	readonly headers: HeaderFields;
	readonly directives: CacheControl;
	readonly isExpiresHeeded: boolean;
	readonly isShared: boolean;
	readonly responseTimeMs: number;
};

/** Seconds of freshness that the response states itself, RFC 9111 §4.2.1; `undefined` if it states none. */
export const explicitLifetimeSeconds = ({headers, directives, isExpiresHeeded, isShared, responseTimeMs}: FreshnessInput): number | undefined => {
	const maxAge = (isShared ? directiveSeconds(directives, 's-maxage') : undefined) ?? directiveSeconds(directives, 'max-age');
	if (maxAge !== undefined) {
		return maxAge;
	}

	const expires = isExpiresHeeded ? fieldValue(headers, 'expires') : undefined;

	return expires === undefined ? undefined : secondsUntilExpires(expires, headers, responseTimeMs);
};

/** RFC 9111 §5.3: what is no date, `0` above all, is in the past. */
const secondsUntilExpires = (expires: string, headers: HeaderFields, responseTimeMs: number): number => {
	const expiresMs = parseHttpDate(expires, responseTimeMs);
	const dateMs = parseHttpDate(fieldValue(headers, 'date'), responseTimeMs) ?? responseTimeMs;

	return expiresMs === undefined ? 0 : Math.min(Math.max(0, (expiresMs - dateMs) / 1000), deltaSecondsCeiling);
};

/** RFC 9111 §4.2.2. The tenth of the time since the last modification is http-cache-semantics's to compute; which responses may have it, and the ceiling, is ours. */
export const heuristicLifetimeSeconds = (input: FreshnessInput): number => {
	const lastModifiedMs = parseHttpDate(fieldValue(input.headers, 'last-modified'), input.responseTimeMs);
	if (lastModifiedMs === undefined || !canUseHeuristics(input)) {
		return 0;
	}

	const dateMs = parseHttpDate(fieldValue(input.headers, 'date'), input.responseTimeMs) ?? input.responseTimeMs;
	// Dates in the one format that it reads, and nothing that it would judge otherwise than we did.
	const headers = {date: formatHttpDate(dateMs), 'last-modified': formatHttpDate(lastModifiedMs)};
	const policy = new CachePolicy({method: 'GET', headers: {}}, {status: 200, headers}, {shared: input.isShared});

	return Math.min(policy.maxAge(), heuristicCeilingSeconds);
};

/** RFC 9111 §4.2.2: not without a status code or a directive that allows it. */
const canUseHeuristics = ({statusCode, directives}: FreshnessInput): boolean =>
	heuristicallyCacheable.has(statusCode) || directives.has('public');
