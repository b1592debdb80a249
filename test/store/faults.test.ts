/* eslint-disable @typescript-eslint/no-loop-func -- `t` is for what follows a test */
import process from 'node:process';
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {
	after,
	before,
	beforeEach,
	test,
	type TestContext,
} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {createClient, ErrorReply} from '@redis/client';
import {Keyv} from 'keyv';
import {ownTimers} from '../../source/store/ports/own-timers.ts';
import {encode} from '../../source/store/codec/codec.ts';
import type {StoreOption} from '../../source/store/backends/connection.ts';
import {createStore, type StoreOptions} from '../../source/store/create-store.ts';
import type {StoreEvent} from '../../source/store/ports/health.ts';
import {isArgumentError} from '../../source/store/backends/redis-errors.ts';
import {followFakeTimers} from '../helpers/deadlines.ts';
import {listen} from '../helpers/listener.ts';
import {response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';

const record = response();
const kindOf = (event: StoreEvent) => event.type;

/** A store, what it reported, and a way to wait for a report. */
const open = (store: StoreOption, options: Partial<StoreOptions> = {}) => {
	const events: StoreEvent[] = [];
	const waiting = new Map<string, PromiseWithResolvers<void>>();
	const opened = createStore({
		store,
		namespace: 'n',
		timeoutMs: 5000,
		memoryBytes: 0,
		cooldownMs: 10,
		...options,
		onEvent(event) {
			events.push(event);
			waiting.get(event.type)?.resolve();
			waiting.delete(event.type);
		},
	});
	return {
		store: opened,
		events,
		async until(type: StoreEvent['type']) {
			const pending = Promise.withResolvers<void>();
			waiting.set(type, pending);
			// A test that waits holds the process; the store does not.
			const hold = setInterval(() => undefined, 1000);
			await pending.promise;
			clearInterval(hold);
		},
	};
};

let redis: TestRedis;
const unhandled: unknown[] = [];

before(async () => {
	redis = await startRedis();
	process.on('unhandledRejection', error => unhandled.push(error));
	process.on('warning', warning => unhandled.push(warning));
});

beforeEach(async () => {
	await redis.client.flushAll();
});

after(async () => {
	await redis.stop();
	assert.deepEqual(unhandled, []);
});

test('a Redis that is not there: misses, told once', async () => {
	const {store, events} = open('redis://127.0.0.1:1', {cooldownMs: 60_000});
	for (let count = 0; count < 50; count++) {
		assert.deepEqual(await store.get(['{a}', '{b}']), [undefined, undefined]);
		assert.equal(await store.set('{a}', record, 1000), false);
		assert.equal(await store.delete(['{a}']), false);
		assert.equal(await store.clear(), false);
	}

	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	assert.equal(store.isHealthy, false);
	await store.close();
});

test('a Redis that takes the connection and never answers: misses after the deadline, then at once', async () => {
	const hole = await listen();
	const {store, events} = open(hole.url, {timeoutMs: 20, cooldownMs: 60_000});
	for (let count = 0; count < 50; count++) {
		assert.deepEqual(await store.get(['{a}']), [undefined]);
	}

	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	assert.equal(store.counters.errors, 3);
	await store.close();
	await hole.stop();
});

for (const garbage of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\u{0}\u{1}\u{2}'.repeat(1000), '+OK\r\n'.repeat(50), '*-1\r\n', '$5\r\nab', '-ERR no\r\n'.repeat(50)]) {
	test(`a Redis that answers ${JSON.stringify(garbage.slice(0, 12))}: misses`, async () => {
		const liar = await listen(socket => {
			socket.on('data', () => {
				socket.write(garbage);
			});
		});
		const {store} = open(liar.url, {timeoutMs: 20});
		for (let count = 0; count < 10; count++) {
			assert.deepEqual(await store.get(['{a}']), [undefined]);
			await store.set('{a}', record, 1000);
		}

		await store.close();
		await liar.stop();
	});
}

test('a Redis that is killed and comes back empty', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store, events, until} = open(mine.url);
	await store.set('{a}', record, 60_000);
	await mine.kill();
	assert.deepEqual(await store.get(['{a}']), [undefined]);
	assert.deepEqual(await store.get(['{a}']), [undefined]);
	const recovered = until('recovered');
	await mine.restart();
	await recovered;
	assert.deepEqual(await store.get(['{a}']), [undefined]);
	assert.equal(await store.set('{a}', record, 60_000), true);
	assert.equal((await store.get(['{a}']))[0]?.kind, 'response');
	assert.deepEqual(events.map(event => kindOf(event)).filter(kind => kind !== 'error'), ['degraded', 'recovered']);
	await store.close();
});

