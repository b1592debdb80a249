import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import KeyvSqlite from '@keyv/sqlite';
import {createClient} from '@redis/client';
import type {Redis, RedisOptions} from 'ioredis';
import {Keyv} from 'keyv';
import {Keyv as Keyv6} from 'keyv-6';
import {storeChecks, type StoreCheckOptions} from '../source/acceptance.ts';
import type {StoreOption} from '../source/index.ts';
import {createAdapter, createFailingAdapter, type PlainAdapter} from './helpers/adapter.ts';
import {ioredisPackages, newestIoredis} from './helpers/ioredis.ts';
import {newestNodeRedis} from './helpers/node-redis.ts';
import {startRedis, type TestRedis} from './helpers/redis.ts';

let redis: TestRedis;
let client: ReturnType<typeof createClient>;
let newestClient: typeof client;
let directory: string;
const ioredisClients = new Map<string, Redis>();
const adapters: KeyvSqlite[] = [];

before(async () => {
	redis = await startRedis();
	client = createClient({url: redis.url});
	newestClient = newestNodeRedis.createClient({url: redis.url});
	directory = await mkdtemp(path.join(tmpdir(), 'acceptance-test-'));
});

after(async () => {
	client.destroy();
	newestClient.destroy();
	for (const each of ioredisClients.values()) {
		each.disconnect();
	}

	await Promise.all(adapters.map(async adapter => adapter.disconnect()));
	await Promise.all([redis.stop(), rm(directory, {recursive: true})]);
});

/** Each its own connection to the same file. */
const sqlite = () => {
	const adapter = new KeyvSqlite(`sqlite://${path.join(directory, 'cache.sqlite')}`);
	adapters.push(adapter);
	return adapter;
};

/** One client for all caches of a form. */
const ioredisForm = (form: string, open: (typeof ioredisPackages)[number]['open'], options: RedisOptions = {}) => () => {
	const known = ioredisClients.get(form) ?? open(redis.url, options);
	ioredisClients.set(form, known);
	return known;
};

const map = new Map();
const plain = createAdapter();
const withoutList = createAdapter(() => ({iterator: undefined}));
const failing = createFailingAdapter(100);
const failing6 = createFailingAdapter(100);
const gone = createFailingAdapter(1000);

const stores: Record<string, readonly [connect: () => StoreOption, options?: StoreCheckOptions]> = {
	Redis: [() => redis.url],
	'Redis without memory and compression': [() => redis.url, {cacheOptions: {memory: false, compression: false}}],
	'Redis, encrypted': [() => redis.url, {cacheOptions: {encryption: 'ab'.repeat(32)}}],
	SQLite: [() => `sqlite:${path.join(directory, 'own.db')}`],
	'SQLite without memory and compression': [() => `sqlite:${path.join(directory, 'plain.db')}`, {cacheOptions: {memory: false, compression: false}}],
	'SQLite, encrypted': [() => ({sqlite: path.join(directory, 'encrypted.db')}), {cacheOptions: {encryption: 'ab'.repeat(32)}}],
	'SQLite in memory': [() => 'sqlite::memory:', {isShared: false}],
	'a client of node-redis 5': [() => client],
	'a client of node-redis 6': [() => newestClient],
	...Object.fromEntries(ioredisPackages.map(({name, open}) => [`a client of ${name}`, [ioredisForm(name, open)]] as const)),
	'a client of ioredis with options, without memory and compression': [
		ioredisForm('with options', newestIoredis.open, {keyPrefix: 'app:', enableAutoPipelining: true, stringNumbers: true}),
		{cacheOptions: {memory: false, compression: false}},
	],
	'a Map': [() => map],
	memory: [() => 'memory', {isShared: false}],
	'a Keyv with @keyv/sqlite': [() => new Keyv(sqlite(), {namespace: 'own'})],
	'a Keyv 6 with an adapter that stores text': [() => new Keyv6(plain, {namespace: 'own'})],
	'an adapter that cannot list its keys': [() => withoutList, {canList: false}],
	'an adapter that fails at random': [() => failing, {isReliable: false, cacheOptions: {timeout: 50}}],
	'a Keyv 6 with an adapter that fails at random': [() => new Keyv6(failing6), {isReliable: false, cacheOptions: {timeout: 50}}],
	'an adapter that always fails': [() => gone, {isReliable: false, cacheOptions: {timeout: 50}}],
};

for (const [given, message] of [
	[['memory'], 'Expected a function that gives a store in storeChecks(), got a value of type string'],
	[[() => 'memory', {isShard: false}], 'Unknown option `isShard` in storeChecks(): expected one of isShared, isReliable, canList, cacheOptions'],
	[[() => 'memory', {canList: 0}], 'Expected the option `canList` in storeChecks() to be a boolean, got 0'],
	[
		[() => 'memory', {cacheOptions: {namespace: 'a', encryption: 'secret'}}],
		'Expected the option `cacheOptions` in storeChecks() to be an object with none but timeout, memory, compression, encryption, got an object of class Object',
	],
] as const) {
	test(message, () => {
		assert.throws(() => storeChecks(...(given as unknown as Parameters<typeof storeChecks>)), {name: 'TypeError', message});
	});
}

for (const [name, [connect, options]] of Object.entries(stores)) {
	// @keyv/sqlite passes keys by when others delete while it lists.
	describe(name, {concurrency: !name.includes('@keyv/sqlite')}, () => {
		for (const {name: check, run} of storeChecks(connect, options)) {
			test(check, run);
		}
	});
}

const broken: Record<string, readonly [change: (adapter: PlainAdapter, entries: Map<string, string>) => Partial<PlainAdapter>, ...checks: readonly string[]]> = {
	'cuts its keys off': [({get, set}) => ({get: async key => get(key.slice(0, 50)), set: async (key, value) => set(key.slice(0, 50), value)}), 'a hundred'],
	'alters what it keeps': [({get}) => ({get: async key => (await get(key))?.replace('A', 'B')}), 'bodies'],
	'keeps the first value': [({get, set}) => ({set: async (key, value) => await get(key) ?? set(key, value)}), 'a later response'],
	'deletes nothing': [() => ({delete: async () => true}), 'clearing'],
	'answers with what was there before': [({get, set}, entries) => {
		const earlier = new Map<string, string | undefined>();
		return {
			async set(key, value) {
				earlier.set(key, entries.get(key) ?? value);
				return set(key, value);
			},
			get: async key => await get(key) === undefined ? undefined : earlier.get(key),
		};
	}, 'a later response', 'requests and purges'],
	'loses what is kept for marks': [({set}) => ({set: async (key, value) => key.includes('{tag:') ? undefined : set(key, value)}), 'purging by a tag', 'requests and purges'],
	'lists some of its keys': [(_adapter, entries) => ({
		async * iterator() {
			yield * [...entries].slice(0, 10);
		},
	}), 'what is stored can be listed'],
	'fails now and then': [() => {
		let count = 0;
		return {
			async get() {
				count++;
				assert.notEqual(count % 7, 0);
				return undefined;
			},
		};
	}, 'nothing is stored'],
};

describe('an adapter does not pass that', {concurrency: true}, () => {
	for (const [name, [change, ...checks]] of Object.entries(broken)) {
		for (const check of checks) {
			test(`${name}: ${check}`, async () => {
				const adapter = createAdapter(change);
				const found = storeChecks(() => adapter).find(each => each.name.startsWith(check));
				assert.ok(found);
				await assert.rejects(found.run, {name: 'AssertionError'});
			});
		}
	}
});
