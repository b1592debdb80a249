import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, filtered out',
	answersFrom: 'origin',
	setup: ours({filter: () => false}),
};

export default contender;
