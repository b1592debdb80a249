import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {runScript} from '../helpers/script.ts';
import {typeErrorsOf} from '../helpers/types.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/operations.md'), 'utf8');

/** The examples that are whole programs, by the heading that they stand under. */
const examples = page.matchAll(/^```js\n(?<code>import .+?)^```$/gmsv)
	.map(({groups, index}) => ({code: groups?.code ?? '', heading: page.slice(0, index).split('\n').findLast(line => line.startsWith('#'))?.replace(/^#+ /v, '') ?? ''}))
	.filter(({code}) => code.includes('from \'got-redis-cache'))
	.toArray();

/** The example, with the addresses of this test in place of those of the page. */
const runnable = (code: string, originUrl: string, redisUrl: string): string => {
	const changed = code.replaceAll('https://api.example.com', () => originUrl).replaceAll('redisCache()', () => `redisCache({store: '${redisUrl}', timeout: '10s'})`).replaceAll('console.log(', 'print(')
		.replaceAll(/'got-redis-cache(?:\/(?<entry>\w+))?'/gv, (_name, entry = 'index') => JSON.stringify(path.join(root, `source/${entry}.ts`)));

	return `import {inspect} from 'node:util';\nconst print = (...values) => console.log(values.map(value => inspect(value)).join(' '));\n${changed}`;
};

test('docs/operations.md has examples', () => {
	assert.ok(examples.length > 0);
});

for (const {code, heading} of examples) {
	test(`docs/operations.md, ${heading}: the example runs, and prints what it says`, async () => {
		await using redis = await startRedis();
		await using origin = await startOrigin((_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60'}).end('[]');
		});
		// In the project's folder, where packages are found.
		const folder = await mkdtemp(path.join(root, '.tmp-operations-'));
		try {
			const file = path.join(folder, 'example.mjs');
			await writeFile(file, runnable(code, origin.url, redis.url));
			const {stdout, stderr} = await promisify(execFile)(process.execPath, [file], {cwd: folder, timeout: 30_000});
			assert.equal(stderr, '');
			const expected = code.matchAll(/^\/\/=> (?<value>.+)$/gmv).map(({groups}) => groups?.value).toArray();
			// An example that says nothing of what it prints has only to run.
			assert.deepEqual(expected.length === 0 ? [] : stdout.split('\n').filter(Boolean), expected);
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}

test('docs/operations.md, Why is this URL not cached?: the examples run, and are right in strict TypeScript', async () => {
	const section = page.slice(page.indexOf('## Why is this URL not cached?'), page.indexOf('## Each exchange, in code'));
	const snippets = section.matchAll(/^```js\n(?<code>.+?)^```$/gmsv).map(({groups}) => groups?.code ?? '').toArray();
	assert.equal(snippets.length, 2);
	assert.equal(await typeErrorsOf(Object.fromEntries(snippets.map((code, index) => [`example-${index}.ts`, code]))), '');

	await using redis = await startRedis();
	await using origin = await startOrigin((_request, response) => {
		response.writeHead(200, {'cache-control': 'private'}).end('body');
	});
	const outputs = await Promise.all(snippets.map(async code => runScript(code
		.replaceAll('https://api.example.com', () => origin.url)
		.replaceAll('\'got-redis-cache\'', '\'./source/index.ts\'')
		.replaceAll('redisCache()', () => `redisCache({store: '${redis.url}', timeout: '10s'})`))));
	assert.deepEqual(outputs.map(({stderr}) => stderr), ['', '']);
	assert.match(outputs[0]?.stdout ?? '', /^not-stored 0 undefined\nGET http.*\nStored {5}nothing\n$/sv);
	assert.match(outputs[1]?.stdout ?? '', /^The response has `private`, and the cache is shared\. Say whose it is /v);
});
