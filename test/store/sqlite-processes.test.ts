/* eslint-disable unicorn/no-incorrect-template-string-interpolation -- braces belong to keys */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {
	after,
	before,
	test,
	type TestContext,
} from 'node:test';
import got from 'got';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {createStore} from '../../source/store/create-store.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startScript} from '../helpers/script.ts';

/*
Several processes on one file of SQLite.
*/

let directory: string;
let count = 0;

before(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'sqlite-processes-'));
});

after(async () => {
	await rm(directory, {recursive: true});
});

const newFile = () => path.join(directory, `${++count}.db`);

const receive = async (child: ChildProcess): Promise<unknown> => {
	const [message] = await once(child, 'message') as [unknown];
	return message;
};

const ask = async (child: ChildProcess, question: unknown): Promise<unknown> => {
	const answer = receive(child);
	child.send(question as string);
	return answer;
};

const integrityOf = (file: string): unknown => {
	const database = new DatabaseSync(file);
	try {
		return database.prepare('PRAGMA integrity_check').get()?.integrity_check;
	} finally {
		database.close();
	}
};

const asideIn = (): readonly string[] => readdirSync(directory).filter(name => name.includes('.corrupt-'));

/** Answers each URL with what its client gets. */
const startClient = async (t: TestContext, file: string): Promise<ChildProcess> => {
	const child = startScript(t, `
		import got from 'got';
		import {cacheInfo, redisCache} from './source/index.ts';
		const cache = redisCache({store: {sqlite: ${JSON.stringify(file)}}, timeout: '10s'});
		const client = got.extend(cache);
		process.on('message', async ({url, purge}) => {
			if (purge) {
				process.send(await cache.delete(url));
				return;
			}

			const response = await client(url);
			process.send({body: response.body, isFromCache: response.isFromCache});
		});
		process.send('ready');
	`);
	await receive(child);
	return child;
};

test('a purge that returned in one process holds in another at once, also for what that has in memory', async t => {
	await using origin = await startOrigin();
	let version = 0;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600'}).end(`version ${version}`);
	};

	const file = newFile();
	const child = await startClient(t, file);
	const cache = redisCache({store: {sqlite: file}, timeout: '10s'});
	t.after(async () => cache.close());
	const client = got.extend(cache);
	const url = `${origin.url}/items`;
	for (let round = 0; round < 50; round++) {
		await client(url);
		// Read from the file, then from memory.
		await ask(child, {url});
		assert.deepEqual(await ask(child, {url}), {body: `version ${version}`, isFromCache: true});
		version++;
		assert.equal(round % 2 === 0 ? await cache.delete(url) : await cache.invalidate({origin: origin.url}), true);
		assert.deepEqual(await ask(child, {url}), {body: `version ${version}`, isFromCache: false});
		const response = await client(url);
		assert.deepEqual([response.body, response.isFromCache], [`version ${version}`, true]);
		version++;
		assert.equal(await ask(child, {url, purge: true}), true);
		assert.equal((await client(url)).body, `version ${version}`);
	}

	assert.equal(cacheInfo(await client(url))?.status, 'hit');
});

test('a response that is on its way while another process purges is not stored', async t => {
	await using origin = await startOrigin();
	const file = newFile();
	const child = await startClient(t, file);
	const cache = redisCache({store: {sqlite: file}, timeout: '10s'});
	t.after(async () => cache.close());
	const url = `${origin.url}/items`;
	const {promise: arrived, resolve: arrive} = Promise.withResolvers<void>();
	const {promise: released, resolve: release} = Promise.withResolvers<void>();
	origin.handler = async (_request, response) => {
		arrive();
		await released;
		response.writeHead(200, {'cache-control': 'max-age=600'}).end('old');
	};

	const held = got.extend(cache)(url);
	await arrived;
	assert.equal(await ask(child, {url, purge: true}), true);
	release();
	await held;
	await cache.close();
	const {store} = openStore(file);
	assert.deepEqual(await Array.fromAsync(store.entries(), ({key}) => key), []);
	await store.close();
});

const openStore = (file: string) => {
	const messages: string[] = [];
	const store = createStore({
		store: {sqlite: file},
		namespace: 'n',
		timeoutMs: 10_000,
		memoryBytes: 0,
		isCompressing: false,
		onEvent(event) {
			messages.push('error' in event ? event.error.message : event.type);
		},
	});
	return {store, messages};
};

