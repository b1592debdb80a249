/* eslint-disable @typescript-eslint/no-loop-func -- each form of the option in turn */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {
	after,
	before,
	describe,
	test,
	type TestContext,
} from 'node:test';
import KeyvRedis from '@keyv/redis';
import {
	createClient,
	createClientPool,
	createCluster,
	createSentinel,
	RESP_TYPES,
	type RedisClientType,
} from '@redis/client';
import {Keyv} from 'keyv';
import {Keyv as Keyv6, KeyvMemoryAdapter} from 'keyv-6';
import {encode} from '../../source/store/codec/codec.ts';
import {isStoreOption, type StoreOption} from '../../source/store/backends/connection.ts';
import {createStore} from '../../source/store/create-store.ts';
import type {Store} from '../../source/store/ports/store.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {newestNodeRedis} from '../helpers/node-redis.ts';
import {index, response} from '../helpers/records.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {startSentinel} from '../helpers/sentinel.ts';

const everyByte = Buffer.from(Array.from({length: 256}, (_, byte) => byte));
const record = response({body: everyByte});

const asBuffers = {[RESP_TYPES.BLOB_STRING]: Buffer};

const assertBetween = (actual: number, least: number, most: number): void => {
	assert.equal(actual >= least && actual <= most, true, `${actual} is not between ${least} and ${most}`);
};

/** The stores' faults are the test's. */
const open = (store: StoreOption, namespace = 'http_cache'): Store => createStore({
	store,
	namespace,
	timeoutMs: 2000,
	memoryBytes: 1_000_000,
	onEvent(event) {
		if ('error' in event) {
			throw event.error;
		}
	},
});

const bodies = async (store: Store, ...keys: readonly string[]): Promise<unknown[]> => {
	const records = await store.get(keys);
	return records.map(found => found?.kind === 'response' ? [...found.body] : found?.kind);
};

const servers: TestRedis[] = [];
const cleanups: Array<() => unknown> = [];
let redis: TestRedis;

const start = async (...parameters: Parameters<typeof startRedis>): Promise<TestRedis> => {
	const server = await startRedis(...parameters);
	servers.push(server);
	return server;
};

before(async () => {
	redis = await start();
});

after(async () => {
	for (const cleanup of cleanups.toReversed()) {
		await cleanup();
	}

	await Promise.all(servers.map(async server => server.stop()));
});

const startCluster = async (create = createCluster) => {
	const nodes = await Promise.all([start({args: ['--cluster-enabled', 'yes']}), start({args: ['--cluster-enabled', 'yes']})]);
	const [first, second] = nodes;
	await first.client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '8191']);
	await second.client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '8192', '16383']);
	await second.client.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', '2']);
	await first.client.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(second.port)]);
	for (const {client} of nodes) {
		while (!(await client.sendCommand<string>(['CLUSTER', 'INFO'])).includes('cluster_state:ok')) {
			// Gossip takes a moment.
		}
	}

	const cluster = create({rootNodes: nodes.map(({url}) => ({url}))});
	cluster.on('error', () => undefined);
	await cluster.connect();
	cleanups.push(() => {
		cluster.destroy();
	});
	return cluster;
};

const openSentinel = async (create = createSentinel) => {
	const watcher = await startSentinel(redis);
	cleanups.push(watcher.stop);
	const sentinel = create(watcher.options);
	cleanups.push(() => {
		sentinel.destroy();
	});
	return sentinel;
};

const own = async <Client extends {destroy(): void; isOpen: boolean}>(client: Client): Promise<Client> => {
	cleanups.push(() => {
		if (client.isOpen) {
			client.destroy();
		}
	});
	return client;
};

const keyvRedis = async () => new KeyvRedis(await own(createClient({url: redis.url})) as RedisClientType<any>);

