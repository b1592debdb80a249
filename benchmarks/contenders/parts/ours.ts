import got from 'got';
import {redisCache, type RedisCacheOptions} from '../../../source/index.ts';
import type {Contender} from '../../contender.ts';
import {gotClient} from './got-client.ts';

/**
`store` is the benchmark's Redis unless the options name another.
*/
export const ours = (options: RedisCacheOptions): Contender['setup'] => async ({redisUrl}) => {
	const cache = redisCache({store: redisUrl, ...options});

	return {
		...gotClient(got.extend(cache)),
		teardown: async () => cache.close(),
	};
};
