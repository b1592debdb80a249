import {shellWord} from '../terminal/text.ts';
import type {Given} from './given.ts';
import type {OptionRows} from './options.ts';

export const storeOptions: OptionRows = {
	store: {
		type: 'string',
		value: 'URL',
		description:
			'the Redis, such as redis://localhost:6379/1, rediss://user:password@host or unix:///run/redis.sock, or a file, such as sqlite:./cache.db (default: the environment variable REDIS_URL, else redis://localhost:6379)',
	},
	namespace: {type: 'string', short: 'n', value: 'NAME', description: 'the option `namespace` of the cache (default: http_cache)'},
	cluster: {type: 'boolean', description: 'the Redis is a node of a Redis Cluster'},
	config: {
		type: 'string',
		value: 'FILE',
		description: 'a module whose default export is what your program passes to redisCache(), for a cache with other options than the defaults',
	},
	timeout: {type: 'string', value: 'DURATION', description: 'how long the store is waited for (default: 5s)'},
	'encryption-file': {
		type: 'string',
		value: 'FILE',
		description:
			'the keys of the option `encryption`, one a line (default: the environment variable GOT_REDIS_CACHE_ENCRYPTION, with commas between keys)',
	},
};

/**
The options that were given for the store, for a command line to copy: a command without them would go to another store.

@param address - The URL of the store without its password.
*/
export const givenStoreOptions = (given: Given, address: string): string[] => Object.entries(storeOptions).flatMap(([name, {type}]) => {
	if (type === 'boolean') {
		return given.flag(name) ? [`--${name}`] : [];
	}

	const value = name === 'store' && given.text(name) !== undefined ? address : given.text(name);
	return value === undefined ? [] : [`--${name}`, shellWord(value)];
});
