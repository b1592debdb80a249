import got from 'got';
import type {Contender} from '../contender.ts';

const contender: Contender = {
	name: 'got, no cache',
	answersFrom: 'origin',
	async setup() {
		const client = got.extend({responseType: 'buffer', resolveBodyOnly: true});

		return {
			request: async url => client<Uint8Array>(url),
			text: async url => client(url).text(),
			stream: url => got.stream(url),
		};
	},
};

export default contender;
