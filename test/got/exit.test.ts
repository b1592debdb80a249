import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {settleWrites} from './helpers.ts';

/*
A job, a serverless function or a command-line tool ends as soon as it has its answer.
*/

const run = promisify(execFile);

const script = (options: string, url: string) => `
	import got from 'got';
	import {redisCache} from '${new URL('../../source/index.ts', import.meta.url).href}';
	const client = got.extend(redisCache(${options}));
	const {body} = await client('${url}', {headers: {'accept-language': 'en'}});
	process.exit(body.length > 0 ? 0 : 1);
`;

for (const [what, bytes, headers] of [
	['a small response', 100, {}],
	['a response of 60 KB', 60_000, {}],
	['a variant', 1000, {vary: 'accept-language'}],
] as const) {
	for (const coalesce of ['process', 'fleet'] as const) {
		test(`${what} is stored by a process that exits at once, and no lease is left, with \`coalesce: '${coalesce}'\``, async () => {
			await using redis = await startRedis();
			await using origin = await startOrigin((_request, response) => {
				// As JSON that hardly compresses.
				const body = Array.from({length: bytes / 10}, (_, number) => String((number * 7_919_017) % 1e10).padStart(10, '0')).join('');
				response.writeHead(200, {'cache-control': 'max-age=60', ...headers}).end(body);
			});
			for (let round = 0; round < 5; round++) {
				await run(
					process.execPath,
					['--input-type=module', '--eval', script(JSON.stringify({store: redis.url, timeout: '10s', coalesce}), `${origin.url}/${round}`)],
					{cwd: new URL('../..', import.meta.url)},
				);
			}

			await settleWrites({redis});
			const keys = await redis.client.keys('*');
			assert.equal(keys.filter(key => (headers.vary ? /\}:[\w\-]{22}$/v : /\{[\w\-]{22}\}$/v).test(key)).length, 5, String(keys));
			assert.deepEqual(keys.filter(key => key.includes('lease')), []);
			assert.equal(origin.requests.length, 5);
		});
	}
}
