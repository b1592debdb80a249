import got from 'got';
import Keyv from 'keyv';
import type {Contender} from '../contender.ts';

const contender: Contender = {
	name: 'got `cache`, Map',
	answersFrom: 'memory',
	async setup() {
		const cache = new Keyv({store: new Map()});
		// Every request leaves a listener behind; a printed warning each time would slow it further.
		cache.setMaxListeners(Infinity);
		const client = got.extend({cache, responseType: 'buffer', resolveBodyOnly: true});

		return {
			request: async url => client<Uint8Array>(url),
			text: async url => client(url).text(),
			stream: url => client.stream(url),
		};
	},
};

export default contender;
