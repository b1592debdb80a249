import {Buffer} from 'node:buffer';
import {createClient} from '@redis/client';
import got from 'got';
import type {Contender} from '../../contender.ts';
import {gotClient} from './got-client.ts';

/**
The least that a miss costs: one `GET` before the origin is asked, and one `SET` behind its answer.

@param encode - Makes what is set of the body.
*/
export const floorMiss = (encode: (body: Uint8Array) => Uint8Array | Promise<Uint8Array>): Contender['setup'] => async ({redisUrl}) => {
	const redis = createClient({url: redisUrl});
	redis.on('error', error => {
		throw error as Error;
	});
	await redis.connect();

	const set = async (url: string, body: Uint8Array): Promise<void> => {
		const {buffer, byteOffset, byteLength} = await encode(body);
		await redis.set(url, Buffer.from(buffer, byteOffset, byteLength));
	};

	const client = got.extend({
		hooks: {
			beforeRequest: [
				async ({url}) => {
					await redis.get(String(url));
				},
			],
			afterResponse: [
				response => {
					void set(response.url, response.rawBody);

					return response;
				},
			],
		},
	});

	return {
		...gotClient(client),
		teardown: async () => redis.close(),
	};
};
