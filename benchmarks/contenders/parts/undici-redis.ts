import {RedisCacheStore} from 'undici-cache-redis';
import type {Contender} from '../../contender.ts';
import {undiciClient} from './undici.ts';

export const undiciRedis = (isTracking: boolean): Contender['setup'] => async ({redisUrl}) => {
	const {hostname, port} = new URL(redisUrl);
	const store = new RedisCacheStore({tracking: isTracking, clientOpts: {host: hostname, port: Number(port)}});
	const client = undiciClient(store);

	return {
		...client,
		async teardown() {
			await client.teardown?.();
			await store.close();
		},
	};
};
