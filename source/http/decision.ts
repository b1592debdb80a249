import type {StoredResponse} from '../stored.ts';
import type {HeaderFields} from './message.ts';

/** Why the cache takes no part in a request. */
export type BypassReason = 'disabled' | 'filtered' | 'method' | 'no-store' | 'unkeyable-body' | 'unsettleable';

/** Why a request goes to the origin as it is. */
export type MissReason = 'not-stored' | 'vary-mismatch' | 'reload' | 'no-validator' | 'range-not-stored';

/** Why a stored response answers without the origin being asked first. */
export type ReuseReason = 'fresh' | 'immutable' | 'max-stale' | 'stale-while-revalidate' | 'force-cache' | 'only-if-cached';

/** Why a stored response has to be validated first. */
export type ValidateReason = 'stale' | 'no-cache' | 'invalidated' | 'request-no-cache' | 'request-max-age' | 'request-min-fresh' | 'always-revalidate' | 'range-incomplete';

/**
What a lookup leads to. Data, not calls: tested as tables, logged and explained.
*/
export type Decision =
	/** The cache takes no part. */
	| {readonly kind: 'bypass'; readonly reason: BypassReason}
	/** Go to the origin; store what comes if that is allowed. */
	| {readonly kind: 'fetch'; readonly reason: MissReason}
	/** Answer now. With `refresh`, ask the origin in the background with these header fields added. */
	| {readonly kind: 'reuse'; readonly reason: ReuseReason; readonly stored: StoredResponse; readonly refresh?: HeaderFields}
	/** Ask the origin with these header fields added; 304 makes `stored` the answer. */
	| {readonly kind: 'validate'; readonly reason: ValidateReason; readonly stored: StoredResponse; readonly headers: HeaderFields}
	/** `only-if-cached` and nothing to give: 504, RFC 9111 §5.2.1.7. */
	| {readonly kind: 'unavailable'; readonly reason: 'only-if-cached'};
