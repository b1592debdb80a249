import {Buffer} from 'node:buffer';
import {createClient} from '@redis/client';
import got from 'got';
import type {Contender} from '../contender.ts';
import {gotClient} from './parts/got-client.ts';

/** The least that a miss costs: one `GET` before the origin is asked, and one `SET` of the body's bytes when it has answered. */
const contender: Contender = {
	name: 'floor: got hooks with one Redis GET and one SET',
	answersFrom: 'origin',
	async setup({redisUrl}) {
		const redis = createClient({url: redisUrl});
		redis.on('error', error => {
			throw error as Error;
		});
		await redis.connect();
		const client = got.extend({
			hooks: {
				beforeRequest: [
					async ({url}) => {
						await redis.get(String(url));
					},
				],
				afterResponse: [
					response => {
						const {buffer, byteOffset, byteLength} = response.rawBody;
						void redis.set(response.url, Buffer.from(buffer, byteOffset, byteLength));

						return response;
					},
				],
			},
		});

		return {
			...gotClient(client),
			teardown: async () => redis.close(),
		};
	},
};

export default contender;
