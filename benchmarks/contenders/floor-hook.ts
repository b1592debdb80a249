import got from 'got';
import type {Contender} from '../contender.ts';
import {cannedResponse} from './parts/canned-response.ts';
import {cannedBody} from './parts/floor-bodies.ts';

const contender: Contender = {
	name: 'floor: got hook, canned response',
	answersFrom: 'canned',
	async setup() {
		const client = got.extend({
			responseType: 'buffer',
			resolveBodyOnly: true,
			hooks: {
				beforeRequest: [
					options => cannedResponse(cannedBody((options.url!).href)),
				],
			},
		});

		return {
			request: async url => client<Uint8Array>(url),
			text: async url => client(url).text(),
		};
	},
};

export default contender;
