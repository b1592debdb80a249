import got from 'got';
import type {Contender} from '../contender.ts';
import {parseResourcePath} from '../url.ts';
import {cannedBody} from './parts/floor-bodies.ts';

/** The least that a validation costs: a request of got's that is answered 304. */
const contender: Contender = {
	name: 'floor: got, answered 304',
	answersFrom: 'canned',
	async setup() {
		const client = got.extend({responseType: 'buffer'});

		return {
			async request(url) {
				const {size, id} = parseResourcePath(new URL(url).pathname);
				await client(url, {headers: {'if-none-match': `"${size}-${id}"`}});

				return cannedBody(url);
			},
		};
	},
};

export default contender;
