import type {Contender} from '../contender.ts';
import {floorMiss} from './parts/floor-miss.ts';

const contender: Contender = {
	name: 'floor: got hooks with one Redis GET and one SET',
	answersFrom: 'origin',
	setup: floorMiss(body => body),
};

export default contender;
