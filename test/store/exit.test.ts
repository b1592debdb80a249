/* eslint-disable unicorn/no-incorrect-template-string-interpolation -- `t` is for what follows a test; braces belong to keys */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Keyv} from 'keyv';
import {createStore} from '../../source/store/create-store.ts';
import {useFolder} from '../helpers/folder.ts';
import {listen} from '../helpers/listener.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {response} from '../helpers/records.ts';
import {runScript} from '../helpers/script.ts';

const storeModule = new URL('../../source/store/create-store.ts', import.meta.url).href;
const recordsModule = new URL('../helpers/records.ts', import.meta.url).href;

/** Runs a script that uses a store and never closes it; gives what it wrote. A script that does not end by itself is killed, which fails. */
const script = async (store: string, body: string, timeoutMs = 250): Promise<string> => {
	const source = `
		import {createStore} from '${storeModule}';
		import {response} from '${recordsModule}';
		const store = createStore({store: ${store}, namespace: 'n', timeoutMs: ${timeoutMs}, memoryBytes: 1e6});
		const record = response();
		${body}
	`;
	const {code, stdout, stderr} = await runScript(source);
	assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
	return stdout.trim();
};

const lookUp = 'console.log((await store.get([\'{a}\'])).map(found => found?.kind ?? \'none\').join());';

/** Where Redis answers, however busy the machine is. */
const patientMs = 10_000;

let redis: TestRedis;

before(async () => {
	redis = await startRedis();
});

after(async () => {
	await redis.stop();
});

test('a script that used Redis ends by itself', async () => {
	assert.equal(await script(`'${redis.url}'`, `await store.set('{a}', record, 60_000);${lookUp}`, patientMs), 'response');
});

test('a write that nobody waits for is written before the script ends', async () => {
	await redis.client.flushAll();
	await script(`'${redis.url}'`, 'store.set(\'{a}\', record, 60_000);', patientMs);
	assert.equal(await redis.client.exists('n:{a}'), 1);
	await redis.client.flushAll();
	await script(`'${redis.url}'`, `${lookUp}store.set('{a}', record, 60_000);`, patientMs);
	assert.equal(await redis.client.exists('n:{a}'), 1);
	await redis.client.flushAll();
	// It is compressed beside the event loop first.
	await script(`'${redis.url}'`, `${lookUp}store.set('{a}', response({body: Buffer.alloc(3_000_000, 'ab')}), 60_000);`, patientMs);
	assert.equal(await redis.client.exists('n:{a}'), 1);
	assert.ok(await redis.client.strLen('n:{a}') < 10_000);
});

test('a script ends by itself where no Redis is', async () => {
	assert.equal(await script('\'redis://127.0.0.1:1\'', `${lookUp}store.set('{a}', record, 60_000);`), 'none');
	assert.equal(await script('\'unix:///nowhere/redis.sock\'', lookUp), 'none');
});

for (const [name, answer] of [['never answers', ''], ['answers garbage', 'HTTP/1.1 400 Bad Request\r\n\r\n']] as const) {
	test(`a script ends by itself where a server ${name}, and its look-up ends first`, async t => {
		const server = await listen(socket => {
			socket.on('data', () => {
				socket.write(answer);
			});
		});
		t.after(server.stop);
		assert.equal(await script(`'${server.url}'`, `${lookUp}store.set('{a}', record, 60_000);`), 'none');
	});
}

test('a script ends by itself when Redis falls silent or is killed between two look-ups', async t => {
	for (const fault of ['pause', 'kill'] as const) {
		const mine = await startRedis();
		t.after(mine.stop);
		const signal = fault === 'pause' ? 'SIGSTOP' : 'SIGKILL';
		assert.equal(await script(`'${mine.url}'`, `${lookUp}process.kill(${mine.pid}, '${signal}');${lookUp}${lookUp}${lookUp}${lookUp}`), 'none\n'.repeat(5).trim());
	}
});

test('a script with stores in memory or none of its own ends by itself', async () => {
	for (const store of ['\'memory\'', 'new Map()', '{get: () => new Promise(() => {}), set: () => new Promise(() => {}), delete() {}, clear() {}}']) {
		assert.equal(await script(store, `${lookUp}store.set('{a}', record, 60_000);`), 'none');
	}
});

test('a store over a Redis that fell silent can be closed', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	assert.equal(await script(`'${mine.url}'`, `${lookUp}process.kill(${mine.pid}, 'SIGSTOP');store.get(['{a}']);await store.close();console.log('closed');`), 'none\nclosed');
});

test('a closed store lets go of everything', async () => {
	assert.equal(
		await script(
			`'${redis.url}'`,
			`await store.set('{a}', record, 60_000);await store.close();console.log(process.getActiveResourcesInfo().filter(name => !/^(?:Pipe|TTY|FSReq)/.test(name)).join());${lookUp}`,
			patientMs,
		),
		'none',
	);
});

test('a clear() that is under way is finished before its store is closed', async () => {
	await using folder = await useFolder();
	const stores = {'a Map': new Map(), Keyv: new Keyv(), SQLite: `sqlite:${folder.file('cleared.db')}`, Redis: redis.url};
	for (const [name, place] of Object.entries(stores)) {
		const open = () => createStore({store: place, namespace: 'cleared', timeoutMs: patientMs, memoryBytes: 0});
		const store = open();
		await store.set('{a}', response(), 60_000);
		const clearing = store.clear();
		await store.close();
		assert.equal(await clearing, true, name);
		const again = open();
		const left = await Array.fromAsync(again.entries());
		await again.close();
		assert.deepEqual(left, [], name);
	}
});
