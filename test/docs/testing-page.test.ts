import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import {promisify} from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/testing.md'), 'utf8');
const examples = page.matchAll(/^```js\n(?<code>.+?)^```$/gmsv).map(({groups}) => groups?.code ?? '').toArray();

/** Without the mark by which a test that runs in another one reports to it. */
const {NODE_TEST_CONTEXT: _, ...env} = process.env;

test('docs/testing.md has examples', () => {
	assert.equal(examples.length, 6);
});

for (const [number, code] of examples.entries()) {
	test(`docs/testing.md, example ${number + 1}: its tests pass`, async () => {
		// In the project's folder, where packages are found.
		const folder = await mkdtemp(path.join(root, '.tmp-testing-'));
		try {
			const file = path.join(folder, 'example.mjs');
			const runnable = code
				.replaceAll('\'got-redis-cache\'', () => JSON.stringify(path.join(root, 'source/index.ts')))
				.replaceAll(/'got-redis-cache\/(?<door>embedded|replay)'/gv, (_match, door: string) => JSON.stringify(path.join(root, `source/${door}.ts`)));
			await writeFile(file, runnable);
			const {stdout, stderr} = await promisify(execFile)(process.execPath, ['--test-reporter=tap', file], {env, timeout: 60_000});
			assert.equal(stderr, '');
			assert.match(stdout, /^# pass 2$/mv);
			assert.match(stdout, /^# fail 0$/mv);
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	});
}
