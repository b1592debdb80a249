import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
	after,
	before,
	describe,
	test,
} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import got from 'got';
import {replayForTest, type TestOfRunner} from '../../source/replay.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'replay-for-test-'));

after(() => {
	rmSync(folder, {recursive: true, force: true});
});

const filesIn = (...names: readonly string[]) => readdirSync(path.join(folder, ...names)).map(name => name.replace(/-[\da-f]{12}/v, '').replace(/^[^\-]+-\d+-/v, '')).toSorted();

describe('A suite: of tests', () => {
	let origin: Origin;

	before(async () => {
		origin = await startOrigin((request, response) => {
			response.end(request.url);
		});
	});

	after(async () => {
		await origin.stop();
	});

	const own = () => readdirSync(path.join(folder, 'recorder-for-tests'));

	test('lists items', async t => {
		assert.equal(await got.extend(replayForTest(t, {folder, mode: 'record'}))(`${origin.url}/old`).text(), '/old');
		assert.match(own().join(' '), /^a-suite-of-tests-lists-items-[\da-f]{6}$/v);
	});

	// eslint-disable-next-line node-test/no-identical-title -- Another run of the same test.
	test('lists items', async t => {
		assert.equal(await got.extend(replayForTest(t, {folder, mode: 'record'}))(`${origin.url}/new`).text(), '/new');
	});

	// eslint-disable-next-line node-test/no-identical-title -- Another run of the same test.
	test('lists items', async t => {
		// Removed at the end of the run that did not ask for the other one.
		assert.deepEqual(filesIn('recorder-for-tests', own()[0] ?? ''), ['new.get.body.txt', 'new.get.json']);
		assert.equal(await got.extend(replayForTest(t, {folder}))(`${origin.url}/new`).text(), '/new');
		assert.equal(origin.requests.length, 2);
	});
});

test('with Vitest, a recorder has a folder for the test, through its context and through `expect`', async () => {
	const origin = await startOrigin((request, response) => {
		response.end(request.url);
	});
	const {NODE_TEST_CONTEXT: _context, ...env} = process.env;
	const run = async (mode: string) => {
		const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
		const {stdout} = await promisify(execFile)(
			process.execPath,
			[vitest, 'run', '--dir', path.join(import.meta.dirname, 'runners'), '--reporter', 'tap-flat'],
			{env: {...env, REPLAY_MODE: mode, FOLDER: folder, ORIGIN: origin.url}},
		);
		return stdout.matchAll(/^ok \d .* > (?<name>[^#>]+) #/gmv).map(({groups}) => groups?.name).toArray();
	};

	try {
		assert.deepEqual(await run('record'), ['lists items', 'through expect']);
		assert.equal(origin.requests.length, 2);
		await origin.stop();
		assert.deepEqual(await run('replay'), ['lists items', 'through expect']);
		assert.deepEqual(readdirSync(path.join(folder, 'vitest')).toSorted(), ['a-suite-lists-items', 'a-suite-through-expect']);
	} finally {
		await origin.stop();
	}
});

test('`expect` of Jest names the folder, beside the test\'s file', () => {
	const testPath = path.join(folder, 'items.spec.tsx');
	const expect = Object.assign(() => undefined, {getState: () => ({currentTestName: 'lists items', testPath})});
	const own = path.join(folder, 'fixtures', 'items', 'lists-items');
	mkdirSync(own, {recursive: true});
	writeFileSync(path.join(own, 'a.json'), JSON.stringify({request: {method: 'GET', url: 'http://a.example/'}, response: {status: 200}}));
	assert.deepEqual(replayForTest(expect).unused(), [{file: 'a.json', method: 'GET', url: 'http://a.example/'}]);
});

for (const [name, given] of Object.entries({nothing: undefined, 'an object': {}, 'expect outside of a test': {getState: () => ({})}, 'the function test': test})) {
	test(`a recorder for what is no test throws: ${name}`, () => {
		assert.throws(() => replayForTest(given as unknown as TestOfRunner), {
			name: 'TypeError',
			message: /^Expected the context of a test in replayForTest\(\), as node:test and Vitest give it, or the `expect` of Jest within a test, got /v,
		});
	});
}
