import type {SwitchKind} from '../types/stored.ts';
import type {OwnLifetimes} from './lifetime.ts';

/** The options that modify the rules of RFC 9111 for one request, validated and in seconds. */
export type Settings = {
	/** Whether the cache is shared or private, RFC 9111 §1. */
	readonly isShared: boolean;

	/** The mode, as in the Fetch standard's `Request#cache`, https://fetch.spec.whatwg.org/#concept-request-cache-mode. */
	readonly mode: 'default' | 'no-store' | 'reload' | 'no-cache' | 'force-cache' | 'only-if-cached';

	/** The staleness with which a response may replace a failure. `disconnected`: any, after a network error or timeout; a number: at most that many seconds, for 5xx too; `true`: any, for 5xx too; `false`: only the response's own `stale-if-error`. */
	readonly staleIfError: 'disconnected' | boolean | number;

	/** Status codes for which a stale response may be used instead; `undefined`: those of RFC 5861 §4. */
	readonly failureStatusCodes?: ReadonlySet<number> | undefined;

	/** The staleness with which a response may be reused while it is refreshed. A number: at most that many seconds; `true`: any; `false`: only the response's own `stale-while-revalidate`. */
	readonly staleWhileRevalidate: boolean | number;

	/** The freshness lifetimes that the user sets in place of the response's; `undefined`: none. */
	readonly lifetimes: OwnLifetimes | undefined;

	/** Whether the response's cache directives count; with `false`, only `lifetimes` do. */
	readonly heedsCacheControl: boolean;

	/** Methods whose responses may be stored; upper-case. */
	readonly methods: ReadonlySet<string>;

	/** Status codes whose responses may be stored; `undefined`: those of RFC 9110 and RFC 9111. */
	readonly statusCodes: ReadonlySet<number> | undefined;

	readonly alwaysRevalidates: boolean;

	readonly isReadOnly: boolean;

	/** The targeted cache-control fields to use, lower-case, in order of preference (RFC 9213). */
	readonly targets: readonly string[];

	/** The cache's name in `Cache-Status` (RFC 9211); `false` leaves the field unchanged. */
	readonly cacheStatus: string | false;

	/** Request header fields that select a variant in addition to `Vary`; lower-case. */
	readonly matchHeaders: readonly string[];

	/** Whether a function of the user's tells requests apart, as it may tell users. */
	readonly hasOwnKey: boolean;

	/** Query parameters (lower-case names) that neither distinguish requests nor are stored. */
	readonly ignoredParameters: ReadonlySet<string>;

	/** The switch that is in force for the request's origin, as the look-up has read it. */
	readonly originSwitch?: SwitchKind | undefined;
};
