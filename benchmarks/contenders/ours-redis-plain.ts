import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, Redis each time, no Cache-Status',
	answersFrom: 'redis',
	setup: ours({memory: false, cacheStatus: false}),
};

export default contender;
