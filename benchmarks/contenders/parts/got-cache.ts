import got from 'got';
import type Keyv from 'keyv';
import type {Client} from '../../contender.ts';

export const gotWithCache = (cache: Keyv): Client => {
	// Every request leaves a listener behind; a printed warning each time would slow it further.
	cache.setMaxListeners(Infinity);
	const client = got.extend({cache, responseType: 'buffer', resolveBodyOnly: true});

	return {
		request: async url => client<Uint8Array>(url),
		text: async url => client(url).text(),
		stream: url => client.stream(url),
		teardown: async () => cache.disconnect(),
	};
};
