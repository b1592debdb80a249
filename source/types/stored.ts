/**
What the cache keeps, as plain data: the one shape that `http/` reasons about and `store/` turns into bytes.
*/

/** Tags and cache groups of a response together: so many versions can be looked up in one round trip without a thought. */
export const maxTags = 256;

/**
What RFC 9111 and http-cache-semantics made of a response when it was stored or last validated: all that a later decision needs to know of its header fields.
*/
export type StoredPolicy = {
	/** Stored under the rules of a shared cache. A response stored by a private cache is never reused by a shared one. */
	readonly isShared: boolean;

	/** RFC 9111 §4.2.1. */
	readonly freshnessLifetimeSeconds: number;

	/** RFC 9111 §4.2.3, at `responseTimeMs`. */
	readonly correctedInitialAgeSeconds: number;

	/** The local clock when the request was sent, in milliseconds since the epoch. */
	readonly requestTimeMs: number;

	/** The local clock when the response was received, in milliseconds since the epoch. */
	readonly responseTimeMs: number;

	/** `no-cache`: never reused without validation. */
	readonly isNoCache: boolean;

	/** `must-revalidate`, and in a shared cache `proxy-revalidate` and `s-maxage`: never reused stale. */
	readonly isMustRevalidate: boolean;

	/** RFC 8246. */
	readonly isImmutable: boolean;

	/** RFC 5861 §3. */
	readonly staleWhileRevalidateSeconds: number | undefined;

	/** RFC 5861 §4. */
	readonly staleIfErrorSeconds: number | undefined;

	/** Marked invalid (RFC 9111 §4.4) or softly purged: never reused without validation, except in place of an error. */
	readonly isInvalidated: boolean;
};

/** The bytes that a stored partial response holds of the whole, RFC 9110 §14.4. */
export type StoredRange = {
	readonly firstByte: number;
	readonly lastByte: number;
	/** Length of the complete representation. */
	readonly completeLength: number;
};

export type StoredResponse = {
	readonly kind: 'response';
	/** Upper-case. */
	readonly method: string;
	/** Absolute, without userinfo, fragment and ignored parameters, and with `REDACTED` in the place of credentials: it may be that of several requests. */
	readonly url: string;
	/** The selecting header fields (RFC 9111 §4.1) of the request, lower-case names with normalised values; empty without `Vary`. */
	readonly selectingHeaders: Readonly<Record<string, string>>;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly httpVersion: string;
	/** Names and values in turn, as they arrived: order, case and repetition are kept, as in `http.IncomingMessage#rawHeaders`. */
	readonly rawHeaders: readonly string[];
	readonly policy: StoredPolicy;
	/** Which bytes `body` holds; `undefined` when it is the complete representation. */
	readonly range: StoredRange | undefined;
	readonly tags: readonly string[];
	/** The cache groups of its origin that it belongs to, RFC 9875 §2. */
	readonly groups: readonly string[];
	/** What counted when it was asked for: the token of the resource's guard (empty in the store, where a purge removes the response), then the versions of its origin, each tag, each group, and of the path where it is stored for equivalent URLs. */
	readonly versions: readonly string[];
	/** Ties a variant to the index that lists it; empty without `Vary`. */
	readonly indexId: string;
	readonly body: Uint8Array;
};

/** The variants of a resource whose responses carry `Vary`; stands under the primary key in place of a response. */
export type VariantIndex = {
	readonly kind: 'index';
	/** A random name. A variant with another id belongs to an index that was purged. */
	readonly indexId: string;
	/** Names of the selecting header fields, lower-case, sorted, without duplicates. */
	readonly vary: readonly string[];
	/** Newest first. */
	readonly variants: readonly VariantReference[];
};

export type VariantReference = {
	/** Hash of the normalised selecting header fields. */
	readonly id: string;
	/** When the store removes it, in milliseconds since the epoch; `Number.MAX_SAFE_INTEGER` when it never does. */
	readonly keptUntilMs: number;
	/** The variant's entity tag, to ask with all of them at once (RFC 9111 §4.3.1); empty if it has none. */
	readonly etag: string;
};

/** Stands for all stored responses that have something in common, and says since when they hold: those that were asked for under another version do not. */
export type StoredVersion = {
	readonly kind: 'version';
	/** A random name. */
	readonly version: string;
	/** A random name: what is of another one is to be validated before it is used. Empty at first. */
	readonly softVersion: string;
	/** When somebody purged, in milliseconds since the epoch; 0 if nobody ever did. */
	readonly purgedAtMs: number;
	/** Of a path, the `No-Vary-Search` of its responses; of an origin, that of any of its paths, which tells that there is one. */
	readonly noVarySearch?: string;
	/** Of an origin: until when its URLs may have been purged one by one, in milliseconds since the epoch. */
	readonly urlsPurgedUntilMs?: number;
};

/** Stands beside a resource while requests for it may be under way. A purge replaces it, and what counts on the former one is not written. */
export type StoredGuard = {
	readonly kind: 'guard';
	/** A random name. */
	readonly token: string;
};

export type StoredRecord = StoredResponse | VariantIndex | StoredVersion | StoredGuard;
