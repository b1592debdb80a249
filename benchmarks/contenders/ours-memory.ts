import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, memory tier before Redis',
	answersFrom: 'memory',
	setup: ours({}),
};

export default contender;
