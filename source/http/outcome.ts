import type {StoredRange, StoredResponse} from '../types/stored.ts';
import type {RequestHead} from './message.ts';

/** Why a response is handed on without being stored. */
export type PassReason =
	/** The cache took no part in the request. */
	| 'bypassed'
	/** The user's setting. */
	| 'read-only'
	/** Responses to the request's method are not stored. */
	| 'method'
	/** Responses of its status code are not stored. */
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
	/** A shared cache stores `Set-Cookie` only of a response that says that it may be stored. */
	| 'set-cookie'
	/** Its status code is stored only where the response says so, RFC 9111 §3. */
	| 'not-explicit'
	/** It would be neither fresh, nor usable when stale, nor could it be validated. */
	| 'not-reusable'
	/** A partial response whose bytes cannot be placed, RFC 9110 §14.4. */
	| 'partial'
	/** A 304 to a precondition of the caller's own. */
	| 'not-modified'
	/** A HEAD response, which freshens or invalidates the stored GET response: RFC 9111 §4.3.5. */
	| 'head'
	/** The user's own filter left it out. */
	| 'filtered'
	/** What it would replace was purged or marked invalid while it was on its way. */
	| 'invalidated'
	/** The store is given up for now, read-only, full, closed, or did not say in time whether what it would replace was purged. */
	| 'store-unavailable'
	/** Its body did not arrive whole. */
	| 'incomplete'
	/** Its body is larger than the user allows or the store takes, its head is longer than 256 KiB, or it has more tags than a look-up could heed. */
	| 'too-large'
	/** It would have been removed from the store at once. */
	| 'past-time-to-live'
	/** There was no response, or none that arrived whole. */
	| 'error';

/** Why a stale response stands in for a failure. */
export type StaleReason = 'error-status' | 'network-error' | 'timeout';

/** All of a stored response but its bytes, which may still be on their way. */
export type StoredHead = Omit<StoredResponse, 'body'>;

/** What other stored responses a response has a bearing on, RFC 9111 §4.4 and RFC 9875. */
export type Invalidation = {
	/** Absolute URLs whose stored responses are to be marked invalid. */
	readonly urls: readonly string[];
	/** Cache groups of the response's origin, RFC 9875 §3. */
	readonly groups: readonly string[];
};

/** The response takes the place of what is stored, once its body is complete. With `as`, under the key of that request: RFC 9110 §9.3.3. */
export type Replacement = {readonly kind: 'replace'; readonly head: StoredHead; readonly as?: RequestHead | undefined};

/** The stored response has the header fields and the freshness of the response from now on, RFC 9111 §3.2. */
export type Freshening = {readonly kind: 'freshen'; readonly stored: StoredResponse};

/** What becomes of the stored response where nothing of the response is stored, and why. */
export type Refusal =
	/** It stays as it is. */
	| {readonly kind: 'leave'; readonly reason: PassReason}
	/** It stays, but is validated before it is used again. */
	| {readonly kind: 'invalidate'; readonly reason: PassReason; readonly stored: StoredResponse}
	/** It is removed: the origin has given another answer since. `stored`: what is known to be there. With the scope `'resource'`, all variants are removed. */
	| {readonly kind: 'drop'; readonly reason: PassReason; readonly scope: 'selected' | 'resource'; readonly stored: StoredResponse | undefined};

/** An answer that does not go with what is stored: ask again without validators, RFC 9111 §4.3.3. */
export type Refetch = {readonly kind: 'refetch'; readonly reason: 'validator-mismatch'; readonly change: Refusal};

/**
What a response, or the lack of one, leads to: what the caller is given, and what changes in the store. What an invalidation names is to be marked before anything is stored.
*/
export type Outcome =
	| Refetch
	/** Hand the response on. */
	| {readonly kind: 'pass'; readonly reason: PassReason; readonly change: Freshening | Refusal; readonly invalidation?: Invalidation | undefined}
	/** Hand the response on and store it. `otherwise`: what is to be done if it turns out that it cannot be stored. */
	| {readonly kind: 'store'; readonly reason: 'stored'; readonly change: Replacement; readonly otherwise: Refusal; readonly invalidation?: Invalidation | undefined}
	/** A partial response that goes with the stored one: put its bytes to those of `answer`, and answer from that, RFC 9111 §3.4. `otherwise`: what it comes to if these bytes are not all that was asked for. */
	| {readonly kind: 'combine'; readonly reason: 'combined'; readonly range: StoredRange; readonly answer: StoredResponse; readonly change: Freshening | Refusal; readonly otherwise: Refetch | undefined}
	/** 304: answer with the stored response and its new header fields, RFC 9111 §4.3.4. */
	| {readonly kind: 'freshen'; readonly reason: 'not-modified'; readonly answer: StoredResponse; readonly change: Freshening | Refusal}
	/** Answer with a stale response, RFC 9111 §4.2.4. */
	| {readonly kind: 'reuse-stale'; readonly reason: StaleReason; readonly answer: StoredResponse};

/** What takes the place of an outcome where the origin was asked by another request: answer with what became of that one, RFC 9111 §4. */
export type SharedOutcome = {readonly kind: 'share'; readonly reason: 'collapsed'; readonly stored: StoredResponse};
