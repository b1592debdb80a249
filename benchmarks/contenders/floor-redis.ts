import type {Contender} from '../contender.ts';
import {floorRedis} from './parts/floor-redis.ts';

const contender: Contender = {
	name: 'floor: bare Redis GET',
	answersFrom: 'redis',
	async setup({redisUrl}) {
		const redis = await floorRedis(redisUrl);

		return {
			request: redis.get,
			teardown: redis.close,
		};
	},
};

export default contender;
