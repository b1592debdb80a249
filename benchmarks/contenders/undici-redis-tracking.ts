import type {Contender} from '../contender.ts';
import {undiciRedis} from './parts/undici-redis.ts';

const contender: Contender = {
	name: 'undici, undici-cache-redis, tracking',
	answersFrom: 'memory',
	setup: undiciRedis(true),
};

export default contender;
