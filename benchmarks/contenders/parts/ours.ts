import got from 'got';
import {redisCache, type RedisCacheOptions} from '../../../source/index.ts';
import type {Contender} from '../../contender.ts';

/**
`store` is the benchmark's Redis unless the options name another.
*/
export const ours = (options: RedisCacheOptions): Contender['setup'] => async ({redisUrl}) => {
	const cache = redisCache({store: redisUrl, ...options});
	const client = got.extend(cache, {responseType: 'buffer', resolveBodyOnly: true});

	return {
		request: async url => client<Uint8Array>(url),
		text: async url => client(url).text(),
		stream: url => client.stream(url),
		teardown: async () => cache.close(),
	};
};
