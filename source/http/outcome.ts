import type {StoredRange, StoredResponse} from '../types/stored.ts';
import type {RequestHead} from './message.ts';

/** The reason why a response is returned without being stored. */
export type PassReason =
	/** The cache took no part in the request. */
	| 'bypassed'
	/** The option `readOnly` is set. */
	| 'read-only'
	/** Responses to the request's method are not stored. */
	| 'method'
	/** Responses with this status code are not stored. */
	| 'status'
	/** RFC 9111 §5.2.1.5. */
	| 'request-no-store'
	/** RFC 9111 §5.2.2.5, or the lifetime of that name. */
	| 'no-store'
	/** RFC 9111 §5.2.2.7. */
	| 'private'
	/** RFC 9111 §3.5. */
	| 'authorization'
	/** The request has a credential that does not select the response, and the user alone gave it a lifetime. */
	| 'credentials'
	/** RFC 9111 §5.2.2.3. */
	| 'must-understand'
	/** RFC 9111 §4.1. */
	| 'vary-star'
	/** A shared cache stores a response with `Set-Cookie` only if the response explicitly allows storing. */
	| 'set-cookie'
	/** A response with this status code is stored only if it says so, RFC 9111 §3. */
	| 'not-explicit'
	/** The response would be neither fresh, nor usable when stale, nor could it be validated. */
	| 'not-reusable'
	/** The response is partial, and the position of its bytes is unknown, RFC 9110 §14.4. */
	| 'partial'
	/** The response is a 304 to the caller's own precondition. */
	| 'not-modified'
	/** The response to a HEAD request freshens or invalidates the stored GET response: RFC 9111 §4.3.5. */
	| 'head'
	/** The user's filter excluded the response. */
	| 'filtered'
	/** The resource was purged or marked invalid while the response was in transit. */
	| 'invalidated'
	/** The store is unavailable, read-only, full or closed, or did not say in time whether the resource was purged. */
	| 'store-unavailable'
	/** The response's body did not arrive completely. */
	| 'incomplete'
	/** The response's body is larger than the user allows or the store takes, its head is longer than 256 KiB, or it has more tags and groups than its size allows. */
	| 'too-large'
	/** The response's time to live is over already. */
	| 'past-time-to-live'
	/** No response arrived, or none that was complete. */
	| 'error';

/** The failure that a stale response replaces. */
export type FailureReason = 'error-status' | 'network-error' | 'timeout';

/** The reason why a stale response answers in the origin's place: a failure, or a rate limit for which the origin is not asked yet. */
export type StaleReason = FailureReason | 'rate-limited';

/** A stored response without its body, which may still be in transit. */
export type StoredHead = Omit<StoredResponse, 'body'>;

/** The stored responses that a response invalidates, RFC 9111 §4.4 and RFC 9875. */
export type Invalidation = {
	/** Absolute URLs whose stored responses are to be invalidated. */
	readonly urls: readonly string[];
	/** Cache groups of the response's origin, RFC 9875 §3. */
	readonly groups: readonly string[];
};

/** The response replaces the stored one once its body is complete. With `as`, it is stored under the key of that request: RFC 9110 §9.3.3. */
export type Replacement = {readonly kind: 'replace'; readonly head: StoredHead; readonly as?: RequestHead | undefined};

/** The stored response is updated with the header fields and the freshness of the response, RFC 9111 §3.2. */
export type Freshening = {readonly kind: 'freshen'; readonly stored: StoredResponse};

/** The change of the stored response if the new response is not stored, and the reason. */
export type Refusal =
	/** The stored response stays as it is. */
	| {readonly kind: 'leave'; readonly reason: PassReason}
	/** The stored response stays, but is validated before reuse. */
	| {readonly kind: 'invalidate'; readonly reason: PassReason; readonly stored: StoredResponse}
	/** The stored response is removed, because the origin has given another answer since. `stored` is the response known to be there. With the scope `'resource'`, all variants are removed. */
	| {readonly kind: 'drop'; readonly reason: PassReason; readonly scope: 'selected' | 'resource'; readonly stored: StoredResponse | undefined};

/** The answer does not match the stored response: ask again without validators, RFC 9111 §4.3.3. */
export type Refetch = {readonly kind: 'refetch'; readonly reason: 'validator-mismatch'; readonly change: Refusal};

/**
The effect of a response or a failure: the answer for the caller, and the change in the store. Invalidations are applied before anything is stored.
*/
export type Outcome =
	| Refetch
	/** Return the response. */
	| {readonly kind: 'pass'; readonly reason: PassReason; readonly change: Freshening | Refusal; readonly invalidation?: Invalidation | undefined}
	/** Return the response and store it. `otherwise` is the change if the response turns out not to be storable. */
	| {
		readonly kind: 'store';
		readonly reason: 'stored';
		readonly change: Replacement;
		readonly otherwise: Refusal;
		readonly invalidation?: Invalidation | undefined;
	}
	/** Combine a partial response with the stored one: add its bytes to those of `answer`, and answer from that, RFC 9111 §3.4. `otherwise` is the outcome if the combined bytes do not satisfy the request. */
	| {
		readonly kind: 'combine';
		readonly reason: 'combined';
		readonly range: StoredRange;
		readonly answer: StoredResponse;
		readonly change: Freshening | Refusal;
		readonly otherwise: Refetch | undefined;
	}
	/** Answer a 304 with the stored response and its new header fields, RFC 9111 §4.3.4. */
	| {readonly kind: 'freshen'; readonly reason: 'not-modified'; readonly answer: StoredResponse; readonly change: Freshening | Refusal}
	/** Answer with a stale response, RFC 9111 §4.2.4. */
	| {readonly kind: 'reuse-stale'; readonly reason: StaleReason; readonly answer: StoredResponse};

/** The outcome if another request asked the origin: answer with the response to that one, RFC 9111 §4. */
export type SharedOutcome = {readonly kind: 'share'; readonly reason: 'collapsed'; readonly stored: StoredResponse};
