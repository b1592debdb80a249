import {randomBytes} from 'node:crypto';
import type {Contender} from '../contender.ts';
import {ours} from './parts/ours.ts';

const contender: Contender = {
	name: 'got-redis-cache, Redis each time, encrypted',
	answersFrom: 'redis',
	setup: ours({memory: false, encryption: randomBytes(32)}),
};

export default contender;
