/* eslint-disable @typescript-eslint/no-loop-func -- each package in turn */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {after, afterEach, before, describe, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {RESP_TYPES} from '@redis/client';
import type {Redis} from 'ioredis';
import {isStoreOption, type StoreOption} from '../../source/store/backends/connection.ts';
import {encode} from '../../source/store/codec/codec.ts';
import {createStore} from '../../source/store/create-store.ts';
import type {StoreEvent} from '../../source/store/ports/health.ts';
import type {Store} from '../../source/store/ports/store.ts';
import {ioredisPackages, newestIoredis, sentinelOptions} from '../helpers/ioredis.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {index, response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {startSentinelSet} from '../helpers/sentinel-set.ts';

const everyByte = Buffer.from(Array.from({length: 256}, (_, byte) => byte));
const record = response({body: everyByte});
const keyA = '{a}';
const keyOne = '{a}:1';

let redis: TestRedis;
const clients: Redis[] = [];

const own = (client: Redis): Redis => {
	clients.push(client);
	return client;
};

before(async () => {
	redis = await startRedis();
});

afterEach(() => {
	for (const client of clients.splice(0)) {
		client.disconnect();
	}
});

after(async () => {
	await redis.stop();
});

type OpenOptions = {readonly namespace?: string; readonly memoryBytes?: number; readonly timeoutMs?: number; readonly onEvent?: (event: StoreEvent) => void};

const throwErrors = (event: StoreEvent): void => {
	if ('error' in event) {
		throw event.error;
	}
};

const open = (store: StoreOption, {namespace = 'http_cache', memoryBytes = 0, timeoutMs = 2000, onEvent = throwErrors}: OpenOptions = {}): Store =>
	createStore({store, namespace, timeoutMs, memoryBytes, onEvent});

const bodies = async (store: Store, ...keys: readonly string[]): Promise<unknown[]> => {
	const records = await store.get(keys);
	return records.map(found => found?.kind === 'response' ? [...found.body] : found?.kind);
};

const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
	const dueMs = performance.now() + 20_000;
	while (!await isTrue()) {
		assert.ok(performance.now() < dueMs, 'it comes to that');
		await wait(5);
	}
};

const clientCount = async ({client}: TestRedis = redis): Promise<number> => {
	const list = await client.sendCommand<string>(['CLIENT', 'LIST']);
	return list.trim().split('\n').length;
};

/** What others ask of the same client at the same time must not change what the cache gets. */
const settings = {
	'no options': {},
	lazyConnect: {lazyConnect: true},
	'a keyPrefix': {keyPrefix: 'app:'},
	enableAutoPipelining: {enableAutoPipelining: true},
	'no offline queue': {enableOfflineQueue: false},
	stringNumbers: {stringNumbers: true},
	'all of these': {lazyConnect: true, keyPrefix: 'a*[b]:', enableAutoPipelining: true, enableOfflineQueue: false, stringNumbers: true, showFriendlyErrorStack: true},
} as const;