/** Writes entries of its own, and tells of each as soon as it is written. */
const startWriter = (t: TestContext, file: string, name: string, {length, number}: {readonly length: number; readonly number: number}): ChildProcess => startScript(t, `
	import {createStore} from './source/store/create-store.ts';
	import {response} from './test/helpers/records.ts';
	const store = createStore({
		store: {sqlite: ${JSON.stringify(file)}},
		namespace: 'n',
		timeoutMs: 10000,
		memoryBytes: 0,
		isCompressing: false,
		onEvent(event) {
			process.send({event: event.error?.message ?? event.type});
		},
	});
	for (let number = 0; number < ${number}; number++) {
		const body = Buffer.alloc(${length}, String.fromCharCode(97 + number % 26));
		const key = '{${name}-' + number + '}';
		const {token} = await store.placeGuard(key + ':guard', 0);
		const result = await store.commit({guard: {key: key + ':guard', token}, records: [{key, record: response({body}), timeToLive: 3600000}], deletedKeys: []});
		await new Promise(resolve => process.send({key, number, result}, resolve));
	}
	await store.close();
	process.send('done', () => process.disconnect());
`);

type Written = {readonly key: string; readonly number: number; readonly result: string};

/** What a writer has told; the rest of it when it ends. */
const listen = (child: ChildProcess) => {
	const written: Written[] = [];
	const events: unknown[] = [];
	child.on('message', (message: Written | 'done' | {readonly event: string}) => {
		if (typeof message === 'object') {
			if ('event' in message) {
				events.push(message.event);
			} else {
				written.push(message);
			}
		}
	});
	return {written, events};
};

const assertReadable = async (file: string, written: readonly Written[], length: number): Promise<void> => {
	const {store, messages} = openStore(file);
	for (const {key, number, result} of written) {
		assert.equal(result, 'written');
		const [record] = await store.get([key]);
		assert.strictEqual(record?.kind, 'response', key);
		assert.equal(Buffer.compare(record.body, Buffer.alloc(length, String.fromCodePoint(97 + (number % 26)))), 0, key);
	}

	assert.deepEqual(messages, []);
	await store.close();
};

test('processes that write at once lose nothing, and none fails', async t => {
	const file = newFile();
	const length = 20_000;
	// All begin with the file that is not there yet.
	const writers = ['a', 'b', 'c'].map(name => startWriter(t, file, name, {length, number: 100}));
	const heard = writers.map(child => listen(child));
	await Promise.all(writers.map(async child => once(child, 'exit')));
	for (const {written, events} of heard) {
		assert.deepEqual(events, []);
		assert.equal(written.length, 100);
		await assertReadable(file, written, length);
	}

	assert.equal(integrityOf(file), 'ok');
});

for (const [what, length, kills] of [['short', 500, 6], ['long', 1_000_000, 4], ['in pieces', 6_000_000, 2]] as const) {
	test(`a process that is killed while it writes entries, ${what}, leaves a whole file, with all that it had written`, async t => {
		const file = newFile();
		const keep = openStore(file);
		await keep.store.placeGuard('{kept}:guard', 0);
		for (let round = 0; round < kills; round++) {
			const child = startWriter(t, file, `${round}`, {length, number: 100_000});
			const {written} = listen(child);
			while (written.length < 3 + (round * 7 % 5)) {
				await once(child, 'message');
			}

			child.kill('SIGKILL');
			await once(child, 'exit');
			await assertReadable(file, written.slice(-20), length);
			assert.equal(integrityOf(file), 'ok');
		}

		assert.deepEqual(keep.messages, []);
		await keep.store.close();
		assert.deepEqual(asideIn(), []);
	});
}

test('a lock goes with the process that held it', async t => {
	const file = newFile();
	const {store, messages} = openStore(file);
	t.after(async () => store.close());
	await store.placeGuard('{a}:guard', 0);
	const child = startScript(t, `
		import {DatabaseSync} from 'node:sqlite';
		const database = new DatabaseSync(${JSON.stringify(file)});
		database.exec('BEGIN IMMEDIATE');
		process.send('locked');
		setInterval(() => database, 1000);
	`);
	await receive(child);
	const placed = store.placeGuard('{b}:guard', 0);
	child.kill('SIGKILL');
	assert.equal((await placed)?.isNew, true);
	assert.deepEqual(messages, []);
});

test('a script that used a file ends by itself, without close()', async t => {
	const file = newFile();
	const child = startScript(t, `
		import got from 'got';
		import {redisCache} from './source/index.ts';
		const cache = redisCache({store: {sqlite: ${JSON.stringify(file)}}});
		process.send(await cache.ready());
		process.disconnect();
	`);
	assert.deepEqual(await receive(child), {store: `sqlite:${file}`, warnings: []});
	const [code] = await once(child, 'exit') as [number];
	assert.equal(code, 0);
	assert.equal(integrityOf(file), 'ok');
});
