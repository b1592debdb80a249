import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/rate-limits.md'), 'utf8');
const examples = page.matchAll(/^```js\n(?<code>.+?)^```$/gmsv).map(({groups}) => groups?.code ?? '').toArray();

test('docs/rate-limits.md has examples', () => {
	assert.equal(examples.length, 4);
});

for (const [number, code] of examples.entries()) {
	test(`docs/rate-limits.md, example ${number + 1}, prints what it says`, async () => {
		await using redis = await startRedis();
		await using origin = await startOrigin((_request, response) => {
			respond(response, {headers: {'cache-control': 'max-age=60'}, body: '[]'});
		});
		const {host} = new URL(origin.url);
		// In the project's folder, where packages are found.
		const folder = await mkdtemp(path.join(root, '.tmp-rate-limits-'));
		try {
			const file = path.join(folder, 'example.mjs');
			const runnable = code
				.replaceAll('\'got-redis-cache\'', () => JSON.stringify(path.join(root, 'source/index.ts')))
				.replaceAll('\'got-redis-cache/rate-limit\'', () => JSON.stringify(path.join(root, 'source/rate-limit.ts')))
				.replaceAll('https://api.example.com', () => origin.url)
				.replaceAll('\'api.example.com\'', () => `'${host}'`);
			await writeFile(file, runnable);
			const {stdout, stderr} = await promisify(execFile)(process.execPath, [file], {env: {...process.env, REDIS_URL: redis.url}, timeout: 60_000});
			assert.equal(stderr, '');
			const promised = code.split('\n').map(line => line.trim()).filter(line => line.startsWith('//=> ')).map(line => line.slice('//=> '.length));
			assert.deepEqual(stdout.split('\n').slice(0, -1).map(line => line.replaceAll(host, 'api.example.com')), promised);
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}
