/** Bodies of that many bytes and more are stored under a key that says so, and are written and read in pieces. */
export const longBodyBytes = 4 * 1024 * 1024;

/** Redis takes no longer value unless `proto-max-bulk-len` says otherwise; the head needs some of it. */
export const mostBodyBytes = 511 * 1024 * 1024;

/** The name of a variant ends like that. */
const suffix = ':long';

export const longIdOf = (variantId: string): string => variantId + suffix;

/** The same for a long variant and for a short one that takes its place. */
export const shortIdOf = (variantId: string): string => variantId.endsWith(suffix) ? variantId.slice(0, -suffix.length) : variantId;

export const isLongKey = (key: string): boolean => key.endsWith(suffix);
