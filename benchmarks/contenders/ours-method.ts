import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, method not cached',
	answersFrom: 'origin',
	setup: ours({methods: ['HEAD']}),
};

export default contender;
