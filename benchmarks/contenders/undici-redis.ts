import type {Contender} from '../contender.ts';
import {undiciRedis} from './parts/undici-redis.ts';

const contender: Contender = {
	name: 'undici, undici-cache-redis, no tracking',
	answersFrom: 'redis',
	setup: undiciRedis(false),
};

export default contender;
