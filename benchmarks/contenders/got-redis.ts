import KeyvRedis from '@keyv/redis';
import got from 'got';
import Keyv from 'keyv';
import type {Contender} from '../contender.ts';

const contender: Contender = {
	name: 'got `cache`, @keyv/redis',
	answersFrom: 'redis',
	async setup({redisUrl}) {
		const cache = new Keyv({store: new KeyvRedis(redisUrl)});
		// Every request leaves a listener behind; a printed warning each time would slow it further.
		cache.setMaxListeners(Infinity);
		const client = got.extend({cache, responseType: 'buffer', resolveBodyOnly: true});

		return {
			request: async url => client<Uint8Array>(url),
			text: async url => client(url).text(),
			stream: url => client.stream(url),
			teardown: async () => cache.disconnect(),
		};
	},
};

export default contender;
