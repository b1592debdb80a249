import type {Decision} from '../http/decision.ts';
import type {Finding} from '../http/finding.ts';
import type {LifetimeSource} from '../http/lifetime.ts';
import type {PassReason} from '../http/outcome.ts';
import type {StoreHealth} from '../store/ports/health.ts';
import type {OriginSwitch} from '../tags/switching.ts';
import type {StoredRange} from '../types/stored.ts';
import type {CacheEntry} from './inventory.ts';

/*
The result of `explain()`: plain data, without credentials.
*/

/** The number of seconds, or `'unlimited'`. */
export type Seconds = number | 'unlimited';

/** The key of a request, and the parts that it is made of. */
export type ExplainedKey = {
	/** The key without the namespace, as `cacheInfo()` has it: `'{mJ3…}'`. */
	readonly key: string;
	/** The key in the store, with the namespace, as Redis's own tools show it. */
	readonly storeKey: string;
	/** The method: `GET` also for HEAD, which the stored response to GET answers. */
	readonly method: string;
	/** The normalised URL without ignored parameters, with `REDACTED` in place of credentials. These count all the same. */
	readonly url: string;
	/** The parameters of this URL that the option `ignoredParameters` ignores. */
	readonly ignoredParameters: readonly string[];
	/** The `Host` of the request, if it is not the URL's. */
	readonly host: string | undefined;
	/** How the content is compared: as `'json'`, `'form'`, `'multipart'` or `'bytes'`; `undefined` without content. */
	readonly content: string | undefined;
	/** The user, as given. */
	readonly user: string | undefined;
	/** The additional key, as given. */
	readonly extra: string | undefined;
	/** The `No-Vary-Search` that the origin sent for this path: equivalent URLs share a key. */
	readonly noVarySearch: string | undefined;
};

/** A purge or invalidation that this request is affected by. */
export type ExplainedPurge = {
	/** The subject of the purge: the URL itself, everything, or what has an origin, a tag, a group or a path with `No-Vary-Search` in common. */
	readonly kind: 'url' | 'all' | 'origin' | 'tag' | 'group' | 'path';
	/** The origin, tag, group or path; `undefined` for the others. */
	readonly name: string | undefined;
	/** Whether the response may still be used after validation. */
	readonly isSoft: boolean;
	/** Whether the store has lost what tells of purges, so that the response counts as purged. */
	readonly isLost: boolean;
	/** The time of the purge; `undefined` if it is not known. A purge of a URL by another process was in the last hour. */
	readonly purgedAt: Date | undefined;
};

/** How long a response is fresh. */
export type ExplainedFreshness = {
	/** Whether it is fresh by its age. */
	readonly isFresh: boolean;
	/** The freshness lifetime (RFC 9111 §4.2.1). */
	readonly lifetimeSeconds: Seconds;
	/** The origin of the lifetime: a directive or field of the response, an option, `'heuristic'` (a tenth of the time since `Last-Modified`) or `'none'`; `'request'`: the option `expireAfter` of the request; `'other'`: `touch()`, or other options than those of this cache. */
	readonly source: LifetimeSource | 'other';
	/** The field whose directives count, in lower case, such as `cache-control` or one of the option `targets`. */
	readonly field: string | undefined;
	/** The age by now, in seconds with three decimals, RFC 9111 §4.2.3. */
	readonly ageSeconds: number;
	/** The end of the lifetime; `undefined` if it never ends. */
	readonly until: Date | undefined;
};

/** How long a stale response may answer in one case. */
export type ExplainedWindow = {
	/** The time after the end of the lifetime; 0 if never. */
	readonly seconds: Seconds;
	/** Whether the response itself says so, an option, or nobody. */
	readonly source: 'response' | 'option' | 'none';
};

