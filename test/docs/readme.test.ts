import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {startExampleApi} from './example-api.ts';

const root = path.resolve(import.meta.dirname, '../..');
const readme = await readFile(path.join(root, 'readme.md'), 'utf8');

/** Has this process find nothing where a Redis would be. */
const withoutRedis = `data:text/javascript,${encodeURIComponent(`
	import {Socket} from 'node:net';

	const {connect} = Socket.prototype;
	Socket.prototype.connect = function (...parameters) {
		const [options] = parameters.flat();
		if (Number(options?.port) === 6379) {
			options.port = 1;
		}

		return connect.apply(this, parameters);
	};
`)}`;

test('the first lines of the readme cache, as they stand, on a machine without a Redis', async () => {
	await using api = await startExampleApi();
	const folder = await mkdtemp(path.join(root, '.tmp-readme-'));
	try {
		const code = /(?<=^```js\n).+?(?=^```$)/msv.exec(readme)?.[0] ?? '';
		const file = path.join(folder, 'example.ts');
		await writeFile(file, code.replaceAll('https://api.example.com', () => api.url).replace('\'got-redis-cache\'', () => JSON.stringify(path.join(root, 'source/index.ts'))));
		const {REDIS_URL: _, ...env} = process.env;
		const {stdout, stderr} = await promisify(execFile)(process.execPath, ['--import', withoutRedis, file], {cwd: folder, env, timeout: 30_000});
		assert.equal(stderr, '');
		assert.deepEqual(stdout.split('\n').filter(Boolean), ['true']);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
});
