import got, {type HandlerFunction} from 'got';
import type {Contender} from '../contender.ts';
import {cannedBody} from './parts/floor-bodies.ts';

const contender: Contender = {
	name: 'floor: got handler, canned response',
	answersFrom: 'canned',
	async setup() {
		const answer = async (options: {readonly url?: unknown}) => cannedBody(String(options.url));
		const client = got.extend({
			responseType: 'buffer',
			resolveBodyOnly: true,
			// A handler's type wants got's own promise; got completes a bare one itself.
			handlers: [answer as unknown as HandlerFunction],
		});

		return {
			request: async url => client<Uint8Array>(url),
		};
	},
};

export default contender;
