import Keyv from 'keyv';
import type {Contender} from '../contender.ts';
import {gotWithCache} from './parts/got-cache.ts';

const contender: Contender = {
	name: 'got `cache`, Map',
	answersFrom: 'memory',
	setup: async () => gotWithCache(new Keyv({store: new Map()})),
};

export default contender;
