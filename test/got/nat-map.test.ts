/* eslint-disable @typescript-eslint/no-loop-func -- `nodes` is set once */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import got from 'got';
import {cacheInfo, redisCache, type StoreOption} from '../../source/index.ts';
import {startCluster, type TestCluster} from '../helpers/cluster.ts';
import {ioredisPackages} from '../helpers/ioredis.ts';
import {nodeRedisPackages, opened} from '../helpers/node-redis.ts';
import {startOrigin} from '../helpers/origin.ts';
import {isGot15} from './helpers.ts';

/*
A cluster behind a translation of addresses: its nodes have names that nobody here can resolve, which the owner's client maps to others.
*/

// The commands are the same with each got.
const slow = {timeout: 110_000, skip: isGot15};

let nodes: TestCluster;

const hostOf = (port: number): string => `node-${port}.cluster.invalid`;

before(async () => {
	nodes = await startCluster({isReplicated: false, args: port => ['--cluster-announce-hostname', hostOf(port), '--cluster-preferred-endpoint-type', 'hostname']});
});

after(async () => {
	await nodes[Symbol.asyncDispose]();
});

const natMap = () => Object.fromEntries(nodes.masters.map(({port}) => [`${hostOf(port)}:${port}`, {host: '127.0.0.1', port}]));

type Opened = {readonly store: StoreOption; close(): void};

const forms: Record<string, () => Opened> = {
	...Object.fromEntries(ioredisPackages.map(({name, openCluster}) => [`${name} with natMap`, () => {
		const store = openCluster(nodes.masters.map(({port}) => ({host: '127.0.0.1', port})), {natMap: natMap(), maxRedirections: 1000});
		return {
			store,
			close() {
				store.disconnect();
			},
		};
	}] as const)),
	...Object.fromEntries(nodeRedisPackages.map(({name, createCluster}) => [`${name} with nodeAddressMap`, () => opened(createCluster({
		rootNodes: nodes.masters.map(({url}) => ({url})),
		nodeAddressMap: address => ({host: '127.0.0.1', port: Number(address.split(':').at(-1))}),
	}))] as const)),
};

for (const [name, open] of Object.entries(forms)) {
	test(`a cluster of ${name}: what is stored on each node is found and purged, also when its slots have moved`, slow, async () => {
		await using origin = await startOrigin((_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': 'a'}).end('x');
		});
		const {store, close} = open();
		const errors: string[] = [];
		const cache = redisCache({store, timeout: '10s', tagField: 'cache-tag'});
		cache.on('error', error => errors.push(error.message));
		const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
		// So many that each node has some.
		const askAll = async () => Promise.all(Array.from({length: 40}, async (_, number) => cacheInfo(await client(String(number)))?.status));
		const all = (status: string) => Array.from({length: 40}, () => status);

		try {
			assert.deepEqual(await askAll(), all('miss'));
			assert.deepEqual(await askAll(), all('hit'));
			const [from, to] = nodes.masters;
			assert.ok(from);
			assert.ok(to);
			assert.ok(await nodes.moveSlots(from, to) > 0);
			assert.deepEqual(await askAll(), all('hit'));
			assert.equal(await cache.invalidate({tag: 'a'}), true);
			assert.deepEqual(await askAll(), all('miss'));
			assert.equal(await cache.clear(), true);
			assert.deepEqual(errors, []);
		} finally {
			await cache.close();
			close();
		}
	});
}

for (const {name, openCluster} of ioredisPackages) {
	test(`a cluster of ${name} with natMap: what is stored is purged while ioredis has a slot under the name that the server gave with \`MOVED\``, slow, async () => {
		await using origin = await startOrigin((_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': 'a'}).end('x');
		});
		const store = openCluster(nodes.masters.map(({port}) => ({host: '127.0.0.1', port})), {natMap: natMap()});
		const cache = redisCache({store, timeout: '10s', tagField: 'cache-tag'});
		const errors: string[] = [];
		cache.on('error', error => errors.push(error.message));
		const client = got.extend({retry: {limit: 0}}, cache);

		try {
			await client(origin.url);
			const addresses = new Set(nodes.masters.map(({port}) => `127.0.0.1:${port}`));
			for (const slot of store.slots) {
				slot[0] = slot[0]?.replace(/^127\.0\.0\.1:(?<port>\d+)$/v, (_, port: string) => `${hostOf(Number(port))}:${port}`) ?? '';
			}

			assert.deepEqual(store.slots.filter(([owner]) => addresses.has(owner ?? '')), []);
			assert.equal(await cache.invalidate({tag: 'a'}), true);
			assert.equal(await cache.clear(), true);
			assert.deepEqual(errors, []);
		} finally {
			await cache.close();
			store.disconnect();
		}
	});
}
