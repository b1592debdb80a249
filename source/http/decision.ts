import type {StoredResponse} from '../types/stored.ts';
import type {HeaderFields} from './message.ts';

/** Why the cache takes no part in a request. */
export type BypassReason =
	/** The user switched the cache off for it. */
	| 'disabled'
	/** The user's own filter left it out. */
	| 'filtered'
	/** Responses to its method are not stored. */
	| 'method'
	/** Nothing is to be stored: `Cache-Control: no-store` of the request, or the mode or the lifetime of that name. */
	| 'no-store'
	/** Its content cannot be part of a key, such as a stream. */
	| 'unkeyable-body'
	/** Got's own `cache` option is set, so that another cache is at work. */
	| 'other-cache';

/** Why a request goes to the origin as it is. */
export type MissReason =
	/** There is nothing stored that could answer it. */
	| 'not-stored'
	/** Its selecting header fields match no stored variant, RFC 9111 §4.1. */
	| 'vary-mismatch'
	/** The user asked for a new response: mode `reload`. */
	| 'reload'
	/** What is stored may not be used as it is, and has nothing to validate it with. */
	| 'no-validator'
	/** What is stored may not be used as it is, and the request has a precondition of its own for the origin. */
	| 'own-conditional'
	/** It asks for bytes that are not stored. */
	| 'range-not-stored';

/** Why a stored response answers without the origin being asked first. */
export type ReuseReason =
	/** RFC 9111 §4.2. */
	| 'fresh'
	/** Fresh, and a reload would find the same: RFC 8246. */
	| 'immutable'
	/** Stale, which the request accepts: RFC 9111 §5.2.1.2. */
	| 'max-stale'
	/** Stale, while it is refreshed: RFC 5861 §3. */
	| 'stale-while-revalidate'
	/** Stale, which the mode `force-cache` accepts. */
	| 'force-cache'
	/** Stale, which the mode `only-if-cached` accepts. */
	| 'only-if-cached';

/** Why a stored response has to be validated first. */
export type ValidateReason =
	/** RFC 9111 §4.2.4. */
	| 'stale'
	/** RFC 9111 §5.2.2.4. */
	| 'no-cache'
	/** RFC 9111 §4.4. */
	| 'invalidated'
	/** RFC 9111 §5.2.1.4, `Pragma`, or the mode `no-cache`. */
	| 'request-no-cache'
	/** RFC 9111 §5.2.1.1. */
	| 'request-max-age'
	/** RFC 9111 §5.2.1.3. */
	| 'request-min-fresh'
	/** The user's own setting. */
	| 'always-revalidate'
	/** A part is stored, the whole is asked for: only what is missing is fetched, RFC 9111 §3.3. */
	| 'range-incomplete';

/**
What a lookup leads to. Data, not calls: tested as tables, logged and explained.
*/
export type Decision =
	/** The cache takes no part. */
	| {readonly kind: 'bypass'; readonly reason: BypassReason}
	/** Go to the origin; store what comes if that is allowed. `stored` is what may stand in for a failure, and what the response may freshen or complete. With `headers` added to the request, a 304 names the stored variant that is the answer. `insteadOf`: why it would be validated, if it had a validator. */
	| {readonly kind: 'fetch'; readonly reason: MissReason; readonly insteadOf?: ValidateReason; readonly stored?: StoredResponse; readonly headers?: HeaderFields | undefined}
	/** Answer now. With `refresh`, ask the origin in the background with these header fields added. */
	| {readonly kind: 'reuse'; readonly reason: ReuseReason; readonly stored: StoredResponse; readonly refresh?: HeaderFields | undefined}
	/** Ask the origin with these header fields added; 304 makes `stored` the answer. */
	| {readonly kind: 'validate'; readonly reason: ValidateReason; readonly stored: StoredResponse; readonly headers: HeaderFields}
	/** `only-if-cached` and nothing to give: 504, RFC 9111 §5.2.1.7. */
	| {readonly kind: 'unavailable'; readonly reason: 'only-if-cached'};