const redisForms: Record<string, () => StoreOption | Promise<StoreOption>> = {
	'a redis: URL': () => redis.url,
	'a redis: URL with a database': () => `${redis.url}/0`,
	'a URL object': () => new URL(redis.url),
	'a valkey: URL': () => redis.url.replace('redis:', 'valkey:'),
	'a unix: URL': () => `unix://${redis.socketPath}`,
	'options with a URL': () => ({url: redis.url, name: 'mine'}),
	'options with a valkey: URL': () => ({url: redis.url.replace('redis:', 'valkey:')}),
	'options with a unix: URL and a socket': () => ({url: `unix://${redis.socketPath}?db=0`, socket: {connectTimeout: 1000}}),
	'options with a socket': () => ({socket: {path: redis.socketPath, tls: false}, RESP: 3}),
	'an embedded Redis': () => ({clientOptions: {socket: {path: redis.socketPath, tls: false}}, async close() {}}), // eslint-disable-line @typescript-eslint/no-empty-function
	'an unconnected client': async () => own(createClient({url: redis.url})),
	async 'a connected client'() {
		const client = await own(createClient({url: redis.url}));
		return client.connect();
	},
	async 'a client that is connecting'() {
		const client = await own(createClient({url: redis.url}));
		void client.connect();
		return client;
	},
	'a client with RESP 3': async () => own(createClient({url: redis.url, RESP: 3, commandOptions: {typeMapping: asBuffers}})),
	'a pool': async () => own(createClientPool({url: redis.url})),
	'a sentinel': async () => openSentinel(),
	'a client of node-redis 6': async () => own(newestNodeRedis.createClient({url: redis.url})),
	'a client of node-redis 6 with RESP 2': async () => own(newestNodeRedis.createClient({url: redis.url, RESP: 2})),
	'a pool of node-redis 6': async () => own(newestNodeRedis.createClientPool({url: redis.url})),
	'a sentinel of node-redis 6': async () => openSentinel(newestNodeRedis.createSentinel),
	'@keyv/redis': keyvRedis,
};

const otherForms: Record<string, () => StoreOption | Promise<StoreOption>> = {
	'a cluster': async () => startCluster(),
	'a cluster of node-redis 6': async () => startCluster(newestNodeRedis.createCluster),
	'the word memory': () => 'memory',
	'a Map': () => new Map(),
	'a Keyv': () => new Keyv(),
	'a Keyv without a namespace': () => new Keyv({namespace: undefined, useKeyPrefix: false}),
	'a Keyv with our namespace': () => new Keyv({namespace: 'http_cache'}),
	'a Keyv whose namespace has a colon': () => new Keyv({namespace: 'a:b'}),
	'a Keyv that does not serialize': () => new Keyv({serialize: undefined, deserialize: undefined}),
	'a Keyv over @keyv/redis': async () => new Keyv(await keyvRedis()),
	'an adapter that stores text': () => createAdapter(),
	'a Keyv over an adapter that stores text': () => new Keyv(createAdapter()),
	'a Keyv 6': () => new Keyv6(),
	'a Keyv 6 with our namespace': () => new Keyv6({namespace: 'http_cache'}),
	'a Keyv 6 whose namespace has a colon': () => new Keyv6({namespace: 'a:b'}),
	'a Keyv 6 that does not serialize': () => new Keyv6({serialization: false}),
	'a Keyv 6 over a Map': () => new Keyv6(new Map()),
	'a Keyv 6 over @keyv/redis': async () => new Keyv6(await keyvRedis(), {namespace: 'http_cache'}),
	'a Keyv 6 over an adapter that stores text': () => new Keyv6(createAdapter(), {namespace: 'mine'}),
};

