import {Buffer} from 'node:buffer';
import {createClient, RESP_TYPES} from '@redis/client';
import got from 'got';
import type {Contender} from '../contender.ts';
import {parseResourcePath} from '../url.ts';
import {cannedBody} from './parts/floor-bodies.ts';

/** As long as a head with a few header fields. */
const head = Buffer.alloc(300, 'h');

/** The least that a validation costs on Redis: one `GET` of the body's bytes, a request of got's that is answered 304, and one `SET` of what it says. */
const contender: Contender = {
	name: 'floor: got, answered 304, with one Redis GET and one SET',
	answersFrom: 'canned',
	async setup({redisUrl}) {
		const redis = createClient({url: redisUrl});
		redis.on('error', error => {
			throw error as Error;
		});
		await redis.connect();
		const stored = redis.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer});
		const client = got.extend({responseType: 'buffer'});

		return {
			async request(url) {
				const {size, id} = parseResourcePath(new URL(url).pathname);
				const found = await stored.get(url);
				const body: Uint8Array = found ?? cannedBody(url);
				if (!found) {
					const {buffer, byteOffset, byteLength} = body;
					await redis.set(url, Buffer.from(buffer, byteOffset, byteLength));
				}

				await client(url, {headers: {'if-none-match': `"${size}-${id}"`}});
				void redis.set(`${url} head`, head);

				return body;
			},
			teardown: async () => redis.close(),
		};
	},
};

export default contender;
