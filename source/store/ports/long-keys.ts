/** Bodies of at least this size are stored under a key with a suffix, and are written and read in pieces. */
export const longBodyBytes = 4 * 1024 * 1024;

/** The longest body: Redis limits values to 512 MiB unless `proto-max-bulk-len` says otherwise, and the head needs some of it. */
export const mostBodyBytes = 511 * 1024 * 1024;

/** The suffix of the ids of long variants. */
const suffix = ':long';

export const longIdOf = (variantId: string): string => variantId + suffix;

/** The id without the suffix, so that a long variant and its short replacement have the same. */
export const shortIdOf = (variantId: string): string => variantId.endsWith(suffix) ? variantId.slice(0, -suffix.length) : variantId;

export const isLongKey = (key: string): boolean => key.endsWith(suffix);