for (const [name, form] of Object.entries({...redisForms, ...otherForms})) {
	describe(name, () => {
		let option: StoreOption;

		before(async () => {
			await redis.client.flushAll();
			option = await form();
		});

		test('keeps, replaces and deletes records of any bytes', async () => {
			const store = open(option);
			assert.deepEqual(await bodies(store, '{a}', '{a}:1'), [undefined, undefined]);
			assert.equal(await store.set('{a}', index(), 60_000), true);
			assert.equal(await store.set('{a}:1', record, 'forever'), true);
			assert.deepEqual(await bodies(store, '{a}'), ['index']);
			assert.deepEqual(await bodies(store, '{a}:2', '{a}', '{a}:1'), [undefined, 'index', [...everyByte]]);

			assert.equal(await store.set('{a}', response({body: Buffer.from([7])}), 60_000), true);
			assert.deepEqual(await bodies(store, '{a}'), [[7]]);

			assert.equal(await store.delete(['{a}', '{a}:1', '{a}:2']), true);
			assert.deepEqual(await bodies(store, '{a}', '{a}:1'), [undefined, undefined]);
			await store.close();
		});

		test('does not keep what is past its time', async () => {
			const store = open(option);
			for (const timeToLive of [0, -1, NaN]) {
				assert.equal(await store.set('{a}', record, timeToLive), false);
			}

			assert.deepEqual(await bodies(store, '{a}'), [undefined]);
			await store.close();
		});

		test('clears its namespace and nothing else', async () => {
			const stores = ['a', 'a:b', 'ab', 'a*', '[a]', '?', 'a\\', 'http_cache', 'httpXcache', 'a:'].map(namespace => open(option, namespace));
			for (const [position, store] of stores.entries()) {
				for (const key of ['{a}', '{b}', '{b}:1', '{c}']) {
					assert.equal(await store.set(key, response({body: Buffer.from([position])}), 60_000), true);
				}
			}

			const remaining = stores.map((_, position) => position);
			for (const [position, store] of stores.entries()) {
				assert.equal(await store.clear(), true);
				remaining.shift();
				const left = await Promise.all(stores.map(async other => bodies(other, '{b}', '{b}:1')));
				assert.deepEqual(left.filter(([first]) => first !== undefined), remaining.map(number => [[number], [number]]), `after clearing number ${position}`);
				await store.close();
			}
		});
	});
}

for (const [name, form] of Object.entries(redisForms)) {
	test(`${name}: Redis holds the bytes, under one key, for as long as told`, async () => {
		await redis.client.flushAll();
		const store = open(await form(), 'ns');
		await store.set('{a}', record, 60_000);
		await store.set('{b}', record, 'forever');
		await store.set('{c}', record, 59_999.5);

		const keys = await redis.client.keys('*');
		assert.deepEqual(keys.toSorted((one, other) => one.localeCompare(other)), ['ns:{a}', 'ns:{b}', 'ns:{c}']);
		assert.deepEqual(await redis.client.withTypeMapping(asBuffers).get('ns:{a}'), encode(record, '{a}'));
		const [pttl, forever] = await Promise.all([redis.client.pTTL('ns:{a}'), redis.client.pTTL('ns:{b}')]);
		assertBetween(pttl, 55_000, 60_000);
		assert.equal(forever, -1);
		assert.ok(await redis.client.pTTL('ns:{c}') > 55_000);
		await store.close();
	});
}

for (const [name, isOpen] of [['an unconnected client', false], ['a connected client', true]] as const) {
	test(`${name} is the user's: it stays open, and gets no more listeners, however many caches use it`, async () => {
		const client = await own(createClient({url: redis.url}));
		client.on('error', () => undefined);
		if (isOpen) {
			await client.connect();
		}

		for (let count = 0; count < 20; count++) {
			const store = open(client);
			await store.set('{a}', record, 60_000);
			assert.deepEqual(await bodies(store, '{a}'), [[...everyByte]]);
			await store.close();
		}

		assert.equal(client.isReady, true);
		assert.equal(await client.ping(), 'PONG');
		assert.equal(client.listenerCount('error'), 2);
		// One for commands that wait, one for a failover.
		assert.equal(client.listenerCount('ready'), 2);
	});
}

test('a client that its user closed stays closed', async () => {
	const client = await own(createClient({url: redis.url}));
	const events: string[] = [];
	const store = createStore({
		store: client,
		namespace: 'n',
		timeoutMs: 2000,
		memoryBytes: 0,
		onEvent({type}) {
			events.push(type);
		},
	});
	assert.equal(await store.set('{a}', record, 60_000), true);
	await client.close();
	assert.deepEqual(await bodies(store, '{a}'), [undefined]);
	assert.equal(client.isOpen, false);
	assert.deepEqual(events, ['error', 'degraded']);
	await store.close();
});

test('a user\'s sentinel answers its user as before', async () => {
	const sentinel = await openSentinel();
	const store = open(sentinel);
	await store.set('{a}', record, 60_000);
	await store.clear();
	await sentinel.set('text', 'ü');
	assert.equal(await sentinel.get('text'), 'ü');
});

