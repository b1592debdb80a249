import type {OwnLifetimes} from './lifetime.ts';

/** What bends or completes the rules of RFC 9111 for one request: the options that `http/` heeds, validated and in seconds. */
export type Settings = {
	/** Shared or private cache, RFC 9111 §1. */
	readonly isShared: boolean;

	/** As the Fetch standard's `Request#cache`, https://fetch.spec.whatwg.org/#concept-request-cache-mode. */
	readonly mode: 'default' | 'no-store' | 'reload' | 'no-cache' | 'force-cache' | 'only-if-cached';

	/** `disconnected`: any stale response may stand in for a network error or timeout; a number: one that has been stale for that many seconds at most, for 5xx too; `true`: any, for 5xx too; `false`: the response's own `stale-if-error` alone. */
	readonly staleIfError: 'disconnected' | boolean | number;

	/** Status codes that are failures a stale response may stand in for; `undefined`: those of RFC 5861 §4. */
	readonly failureStatusCodes?: ReadonlySet<number> | undefined;

	/** A number: reuse a response that has been stale for that many seconds at most while it is refreshed; `true`: however long; `false`: the response's own `stale-while-revalidate` alone. */
	readonly staleWhileRevalidate: boolean | number;

	/** The freshness lifetimes that the user sets, in place of the response's; `undefined`: none. */
	readonly lifetimes: OwnLifetimes | undefined;

	/** `false`: ignore the response's cache directives, go by `lifetimes` alone. */
	readonly heedsCacheControl: boolean;

	/** Methods whose responses may be stored; upper-case. */
	readonly methods: ReadonlySet<string>;

	/** Status codes whose responses may be stored; `undefined`: as RFC 9110 and RFC 9111 say. */
	readonly statusCodes: ReadonlySet<number> | undefined;

	readonly alwaysRevalidates: boolean;

	readonly isReadOnly: boolean;

	/** Targeted cache-control fields to heed, lower-case, in order (RFC 9213). */
	readonly targets: readonly string[];

	/** The cache's name in `Cache-Status` (RFC 9211); `false`: the field is left alone. */
	readonly cacheStatus: string | false;

	/** Request header fields that select a variant in addition to `Vary`; lower-case. */
	readonly matchHeaders: readonly string[];

	/** Whether a function of the user's tells requests apart, as it may tell users. */
	readonly hasOwnKey: boolean;

	/** Query parameters (lower-case names) that neither distinguish requests nor are stored. */
	readonly ignoredParameters: ReadonlySet<string>;
};
