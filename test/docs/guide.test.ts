import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync, globSync} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import {startRedis} from '../helpers/redis.ts';
import {typeErrorsOf} from '../helpers/types.ts';
import {expectedOutput, withSource} from './example.ts';
import {startExampleApi} from './example-api.ts';

/*
Every example of the guide is right in strict TypeScript, runs, and prints what its comments say. An example marked as `ts` needs what a test cannot have, such as a managed Redis, and has its types checked alone.
*/

const root = path.resolve(import.meta.dirname, '../..');

/** Pages with examples of another kind have a test of their own. */
const hasOwnTest = (page: string): boolean => existsSync(path.join(import.meta.dirname, `${path.basename(page, '.md')}-page.test.ts`));

const pages = ['readme.md', ...globSync('docs/**/*.md', {cwd: root})].filter(page => !hasOwnTest(page) && !page.startsWith('docs/contributing/') && !page.startsWith('docs/reference/')).toSorted();

type Example = {
	readonly code: string;
	readonly isRun: boolean;
	readonly heading: string;
};

const examplesOf = (text: string): Example[] => text.matchAll(/^```(?<language>js|ts)\n(?<code>.+?)^```$/gmsv).map(({groups, index}) => ({
	code: groups?.code ?? '',
	isRun: groups?.language === 'js',
	heading: text.slice(0, index).split('\n').findLast(line => line.startsWith('#'))?.replace(/^#+ /v, '') ?? '',
})).toArray();

/** An example with the addresses of a test in place of those of the page. */
const runnable = (code: string, apiUrl: string, redisUrl: string): string => withSource(code)
	.replaceAll('https://api.example.com', () => apiUrl)
	.replaceAll('redis://localhost:6379', () => redisUrl);

type Run = {readonly printed: readonly string[]; readonly error?: string};

const run = async (page: string, examples: readonly Example[]): Promise<Run[]> => {
	await using redis = await startRedis();
	// A folder of the project's, where packages are found.
	const folder = await mkdtemp(path.join(root, '.tmp-guide-'));
	const apis = await Promise.all(examples.map(async () => startExampleApi()));
	try {
		const stores = examples.map((_example, index) => `${redis.url}/${index}`);
		await Promise.all(examples.map(async ({code}, index) => writeFile(path.join(folder, `example-${index + 1}.ts`), runnable(code, apis[index]?.url ?? '', stores[index] ?? ''))));
		const {stdout, stderr} = await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'example-runner.ts'), folder, ...stores], {cwd: folder, timeout: 60_000});
		assert.equal(stderr, '', page);

		return JSON.parse(stdout) as Run[];
	} finally {
		await Promise.all(apis.map(async api => api.stop()));
		await rm(folder, {recursive: true, force: true});
	}
};

const texts = await Promise.all(pages.map(async page => [page, examplesOf(await readFile(path.join(root, page), 'utf8'))] as const));

test('the guide has pages with examples', () => {
	assert.ok(texts.filter(([, examples]) => examples.length > 0).length >= 3);
});

test('every example of the guide is right in strict TypeScript', async () => {
	const files = texts.flatMap(([page, examples]) => examples.map(({code}, index) => [`${page.replaceAll(/[.\/]/gv, '-')}-${index + 1}.ts`, `${code}\nexport {};\n`]));
	assert.equal(await typeErrorsOf(Object.fromEntries(files) as Record<string, string>), '');
});

for (const [page, all] of texts) {
	const examples = all.filter(({isRun}) => isRun);
	if (examples.length === 0) {
		continue;
	}

	test(`every example of ${page} runs, and prints what its comments say`, async () => {
		assert.ok(examples.length <= 16, 'Redis has 16 databases, one for each example');
		const runs = await run(page, examples);
		for (const [index, {code, heading}] of examples.entries()) {
			const {error, printed = []} = runs[index] ?? {};
			assert.equal(error, undefined, `example ${index + 1}, ${heading}`);
			assert.deepEqual(printed, expectedOutput(code), `example ${index + 1}, ${heading}`);
		}
	});
}