test('a user\'s Keyv keeps its own namespace and expiry', async () => {
	await redis.client.flushAll();
	const adapter = await keyvRedis();
	const keyv = new Keyv(adapter, {namespace: 'mine', useKeyPrefix: false});
	const store = open(keyv);
	await store.set('{a}', record, 60_000);
	assert.deepEqual(await redis.client.keys('*'), ['mine::http_cache:{a}']);
	const pttl = await redis.client.pTTL('mine::http_cache:{a}');
	assertBetween(pttl, 55_000, 60_000);
	assert.deepEqual(await bodies(store, '{a}'), [[...everyByte]]);
});

test('a user\'s Keyv 6 keeps its own namespace and expiry', async () => {
	await redis.client.flushAll();
	const store = open(new Keyv6(await keyvRedis(), {namespace: 'mine'}));
	await store.set('{a}', record, 60_000);
	assert.deepEqual(await redis.client.keys('*'), ['mine::http_cache:{a}']);
	assertBetween(await redis.client.pTTL('mine::http_cache:{a}'), 55_000, 60_000);
	assert.deepEqual(await bodies(store, '{a}'), [[...everyByte]]);
	await store.close();
});

test('a storage adapter of Keyv 6, which takes times where others take durations, is refused', () => {
	assert.throws(() => open(new KeyvMemoryAdapter(new Map()) as never), {
		name: 'TypeError',
		message: 'The option `store` is a storage adapter of Keyv 6 (an object of class KeyvMemoryAdapter): expected the Keyv around it, as in {store: new Keyv({store: adapter})}',
	});
});

test('a response in memory is there at once', async () => {
	for (const option of ['memory', new Map()] satisfies StoreOption[]) {
		const store = open(option);
		assert.equal(store.peek('{a}'), undefined);
		await store.set('{a}', record, 60_000);
		assert.equal(store.peek('{a}')?.kind, 'response');
		await store.delete(['{a}']);
		assert.equal(store.peek('{a}'), undefined);
	}
});

test('memory and maps forget what is past its time', async (t: TestContext) => {
	t.mock.timers.enable({apis: ['Date'], now: 1000});
	for (const option of ['memory', new Map()] satisfies StoreOption[]) {
		const store = open(option);
		await store.set('{a}', record, 500);
		t.mock.timers.setTime(Date.now() + 499);
		t.assert.strictEqual(store.peek('{a}')?.kind, 'response');
		t.assert.deepStrictEqual(await bodies(store, '{a}'), [[...everyByte]]);
		t.mock.timers.setTime(Date.now() + 2);
		t.assert.strictEqual(store.peek('{a}'), undefined);
		t.assert.deepStrictEqual(await bodies(store, '{a}'), [undefined]);
	}
});

test('memory holds no more than it may', async () => {
	const store = createStore({
		store: 'memory',
		namespace: 'n',
		timeoutMs: 250,
		memoryBytes: 10_000,
	});
	const keys = Array.from({length: 40}, (_, number) => `{${number}}`);
	for (const key of keys) {
		await store.set(key, response({body: Buffer.alloc(1000)}), 'forever');
	}

	const kept = keys.filter(key => store.peek(key) !== undefined);
	assertBetween(kept.length, 3, 9);
	assert.equal(kept.at(-1), '{39}');
	assert.equal(await store.set('{large}', response({body: Buffer.alloc(20_000)}), 'forever'), false);
});

class Custom {
	name = 'custom';
}