for (const [name, optionOf] of [
	['our client', (url: string): StoreOption => url],
	['the user\'s client', (url: string): StoreOption => createClient({url})],
] as const) {
	test(`a Redis that is paused and goes on: ${name}`, async t => {
		const mine = await startRedis();
		t.after(mine.stop);
		const option = optionOf(mine.url);
		const {store, events, until} = open(option, {timeoutMs: 30});
		await mine.client.set('n:{a}', encode(record, '{a}'));
		mine.pause();
		for (let count = 0; count < 20; count++) {
			assert.deepEqual(await store.get(['{a}']), [undefined]);
		}

		assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
		const recovered = until('recovered');
		mine.resume();
		await recovered;
		// So short a deadline is too short for a busy machine now and then.
		while ((await store.get(['{a}']))[0]?.kind !== 'response') {
			await nextTurn();
		}

		await store.close();
		if (typeof option !== 'string') {
			(option as ReturnType<typeof createClient>).destroy();
		}
	});
}

test('a connection that is cut is opened again by the next request', async () => {
	const {store, events} = open(redis.url);
	assert.equal(await store.set('{a}', record, 60_000), true);
	const earlierErrors = store.counters.errors;
	await redis.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
	// The end of the connection is on its way; a request that meets it fails, the one after does not.
	const found = await store.get(['{a}']);
	const again = await store.get(['{a}']);
	assert.equal(again[0]?.kind, 'response');
	assert.equal(store.counters.errors - earlierErrors, found[0] === undefined ? 1 : 0);
	assert.equal(events.some(event => event.type === 'degraded'), false);
	await store.close();
});

test('a Redis that refuses to write is read from, and written to when it takes writes again', async () => {
	const {store, events, until} = open(redis.url, {queueBytes: 1000});
	assert.equal(await store.set('{a}', record, 60_000), true);
	await redis.client.configSet('maxmemory', '1');
	for (let count = 0; count < 10; count++) {
		assert.equal(await store.set('{b}', record, 60_000), false);
		assert.equal((await store.get(['{a}']))[0]?.kind, 'response');
	}

	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	assert.equal(store.isHealthy, true);
	assert.equal(store.counters.dropped, 0);
	await redis.client.configSet('maxmemory', '0');
	const recovered = until('recovered');
	while (!await store.set('{b}', record, 60_000)) {
		await nextTurn();
	}

	await recovered;
	await store.close();
});

/** A store of a Redis that is full, in a time of the test's own. */
const openFull = async (t: TestContext) => {
	const mine = await startRedis();
	t.after(mine.stop);
	const opened = open(mine.url, {cooldownMs: 250});
	t.after(opened.store.close);
	const {store} = opened;
	const makeRoom = async () => mine.client.configSet('maxmemory', '0');
	const fill = async () => mine.client.configSet('maxmemory', '1');
	const write = async () => store.set('{a}', record, 60_000);
	assert.equal(await write(), true);
	return {
		...opened,
		client: mine.client,
		makeRoom,
		fill,
		write,
		async degrade() {
			t.mock.timers.enable({apis: ['setTimeout']});
			followFakeTimers(t.mock);
			await fill();
			while (store.health().state === 'ok') {
				await write();
			}
		},
		/** Longer than any cooldown. */
		pass() {
			t.mock.timers.tick(12_000);
		},
	};
};

