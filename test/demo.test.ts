import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {promisify, stripVTControlCharacters} from 'node:util';

const examples = path.resolve(import.meta.dirname, '../examples');

// On a busy machine, Redis may take longer than the cache waits by default.
const demo = (await readFile(path.join(examples, 'demo.ts'), 'utf8')).replaceAll('redisCache({store})', 'redisCache({store, timeout: \'10s\'})');

const run = async (env: NodeJS.ProcessEnv): Promise<{readonly output: string; readonly tookSeconds: number}> => {
	const startedMs = performance.now();
	const {stdout, stderr} = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', demo], {cwd: examples, env: {...process.env, ...env}});
	return {output: stdout + stderr, tookSeconds: (performance.now() - startedMs) / 1000};
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

/** How long the demo says that a resource is kept. */
const keptSeconds = (output: string, resource: string): number => {
	const line = output.split('\n').find(each => each.startsWith('http_cache:') && each.includes(` ${resource} `));
	const {days = 0, hours, minutes, seconds} = / (?:(?<days>\d+) d )?(?<hours>\d\d):(?<minutes>\d\d):(?<seconds>\d\d) /v.exec(line ?? '')?.groups ?? {};
	return (((((Number(days) * 24) + Number(hours)) * 60) + Number(minutes)) * 60) + Number(seconds);
};

test('the demo shows what the cache does, with a real Redis', async (t: TestContext) => {
	const {output, tookSeconds} = await run({NO_COLOR: '1', FORCE_COLOR: undefined});

	t.assert.strictEqual(stripVTControlCharacters(output), output);
	t.assert.deepStrictEqual(storyOf(output), story);
	t.assert.match(output, /^In Redis: /mv);
	// Some of it has passed by the time that Redis is asked, no more than the demo took, and it is rounded.
	for (const [resource, seconds] of [['/weather', 4200], ['/logo.svg', (365 * 86_400) + 3600]] as const) {
		const passedSeconds = seconds - keptSeconds(output, resource);
		t.assert.ok(passedSeconds >= 0, `${resource}: ${passedSeconds} s`);
		t.assert.ok(passedSeconds < tookSeconds + 1, `${resource}: ${passedSeconds} of ${tookSeconds} s`);
	}

	t.assert.match(output, /14 requests with the cache, 6 answers from the origin: 8 saved, none failed\n$/v);
});

test('the demo runs without a Redis, says so in one line, and is coloured on request', async (t: TestContext) => {
	const empty = await mkdtemp(path.join(tmpdir(), 'demo-test-'));
	t.after(async () => rm(empty, {recursive: true}));
	const {output} = await run({PATH: empty, FORCE_COLOR: '1', NO_COLOR: undefined});

	const plain = stripVTControlCharacters(output);
	t.assert.notStrictEqual(plain, output);
	t.assert.match(plain, /^No Redis at hand \(found neither redis-server nor valkey-server in PATH\): this runs on a store in memory\.\nrequest /v);
	t.assert.deepStrictEqual(storyOf(plain), story);
	t.assert.match(plain, /14 requests with the cache, 6 answers from the origin: 8 saved, none failed\n$/v);
});
