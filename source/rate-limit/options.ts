import {describe, validate, type Rule} from '../options/validate.ts';
import {parseDuration, type Duration} from '../types/duration.ts';
import {longestWaitMs, longestWindowMs, mostRequests, parseLimit, strictest, type Limit, type RateLimit} from './limits.ts';

/** The limit of a host, several of them, or `'auto'`: only what the origin itself says. */
export type HostLimits = RateLimit | readonly RateLimit[] | 'auto';

/** How long requests over a limit of `rateLimit()` wait, and how stale a response may be that answers them. */
export type RateLimitOptions = {
	/**
	How long a request waits for its turn, ten minutes at most. A request whose turn would come later fails at once with a `RateLimitError`, and so does one that got's own timeouts would end before its turn.

	@default '30s'
	*/
	maxWait?: Duration | undefined;

	/**
	How long a request waits for its turn if a stale response may answer it. If the turn would come later, that response answers at once.

	@default '1s'
	*/
	staleAfter?: Duration | undefined;

	/**
	How long after its lifetime a response may answer in place of the origin; 0: never. A response with `must-revalidate`, `proxy-revalidate`, `s-maxage` or `no-cache`, one that was invalidated, and one whose request demands a fresh one never do. Keep responses for as long with the option `ttlOffset` of `redisCache()`.

	@default '1h'
	*/
	maxStale?: Duration | undefined;

	/**
	How much later than others a request may arrive at its origin, such as one that has to connect first: by so much the time of each limit is longer.

	@default a twentieth of the limit's time, from 100 ms to 1 s
	*/
	margin?: Duration | undefined;
};

export type RateLimitSettings = {
	readonly maxWaitMs: number;
	readonly staleAfterMs: number;
	readonly maxStaleMs: number;
	/** `undefined`: a part of each limit's time. */
	readonly marginMs: number | undefined;
	/** By host in lower case, with a port or without; `'*'`: each other host. */
	readonly limits: ReadonlyMap<string, readonly Limit[]>;
};

const isDuration = (value: unknown): boolean => parseDuration(value) !== undefined;

const rules: Readonly<Record<keyof RateLimitOptions, Rule>> = {
	maxWait: [value => (parseDuration(value) ?? Infinity) <= longestWaitMs, 'a duration of ten minutes at most, such as \'30s\''],
	staleAfter: [isDuration, 'a duration, such as \'1s\''],
	maxStale: [isDuration, 'a duration, such as \'1h\', or 0'],
	margin: [value => (parseDuration(value) ?? Infinity) <= longestWindowMs, 'a duration, such as \'500ms\''],
};

const expectedLimit = `a number of requests from 1 to ${mostRequests} in a time of 31 days at most, such as '100/m', '10/s' or '5000/h'; an array of such limits; or 'auto', to go by what the origin says`;

const readLimits = (host: string, value: unknown, marginMs: number | undefined): readonly Limit[] => {
	if (value === 'auto') {
		return [];
	}

	const limits = [value].flat().map(each => parseLimit(each, marginMs));
	if (limits.length === 0 || limits.includes(undefined)) {
		throw new TypeError(`Expected the limit of ${host} in rateLimit() to be ${expectedLimit}, got ${describe(value)}`);
	}

	return strictest(limits.filter(limit => limit !== undefined));
};

/** A host as it stands in a URL. */
const readHost = (host: string): string => {
	if (host === '*') {
		return host;
	}

	const url = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : undefined;
	if (url?.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || host.includes('/') || host.includes('*')) {
		throw new TypeError(`Expected the hosts in rateLimit() to be names such as 'api.example.com' or 'localhost:8080', without a scheme or a path, or '*' for all others, got ${describe(host)}`);
	}

	return host.endsWith(':80') ? host.toLowerCase() : url.host;
};

/**
@throws {TypeError} If a limit or an option is unknown or wrong.
*/
export const resolveRateLimit = (limits: unknown, options: RateLimitOptions): RateLimitSettings => {
	validate(options, rules, {where: 'rateLimit()', noun: 'option'});
	if (typeof limits !== 'object' || limits === null || Array.isArray(limits) || Object.keys(limits).length === 0) {
		throw new TypeError(`Expected the limits in rateLimit() to be an object of hosts, such as {'api.example.com': '100/m'}, got ${describe(limits)}`);
	}

	const {maxWait = '30s', staleAfter = '1s', maxStale = '1h', margin} = options;
	const marginMs = margin === undefined ? undefined : parseDuration(margin);

	return {
		maxWaitMs: parseDuration(maxWait) ?? 0,
		staleAfterMs: parseDuration(staleAfter) ?? 0,
		maxStaleMs: parseDuration(maxStale) ?? 0,
		marginMs,
		limits: new Map(Object.entries(limits).map(([host, value]) => [readHost(host), readLimits(host, value, marginMs)])),
	};
};
