import type {StoredResponse} from '../stored.ts';

/** Why a response is handed on without being stored. */
export type PassReason =
	| 'bypassed'
	| 'read-only'
	| 'method'
	| 'status'
	| 'request-no-store'
	| 'no-store'
	| 'private'
	| 'authorization'
	| 'must-understand'
	| 'vary-star'
	| 'set-cookie'
	| 'not-explicit'
	| 'not-reusable'
	| 'partial'
	| 'incomplete'
	| 'too-large'
	| 'past-time-to-live'
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

/**
What a response, or the lack of one, leads to.
*/
export type Outcome =
	/** Hand the response on. With `update`, replace what is stored under the same key: a HEAD response freshens or invalidates a stored GET, RFC 9111 §4.3.5. */
	| {readonly kind: 'pass'; readonly reason: PassReason; readonly update?: StoredResponse; readonly invalidation?: Invalidation}
	/** Hand the response on and store it, once its body is complete. */
	| {readonly kind: 'store'; readonly reason: 'stored'; readonly head: StoredHead; readonly invalidation?: Invalidation}
	/** A partial response that goes with what is stored: store the two as one and answer from that, RFC 9111 §3.4. */
	| {readonly kind: 'combine'; readonly reason: 'combined'; readonly head: StoredHead; readonly stored: StoredResponse}
	/** 304: store and answer with the freshened response, RFC 9111 §4.3.4. */
	| {readonly kind: 'freshen'; readonly reason: 'not-modified'; readonly stored: StoredResponse}
	/** Answer with a stale response, RFC 9111 §4.2.4. */
	| {readonly kind: 'reuse-stale'; readonly reason: StaleReason; readonly stored: StoredResponse}
	/** A 304 for something that is not stored: ask again without validators, RFC 9111 §4.3.3. */
	| {readonly kind: 'refetch'; readonly reason: 'validator-mismatch'};
