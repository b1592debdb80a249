import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, memory of the process alone',
	answersFrom: 'memory',
	setup: ours({store: 'memory'}),
};

export default contender;
