import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import type {Contender} from '../contender.ts';
import {gotWithCache} from './parts/got-cache.ts';

const contender: Contender = {
	name: 'got `cache`, @keyv/redis',
	answersFrom: 'redis',
	setup: async ({redisUrl}) => gotWithCache(new Keyv({store: new KeyvRedis(redisUrl)})),
};

export default contender;
