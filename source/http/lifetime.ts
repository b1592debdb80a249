import {explicitLifetimeSeconds, heuristicLifetimeSeconds, type FreshnessInput} from './freshness.ts';
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

const ruleFor = ({url}: RequestHead, {ofRequest, ofUrl, ofCache}: OwnLifetimes): LifetimeRule | undefined => ofRequest ?? ofUrl?.(url) ?? ofCache;

/** Whether the lifetime is `'no-store'` whatever the response. The request is then not looked up either. */
export const isNeverStored = (request: RequestHead, lifetimes: OwnLifetimes | undefined): boolean => lifetimes?.hasNoStore === true && ruleFor(request, lifetimes) === 'no-store';

const ownLifetime = (request: RequestHead, response: ResponseHead, lifetimes: OwnLifetimes): OwnLifetime | undefined => {
	const rule = ruleFor(request, lifetimes);
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

type Lifetime = {
	readonly seconds: number;
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
	const own = lifetimes && ownLifetime(request, response, lifetimes);
	const explicitSeconds = explicitLifetimeSeconds(input);
	const ownSeconds = own === 'no-store' ? 0 : own;
	const seconds = ownSeconds ?? explicitSeconds ?? (heedsCacheControl ? heuristicLifetimeSeconds(input) : 0);

	return {seconds, own, explicitSeconds};
};