test('a Redis that is full, and has room for a write now and then, is degraded once, and recovers once when it takes all writes', async t => {
	const {store, events, degrade, makeRoom, fill, write, pass} = await openFull(t);
	await degrade();
	for (let round = 0; round < 10; round++) {
		pass();
		await makeRoom();
		assert.deepEqual([await write(), await write()], [true, true]);
		assert.equal(store.health().state, 'read-only', 'it may be full again in a moment');
		await fill();
		assert.deepEqual([await write(), await write()], [false, false]);
	}

	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	await makeRoom();
	pass();
	assert.equal(await write(), true);
	pass();
	assert.equal(store.health().state, 'ok');
	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded', 'recovered']);
});

test('a Redis that has taken many writes for longer than any cooldown has recovered', async t => {
	const {store, degrade, makeRoom, write, pass} = await openFull(t);
	await degrade();
	pass();
	await makeRoom();
	const startMs = performance.now();
	let passedMs = 0;
	t.mock.method(ownTimers, 'now', () => startMs + passedMs);
	for (let count = 0; count < 19; count++) {
		assert.equal(await write(), true);
	}

	// A millisecond more, for the difference of two fractions may be a little less than it should be.
	passedMs = 2001;
	assert.equal(store.health().state, 'read-only');
	await write();
	assert.equal(store.health().state, 'ok');
});

test('a full Redis is told of once, whether a command or a script met it', async t => {
	const {store, events, degrade, write, pass} = await openFull(t);
	await degrade();
	for (let round = 0; round < 3; round++) {
		pass();
		assert.equal(await store.update('{b}', () => record, 60_000), undefined);
		pass();
		assert.equal(await write(), false);
	}

	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
});

test('a record that was not replaced is no sign that a full Redis takes writes', async t => {
	const {store, client, events, degrade, pass} = await openFull(t);
	assert.equal(await store.set('{b}', response({body: randomBytes(100_000)}), 60_000), true);
	const [found] = await store.get(['{b}']);
	assert.ok(found?.kind === 'response'); // eslint-disable-line node-test/prefer-equality-assertion -- for TypeScript
	await client.del('n:{b}');
	await degrade();
	pass();
	// The guard of a resource that was purged meanwhile is another one: nothing is written.
	const purged = await store.commit({guard: {key: '{b}:guard', token: 'e00000000'}, records: [{key: '{b}', record: {...found, statusCode: 404}, timeToLive: 60_000}], deletedKeys: []});
	assert.equal(purged, 'refused');
	pass();
	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
});

/** What a command is made to say in place of a time to live, and what Redis answers. */
const wrongArguments: ReadonlyArray<readonly [timeToLive: string, answer: RegExp]> = [
	['9.5', /^ERR value is not an integer/v],
	['9'.repeat(30), /^ERR value is not an integer/v],
	['0', /^ERR invalid expire time/v],
	[String((2n ** 63n) - 1n), /^ERR invalid expire time/v],
];

for (const [timeToLive, answer] of wrongArguments) {
	test(`an argument that Redis refuses says nothing of its health: PX ${timeToLive.slice(0, 20)}`, async t => {
		const client = createClient({url: redis.url});
		await client.connect();
		t.after(() => client.destroy());
		const send = client.sendCommand.bind(client) as (arguments_: ReadonlyArray<string | Uint8Array>, options: unknown) => Promise<unknown>;
		Object.assign(client, {
			sendCommand: async (arguments_: ReadonlyArray<string | Uint8Array>, options: unknown) => send(arguments_.map(argument => argument === '7777' ? timeToLive : argument), options),
		});
		const {store, events} = open(client);

		for (let count = 0; count < 10; count++) {
			assert.equal(await store.set(`{bad ${count}}`, record, 7777), false);
			assert.equal(await store.update(`{bad ${count}}`, () => record, 7777), undefined);
		}

		assert.equal(store.health().state, 'ok');
		assert.match((store.health().lastError?.cause as Error).message, answer);
		assert.equal(store.counters.errors, 20, 'each is counted');
		assert.deepEqual(events.map(event => kindOf(event)), ['error'], 'and told once');
		assert.equal(await store.set('{good}', record, 60_000), true);
		await store.close();
	});
}