const wrongStores: Array<[unknown, RegExp]> = [
	[undefined, /undefined/v],
	[null, /null/v],
	[42, /a number/v],
	[true, /a boolean/v],
	[() => undefined, /a function/v],
	['postgres', /'postgres'/v],
	['', /''/v],
	['redis://user:hunter2', /a redis: URL that cannot be parsed/v],
	['redis://:hunter2@localhost:99999', /a redis: URL that cannot be parsed/v],
	...['hun#ter2', 'hun/ter2', 'hun?ter2'].map(password => [`redis://:${password}@localhost`, /cannot be parsed; its user and password need encodeURIComponent\(\), as for # and \//v] as [string, RegExp]),
	['redis://:hunter2%@localhost', /node-redis refuses \(URIError\); its user and password need encodeURIComponent\(\)/v],
	['redis://user:1/hunter2@localhost', /path is no database; its user and password need encodeURIComponent\(\)/v],
	['redis://:hunter2%23@localhost:99999', /cannot be parsed: expected/v],
	['user:hunter2@localhost:6379', /'…@localhost:6379', without a scheme/v],
	[':hunter2@localhost', /'…@localhost'/v],
	['http://user:hunter2@localhost', /a http: URL/v],
	['redis://user:hunter2@localhost/name', /path is no database/v],
	['redis://localhost?db=3&password=hunter2', /URL with a query/v],
	['redis://user:16379#hunter2@localhost', /URL with a query or a fragment/v],
	['unix://hunter2@localhost/run/redis.sock', /a unix: URL that is more than/v],
	['unix://redis.sock', /a unix: URL that is more than/v],
	['unix:///run/redis.sock?database=3', /a unix: URL that is more than/v],
	[[], /an array/v],
	[new Custom(), /Custom/v],
	[new Set(), /Set/v],
	[Promise.resolve(new Map()), /a promise, which has to be awaited first, such as that of embeddedRedis\(\): expected/v],
	[{host: 'localhost', password: 'hunter2'}, /`host`/v],
	[{rootNodes: []}, /`rootNodes`, .*`createCluster\(\)`/v],
	[{name: 'mine', sentinelRootNodes: []}, /`sentinelRootNodes`, .*`createSentinel\(\)`/v],
	[{url: 'redis://localhost', minimum: 1}, /`minimum`, .*`createClientPool\(\)`/v],
	[{clientOptions: {rootNodes: []}}, /`rootNodes`, .*`createCluster\(\)`/v],
	[{socket: {host: 'localhost', password: 'hunter2'}}, /`socket` has `password`/v],
	[{url: 'redis://user:hunter2@localhost', socket: {tls: true}}, /refuses/v],
	[{url: 7}, /`url` is a number/v],
	[{url: 'redis://localhost', socket: 'localhost'}, /`socket` is a string/v],
	[{socket: [6379]}, /`socket` is an array/v],
	[{url: 'redis://user:hunter2'}, /cannot be parsed/v],
];

for (const [wrong, told] of wrongStores) {
	test(`a store that is no store is refused: ${String(told)}`, () => {
		assert.throws(() => open(wrong as never), (error: unknown) => {
			assert.ok(error instanceof TypeError);
			assert.match(error.message, /`store`/v);
			assert.match(error.message, told);
			assert.match(error.message, /expected/v);
			assert.doesNotMatch(`${error.stack}${String(error.cause)}`, /hunter2/v);
			return true;
		});
	});
}

test('options of a socket count beside a unix: URL', async (t: TestContext) => {
	const directory = await mkdtemp(path.join(tmpdir(), 'silent-'));
	const socketPath = path.join(directory, 'redis.sock');
	const connections: Socket[] = [];
	const silent = createServer(connection => {
		connections.push(connection);
	});
	t.after(async () => {
		for (const connection of connections) {
			connection.destroy();
		}

		silent.close();
		await rm(directory, {recursive: true});
	});
	silent.listen(socketPath);
	await once(silent, 'listening');
	const {promise, resolve} = Promise.withResolvers<string>();
	const store = createStore({
		store: {url: `unix://${socketPath}`, socket: {connectTimeout: 50}},
		namespace: 'n',
		timeoutMs: 2000,
		memoryBytes: 0,
		onEvent(event) {
			if (event.type === 'error') {
				resolve(event.error.message);
			}
		},
	});
	assert.deepEqual(await bodies(store, '{a}'), [undefined]);
	// On a busy machine, connecting alone may take so long.
	t.assert.match(await promise, /within 50 ms|^Connection timeout$/v);
	await store.close();
});

test('what stands for a store by itself', () => {
	const stores = ['redis', 'redis://h', new URL('redis://h'), new Map(), new Keyv(), new Keyv6(), createAdapter(), createClient(), newestNodeRedis.createClient(), {clientOptions: {}}];
	assert.deepEqual(stores.map(value => isStoreOption(value)), stores.map(() => true));
	const others = [{}, {store: 'redis'}, {url: 'redis://h'}, undefined, null, 7, []];
	assert.deepEqual(others.map(value => isStoreOption(value)), others.map(() => false));
});
