import {cacheStores} from 'undici';
import type {Contender} from '../contender.ts';
import {undiciClient} from './parts/undici.ts';

const contender: Contender = {
	name: 'undici, MemoryCacheStore',
	answersFrom: 'memory',
	setup: async () => undiciClient(new cacheStores.MemoryCacheStore()),
};

export default contender;
