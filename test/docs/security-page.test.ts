import assert from 'node:assert/strict';
import {access, glob, readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const page = await readFile(path.join(root, 'docs/security.md'), 'utf8');

const files = await Array.fromAsync(glob('test/**/*.ts', {cwd: root}));
const sources = await Promise.all(files.filter(file => file !== path.relative(root, import.meta.filename)).map(async file => readFile(path.join(root, file), 'utf8')));
// As the runner prints it.
const tests = sources.join('\n').replaceAll(String.raw`\'`, '\'');

const rows = page.split('\n').filter(line => line.startsWith('|') && !/^\|(?:---| promise )/v.test(line));

test('each promise of docs/security.md names a test', () => {
	assert.ok(rows.length > 20);
	for (const row of rows) {
		assert.ok(row.includes('“') || row.includes('`test/'), row);
	}
});

const namedFiles = page.split('`').filter(text => /^(?:test|docs)\//v.test(text));
const namedTests = page.split('“').slice(1).map(text => text.split('”', 1)[0] ?? '');

test('each file and test that docs/security.md names is there', async () => {
	await Promise.all(namedFiles.map(async file => access(path.join(root, file))));
	assert.ok(namedTests.length > 20);
	for (const name of namedTests) {
		const isThere = name.split('…').every(part => tests.includes(part.trim()));
		assert.ok(isThere, `there is no test “${name}”`);
	}
});
