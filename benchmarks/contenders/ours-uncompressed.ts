import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, Redis each time, not compressed',
	answersFrom: 'redis',
	setup: ours({memory: false, compression: false}),
};

export default contender;