/** When a response may be used that is no longer fresh. */
export type ExplainedStaleness = {
	/** The directive that forbids it; `undefined` if none does. `'must-revalidate'` stands for `proxy-revalidate` and `s-maxage`, too. */
	readonly forbiddenBy: 'no-cache' | 'must-revalidate' | undefined;
	/** While it is refreshed in the background, RFC 5861 §3. */
	readonly whileRevalidate: ExplainedWindow;
	/** In place of an answer such as 503, RFC 5861 §4. */
	readonly ifError: ExplainedWindow;
	/** While the origin cannot be reached, RFC 9111 §4.2.4. */
	readonly ifDisconnected: ExplainedWindow;
};

/** A stored response, as far as it concerns a request. */
export type ExplainedResponse = CacheEntry & {
	/** Whether the request selects it: it answers, is validated or may stand in. */
	readonly isSelected: boolean;
	/** Whether it is there though no request is given it any more: it was purged. */
	readonly isPurged: boolean;
	/** The purges since it was requested. */
	readonly purges: readonly ExplainedPurge[];
	/** Whether it is for callers who decode the content themselves (`decompress: false`). */
	readonly isEncoded: boolean;
	/** Whether this process has it in memory. */
	readonly isInMemory: boolean;
	/** The bytes that are stored of a response that is incomplete: the first, the last, and the length of the whole. */
	readonly range: StoredRange | undefined;
	/** Whether it has an `ETag` or `Last-Modified` to validate it by. */
	readonly hasValidator: boolean;
	/** How long it is fresh. */
	readonly freshness: ExplainedFreshness;
	/** When it may be used after that. */
	readonly staleness: ExplainedStaleness;
	/** The rest of its time to live in Redis, in milliseconds; `'unlimited'`: it has none; `undefined`: the store does not tell. */
	readonly ttlMs: number | 'unlimited' | undefined;
};

/** The decision of the cache for the request now, and its reason. */
export type ExplainedDecision = {
	/** `'reuse'`: a stored response answers. `'validate'`: the origin is asked whether it still holds. `'fetch'`: the origin is asked for a response. `'bypass'`: the cache takes no part. `'unavailable'`: 504. */
	readonly kind: Decision['kind'];
	/** The reason; docs/reasons.md has all of them. */
	readonly reason: Decision['reason'];
	/** The reason in a sentence. */
	readonly text: string;
	/** The section that the rule is from; `undefined` for a rule of this cache. */
	readonly rfc: string | undefined;
	/** The way to another decision, in a sentence; `undefined` if nothing is wrong. */
	readonly mend: string | undefined;
	/** The reason to validate a response that has no validator. */
	readonly insteadOf: Decision['reason'] | undefined;
	/** The failures of the origin that a stored response replaces when it is asked: `'error-status'`, a 5xx, and `'disconnected'`. Empty if the origin is not asked. */
	readonly standsInFor: ReadonlyArray<'error-status' | 'disconnected'>;
	/** The preconditions and the range that the origin would be sent, in lower case. */
	readonly addedHeaders: Readonly<Record<string, string>>;
};

/** Why the last response to such a request was not stored, as far as this process remembers. */
export type ExplainedRefusal = {
	/** The reason; docs/reasons.md has all of them. */
	readonly reason: PassReason;
	/** The reason in a sentence. */
	readonly text: string;
	/** The section that the rule is from; `undefined` for a rule of this cache. */
	readonly rfc: string | undefined;
	/** The way to have such responses stored; `undefined` if there is none. */
	readonly mend: string | undefined;
	/** The status code of the origin's response; `undefined` if there was none. */
	readonly statusCode: number | undefined;
	/** The time of the response. */
	readonly at: Date;
};

/** Why responses to a URL were not stored, in all processes. */
export type ExplainedFleetRefusal = {
	/** The reason; docs/reasons.md has all of them. */
	readonly reason: PassReason;
	/** The reason in a sentence. */
	readonly text: string;
	/** The section that the rule is from; `undefined` for a rule of this cache. */
	readonly rfc: string | undefined;
	/** The way to have such responses stored; `undefined` if there is none. */
	readonly mend: string | undefined;
	/** The number of responses that were not stored for this reason. */
	readonly responses: number;
};

