import {explicitLifetimeSeconds, heuristicLifetimeSeconds, statedSource, type FreshnessInput, type StatedSource} from './freshness.ts';
import type {RequestHead, ResponseHead} from './message.ts';

/** A freshness lifetime that the user sets, in seconds; with `'no-store'` the response is not stored. */
export type OwnLifetime = number | 'no-store';

/** A function leaves the lifetime to the response by returning `undefined`. */
export type LifetimeRule = OwnLifetime | ((request: RequestHead, response: ResponseHead) => OwnLifetime | undefined);

/** The lifetimes that the user sets, by option. */
export type OwnLifetimes = {
	/** `context.cache.expireAfter` of the request. */
	readonly ofRequest?: LifetimeRule | undefined;
	/** `urlsExpireAfter`: the rule of the first pattern that matches. */
	readonly ofUrl?: ((url: string) => LifetimeRule | undefined) | undefined;
	/** `expireAfter` of the cache. */
	readonly ofCache?: LifetimeRule | undefined;
	/** Whether any of them is `'no-store'` whatever the response; saves each look-up from trying the patterns. */
	readonly hasNoStore?: boolean;
};

/** The option that sets a lifetime. */
export type OwnSource = 'request' | 'urlsExpireAfter' | 'expireAfter';

/** The origin of a lifetime: an option, a part of the response, a guess by `Last-Modified`, or nothing at all. */
export type LifetimeSource = OwnSource | StatedSource | 'heuristic' | 'none';

type SourcedRule = {
	readonly rule: LifetimeRule | undefined;
	readonly source: OwnSource;
};

const ruleFor = ({url}: RequestHead, {ofRequest, ofUrl, ofCache}: OwnLifetimes): SourcedRule => {
	if (ofRequest !== undefined) {
		return {rule: ofRequest, source: 'request'};
	}

	const rule = ofUrl?.(url);

	return rule === undefined ? {rule: ofCache, source: 'expireAfter'} : {rule, source: 'urlsExpireAfter'};
};

/** Whether the lifetime is `'no-store'` whatever the response. The request is then not looked up either. */
export const isNeverStored = (request: RequestHead, lifetimes: OwnLifetimes | undefined): boolean => lifetimes?.hasNoStore === true && ruleFor(request, lifetimes).rule === 'no-store';

const ownLifetime = (request: RequestHead, response: ResponseHead, {rule}: SourcedRule): OwnLifetime | undefined => {
	const lifetime = typeof rule === 'function' ? rule(request, response) : rule;
	if (lifetime === undefined || lifetime === 'no-store') {
		return lifetime;
	}

	return Number.isNaN(lifetime) ? undefined : Math.max(0, lifetime);
};

type LifetimeInput = FreshnessInput & {
	readonly request: RequestHead;
	readonly response: ResponseHead;
	/** The user's lifetimes; `undefined` if there are none. */
	readonly lifetimes: OwnLifetimes | undefined;
	/** Whether the response's own header fields count. */
	readonly heedsCacheControl: boolean;
};

export type Lifetime = {
	readonly seconds: number;
	readonly source: LifetimeSource;
	/** The lifetime that the user sets, if any. */
	readonly own: OwnLifetime | undefined;
	/** The lifetime that the response states, whether or not it counts. */
	readonly explicitSeconds: number | undefined;
};

/**
Determines how long a response is fresh. The first of these counts:

1. `expireAfter` of the request, in `context.cache`;
2. `urlsExpireAfter`: the first pattern that matches the URL;
3. `expireAfter` of the cache;
4. the lifetime that the response states: `s-maxage` in a shared cache, `max-age`, `Expires` (RFC 9111 §4.2.1), in the field that the option `targets` prefers (RFC 9213);
5. a tenth of the time since `Last-Modified` (RFC 9111 §4.2.2).

Only one of 1 to 3 is used: a function among them that returns `undefined` leaves the lifetime to the response. With `cacheControl: false`, 4 and 5 are ignored.
*/
export const lifetimeOf = (input: LifetimeInput): Lifetime => {
	const {request, response, lifetimes, heedsCacheControl} = input;
	const sourced = lifetimes && ruleFor(request, lifetimes);
	const own = sourced && ownLifetime(request, response, sourced);
	const explicitSeconds = explicitLifetimeSeconds(input);
	const ownSeconds = own === 'no-store' ? 0 : own;
	if (ownSeconds !== undefined || explicitSeconds !== undefined) {
		const source = ownSeconds === undefined ? statedSource(input) : sourced?.source;
		return {seconds: ownSeconds ?? explicitSeconds ?? 0, source: source ?? 'none', own, explicitSeconds};
	}

	const seconds = heedsCacheControl ? heuristicLifetimeSeconds(input) : 0;

	return {seconds, source: seconds > 0 ? 'heuristic' : 'none', own, explicitSeconds};
};