for (const {name, open: openClient} of ioredisPackages) {
	describe(name, () => {
		for (const [setting, options] of Object.entries(settings)) {
			test(`a client with ${setting} keeps, lists, replaces, moves and deletes records of any bytes`, async () => {
				await redis.client.flushAll();
				const keyPrefix = 'keyPrefix' in options ? options.keyPrefix : '';
				const client = own(openClient(redis.url, options));
				const store = open(client, {namespace: 'ns'});
				const stranger = open(client, {namespace: 'nsx'});

				const {address, warnings} = await store.ready(true);
				assert.deepEqual({address, warnings}, {address: redis.url, warnings: []});
				assert.deepEqual(await bodies(store, '{a}', '{a}:1'), [undefined, undefined]);
				assert.equal(await store.set('{a}', index(), 60_000), true);
				assert.equal(await store.set('{a}:1', record, 'forever'), true);
				assert.equal(await stranger.set('{a}', record, 60_000), true);
				assert.deepEqual(await bodies(store, '{a}:2', '{a}', '{a}:1'), [undefined, 'index', [...everyByte]]);
				const stored = await redis.client.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer}).get(`${keyPrefix}ns:${keyOne}`);
				assert.deepEqual(stored, encode(record, '{a}:1'));

				// A script with numbers, a swap, and a key in an argument that is no key to ioredis.
				const token = await store.placeGuard('{a}:guard', performance.now());
				assert.ok(token);
				const updated = await store.update('{a}:1', () => response({body: Buffer.from([7])}), 60_000);
				assert.equal(updated?.record?.kind, 'response');
				const listed = await Array.fromAsync(store.entries());
				assert.deepEqual(listed.map(({key}) => key).toSorted(), ['{a}', '{a}:1']);
				assert.equal(await store.delete(['{a}']), true);
				assert.deepEqual(await bodies(store, '{a}', '{a}:1'), [undefined, [7]]);
				assert.equal(await store.clear(), true);
				assert.deepEqual(await redis.client.keys('*:{a}*'), [`${keyPrefix}nsx:${keyA}`]);
				await Promise.all([store.close(), stranger.close()]);
				assert.equal(client.status, 'ready');
			});
		}

		test('a client is the user\'s: it stays open, and gets no more listeners, however many caches use it', async () => {
			const client = own(openClient(redis.url));
			const first = open(client);
			assert.equal(await first.set('{a}', record, 60_000), true);
			const listeners = ['ready', 'close', 'end', 'error'].map(event => client.listenerCount(event));
			for (let count = 0; count < 20; count++) {
				const store = open(client, {memoryBytes: 1_000_000});
				assert.deepEqual(await bodies(store, '{a}'), [[...everyByte]]);
				await store.close();
			}

			await first.close();
			assert.equal(client.status, 'ready');
			assert.equal(await client.ping(), 'PONG');
			assert.deepEqual(['ready', 'close', 'end', 'error'].map(event => client.listenerCount(event)), listeners);
			client.disconnect();
			await until(async () => await clientCount() === 1);
		});

		test('a client that its user closed stays closed, and the error says so', async () => {
			const client = own(openClient(redis.url));
			const events: StoreEvent[] = [];
			const store = open(client, {onEvent: event => events.push(event)});
			assert.equal(await store.set('{a}', record, 60_000), true);
			await client.quit();
			await until(() => client.status === 'end');
			assert.deepEqual(await bodies(store, '{a}'), [undefined]);
			assert.equal(client.status, 'end');
			assert.deepEqual(events.map(({type}) => type), ['error', 'degraded']);
			assert.match((events[0] as {error: Error}).error.message, /The client of the store was closed .* The client is yours/v);
			await store.close();
		});

		test('a client that is closed, or subscribes, is refused with what to do', async () => {
			const closed = own(openClient(redis.url));
			closed.disconnect();
			await until(() => closed.status === 'end');
			assert.throws(() => open(closed), {
				name: 'TypeError',
				message: 'The option `store` is a client of ioredis that is closed: expected one that is open, that is connecting, or that has `lazyConnect`',
			});

			const subscriber = own(openClient(redis.url, {protocol: 2}));
			await subscriber.subscribe('channel');
			assert.throws(() => open(subscriber), {
				name: 'TypeError',
				message:
					'The option `store` is a client of ioredis that is in subscriber mode, in which it takes no other commands: give the cache one of its own, as in {store: client.duplicate()}',
			});
		});

		test('a client that subscribes later is an error that says so, and is used again afterwards', async () => {
			const client = own(openClient(redis.url, {protocol: 2}));
			const errors: string[] = [];
			const store = createStore({store: client, namespace: 'n', timeoutMs: 2000, memoryBytes: 0, cooldownMs: 1, onEvent: event => 'error' in event && errors.push(event.error.message)});
			assert.equal(await store.set('{a}', record, 60_000), true);
			await client.subscribe('channel');
			assert.deepEqual(await bodies(store, '{a}'), [undefined]);
			assert.match(errors[0] ?? '', /^got-redis-cache: The client of the store is in subscriber mode, .*client\.duplicate\(\)\}$/v);
			await client.unsubscribe('channel');
			await until(() => store.health().state === 'ok');
			assert.deepEqual(await bodies(store, '{a}'), [[...everyByte]]);
			await store.close();
		});

		test('a client in a transaction gives no answer that was put off', async () => {
			const client = own(openClient(redis.url));
			const errors: string[] = [];
			const store = open(client, {onEvent: event => 'error' in event && errors.push(event.error.message)});
			assert.equal(await store.set('{a}', record, 60_000), true);
			client.multi({pipeline: false});
			assert.equal(await store.delete(['{a}']), false);
			assert.match(errors[0] ?? '', /The client of the store is in a transaction/v);
			await client.discard();
			await store.close();
		});

		test('a command that Redis may have got before the connection broke is not sent again', async () => {
			const client = own(openClient(redis.url, {retryStrategy: () => 10}));
			const store = open(client, {onEvent() {}}); // eslint-disable-line @typescript-eslint/no-empty-function -- The failure is what is tested.
			assert.equal(await store.set('{a}', record, 60_000), true);
			await redis.client.sendCommand(['CLIENT', 'PAUSE', '60000', 'WRITE']);
			const writing = store.set('{a}', response({body: Buffer.from([1])}), 60_000);
			const mine = client.incr('mine');
			await until(async () => (await redis.client.info('clients')).includes('blocked_clients:1'));
			await redis.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
			assert.equal(await writing, false);
			await redis.client.sendCommand(['CLIENT', 'UNPAUSE']);
			// The user's own command is, as ever.
			assert.equal(await mine, 1);
			assert.deepEqual(await bodies(store, '{a}'), [[...everyByte]]);
			await redis.client.del('mine');
			await store.close();
		});

		test('commands of a cache that is offline wait in no queue', async () => {
			const server = await startRedis();
			const client = own(openClient(server.url, {retryStrategy: () => 20}));
			const store = open(client, {timeoutMs: 100, onEvent() {}}); // eslint-disable-line @typescript-eslint/no-empty-function
			assert.equal(await store.set('{a}', record, 60_000), true);
			await server.kill();
			assert.equal(await store.set('{b}', record, 60_000), false);
			assert.equal((client as unknown as {offlineQueue: {length: number}}).offlineQueue.length, 0);
			await server.restart();
			await until(() => store.health().state === 'ok');
			assert.deepEqual(await bodies(store, '{b}'), [undefined]);
			await store.close();
			client.disconnect();
			await server.stop();
		});

		test('a server that cannot be reached is told by what Node.js says, and is used once it is there', async () => {
			const server = await startRedis();
			await server.kill();
			const client = own(openClient(server.url, {lazyConnect: true, retryStrategy: () => 20}));
			const errors: string[] = [];
			const store = createStore({store: client, namespace: 'n', timeoutMs: 1000, memoryBytes: 0, cooldownMs: 1, onEvent: event => 'error' in event && errors.push(event.error.message)});
			assert.deepEqual(await bodies(store, '{a}'), [undefined]);
			assert.match(errors[0] ?? '', /ECONNREFUSED .*Nothing listens there/v);
			await server.restart();
			await until(() => store.health().state === 'ok');
			assert.equal(await store.set('{a}', record, 60_000), true);
			await store.close();
			client.disconnect();
			await server.stop();
		});

		test('a client that has given up before it was ever connected is asked to connect again', async () => {
			const server = await startRedis();
			await server.kill();
			const client = own(openClient(server.url, {lazyConnect: true, retryStrategy: () => null}));
			const store = createStore({store: client, namespace: 'n', timeoutMs: 1000, memoryBytes: 0, cooldownMs: 1, onEvent() {}}); // eslint-disable-line @typescript-eslint/no-empty-function
			assert.deepEqual(await bodies(store, '{a}'), [undefined]);
			await until(() => client.status === 'end');
			await server.restart();
			await until(() => store.health().state === 'ok');
			await store.close();
			client.disconnect();
			await server.stop();
		});

		test('a wrong password is told by what Redis says', async () => {
			await using server = await startRedis({args: ['--requirepass', 'right']});
			const client = own(openClient(server.url, {password: 'wrong', retryStrategy: () => 20}));
			const errors: string[] = [];
			const store = open(client, {onEvent: event => 'error' in event && errors.push(event.error.message)});
			assert.deepEqual(await bodies(store, '{a}'), [undefined]);
			assert.match(errors[0] ?? '', /WRONGPASS .*Are user and password right\?/v);
			await store.close();
			client.disconnect();
		});

		test('a user without the right to a command is told which one', async () => {
			await using server = await startRedis();
			await server.client.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '+@all', '-eval', '-evalsha']);
			const client = own(openClient(server.url, {username: 'limited', password: 'secret'}));
			const errors: string[] = [];
			const store = open(client, {onEvent: event => 'error' in event && errors.push(event.error.message)});
			await assert.rejects(store.ready(true), /Redis does not let this user run EVAL \(NOPERM\)/v);
			await store.close();
			client.disconnect();
		});

		describe('the memory tier', () => {
			const inMemory = async (store: Store, key: string): Promise<boolean> => {
				await store.get([key]);
				return store.peek(key) !== undefined;
			};

			for (const keyPrefix of ['', 'app:']) {
				test(`a key that somebody else changes leaves it, ${keyPrefix === '' ? 'without' : 'with'} a keyPrefix`, async () => {
					await redis.client.flushAll();
					const client = own(openClient(redis.url, {keyPrefix}));
					const store = open(client, {namespace: 'n', memoryBytes: 1_000_000});
					await store.set('{a}', record, 60_000);
					await until(async () => inMemory(store, '{a}'));
					await redis.client.del(`${keyPrefix}n:${keyA}`);
					await until(() => store.peek('{a}') === undefined);

					await store.set('{a}', record, 60_000);
					await until(async () => inMemory(store, '{a}'));
					await redis.client.flushAll();
					await until(() => store.peek('{a}') === undefined);
					assert.equal(client.mode, 'normal');
					await store.close();
					client.disconnect();
					await until(async () => await clientCount() === 1);
				});
			}

			test('a response in use stays in memory: the second connection is asked again and again', async () => {
				const client = own(openClient(redis.url));
				const store = open(client, {namespace: 'n', memoryBytes: 1_000_000});
				await store.set('{a}', record, 60_000);
				await until(async () => inMemory(store, '{a}'));
				await redis.client.sendCommand(['CONFIG', 'RESETSTAT']);
				await until(async () => {
					// From memory alone; what proves it is asked beside.
					store.peek('{a}');
					return /cmdstat_ping:calls=[2-9]/v.test(await redis.client.info('commandstats'));
				});
				await until(async () => inMemory(store, '{a}'));
				assert.equal(store.health().state, 'ok');
				await store.close();
			});

			test('a second connection that is cut empties it, and is opened anew', async () => {
				const client = own(openClient(redis.url));
				const store = open(client, {namespace: 'n', memoryBytes: 1_000_000});
				await store.set('{a}', record, 60_000);
				await until(async () => inMemory(store, '{a}'));
				await redis.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
				await until(() => store.peek('{a}') === undefined);
				await until(async () => inMemory(store, '{a}'));
				assert.equal(store.health().state, 'ok');
				await store.close();
			});

			test('where the second connection leads to another server, nothing is kept', async () => {
				await using other = await startRedis();
				const client = own(openClient(redis.url));
				const duplicate = client.duplicate.bind(client);
				let opened = 0;
				client.duplicate = options => {
					opened++;
					return own(duplicate({...options, port: other.port}));
				};

				const store = open(client, {namespace: 'n', memoryBytes: 1_000_000});
				await store.set('{a}', record, 60_000);
				await until(async () => {
					assert.equal(await inMemory(store, '{a}'), false);
					return opened > 1;
				});
				await store.close();
			});

			test('a user without the right to client tracking has none, and is told', async () => {
				await using server = await startRedis();
				await server.client.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-client|tracking']);
				const client = own(openClient(server.url, {username: 'limited', password: 'secret'}));
				const errors: string[] = [];
				const store = open(client, {memoryBytes: 1_000_000, onEvent: event => 'error' in event && errors.push(event.error.message)});
				assert.equal(await store.set('{a}', record, 60_000), true);
				await until(async () => {
					await store.get(['{a}']);
					return errors.length > 0;
				});
				assert.match(errors[0] ?? '', /Redis does not let this user run CLIENT\|TRACKING \(NOPERM\)/v);
				assert.equal(await inMemory(store, '{a}'), false);
				await store.close();
				client.disconnect();
			});

			test('with no memory, there is no second connection', async () => {
				const client = own(openClient(redis.url));
				const countBefore = await clientCount();
				const store = open(client);
				await store.set('{a}', record, 60_000);
				await bodies(store, '{a}');
				assert.ok(await clientCount() <= countBefore + 1);
				await store.close();
			});
		});

		test('a sentinel: the records are those of the master, also after a failover', async () => {
			await using set = await startSentinelSet();
			const client = own(openClient(set.master.url, sentinelOptions(set.watcher)));
			const store = createStore({store: client, namespace: 'n', timeoutMs: 2000, memoryBytes: 1_000_000, cooldownMs: 1, onEvent() {}}); // eslint-disable-line @typescript-eslint/no-empty-function
			assert.equal((await store.ready(true)).address, 'a sentinel of ioredis');
			assert.equal(await store.set('{a}', record, 60_000), true);
			await until(async () => await set.replica.client.exists('n:{a}') === 1);
			await set.master.kill();
			await set.watcher.wanted('+switch-master');
			await until(async () => store.set('{b}', record, 60_000));
			await until(async () => {
				await store.get(['{a}']);
				return store.peek('{a}') !== undefined;
			});
			assert.equal(await set.replica.client.exists('n:{b}'), 1);
			await store.close();
			client.disconnect();
		});
	});
}

