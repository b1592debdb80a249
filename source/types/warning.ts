import process from 'node:process';

/** The code of a warning, for `process.on('warning')` and `node --disable-warning`. */
type WarningCode = 'GOT_REDIS_CACHE_CONTEXT' | 'GOT_REDIS_CACHE_STORE_UNDEFINED' | 'GOT_REDIS_CACHE_UNSAFE_METHODS';

/** Warns of an option that is valid but probably not intended. */
export const warn = (code: WarningCode, message: string): void => {
	process.emitWarning(`got-redis-cache: ${message}`, {code});
};