/** The judgement of a response that the origin was asked for: nothing of it was stored. */
export type OriginJudgement = {
	/** The status code; `undefined` if there was no response. */
	readonly statusCode: number | undefined;
	/** Why there was no response; `undefined` if there was one. */
	readonly error: string | undefined;
	/** The time from when the request was sent to the whole response, in milliseconds. */
	readonly durationMs: number;
	/** Whether it would be stored, if the store takes it. */
	readonly isStored: boolean;
	/** Why it would not be stored; `undefined` if it would. */
	readonly reason: PassReason | undefined;
	/** The judgement in a sentence. */
	readonly text: string;
	/** The section that the rule is from; `undefined` for a rule of this cache. */
	readonly rfc: string | undefined;
	/** The way to have it stored; `undefined` if it would be, or if there is none. */
	readonly mend: string | undefined;
	/** How long it would be fresh; `undefined` if it would not be stored. */
	readonly freshness: ExplainedFreshness | undefined;
	/** How long it might be used when it is no longer fresh; `undefined` if it would not be stored. */
	readonly staleness: ExplainedStaleness | undefined;
	/** How long Redis would keep it, in milliseconds; `undefined` if not at all. */
	readonly ttlMs: number | 'unlimited' | undefined;
	/** The tags that it would have. */
	readonly tags: readonly string[];
	/** The cache groups that it would have. */
	readonly groups: readonly string[];
	/** The clauses that decide about storing it, and all that its owner might mend. */
	readonly findings: readonly Finding[];
};

/** The state of the store. */
export type ExplainedStore = {
	/** The state, as in `health()`. */
	readonly state: StoreHealth['state'];
	/** Whether the store has answered this time. */
	readonly isAnswering: boolean;
	/** The message of the last error; `undefined` if there was none. */
	readonly lastError: string | undefined;
};

/** The answer to the question why a request is, or is not, answered from the cache. New properties may be added in a minor version. */
export type Explanation = {
	/** The request's method, in upper case. */
	readonly method: string;
	/** The absolute URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
	readonly url: string;
	/** The key under which the request is looked up. */
	readonly key: ExplainedKey;
	/** The decision about the request, and its reason. */
	readonly decision: ExplainedDecision;
	/** Everything that is stored under the key: all variants, and what was purged but is still there. */
	readonly stored: readonly ExplainedResponse[];
	/** The request header fields that select among the variants, with the values that this request has; credentials are digests. */
	readonly selectedBy: Readonly<Record<string, string | undefined>>;
	/** Purges of the URL or of everything that explain why nothing is stored. */
	readonly purges: readonly ExplainedPurge[];
	/** Why the last response to such a request was not stored in this process; `undefined` if it was, or if none is known. */
	readonly lastRefusal: ExplainedRefusal | undefined;
	/** Why responses to this URL were not stored in the last hour, in all processes that share the Redis and the namespace, whatever the method, header fields and user; the most frequent reason first. Empty without a Redis, with `statistics: false`, and if none is known: each process tells the others every ten seconds of the URLs that most of its refusals were about. */
	readonly fleetRefusals: readonly ExplainedFleetRefusal[];
	/** The switch that an operator has set for the origin with `freeze()` or `bypass()`, and its end; `undefined` if there is none. */
	readonly originSwitch: Omit<OriginSwitch, 'origin'> | undefined;
	/** The state of the store, as in `health()`, and whether it has answered this time. Without an answer, nothing of what is stored is known. */
	readonly store: ExplainedStore;
	/** The judgement of what the origin answers, with the option `ask`. */
	readonly origin: OriginJudgement | undefined;
	/** All of it as text for people, in lines. */
	readonly text: string;
};
