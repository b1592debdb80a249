import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, Redis each time',
	answersFrom: 'redis',
	setup: ours({memory: false}),
};

export default contender;
