import axios from 'axios';
import {setupCache} from 'axios-cache-interceptor';
import type {Contender} from '../contender.ts';

const contender: Contender = {
	name: 'axios-cache-interceptor, memory',
	answersFrom: 'memory',
	async setup() {
		const client = setupCache(axios.create({responseType: 'arraybuffer', adapter: 'http'}));

		return {
			async request(url) {
				const {data} = await client.get<Uint8Array>(url);
				return data;
			},
		};
	},
};

export default contender;
