import type {IncomingHttpHeaders} from 'node:http';
import {parseList, Token, type BareItem, type Parameters} from 'structured-headers';
import {parseHttpDate} from '../http/dates.ts';
import type {Heard, Quota} from './bucket.ts';

/*
The limits that an origin tells of in its responses: `Retry-After` (RFC 9110 §10.2.3), `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and what came before them, `RateLimit-*` and `X-RateLimit-*`.
*/

type Answer = {
	readonly statusCode: number;
	readonly headers: Readonly<IncomingHttpHeaders>;
};

/** No more quotas are kept of one host. */
const mostQuotas = 4;

/** Origins tell whole seconds, which they may have rounded down. */
const roundingMs = 1000;

/** An origin that refuses a request without saying for how long is left alone for so long. */
export const defaultPauseMs = 5000;

/** Larger numbers of seconds are times since 1970, and still larger ones are in milliseconds. */
const leastEpochSeconds = 1_000_000_000;
const leastEpochMs = 1_000_000_000_000;

const fieldOf = (headers: Answer['headers'], name: string): string | undefined => {
	const value = headers[name];
	return Array.isArray(value) ? value.join(', ') : value;
};

/** A whole number that is the whole field, or the part before a comma or semicolon of fields such as `100, 100;w=60`. */
const numberIn = (value: string | undefined): number | undefined => {
	const digits = /^\s*(?<digits>\d{1,15})(?:\.\d+)?\s*(?:$|[,;])/v.exec(value ?? '')?.groups?.digits;
	return digits === undefined ? undefined : Number(digits);
};

/** The origin's own time, so that its clock may be wrong. */
const originNowMs = ({headers}: Answer, nowMs: number): number => parseHttpDate(fieldOf(headers, 'date') ?? '', nowMs) ?? nowMs;

const pauseOf = (answer: Answer, nowMs: number): number | undefined => {
	const {statusCode, headers} = answer;
	if (statusCode !== 429 && statusCode !== 503) {
		return undefined;
	}

	const field = fieldOf(headers, 'retry-after');
	const seconds = /^\s*\d+\s*$/v.test(field ?? '') ? numberIn(field) : undefined;
	if (seconds !== undefined) {
		return seconds * 1000;
	}

	const untilMs = field === undefined ? undefined : parseHttpDate(field, nowMs);

	return untilMs === undefined ? undefined : Math.max(0, untilMs - originNowMs(answer, nowMs)) + roundingMs;
};

type Members = ReadonlyMap<string, Parameters>;

/** The members of a list whose items are names: strings, or tokens in earlier drafts. */
const membersOf = (value: string | undefined): Members => {
	if (value === undefined) {
		return new Map();
	}

	try {
		return new Map(
			parseList(value)
				.slice(0, mostQuotas)
				.map(([item, parameters], position) => [typeof item === 'string' || item instanceof Token ? item.toString() : String(position), parameters]),
		);
	} catch {
		// A field that does not parse is ignored, RFC 9651 §4.2.
		return new Map();
	}
};

const count = (value: BareItem | undefined): number | undefined => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

const toMs = (seconds: number | undefined): number | undefined => seconds === undefined ? undefined : seconds * 1000;

/** Quotas are counted in requests, unless the policy says otherwise. */
const isInRequests = (policy: Parameters | undefined): boolean => (policy?.get('qu') ?? 'requests') === 'requests';

/** `RateLimit: "default";r=50;t=30`, with `RateLimit-Policy: "default";q=100;w=60`. */
const currentQuotas = ({headers}: Answer): Quota[] => {
	const policies = membersOf(fieldOf(headers, 'ratelimit-policy'));

	return membersOf(fieldOf(headers, 'ratelimit')).entries().flatMap(([name, limit]): Quota[] => {
		const policy = policies.get(name);
		const remaining = count(limit.get('r'));
		const windowMs = toMs(count(policy?.get('w')));
		const resetMs = toMs(count(limit.get('t'))) ?? windowMs;

		return remaining === undefined || resetMs === undefined || !isInRequests(policy) ? [] : [{name, remaining, resetMs: resetMs + roundingMs, count: count(policy?.get('q')), windowMs}];
	}).toArray();
};

const formerPrefixes = ['ratelimit', 'x-ratelimit', 'x-rate-limit'];

/** `X-RateLimit-Remaining` and `X-RateLimit-Reset`, which is a number of seconds to some and a time to others. */
const formerQuotas = (answer: Answer, nowMs: number): Quota[] => formerPrefixes.flatMap((prefix): Quota[] => {
	const {headers} = answer;
	const remaining = numberIn(fieldOf(headers, `${prefix}-remaining`));
	const reset = numberIn(fieldOf(headers, `${prefix}-reset`));
	if (remaining === undefined || reset === undefined) {
		return [];
	}

	const untilMs = reset >= leastEpochMs ? reset : reset * 1000;
	const resetMs = reset >= leastEpochSeconds ? Math.max(0, untilMs - originNowMs(answer, nowMs)) : untilMs;

	// The longest time until a reset that is told of a window is about as long as the window.
	return [{name: prefix, remaining, resetMs: resetMs + roundingMs, count: numberIn(fieldOf(headers, `${prefix}-limit`)), windowMs: resetMs + roundingMs}];
});

/** A limit that an origin has, by its own account. */
export type Policy = {
	readonly count: number;
	readonly windowMs: number;
};

/** The limits of an origin: `RateLimit-Policy: "default";q=100;w=60`. */
export const policiesIn = ({headers}: Answer): Policy[] => membersOf(fieldOf(headers, 'ratelimit-policy')).values().flatMap((policy): Policy[] => {
	const quota = count(policy.get('q'));
	const windowMs = toMs(count(policy.get('w')));

	return quota && windowMs && isInRequests(policy) ? [{count: quota, windowMs}] : [];
}).toArray();

/** The name of a quota is a part of a field of a hash in Redis. */
const withShortName = (quota: Quota): Quota => ({...quota, name: quota.name.slice(0, 64)});

/**
Reads the limits that a response tells of; `undefined` if it tells of none.

@param serial - The `serial` of the request.
@param nowMs - For origins that tell times without a `Date`.
*/
export const heardIn = (answer: Answer, serial: number, nowMs: number): Heard | undefined => {
	const current = currentQuotas(answer);
	const quotas = (current.length > 0 ? current : formerQuotas(answer, nowMs).slice(0, 1)).map(quota => withShortName(quota));
	// A refusal that says until when by a quota needs no pause.
	const isExplained = answer.statusCode !== 429 || quotas.some(({remaining}) => remaining === 0);
	const pauseMs = pauseOf(answer, nowMs) ?? (isExplained ? undefined : defaultPauseMs);
	const isSilent = pauseMs === undefined && quotas.length === 0;

	return isSilent ? undefined : {serial, pauseMs, quotas};
};
