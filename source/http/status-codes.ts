/** RFC 9110 §15.1. */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Status codes whose caching requirements this cache follows, RFC 9111 §5.2.2.3. */
export const understood: ReadonlySet<number> = new Set([...heuristicallyCacheable, 302, 303, 307]);

/** Status codes that answer one request's precondition or range, and would be wrong for the next request with the same key. */
export const requestSpecific: ReadonlySet<number> = new Set([304, 412, 416]);

/** Status codes that are never stored. RFC 6585 §3 to §6 forbid storing; a demand for credentials does not apply to requests that have them. */
export const notStored: ReadonlySet<number> = new Set([401, 407, 428, 429, 431, 511]);

/** Failures that a stale response may replace, RFC 5861 §4. */
export const serverFailures: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** Status codes whose responses end with their head, whatever its fields say: RFC 9112 §6.3. */
const bodiless: ReadonlySet<number> = new Set([204, 304]);

export const isBodilessStatus = (statusCode: number): boolean => bodiless.has(statusCode);

/** Status codes that say that the resource does not exist: RFC 9110 §15.5.5, §15.5.11. */
const absent: ReadonlySet<number> = new Set([404, 410]);

export const isAbsent = (statusCode: number): boolean => absent.has(statusCode);

/** Whether a response is about its target resource, and not about the request or its sender: 2xx, 3xx, 404, 410, and 451 (RFC 7725 §3). A 304 is about a representation that is stored already. */
export const isAboutResource = (statusCode: number): boolean => (isNonError(statusCode) && statusCode !== 304) || absent.has(statusCode) || statusCode === 451;

/** Refusals that depend on the credentials: RFC 9110 §15.5.2, §15.5.4, §15.5.8. */
const aboutCredentials: ReadonlySet<number> = new Set([401, 403, 407]);

export const isAboutCredentials = (statusCode: number): boolean => aboutCredentials.has(statusCode);

export const isSuccessful = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;

/** RFC 9111 §4.4. */
export const isNonError = (statusCode: number): boolean => statusCode >= 200 && statusCode < 400;