test('a value of another type says nothing of the health of Redis', async () => {
	const {store, events} = open(redis.url);
	const long = response({body: randomBytes(20_000)});
	await store.set('{a}', long, 60_000);
	for (let count = 0; count < 5; count++) {
		const [stored] = await store.get(['{a}']);
		await redis.client.del('n:{a}');
		await redis.client.hSet('n:{a}', 'field', 'x');
		await store.set('{a}', {...long, ...stored?.kind === 'response' && {body: stored.body}, indexId: String(count)}, 60_000);
	}

	assert.equal(store.health().state, 'ok');
	assert.deepEqual(events, []);
	await store.close();
});

test('errors that are about a command are told from those about the store', () => {
	const about = (message: string) => isArgumentError(new ErrorReply(message));
	const command = [
		'ERR value is not an integer or out of range',
		'ERR value is not a valid float',
		'ERR invalid expire time in \'set\' command',
		'ERR invalid expire time in set',
		'ERR invalid expire time in \'pexpire\' command script: 2d5c, on @user_script:4.',
		'ERR Error running script (call to f_2d5c): @user_script:5: ERR value is not an integer or out of range',
		'ERR Error running script (call to f_2d5c): @user_script:2: WRONGTYPE Operation against a key holding the wrong kind of value',
		'WRONGTYPE Operation against a key holding the wrong kind of value',
		'CROSSSLOT Keys in request don\'t hash to the same slot',
		'ERR syntax error',
		'ERR string exceeds maximum allowed size (proto-max-bulk-len)',
		'ERR wrong number of arguments for \'get\' command',
	];
	const store = [
		'OOM command not allowed when used memory > \'maxmemory\'.',
		'ERR Error running script (call to f_2d5c): @user_script:5: -OOM command not allowed when used memory > \'maxmemory\'.',
		'READONLY You can\'t write against a read only replica.',
		'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
		'LOADING Redis is loading the dataset in memory',
		'CLUSTERDOWN The cluster is down',
		'MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to \'no\'.',
		'NOREPLICAS Not enough good replicas to write.',
		'NOPERM this user has no permissions to run the \'set\' command',
		'BUSY Redis is busy running a script.',
		'NOAUTH Authentication required.',
		'ERR unknown command \'SET\', with args beginning with: ',
		'ERR max number of clients reached',
		'TRYAGAIN Multiple keys request during rehashing of slot',
	];

	assert.deepEqual(command.filter(message => !about(message)), []);
	assert.deepEqual(store.filter(message => about(message)), []);
	assert.equal(isArgumentError(new Error('ERR syntax error')), false, 'not a reply of Redis');
});

test('a wrong password is told without it', async t => {
	const mine = await startRedis({args: ['--requirepass', 'right']});
	t.after(mine.stop);
	const {store, events} = open(`redis://:hunter2@127.0.0.1:${mine.port}`, {cooldownMs: 60_000});
	assert.deepEqual(await store.get(['{a}']), [undefined]);
	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	assert.doesNotMatch(events.map(event => 'error' in event ? String(event.error.stack) : '').join(''), /hunter2/v);
	await store.close();
});

test('values that are not ours are misses, counted and replaced', async () => {
	const {store, events} = open(redis.url);
	const {client} = redis;
	const good = encode(record, '{a}');
	const damaged = Buffer.from(good);
	damaged[damaged.length - 1] = 0;
	const foreign: Array<() => Promise<unknown>> = [
		async () => client.set('n:{a}', 'text'),
		async () => client.set('n:{a}', ''),
		async () => client.set('n:{a}', damaged),
		async () => client.set('n:{a}', good.subarray(0, -1)),
		async () => client.set('n:{a}', encode(record, '{b}')),
		async () => client.lPush('n:{a}', 'a list'),
		async () => client.hSet('n:{a}', 'a', 'hash'),
		async () => client.set('n:{a}', '{"value":":base64:AAAA"}'),
	];
	for (const [position, write] of foreign.entries()) {
		await client.del('n:{a}');
		await write();
		assert.deepEqual(await store.get(['{a}']), [undefined]);
		assert.equal(store.counters.corrupt, position + 1);
		assert.equal(await store.set('{a}', record, 60_000), true);
		assert.equal((await store.get(['{a}']))[0]?.kind, 'response');
	}

	assert.deepEqual(events, []);
	await store.close();
});

