import got from 'got';
import type Keyv from 'keyv';
import type {Client} from '../../contender.ts';
import {gotClient} from './got-client.ts';

export const gotWithCache = (cache: Keyv): Client => {
	// Every request leaves a listener behind; a printed warning each time would slow it further.
	cache.setMaxListeners(Infinity);

	return {
		...gotClient(got.extend({cache})),
		teardown: async () => cache.disconnect(),
	};
};
