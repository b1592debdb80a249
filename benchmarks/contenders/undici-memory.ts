import {
	Agent,
	cacheStores,
	interceptors,
	request,
} from 'undici';
import type {Contender} from '../contender.ts';

const contender: Contender = {
	name: 'undici, MemoryCacheStore',
	answersFrom: 'memory',
	async setup() {
		const agent = new Agent();
		const dispatcher = agent.compose(interceptors.cache({store: new cacheStores.MemoryCacheStore()}));

		return {
			async request(url) {
				const {body} = await request(url, {dispatcher});
				return body.bytes();
			},
			async text(url) {
				const {body} = await request(url, {dispatcher});
				return body.text();
			},
			teardown: async () => agent.close(),
		};
	},
};

export default contender;
