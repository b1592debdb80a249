import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, memory tier, no Cache-Status',
	answersFrom: 'memory',
	setup: ours({cacheStatus: false}),
};

export default contender;
