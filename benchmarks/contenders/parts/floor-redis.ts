import {Buffer} from 'node:buffer';
import {createClient, RESP_TYPES} from '@redis/client';
import {cannedBody} from './floor-bodies.ts';

/**
The least that reading from Redis costs: one `GET` of the body's bytes under the URL, through node-redis. A first request puts the body there.
*/
export const floorRedis = async (redisUrl: string) => {
	const client = createClient({url: redisUrl}).withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer});
	client.on('error', error => {
		throw error as Error;
	});
	await client.connect();

	const set = async (key: string, value: Uint8Array): Promise<void> => {
		await client.set(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
	};

	return {
		async get(url: string): Promise<Uint8Array> {
			const body = await client.get(url);
			if (body) {
				return body;
			}

			const canned = cannedBody(url);
			await set(url, canned);
			return canned;
		},
		set,
		async close() {
			await client.close();
		},
	};
};
