import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {inspect} from 'node:util';
import {createClient, createClientPool, createCluster, createSentinel} from '@redis/client';
import {StoreError, StoreTimeoutError} from '../../source/index.ts';
import type {StoreOption} from '../../source/store/backends/connection.ts';
import {adviceFor} from '../../source/store/ports/advice.ts';
import {createStore} from '../../source/store/create-store.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {useFolder} from '../helpers/folder.ts';
import {listen, type Listener} from '../helpers/listener.ts';
import {response} from '../helpers/records.ts';
import {secondPortOffset, startRedis, type TestRedis} from '../helpers/redis.ts';
import {writeCertificate} from '../helpers/secure-redis.ts';

const startSecureRedis = async (): Promise<TestRedis> => {
	await using folder = await useFolder();
	const {args} = await writeCertificate(folder.folder);

	return await startRedis({args});
};

let redis: TestRedis;
let secure: TestRedis;
let replica: TestRedis;
let hangingUp: Listener;
let silent: Listener;

before(async () => {
	[redis, secure, replica, hangingUp, silent] = await Promise.all([startRedis(), startSecureRedis(), startRedis(), listen(socket => socket.destroy()), listen()]);
	await redis.client.sendCommand(['ACL', 'SETUSER', 'known', 'on', '>hunter2', '~*', '+@all']);
	await redis.client.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>hunter2', '~*', '+@all', '-mget']);
	await replica.client.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
	await secure.client.configSet('maxmemory', '1');
});

after(async () => {
	await Promise.all([redis, secure, replica, hangingUp, silent].map(async server => server.stop()));
});

/** The first error that a store reports when it is used. */
const firstErrorOf = async (store: StoreOption, timeoutMs = 5000): Promise<StoreError> => {
	const errors: StoreError[] = [];
	const opened = createStore({
		store,
		namespace: 'n',
		timeoutMs,
		memoryBytes: 0,
		onEvent(event) {
			if (event.type === 'error') {
				errors.push(event.error);
			}
		},
	});
	await opened.get(['{a}', '{b}']);
	await opened.set('{a}', response(), 60_000);
	const {lastError} = opened.health();
	await opened.close();
	const [error] = errors;
	assert.ok(error, 'nothing went wrong');
	assert.equal(lastError?.message, error.message);
	return error;
};

type Failure = {readonly store: () => StoreOption; readonly address: () => string; readonly reason: RegExp; readonly advice: RegExp; readonly code?: RegExp};

const failures: Record<string, Failure> = {
	'a port where nothing listens': {
		store: () => 'redis://user:hunter2@127.0.0.1:1',
		address: () => 'redis://127.0.0.1:1',
		reason: /connect ECONNREFUSED 127\.0\.0\.1:1/v,
		advice: /Nothing listens there: is Redis running, and are host and port right\?/v,
		code: /^ECONNREFUSED$/v,
	},
	'a host with two addresses where nothing listens': {
		store: () => ({url: 'redis://user:hunter2@localhost:1/2'}),
		address: () => 'redis://localhost:1/2',
		reason: /ECONNREFUSED/v,
		advice: /Nothing listens there/v,
		code: /^ECONNREFUSED$/v,
	},
	'a host that has no address': {
		store: () => 'redis://user:hunter2@redis.invalid',
		address: () => 'redis://redis.invalid:6379',
		reason: /getaddrinfo \w+ redis\.invalid/v,
		advice: /host name cannot be resolved/v,
		code: /^(?:ENOTFOUND|EAI_AGAIN)$/v,
	},
	'a socket that is not there': {
		store: () => 'unix:///nowhere/redis.sock?db=1',
		address: () => 'unix:///nowhere/redis.sock?db=1',
		reason: /connect ENOENT/v,
		advice: /no such socket/v,
		code: /^ENOENT$/v,
	},
	'a password that is wrong': {
		store: () => `redis://known:wrong@127.0.0.1:${redis.port}`,
		address: () => redis.url,
		reason: /WRONGPASS/v,
		advice: /Are user and password right\?/v,
	},
	'a user without a permission': {
		store: () => `redis://limited:hunter2@127.0.0.1:${redis.port}`,
		address: () => redis.url,
		reason: /run MGET \(NOPERM\)/v,
		advice: /grant it with ACL SETUSER <user> \+mget/v,
	},
	'a database that is not there': {
		store: () => `${redis.url}/99`,
		address: () => `${redis.url}/99`,
		reason: /DB index is out of range/v,
		advice: /no database of that number/v,
	},
	'TLS to a Redis without TLS': {
		store: () => ({url: `rediss://user:hunter2@127.0.0.1:${redis.port}`, socket: {connectTimeout: 200}}),
		address: () => `rediss://127.0.0.1:${redis.port}`,
		reason: /Connection timeout|SSL|Socket closed unexpectedly/v,
		advice: /without TLS has a redis: URL, not rediss:/v,
	},
	'a certificate that nobody knows': {
		store: () => `rediss://127.0.0.1:${secure.port + secondPortOffset}`,
		address: () => `rediss://127.0.0.1:${secure.port + secondPortOffset}`,
		reason: /self-signed certificate/v,
		advice: /give it, as in \{store: \{url, socket: \{tls: true, ca\}\}\}/v,
		code: /^DEPTH_ZERO_SELF_SIGNED_CERT$/v,
	},
	'a Redis with TLS that is asked without': {
		store: () => `redis://127.0.0.1:${secure.port + secondPortOffset}`,
		address: () => `redis://127.0.0.1:${secure.port + secondPortOffset}`,
		reason: /Socket closed unexpectedly|ECONNRESET/v,
		advice: /does it expect TLS\?/v,
	},
	'a server that hangs up': {
		store: () => hangingUp.url,
		address: () => hangingUp.url,
		reason: /Socket closed unexpectedly|ECONNRESET/v,
		advice: /Is a Redis there/v,
	},
	'a server that is silent': {
		store: () => ({url: silent.url, socket: {connectTimeout: 100}}),
		address: () => silent.url,
		reason: /did not answer within 100 ms/v,
		advice: /Is a Redis there/v,
	},
	'a Redis that is full': {
		store: () => secure.url,
		address: () => secure.url,
		reason: /OOM command not allowed/v,
		advice: /raise `maxmemory`/v,
	},
	'a replica': {
		store: () => replica.url,
		address: () => replica.url,
		reason: /READONLY/v,
		advice: /give the address of its master/v,
	},
	'a client of the user\'s': {
		store: () => createClient({url: 'redis://user:hunter2@127.0.0.1:1', socket: {reconnectStrategy: false}}),
		address: () => 'redis://127.0.0.1:1',
		reason: /ECONNREFUSED/v,
		advice: /Nothing listens there/v,
	},
};

