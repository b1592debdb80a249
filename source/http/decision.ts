import type {StoredResponse} from '../types/stored.ts';
import type {HeaderFields} from './message.ts';

/** The reason why the cache takes no part in a request. */
export type BypassReason =
	/** The user disabled the cache for the request. */
	| 'disabled'
	/** The user's filter excluded the request. */
	| 'filtered'
	/** Responses to the request's method are not stored. */
	| 'method'
	/** Storing is forbidden by the request's `Cache-Control: no-store`, or by the mode or the lifetime of that name. */
	| 'no-store'
	/** The request's content cannot be part of a key, such as a stream. */
	| 'unkeyable-body'
	/** Got's own `cache` option is set, so that another cache is in use. */
	| 'other-cache'
	/** The options of the request were changed again and again while it was looked up, or just before it was sent. */
	| 'changing-request'
	/** An operator has the whole fleet bypass the cache for the origin. */
	| 'bypassed-by-operator';

/** The reason why a request goes to the origin. */
export type MissReason =
	/** No stored response could answer the request. */
	| 'not-stored'
	/** The request's selecting header fields match no stored variant, RFC 9111 §4.1. */
	| 'vary-mismatch'
	/** The user asked for a new response: mode `reload`. */
	| 'reload'
	/** The stored response may not be reused without validation, and has no validator. */
	| 'no-validator'
	/** The stored response may not be reused without validation, and the request has its own precondition for the origin. */
	| 'own-conditional'
	/** The request asks for bytes that are not stored. */
	| 'range-not-stored';

/** The reason why a stored response answers before the origin is asked. */
export type ReuseReason =
	/** RFC 9111 §4.2. */
	| 'fresh'
	/** The response is fresh and immutable, so that even a reload does not ask the origin: RFC 8246. */
	| 'immutable'
	/** The response is stale, and the request accepts that: RFC 9111 §5.2.1.2. */
	| 'max-stale'
	/** The response is stale and is refreshed in the background: RFC 5861 §3. */
	| 'stale-while-revalidate'
	/** The response is stale or must be validated, and the mode `force-cache` accepts that. */
	| 'force-cache'
	/** The response is stale or must be validated, and the mode `only-if-cached` accepts that. */
	| 'only-if-cached'
	/** The response is stale or must be validated, and an operator has frozen the origin. */
	| 'frozen';

/** The reason why a stored response must be validated before reuse. */
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
	/** The option `alwaysRevalidate` is set. */
	| 'always-revalidate'
	/** A part of the response is stored and all of it is requested; only the missing part is fetched, RFC 9111 §3.3. */
	| 'range-incomplete';

/**
The result of a look-up. Decisions are data instead of calls, so that they can be tested as tables, logged and explained.
*/
export type Decision =
	/** The cache takes no part. */
	| {readonly kind: 'bypass'; readonly reason: BypassReason}
	/** Ask the origin, and store the response if that is allowed. `stored` may replace a failure, and the response may freshen or complete it. With `headers` added to the request, a 304 names the stored variant that is the answer. `insteadOf` is the reason to validate `stored`, if it had a validator. */
	| {readonly kind: 'fetch'; readonly reason: MissReason; readonly insteadOf?: ValidateReason; readonly stored?: StoredResponse; readonly headers?: HeaderFields | undefined}
	/** Answer now. With `refresh`, ask the origin in the background with these header fields added. */
	| {readonly kind: 'reuse'; readonly reason: ReuseReason; readonly stored: StoredResponse; readonly refresh?: HeaderFields | undefined}
	/** Ask the origin with these header fields added; 304 makes `stored` the answer. */
	| {readonly kind: 'validate'; readonly reason: ValidateReason; readonly stored: StoredResponse; readonly headers: HeaderFields}
	/** No usable response, and the origin must not be asked: 504, RFC 9111 §5.2.1.7. */
	| {readonly kind: 'unavailable'; readonly reason: 'only-if-cached' | 'frozen'};

/** The stored response that a look-up has found, whatever is to become of it. */
export const storedIn = (decision: Decision): StoredResponse | undefined => 'stored' in decision ? decision.stored : undefined;
