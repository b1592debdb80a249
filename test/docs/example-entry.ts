import {redisCache as createCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {optionNames} from '../../source/options/option-rules.ts';

export * from '../../source/index.ts';

const isOptions = (value: unknown): value is RedisCacheOptions =>
	typeof value === 'object'
	&& value !== null
	&& Object.getPrototypeOf(value) === Object.prototype
	&& Object.keys(value).every(name => (optionNames.ofCache as readonly string[]).includes(name));

/** The entry for examples. On a busy machine, Redis may take longer than the cache waits by default. */
export const redisCache = (given?: Parameters<typeof createCache>[0]): RedisCache => {
	const options: RedisCacheOptions = given === undefined || isOptions(given) ? {...given} : {store: given as NonNullable<RedisCacheOptions['store']>};

	return createCache({timeout: '10s', ...options});
};