test('a look-up is one command, sent at once', async () => {
	const client = own(newestIoredis.open(redis.url, {enableAutoPipelining: true}));
	const store = open(client, {namespace: 'n'});
	await store.set('{a}', record, 60_000);
	const commands = await commandsDuring([redis], async () => {
		await store.get(['{a}']);
		await store.get(['{a}', '{a}:1']);
	});
	assert.deepEqual(commands, [['get', 'n:{a}'], ['mget', 'n:{a}', 'n:{a}:1']]);
	await store.close();
});

test('a client whose prefix or role makes caching impossible is refused', () => {
	const braces = own(newestIoredis.open(redis.url, {lazyConnect: true, keyPrefix: '{app}:'}));
	assert.throws(() => open(braces), {
		name: 'TypeError',
		message:
			'The option `store` is a client of ioredis whose `keyPrefix` is \'{app}:\': expected a string without braces, which the cache\'s own keys need for themselves',
	});
	const replica = own(newestIoredis.open(redis.url, {lazyConnect: true, sentinels: [{host: '127.0.0.1', port: 1}], name: 'main', role: 'slave'}));
	assert.throws(() => open(replica), {
		name: 'TypeError',
		message: 'The option `store` is a client of ioredis with `role: \'slave\'`: expected one with `role: \'master\'`, since a replica takes no writes',
	});
});

test('a client stands for a store by itself', () => {
	const client = own(newestIoredis.open(redis.url, {lazyConnect: true}));
	assert.equal(isStoreOption(client), true);
	assert.equal(isStoreOption(client.pipeline()), false);
});

test('addresses are told without credentials', async () => {
	const client = own(newestIoredis.open(`redis://user:hunter2@127.0.0.1:${redis.port}/3`, {lazyConnect: true}));
	const store = open(client, {onEvent() {}}); // eslint-disable-line @typescript-eslint/no-empty-function
	await assert.rejects(store.ready(true), error => error instanceof Error && error.message.includes(`redis://127.0.0.1:${redis.port}/3`) && !error.message.includes('hunter2'));
	client.disconnect();
	const overSocket = own(newestIoredis.open(redis.socketPath));
	await once(overSocket, 'ready');
	const other = open(overSocket);
	assert.equal((await other.ready(true)).address, `unix://${redis.socketPath}`);
	await Promise.all([store.close(), other.close()]);
});
