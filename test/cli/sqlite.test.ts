import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import got from 'got';
import {redisCache} from '../../source/index.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';
import {runCli, type Ran} from './helpers.ts';

/*
The command line with a file of SQLite in the place of a Redis.
*/

let directory: string;
let origin: Origin;
let file: string;

before(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'cli-sqlite-'));
	file = path.join(directory, 'cache.db');
	origin = await startOrigin();
	origin.handler = ({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=3600', 'content-type': 'text/plain'}).end(`body of ${url}`);
	};

	const cache = redisCache({store: {sqlite: file}, timeout: '10s'});
	const client = got.extend(cache);
	await client(`${origin.url}/a`, {context: {cache: {tags: ['letters']}}});
	await client(`${origin.url}/b`);
	await client(`${origin.url}/c`);
	await cache.close();
});

after(async () => {
	await Promise.all([origin.stop(), rm(directory, {recursive: true})]);
});

const cli = async (...arguments_: readonly string[]): Promise<Ran> => runCli([...arguments_, '--store', `sqlite:${file}`]);

test('ls, show, explain, export and import work on a file', async () => {
	const listed = await cli('ls', '--json');
	assert.equal(listed.stderr, '');
	assert.deepEqual(listed.stdout.trim().split('\n').map(line => (JSON.parse(line) as {url: string}).url).toSorted(), ['a', 'b', 'c'].map(name => `${origin.url}/${name}`));

	const shown = await cli('show', `${origin.url}/a`);
	assert.deepEqual([shown.code, shown.stderr], [0, '']);
	assert.match(shown.stdout, /body of \/a/v);
	assert.match(shown.stdout, /kept +until 2\d{3}-/v);

	const explained = await cli('explain', `${origin.url}/a`);
	assert.equal(explained.code, 0);

	const exported = path.join(directory, 'exported.ndjson');
	writeFileSync(exported, (await cli('export')).stdout);
	const other = path.join(directory, 'imported.db');
	const imported = await runCli(['import', exported, '--store', `sqlite:${other}`]);
	assert.deepEqual(imported, {code: 0, stdout: 'Imported 3 responses.\n', stderr: ''});
	assert.equal((await runCli(['ls', '--json', '--store', `sqlite:${other}`])).stdout.trim().split('\n').length, 3);
});

test('purge removes what a cache that has the file open would have answered with', async () => {
	const cache = redisCache({store: {sqlite: file}, timeout: '10s'});
	const client = got.extend(cache);
	assert.equal((await client(`${origin.url}/a`)).isFromCache, true);
	assert.equal((await client(`${origin.url}/a`)).isFromCache, true);
	const purged = await cli('purge', '--tag', 'letters');
	assert.deepEqual([purged.code, purged.stderr], [0, '']);
	assert.equal((await client(`${origin.url}/a`)).isFromCache, false);
	assert.equal((await cli('purge', `${origin.url}/b`)).code, 0);
	assert.equal((await client(`${origin.url}/b`)).isFromCache, false);
	await cache.close();
});

test('doctor examines a file', async () => {
	const {code, stdout, stderr} = await cli('doctor');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^ok +file +\/.*cache\.db, \d+(?:\.\d*)? \w+/v);
	assert.match(stdout, /^ok +integrity +each page of the file was read$/mv);
	assert.match(stdout, /^ok +requests +a key was written, read and removed/mv);
	assert.match(stdout, /^ok +values +\d of \d read/mv);
});

test('doctor tells of a damaged file, and leaves it as it is', async () => {
	const damaged = path.join(directory, 'damaged.db');
	const content = readFileSync(file);
	content.fill(0xAB, 8192);
	writeFileSync(damaged, content);
	const {code, stdout} = await runCli(['doctor', '--store', `sqlite:${damaged}`]);
	assert.equal(code, 6);
	assert.match(stdout, /^FAILED +integrity +the file is damaged: /mv);
	assert.deepEqual(readFileSync(damaged), content);
});

test('stats says that only a Redis brings the processes together', async () => {
	const {code, stderr} = await cli('stats');
	assert.equal(code, 3);
	assert.match(stderr, /the store is not a Redis, where the processes meet/v);
});

test('a path where no file is is a mistake, and none is created', async () => {
	const missing = path.join(directory, 'missing.db');
	for (const command of [['ls'], ['purge', '--all', '--yes'], ['doctor']]) {
		const {code, stdout, stderr} = await runCli([...command, '--store', `sqlite:${missing}`]);
		assert.notEqual(code, 0);
		assert.match(stdout + stderr, /missing\.db, where no file is/v);
	}

	assert.equal(existsSync(missing), false);
});

for (const [store, message] of [
	['sqlite::memory:', /--store is 'sqlite::memory:', which no other process sees/v],
	['sqlite:', /--store is 'sqlite:' without a path: give a URL such as redis:/v],
	[`sqlite:${tmpdir()}`, /--store leads to .*, which is a directory/v],
] as const) {
	test(`a mistaken --store is wrong usage: ${store.replace(tmpdir(), 'a directory')}`, async () => {
		const {code, stderr} = await runCli(['ls', '--store', store]);
		assert.equal(code, 2);
		assert.match(stderr, message);
	});
}
