import got from 'got';
import type {Contender} from '../contender.ts';
import {cannedResponse} from './parts/canned-response.ts';
import {floorRedis} from './parts/floor-redis.ts';

const contender: Contender = {
	name: 'floor: got hook and one Redis GET',
	answersFrom: 'redis',
	async setup({redisUrl}) {
		const redis = await floorRedis(redisUrl);
		const client = got.extend({
			responseType: 'buffer',
			resolveBodyOnly: true,
			hooks: {
				beforeRequest: [
					async options => cannedResponse(await redis.get((options.url!).href)),
				],
			},
		});

		return {
			request: async url => client<Uint8Array>(url),
			text: async url => client(url).text(),
			teardown: redis.close,
		};
	},
};

export default contender;
