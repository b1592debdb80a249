/** RFC 9110 §15.1. */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Whose caching requirements this cache knows and follows, RFC 9111 §5.2.2.3. */
export const understood: ReadonlySet<number> = new Set([...heuristicallyCacheable, 302, 303, 307]);

/** Answers to a precondition or a range of one request, which would be wrong for the next under the same key. */
export const requestSpecific: ReadonlySet<number> = new Set([304, 412, 416]);

/** RFC 6585 §3 to §6 forbid it; an answer that asks for credentials is none to who brings them. */
export const notStored: ReadonlySet<number> = new Set([401, 407, 428, 429, 431, 511]);

/** Failures that a stale response may stand in for, RFC 5861 §4. */
export const serverFailures: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export const isSuccessful = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;

/** RFC 9111 §4.4. */
export const isNonError = (statusCode: number): boolean => statusCode >= 200 && statusCode < 400;
