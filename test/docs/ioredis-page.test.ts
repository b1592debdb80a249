/* eslint-disable @typescript-eslint/no-loop-func -- each example in turn */
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test, {after, before} from 'node:test';
import {promisify} from 'node:util';
import {startCluster, type TestCluster} from '../helpers/cluster.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';
import {startSentinelSet, type SentinelSet} from '../helpers/sentinel-set.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/stores/ioredis.md'), 'utf8');
const examples = page.matchAll(/^```js\n(?<code>.+?)^```$/gmsv).map(({groups}) => groups?.code ?? '').toArray();

let origin: Origin;
let set: SentinelSet;
let cluster: TestCluster;

before(async () => {
	origin = await startOrigin((_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('[]');
	});
	[set, cluster] = await Promise.all([startSentinelSet(), startCluster({isReplicated: false})]);
});

after(async () => {
	await Promise.all([origin.stop(), set[Symbol.asyncDispose](), cluster[Symbol.asyncDispose]()]);
});

test('docs/stores/ioredis.md has examples', () => {
	assert.equal(examples.length, 4);
});

for (const [number, code] of examples.entries()) {
	test(`docs/stores/ioredis.md, example ${number + 1} does what it says`, async () => {
		// In the project's folder, where packages are found.
		const folder = await mkdtemp(path.join(root, '.tmp-ioredis-'));
		try {
			const file = path.join(folder, 'example.mjs');
			const runnable = code
				.replaceAll('\'got-redis-cache\'', () => JSON.stringify(path.join(root, 'source/index.ts')))
				.replaceAll('redis://localhost:6379', () => set.master.url)
				.replaceAll('https://api.example.com', () => `${origin.url}/${number}`)
				.replaceAll('\'localhost\'', () => '\'127.0.0.1\'')
				.replaceAll('port: 7000', () => `port: ${cluster.masters[0]?.port ?? 0}`)
				.replaceAll('port: 26379', () => `port: ${set.watcher.options.sentinelRootNodes[0]?.port ?? 0}`);
			await writeFile(file, runnable);
			const {stdout, stderr} = await promisify(execFile)(process.execPath, [file], {timeout: 60_000});
			assert.equal(stderr, '');
			assert.equal(stdout, 'true\n');
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}