test('a key that could not be deleted is not seen again, and is deleted when that can be done', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store, until} = open(mine.url, {timeoutMs: 30});
	await mine.client.set('n:{a}', encode(record, '{a}'));
	mine.pause();
	assert.equal(await store.delete(['{a}']), false);
	for (let count = 0; count < 3; count++) {
		await store.get(['{b}']);
	}

	const recovered = until('recovered');
	mine.resume();
	await recovered;
	assert.deepEqual(await store.get(['{a}']), [undefined]);
	while (await mine.client.exists('n:{a}') === 1) {
		// The deletion is on its way.
	}

	await store.close();
});

test('a deletion is not overtaken by the write before it', async () => {
	const {store} = open(redis.url);
	for (let round = 0; round < 20; round++) {
		const written = store.set('{a}', record, 60_000);
		assert.equal(await store.delete(['{a}']), true);
		assert.equal(await redis.client.exists('n:{a}'), 0);
		await written;
		assert.equal((await store.get(['{a}']))[0], undefined);
		const deleted = store.delete(['{a}']);
		assert.equal(await store.set('{a}', record, 60_000), true);
		await deleted;
		assert.equal((await store.get(['{a}']))[0]?.kind, 'response');
	}

	await store.close();
});

test('a reply that came while the event loop was busy counts', async () => {
	const timeoutMs = 500;
	const {store, events} = open(redis.url, {timeoutMs});
	assert.equal(await store.set('{a}', record, 60_000), true);
	const end = performance.now() + (2 * timeoutMs);
	const found = store.get(['{a}']);
	await nextTurn();
	// Redis has answered what came before by the time that it answers this.
	const ping = `const socket = require('node:net').connect(${JSON.stringify(redis.socketPath)}); socket.write('PING' + String.fromCharCode(10)); socket.once('data', () => socket.destroy());`;
	assert.equal(spawnSync(process.execPath, ['--eval', ping]).status, 0);
	while (performance.now() < end) {
		// Busy.
	}

	assert.equal((await found)[0]?.kind, 'response');
	assert.deepEqual(events, []);
	await store.close();
});

test('writes that Redis does not take are bounded in bytes', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store} = open(mine.url, {timeoutMs: 500, queueBytes: 100_000});
	assert.equal(await store.set('{a}', record, 60_000), true);
	mine.pause();
	const large = response({body: Buffer.alloc(60_000)});
	const results = await Promise.all(Array.from({length: 5}, async () => store.set('{a}', large, 60_000)));
	assert.deepEqual(results, [false, false, false, false, false]);
	assert.equal(store.counters.dropped, 4);
	mine.resume();
	await store.close();
});

test('one record larger than the queue is written when nothing else waits', async () => {
	const {store} = open(redis.url, {timeoutMs: 2000, queueBytes: 10});
	assert.equal(await store.set('{a}', response({body: Buffer.alloc(1_000_000)}), 60_000), true);
	await store.close();
});

type Adapter = Record<string, unknown>;

const failingKeyv = (get: () => unknown): Keyv => {
	const adapter: Adapter = {
		opts: {},
		get,
		set: get,
		delete: get,
		clear: get,
		on: () => adapter,
	};
	return new Keyv(adapter as never, {serialize: undefined, deserialize: undefined});
};

const failures: Record<string, () => Keyv> = {
	'throws synchronously': () => failingKeyv(() => {
		throw new Error('no');
	}),
	rejects: () => failingKeyv(async () => {
		throw new Error('no');
	}),
	'rejects with no error': () => failingKeyv(async () => {
		throw 'no'; // eslint-disable-line @typescript-eslint/only-throw-error -- as some do
	}),
	'never settles': () => failingKeyv(async () => {
		await new Promise(() => undefined); // eslint-disable-line no-promise-executor-return -- nothing is returned
	}),
	'gives a number': () => failingKeyv(async () => 7),
	'gives an object': () => failingKeyv(async () => ({value: {kind: 'response'}})),
	'gives a string': () => failingKeyv(async () => ({value: 'ü'})),
	'gives null': () => failingKeyv(async () => null),
};

