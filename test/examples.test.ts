import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {globSync} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';
import typescript from 'typescript';
import {startExampleApi} from './docs/example-api.ts';
import {exampleCode, expectedOutput} from './docs/example.ts';
import {startRedis} from './helpers/redis.ts';
import {typeErrorsOf} from './helpers/types.ts';

/*
Every program in examples/ ends by itself, without a warning, and prints what its comments say.
*/

const root = path.resolve(import.meta.dirname, '..');
const programs = globSync('examples/*.ts', {cwd: root}).filter(file => !file.endsWith('/demo.ts')).toSorted();
const texts = await Promise.all(programs.map(async file => readFile(path.join(root, file), 'utf8')));

/** Compiles decorators, which Node.js does not run. */
const withoutDecorators = (code: string): string => typescript.transpile(code, {
	experimentalDecorators: true,
	module: typescript.ModuleKind.ESNext,
	target: typescript.ScriptTarget.ES2024,
	verbatimModuleSyntax: true,
});

test('examples/readme.md names every example', async () => {
	const page = await readFile(path.join(root, 'examples/readme.md'), 'utf8');
	assert.ok(programs.length >= 12);
	for (const file of programs) {
		assert.ok(page.includes(`(${path.basename(file)})`), file);
	}
});

test('every example is right in strict TypeScript', async () => {
	assert.equal(await typeErrorsOf(Object.fromEntries(programs.map((file, index) => [path.basename(file), texts[index] ?? '']))), '');
});

for (const [index, program] of programs.entries()) {
	test(`${program} ends, and prints what its comments say`, async () => {
		await using redis = await startRedis();
		await using api = await startExampleApi();
		// A folder of the project's, where packages are found.
		const folder = await mkdtemp(path.join(root, '.tmp-example-'));
		try {
			const file = path.join(folder, 'example.ts');
			await writeFile(file, withoutDecorators(exampleCode(texts[index] ?? '')));
			const {stdout, stderr} = await promisify(execFile)(process.execPath, [file], {cwd: folder, timeout: 60_000, env: {...process.env, API_URL: api.url, REDIS_URL: redis.url}});
			assert.equal(stderr.replaceAll(/^.*ExperimentalWarning: SQLite.*\n.*trace-warnings.*\n/gmv, ''), '');
			assert.deepEqual(stdout.split('\n').filter(Boolean), expectedOutput(texts[index] ?? ''));
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}
