import got from 'got';
import type {Contender} from '../contender.ts';
import {gotClient} from './parts/got-client.ts';

const contender: Contender = {
	name: 'got, no cache',
	answersFrom: 'origin',
	setup: async () => gotClient(got),
};

export default contender;