for (const [name, {store, address, reason, advice, code}] of Object.entries(failures)) {
	test(`an error event names the package, the address and the likeliest cause: ${name}`, async () => {
		const error = await firstErrorOf(store());
		assert.match(error.message, /^got-redis-cache: /v);
		assert.match(error.message, reason);
		assert.match(error.message, advice);
		assert.ok(error.message.includes(`(store: ${address()})`), error.message);
		assert.equal(error.store, address());
		assert.match(error.code ?? '', code ?? /^\w*$/v);
		assert.ok(error.cause instanceof Error);
		assert.doesNotMatch(inspect(error, {depth: 10, showHidden: true}), /hunter2/v);
		assert.equal(JSON.stringify({error}), JSON.stringify({error: {name: 'StoreError', message: error.message, code: error.code, store: address()}}));
	});
}

test('an error event of a cluster that is down does not ask for what was given', async t => {
	await using node = await startRedis({args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']});
	const state = async () => node.client.sendCommand<string>(['CLUSTER', 'INFO']);
	await node.client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
	while (!(await state()).includes('cluster_state:ok')) {
		await nextTurn();
	}

	const cluster = createCluster({rootNodes: [{url: node.url}]});
	t.after(() => {
		cluster.destroy();
	});
	await cluster.connect();
	await node.client.sendCommand(['CLUSTER', 'DELSLOTS', '0']);
	while ((await state()).includes('cluster_state:ok')) {
		await nextTurn();
	}

	const {message} = await firstErrorOf(cluster);
	assert.match(message, /^got-redis-cache: CLUSTERDOWN .* \(store: a cluster of node-redis \(127\.0\.0\.1:\d+\)\)\. The cluster lacks a master for some of its slots, .*CLUSTER INFO/v);
	assert.doesNotMatch(message, /createCluster/v);
	const moved = adviceFor(new Error('MOVED 1 127.0.0.1:1'), 'a cluster of node-redis (127.0.0.1:1)');
	assert.match(String(moved), /on the move/v);
	const demoted = adviceFor(new Error('READONLY You can\'t write against a read only replica.'), 'a sentinel of node-redis');
	assert.match(String(demoted), /has become a replica/v);
	assert.match(String(adviceFor(new Error('CLUSTERDOWN Hash slot not served'), 'redis://127.0.0.1:1')), /createCluster/v);
});

const addresses: Record<string, readonly [store: () => StoreOption, address: string]> = {
	'a pool': [() => createClientPool({url: 'redis://127.0.0.1:1', socket: {reconnectStrategy: false}}), 'a pool of node-redis'],
	'a cluster': [() => createCluster({rootNodes: [{url: 'redis://127.0.0.1:1'}], defaults: {socket: {reconnectStrategy: false}}}), 'a cluster of node-redis'],
	'a sentinel': [() => createSentinel({name: 'main', sentinelRootNodes: [{host: '127.0.0.1', port: 1}], maxCommandRediscovers: 1}), 'a sentinel of node-redis'],
	'an adapter': [() => createAdapter(() => ({
		async get() {
			throw new Error('Out of order.');
		},
	})), 'Keyv with Object'],
};

for (const [name, [store, address]] of Object.entries(addresses)) {
	test(`an error event says of a store without a known address what it is: ${name}`, async () => {
		const error = await firstErrorOf(store());
		assert.equal(error.store, address);
		assert.ok(error.message.includes(`(store: ${address})`), error.message);
	});
}

test('a store that does not answer in time is told by its class', async () => {
	const error = await firstErrorOf(createAdapter(() => ({get: async () => Promise.withResolvers<never>().promise})), 30);
	assert.ok(error instanceof StoreTimeoutError);
	assert.ok(error instanceof StoreError);
	assert.equal(error.name, 'StoreTimeoutError');
	assert.match(error.message, /^got-redis-cache: The store did not answer within 30 ms \(store: Keyv with Object\)\. .*`timeout`/v);
});