for (const [what, make] of Object.entries(failures)) {
	test(`a Keyv whose adapter ${what}: misses`, async () => {
		const {store} = open(make(), {timeoutMs: 20});
		for (let count = 0; count < 5; count++) {
			assert.deepEqual(await store.get(['{a}']), [undefined]);
			assert.deepEqual(await store.get(['{a}', '{b}']), [undefined, undefined]);
			await store.set('{a}', record, 1000);
			await store.delete(['{a}', '{b}']);
			await store.clear();
		}

		await store.close();
	});
}

test('what a user\'s Keyv swallows and tells as an event is a fault all the same', async () => {
	const keyv = failingKeyv(async () => undefined);
	const {store, events} = open(keyv, {cooldownMs: 60_000});
	keyv.opts.store.get = async () => {
		keyv.emit('error', new Error('swallowed'));
	};

	for (let count = 0; count < 10; count++) {
		assert.deepEqual(await store.get(['{a}']), [undefined]);
	}

	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	await store.close();
});

/** An adapter that never gives some of its keys. */
const partlySilent = (isSilent: (key: string) => boolean) => {
	const values = new Map<string, unknown>();
	const adapter = {
		opts: {},
		async get(key: string): Promise<unknown> {
			return isSilent(key) ? new Promise(() => undefined) : values.get(key); // eslint-disable-line no-promise-executor-return -- nothing is returned
		},
		async set(key: string, value: unknown) {
			values.set(key, value);
		},
		delete: async (key: string) => values.delete(key),
		async clear() {
			values.clear();
		},
	};
	return {adapter: adapter as unknown as StoreOption, values};
};

test('many replies that do not all arrive in time are no sickness, as long as some do', async () => {
	const {adapter} = partlySilent(key => key.includes('late'));
	const {store, events} = open(adapter, {timeoutMs: 30, cooldownMs: 60_000});
	const late = Array.from({length: 20}, async () => store.get(['{late}']));
	await store.get(['{a}']);
	await Promise.all(late);
	assert.equal(store.counters.errors, 20);
	assert.deepEqual(events.map(event => kindOf(event)), ['error']);
	assert.equal(store.health().state, 'ok');

	await Promise.all(Array.from({length: 3}, async () => store.get(['{late}'])));
	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded']);
	await store.close();
});

test('a large value that could not be read in time is not written at once', async () => {
	let isLate = true;
	const {adapter, values} = partlySilent(key => isLate && key.includes('late'));
	const {store} = open(adapter, {timeoutMs: 30});
	const large = response({body: Buffer.alloc(100_000)});
	await Promise.all([store.get(['{late}']), store.get(['{a}'])]);
	assert.equal(await store.set('{late}', large, 60_000), false);
	assert.equal(store.counters.dropped, 1);
	assert.equal(await store.set('{a}', large, 60_000), true);
	assert.equal(await store.set('{late}', record, 60_000), true);

	isLate = false;
	assert.equal((await store.get(['{late}']))[0]?.kind, 'response');
	assert.equal(await store.set('{late}', large, 60_000), true);
	assert.equal(values.size, 2);
	await store.close();
});

test('a value of 500 MB that is no record is a miss, read once at most, and goes', {timeout: 60_000}, async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const size = 500 * 1024 * 1024;
	await mine.client.setRange('n:{a}', size - 1, 'x');
	const {store} = open(mine.url, {timeoutMs: 250});
	while (await mine.client.exists('n:{a}') === 1) {
		assert.deepEqual(await store.get(['{a}']), [undefined]);
	}

	const sent = Number(/(?<=total_net_output_bytes:)\d+/v.exec(await mine.client.info('stats'))?.[0]);
	assert.ok(sent < 1.1 * size, `${sent} bytes`);
	assert.equal(store.counters.corrupt, 1);
	while (!store.isHealthy || !await store.set('{a}', record, 60_000)) {
		await mine.client.ping();
	}

	const [found] = await store.get(['{a}']);
	assert.equal(found?.kind, 'response');
	await store.close();
});

