import process from 'node:process';

/** By what a warning can be told from others, in `process.on('warning')` and with `node --disable-warning`. */
type WarningCode = 'GOT_REDIS_CACHE_CONTEXT' | 'GOT_REDIS_CACHE_STORE_UNDEFINED' | 'GOT_REDIS_CACHE_UNSAFE_METHODS';

/** Warns of an option that is valid, and hardly what was meant. */
export const warn = (code: WarningCode, message: string): void => {
	process.emitWarning(`got-redis-cache: ${message}`, {code});
};
