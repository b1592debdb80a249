import {execFile} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {promisify, stripVTControlCharacters} from 'node:util';

const demo = path.resolve(import.meta.dirname, '../examples/demo.ts');

const run = async (env: NodeJS.ProcessEnv): Promise<string> => {
	const {stdout, stderr} = await promisify(execFile)(process.execPath, [demo], {env: {...process.env, ...env}});
	return stdout + stderr;
};

/** What the cache did, why, and what the origin said: without the figures, which differ. */
const story = [
	'no cache 200',
	'no cache 200',
	'miss not-stored 200',
	'hit fresh –',
	'hit fresh –',
	'miss not-stored 200',
	'miss vary-mismatch 200',
	'hit fresh –',
	'miss not-stored 200',
	'hit fresh –',
	'revalidated not-modified 304',
	'hit fresh –',
	'stale error-status 503',
	'hit fresh –',
	'stale network-error –',
	'hit fresh –',
];

const storyOf = (output: string): string[] => output
	.split('\n')
	.filter(line => line.startsWith('GET '))
	.map(line => line.slice(line.indexOf(' ms') + 3).trim().replaceAll(/ +/gv, ' '));

test('the demo shows what the cache does, with a real Redis', async (t: TestContext) => {
	const output = await run({NO_COLOR: '1', FORCE_COLOR: undefined});

	t.assert.strictEqual(stripVTControlCharacters(output), output);
	t.assert.deepStrictEqual(storyOf(output), story);
	t.assert.match(output, /^In Redis: /mv);
	t.assert.match(output, /^http_cache:\{.+\} +\/weather +01:(?:10:00|09:5\d) /mv);
	t.assert.match(output, /^http_cache:\{.+\} +\/logo\.svg +365 d 00:59:5\d /mv);
	t.assert.match(output, /14 requests with the cache, 6 answers from the origin: 8 saved, none failed\n$/v);
});

test('the demo runs without a Redis, says so in one line, and is coloured on request', async (t: TestContext) => {
	const empty = await mkdtemp(path.join(tmpdir(), 'demo-test-'));
	t.after(async () => rm(empty, {recursive: true}));
	const output = await run({PATH: empty, FORCE_COLOR: '1', NO_COLOR: undefined});

	const plain = stripVTControlCharacters(output);
	t.assert.notStrictEqual(plain, output);
	t.assert.match(plain, /^No Redis at hand \(found neither redis-server nor valkey-server in PATH\): this runs on a store in memory\.\nrequest /v);
	t.assert.deepStrictEqual(storyOf(plain), story);
	t.assert.match(plain, /14 requests with the cache, 6 answers from the origin: 8 saved, none failed\n$/v);
});