test('health says what the store does, since when, and what went wrong last', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store, until} = open(mine.url);
	const created = store.health();
	assert.deepEqual({...created, since: undefined}, {state: 'unknown', since: undefined, lastError: undefined, lastErrorAt: undefined});
	await store.set('{a}', record, 60_000);
	assert.deepEqual(store.health(), {...created, state: 'ok', since: store.health().since});

	await mine.client.configSet('maxmemory', '1');
	for (let count = 0; count < 3; count++) {
		await store.set('{b}', record, 60_000);
	}

	const full = store.health();
	assert.equal(full.state, 'read-only');
	assert.match(String(full.lastError), /OOM/v);
	assert.ok(full.since >= created.since);

	await mine.kill();
	while (store.isHealthy) {
		await store.get(['{a}']);
	}

	assert.equal(store.health().state, 'unavailable');
	const recovered = until('recovered');
	await mine.restart();
	await recovered;
	const well = store.health();
	assert.equal(well.state, 'ok');
	assert.ok(Number(well.lastErrorAt) >= Number(full.since));
	await store.close();
	assert.equal(store.health().state, 'closed');
});

test('a Redis that hangs while it is written to is unavailable, and never read-only', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store, events, until} = open(mine.url, {timeoutMs: 100});
	await store.set('{a}', record, 60_000);
	const recovered = until('recovered');
	mine.pause();
	await Promise.all(Array.from({length: 3}, async () => store.set('{b}', record, 60_000)));
	assert.equal(store.health().state, 'unavailable');
	mine.resume();
	await recovered;
	assert.equal(store.health().state, 'ok');
	assert.deepEqual(events.map(event => kindOf(event)), ['error', 'degraded', 'recovered']);
	await store.close();
});

test('what went wrong last is not what the cache did about it', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store} = open(mine.url, {timeoutMs: 500});
	await store.set('{a}', record, 60_000);
	mine.pause();
	// Those that are asked last fall with the connection.
	const asked = Array.from({length: 3}, async () => store.get(['{a}']));
	await nextTurn();
	const late = Array.from({length: 3}, async () => store.set('{b}', record, 60_000));
	await Promise.all([...asked, ...late]);
	assert.equal(store.isHealthy, false);
	assert.equal(store.health().lastError?.name, 'StoreTimeoutError');
	mine.resume();
	await store.close();
});

test('a trial that never meets its store is not the last one', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store, until} = open(mine.url);
	await mine.client.configSet('maxmemory', '1');
	for (let count = 0; count < 3; count++) {
		await store.set('{b}', record, 60_000);
	}

	// The first write that is let through meets a connection that is gone.
	await mine.kill();
	while (store.isHealthy) {
		await store.set('{b}', record, 60_000);
		await nextTurn();
	}

	const recovered = until('recovered');
	await mine.restart();
	const writing = setInterval(() => {
		void store.set('{b}', record, 60_000);
	}, 5);
	await recovered;
	clearInterval(writing);
	assert.equal(await store.set('{b}', record, 60_000), true);
	await store.close();
});

test('a namespace that would blur the keys is refused', () => {
	for (const namespace of ['', '{a}', 'a}']) {
		assert.throws(() => open(redis.url, {namespace}), {name: 'TypeError', message: /`namespace`/v});
	}
});

test('a store that is closed leaves no connection behind', async t => {
	const mine = await startRedis();
	t.after(mine.stop);
	const {store} = open(mine.url);
	await store.set('{a}', record, 60_000);
	await store.close();
	const countClients = async () => (await mine.client.sendCommand<string>(['CLIENT', 'LIST'])).trim().split('\n').length;
	let clients = await countClients();
	for (let attempt = 0; attempt < 10_000 && clients > 1; attempt++) {
		// The server takes its time to notice.
		clients = await countClients();
	}

	assert.equal(clients, 1, 'the client of the test itself, and no other');
});
