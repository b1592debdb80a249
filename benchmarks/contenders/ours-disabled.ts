import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, disabled',
	answersFrom: 'origin',
	setup: ours({disabled: true}),
};

export default contender;
