import {Agent, interceptors, request} from 'undici';
import {RedisCacheStore} from 'undici-cache-redis';
import type {Contender} from '../../contender.ts';

export const undiciRedis = (isTracking: boolean): Contender['setup'] => async ({redisUrl}) => {
	const {hostname, port} = new URL(redisUrl);
	const store = new RedisCacheStore({tracking: isTracking, clientOpts: {host: hostname, port: Number(port)}});
	const agent = new Agent();
	const dispatcher = agent.compose(interceptors.cache({store}));

	return {
		async request(url) {
			const {body} = await request(url, {dispatcher});
			return body.bytes();
		},
		async text(url) {
			const {body} = await request(url, {dispatcher});
			return body.text();
		},
		async teardown() {
			await agent.close();
			await store.close();
		},
	};
};
