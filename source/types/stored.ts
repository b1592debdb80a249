/**
Stored records as plain data: `http/` reasons about this shape, and `store/` turns it into bytes.
*/

/** The most tags and cache groups of one response together. One round trip can look up this many versions. */
export const maxTags = 256;

/**
The result of RFC 9111 and http-cache-semantics when a response was stored or last validated. Later decisions need no other header fields for freshness and reuse.
*/
export type StoredPolicy = {
	/** Whether the response was stored under the rules of a shared cache. A shared cache never reuses a response that a private cache stored. */
	readonly isShared: boolean;

	/** RFC 9111 §4.2.1. */
	readonly freshnessLifetimeSeconds: number;

	/** RFC 9111 §4.2.3, at `responseTimeMs`. */
	readonly correctedInitialAgeSeconds: number;

	/** The local clock when the request was sent, in milliseconds since the epoch. */
	readonly requestTimeMs: number;

	/** The local clock when the response was received, in milliseconds since the epoch. */
	readonly responseTimeMs: number;

	/** `no-cache`: the response is never reused without validation. */
	readonly isNoCache: boolean;

	/** `must-revalidate`, and in a shared cache `proxy-revalidate` and `s-maxage`: the response is never reused stale. */
	readonly isMustRevalidate: boolean;

	/** RFC 8246. */
	readonly isImmutable: boolean;

	/** RFC 5861 §3. */
	readonly staleWhileRevalidateSeconds: number | undefined;

	/** RFC 5861 §4. */
	readonly staleIfErrorSeconds: number | undefined;

	/** Whether the response was invalidated (RFC 9111 §4.4) or softly purged. It is then validated before reuse, except in place of an error. */
	readonly isInvalidated: boolean;
};

/** The byte range of a stored partial response, RFC 9110 §14.4. */
export type StoredRange = {
	/** The position of the first byte, from 0. */
	readonly firstByte: number;
	/** The position of the last byte. */
	readonly lastByte: number;
	/** Length of the complete representation. */
	readonly completeLength: number;
};

export type StoredResponse = {
	readonly kind: 'response';
	/** Upper-case. */
	readonly method: string;
	/** The absolute URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. Several requests may share it. */
	readonly url: string;
	/** The request's selecting header fields (RFC 9111 §4.1): lower-case names, normalised values. Empty without `Vary`. */
	readonly selectingHeaders: Readonly<Record<string, string>>;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly httpVersion: string;
	/** Alternating names and values as received, with order, case and repetition, as in `http.IncomingMessage#rawHeaders`. */
	readonly rawHeaders: readonly string[];
	readonly policy: StoredPolicy;
	/** The byte range in `body`; `undefined` if `body` is the complete representation. */
	readonly range: StoredRange | undefined;
	readonly tags: readonly string[];
	/** The response's cache groups within its origin, RFC 9875 §2. */
	readonly groups: readonly string[];
	/** The versions from before the request was sent, in the order of `versionKeysOf()`: the token of the resource's guard (empty in the store, because a purge deletes the response), then the version of the origin, of each tag, of each group, and of the path if the response is stored for equivalent URLs. */
	readonly versions: readonly string[];
	/** The id of the index that lists this variant; empty without `Vary`. */
	readonly indexId: string;
	readonly body: Uint8Array;
};

/** The index of a resource's variants. It is stored under the primary key in place of a response if responses carry `Vary`. */
export type VariantIndex = {
	readonly kind: 'index';
	/** A random id. A variant with another id belongs to an index that was purged. */
	readonly indexId: string;
	/** The names of the selecting header fields: lower-case, sorted, without duplicates. */
	readonly vary: readonly string[];
	/** The variants, newest first. */
	readonly variants: readonly VariantReference[];
};

export type VariantReference = {
	/** The hash of the normalised selecting header fields. */
	readonly id: string;
	/** The time at which the store removes the variant, in milliseconds since the epoch; `Number.MAX_SAFE_INTEGER` if never. */
	readonly keptUntilMs: number;
	/** The variant's entity tag, so that one request can ask about all variants (RFC 9111 §4.3.1); empty if the variant has none. */
	readonly etag: string;
};

/** The version of an origin, tag, group or path. Stored responses carry the versions they were requested under; a response with another version is purged. */
export type StoredVersion = {
	readonly kind: 'version';
	/** A random name. */
	readonly version: string;
	/** A random name; empty at first. A response with another soft version must be validated before reuse. */
	readonly softVersion: string;
	/** The time of the last purge, in milliseconds since the epoch; 0 if there was none. */
	readonly purgedAtMs: number;
	/** For a path: the `No-Vary-Search` value of its responses. For an origin: the value of one of its paths, which tells that such a path exists. */
	readonly noVarySearch?: string;
	/** For an origin: the time until which single URLs of it may have been purged, in milliseconds since the epoch. */
	readonly urlsPurgedUntilMs?: number;
	/** For an origin: the switch that was last set for it. */
	readonly originSwitch?: StoredSwitch;
};

/** The switches of an origin: answer from the cache alone, or take no part. */
export type SwitchKind = 'freeze' | 'bypass';

/** A switch of an origin, for all processes. */
export type StoredSwitch = {
	/** After `'thaw'`, no switch is set. The record stays until the former switch would have ended, since a process that knows only that one would write it again. */
	readonly kind: SwitchKind | 'thaw';
	/** The origin, such as `https://api.example.com`. */
	readonly origin: string;
	/** The time of the change, in milliseconds since the epoch. Of two changes, the one with the greater time is the later one: a change that the clock would put before the one that it replaces is a millisecond later. */
	readonly changedAtMs: number;
	/** The end of the switch, in milliseconds since the epoch. */
	readonly untilMs: number;
};

/** The guard of a resource while requests for it may be in progress. A purge replaces the guard, and a write that counts on the former guard is refused. */
export type StoredGuard = {
	readonly kind: 'guard';
	/** A random name. */
	readonly token: string;
};

export type StoredRecord = StoredResponse | VariantIndex | StoredVersion | StoredGuard;

/** The record, if it is a response. */
export const asResponse = (record: StoredRecord | undefined): StoredResponse | undefined => record?.kind === 'response' ? record : undefined;
