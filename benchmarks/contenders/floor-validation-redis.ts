import got from 'got';
import type {Contender} from '../contender.ts';
import {parseResourcePath} from '../url.ts';
import {floorRedis} from './parts/floor-redis.ts';

/** As long as a head with a few header fields. */
const head = new Uint8Array(300);

/** The least that a validation costs on Redis: one `GET` of the body's bytes, a request of got's that is answered 304, and one `SET` of what it says. */
const contender: Contender = {
	name: 'floor: got, answered 304, with one Redis GET and one SET',
	answersFrom: 'canned',
	async setup({redisUrl}) {
		const redis = await floorRedis(redisUrl);
		const client = got.extend({responseType: 'buffer'});

		return {
			async request(url) {
				const {size, id} = parseResourcePath(new URL(url).pathname);
				const body = await redis.get(url);
				await client(url, {headers: {'if-none-match': `"${size}-${id}"`}});
				void redis.set(`${url} head`, head);

				return body;
			},
			teardown: redis.close,
		};
	},
};

export default contender;
