import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import got from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startNginx} from '../helpers/nginx.ts';
import {readStream} from './read-stream.ts';

// It says `W/"x"` of what it compresses, and `"x"` when the same is not modified.
const compressing = 'gzip on; gzip_min_length 1; gzip_types *; gzip_vary on; add_header Cache-Control max-age=0;';

const setUp = async (options: RedisCacheOptions = {}) => {
	const nginx = await startNginx(compressing);
	const cache = redisCache({store: 'memory', ...options});
	const client = got.extend({prefixUrl: nginx.url, retry: {limit: 0}}, cache);

	return {
		nginx,
		cache,
		client,
		write: async (name: string, text: string) => writeFile(path.join(nginx.root, name), text),
		async [Symbol.asyncDispose]() {
			await cache.close();
			await nginx.stop();
		},
	};
};

const text = 'All work and no play. '.repeat(500);

for (const shared of [true, false]) {
	for (const api of ['promise', 'stream'] as const) {
		test(`nginx with gzip: a validation by ${api} is asked once and answered without content (shared: ${shared})`, async () => {
			await using setup = await setUp({shared});
			const {client, nginx, write} = setup;
			await write('a.txt', text);
			const ask = async () => {
				if (api === 'stream') {
					return readStream(client.stream('a.txt'));
				}

				const response = await client('a.txt');
				return {body: response.body, headers: response.headers, info: cacheInfo(response)};
			};

			const {headers: {etag}} = await ask();
			assert.match(String(etag), /^W\//v);
			for (let round = 0; round < 3; round++) {
				const {body, headers, info} = await ask();
				assert.equal(body, text);
				assert.equal(info?.status, 'revalidated');
				assert.equal(headers.etag, etag, 'it does not become a strong one, by which ranges could be combined');
			}

			assert.deepEqual(await nginx.requests(), ['200 GET /a.txt', ...Array.from({length: 3}, () => `304 GET /a.txt ${etag}`)]);
		});
	}
}

test('nginx with gzip: a changed file is not taken for the one that is stored', async () => {
	await using setup = await setUp();
	const {client, nginx, write} = setup;
	await write('a.txt', text);
	const {headers: {etag}} = await client('a.txt');
	await write('a.txt', `${text} Changed.`);
	const {body, headers} = await client('a.txt');

	assert.equal(body, `${text} Changed.`);
	assert.notEqual(headers.etag, etag);
	assert.deepEqual(await nginx.requests(), ['200 GET /a.txt', `200 GET /a.txt ${etag}`]);
});
