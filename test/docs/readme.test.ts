import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {runInThisContext} from 'node:vm';
import {optionNames} from '../../source/options/resolve-options.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';
import {typeErrorsOf} from '../helpers/types.ts';

const root = path.resolve(import.meta.dirname, '../..');
const readme = await readFile(path.join(root, 'readme.md'), 'utf8');
const examples = readme.matchAll(/^```js\n(?<code>.+?)^```$/gmsv).map(({groups, index}) => ({
	code: groups?.code ?? '',
	heading: readme.slice(0, index).split('\n').findLast(line => line.startsWith('#'))?.replace(/^#+ /v, '') ?? '',
})).toArray();

/** An API with one resource that answers well once, and then no more. */
const startApi = async () => {
	let wasAsked = false;

	return startOrigin(({url}, response) => {
		if (url !== '/flaky') {
			response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'application/json'}).end('[]');
			return;
		}

		const status = wasAsked ? 503 : 200;
		wasAsked = true;
		response.writeHead(status, {'cache-control': 'max-age=0'}).end(status === 200 ? 'the last good answer' : 'out of order');
	});
};

const expectedOutput = (code: string) => code.matchAll(/^\/\/=> (?<value>.+)$/gmv).map(({groups}) => groups?.value).toArray();

/** The example, with the addresses of this test in place of those of the readme. */
const runnable = (code: string, apiUrl: string, redisUrl: string) => {
	const setsStore = code.includes('redisCache({store') || code.includes('Keyv');
	const changes: ReadonlyArray<readonly [string, string]> = [
		['https://api.example.com', apiUrl],
		['redis://localhost:6379', redisUrl],
		// On a busy machine, Redis may take longer than the cache waits by default.
		['redisCache({', setsStore ? 'redisCache({timeout: \'10s\', ' : `redisCache({store: '${redisUrl}', timeout: '10s', `],
		['redisCache()', `redisCache({store: '${redisUrl}', timeout: '10s'})`],
		['\'got-redis-cache\'', JSON.stringify(path.join(root, 'source/index.ts'))],
		['\'got-redis-cache/embedded\'', JSON.stringify(path.join(root, 'source/embedded.ts'))],
		['console.log(', 'print('],
	];

	let changed = code;
	for (const [from, to] of changes) {
		changed = changed.replaceAll(from, () => to);
	}

	return `import {inspect} from 'node:util';\nconst print = (...values: unknown[]) => console.log(values.map(value => inspect(value)).join(' '));\n${changed}`;
};

test('the readme has examples', () => {
	assert.ok(examples.length >= 8);
});

test('the table of options has all of them, and no other', () => {
	const section = /(?<=^## Options\n).*?(?=^### )/msv.exec(readme)?.[0] ?? '';
	const names = section.matchAll(/^\| `(?<name>\w+)` \|/gmv).map(({groups}) => groups?.name ?? '').toArray();
	assert.deepEqual(names.toSorted(), optionNames.ofCache.toSorted());
	assert.ok(names.length > 20);
});

test('all options of a request are told, and no other', () => {
	const list = /(?<=^`context\.cache` .* takes ).*?(?=\. )/mv.exec(readme)?.[0] ?? '';
	const names = list.matchAll(/`(?<name>\w+)`/gv).map(({groups}) => groups?.name ?? '').toArray();
	assert.deepEqual(names.toSorted(), optionNames.ofRequest.toSorted());
	assert.ok(names.length > 10);
});

test('the examples are right in strict TypeScript, as they stand', async () => {
	assert.equal(await typeErrorsOf(Object.fromEntries(examples.map(({code}, index) => [`example-${index + 1}.ts`, code]))), '');
});

for (const [number, {code, heading}] of examples.entries()) {
	test(`readme, example ${number + 1} (${heading})`, async () => {
		await using redis = await startRedis();
		await using api = await startApi();
		// In the project's folder, where packages are found.
		const folder = await mkdtemp(path.join(root, '.tmp-readme-'));
		try {
			const file = path.join(folder, 'example.ts');
			await writeFile(file, runnable(code, api.url, redis.url));

			const {stdout, stderr} = await promisify(execFile)(process.execPath, [file], {cwd: folder, timeout: 30_000});
			assert.equal(stderr, '');
			assert.deepEqual(stdout.split('\n').filter(Boolean), expectedOutput(code));
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}

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
	await using api = await startApi();
	const folder = await mkdtemp(path.join(root, '.tmp-readme-'));
	try {
		const [{code} = {code: ''}] = examples;
		const file = path.join(folder, 'example.ts');
		await writeFile(file, code.replaceAll('https://api.example.com', () => api.url).replace('\'got-redis-cache\'', () => JSON.stringify(path.join(root, 'source/index.ts'))));
		const {REDIS_URL: _, ...env} = process.env;
		const {stdout, stderr} = await promisify(execFile)(process.execPath, ['--import', withoutRedis, file], {cwd: folder, env, timeout: 30_000});
		assert.equal(stderr, '');
		assert.deepEqual(stdout.split('\n').filter(Boolean), expectedOutput(code));
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
});

test('the filter for GraphQL lets single queries through, and nothing else', async () => {
	const declarations = await readFile(path.join(root, 'source/options/options.ts'), 'utf8');
	const asked: ReadonlyArray<readonly [body: unknown, isQuery: boolean]> = [
		[{query: '{items}'}, true],
		[{query: 'query A {items}', operationName: 'A'}, true],
		[{query: '# a comment\nquery ($word: String) {items(word: $word)}', variables: {word: 'mutation {addItem}'}}, true],
		[{query: 'query A {items} query B {items}', operationName: 'B'}, true],
		[{query: 'fragment F on Item {id} query {items {...F}}'}, true],
		[{query: 'query {mutations}'}, true],
		[{query: 'mutation {addItem}'}, false],
		[{query: 'query A {items} mutation B {addItem}', operationName: 'B'}, false],
		[{query: '{items}mutation B{addItem}', operationName: 'B'}, false],
		[{query: ',,\u{FEFF}# query\nmutation {addItem}'}, false],
		[{query: 'subscription {items}'}, false],
		[{variables: {query: 'query {items}'}, query: 'mutation ($query: String) {addItem(query: $query)}'}, false],
		[[{query: 'query {items}'}, {query: 'mutation {addItem}'}], false],
		[[{query: 'query {items}'}], false],
		[{query: ['query {items}']}, false],
		[{extensions: {persistedQuery: {sha256Hash: 'a'}}}, false],
		[null, false],
		['{items}', false],
	];

	for (const [text, indentation] of [[readme, ''], [declarations, '\t']] as const) {
		const start = text.indexOf(`${indentation}const isQuery = `);
		const recipe = text.slice(start, text.indexOf(`\n${indentation}};`, start));
		const isQuery = runInThisContext(`(() => {${recipe}};\nreturn isQuery;})()`) as (body?: string) => boolean;
		for (const [body, expected] of asked) {
			assert.equal(isQuery(JSON.stringify(body)), expected, JSON.stringify(body));
		}

		assert.deepEqual([isQuery(), isQuery(''), isQuery('query {items}')], [false, false, false]);
	}
});
