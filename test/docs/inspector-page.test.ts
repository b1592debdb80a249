import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import {typeErrorsOf} from '../helpers/types.ts';

const page = await readFile(path.resolve(import.meta.dirname, '../../docs/inspector.md'), 'utf8');
const examples = page.matchAll(/^```js\n(?<code>.+?)^```$/gmsv).map(({groups}) => groups?.code ?? '').toArray();

test('the examples of docs/inspector.md are right in strict TypeScript', async () => {
	assert.ok(examples.length >= 2);
	assert.equal(await typeErrorsOf(Object.fromEntries(examples.map((code, index) => [`example-${index + 1}.ts`, code]))), '');
});
