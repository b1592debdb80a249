import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, Redis each time, compressed',
	answersFrom: 'redis',
	setup: ours({memory: false, compression: true}),
};

export default contender;
