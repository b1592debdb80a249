/* eslint-disable @typescript-eslint/no-loop-func -- `nodes` and `origin` are set once */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {createCluster} from '@redis/client';
import got from 'got';
import {cacheInfo, redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startCluster, type TestCluster} from '../helpers/cluster.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';

/*
What lies on three masters: purged, cleared and read as on one.
*/

let nodes: TestCluster;
let cluster: ReturnType<typeof createCluster>;
let origin: Origin;

before(async () => {
	[nodes, origin] = await Promise.all([startCluster({isReplicated: false}), startOrigin()]);
	cluster = createCluster({rootNodes: nodes.masters.map(({url}) => ({url}))});
	await cluster.connect();
	origin.handler = ({url, headers}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', vary: 'accept-language', 'cache-tag': url.split('/', 2)[1], 'cache-groups': `"${url.split('/', 2)[1]}"`});
		response.end(`${headers['accept-language'] ?? ''} ${origin.requests.length}`);
	};
}, {timeout: 60_000});

after(async () => {
	cluster.destroy();
	await Promise.all([nodes[Symbol.asyncDispose](), origin.stop()]);
});

const create = (options: RedisCacheOptions = {}) => {
	const cache = redisCache({store: cluster, tagField: 'cache-tag', timeout: 10_000, ...options});
	return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
};

type Client = ReturnType<typeof create>['client'];

/** So many that each master has some, whatever the port of the origin makes of their hashes. */
const names = Array.from({length: 20}, (_, number) => String(number));
const languages = ['de', 'en'];

/** How many of the stored responses under a path answer. */
const hits = async (client: Client, path: string): Promise<number> => {
	let count = 0;
	for (const language of languages) {
		const responses = await Promise.all(names.map(async name => client(`${path}/${name}`, {headers: {'accept-language': language}})));
		assert.equal(responses.every(({body}) => body.startsWith(language)), true);
		count += responses.filter(response => cacheInfo(response)?.status === 'hit').length;
	}

	return count;
};

const all = names.length * languages.length;

const settle = async (): Promise<void> => {
	await Promise.all(nodes.masters.map(async ({client}) => client.ping()));
};

const purges: Record<string, (cache: RedisCache) => Promise<unknown>> = {
	URL: async cache => Promise.all(names.map(async name => cache.delete(`${origin.url}/a/${name}`))),
	tag: async cache => cache.invalidate({tag: 'a'}),
	group: async cache => cache.invalidate({group: 'a', origin: origin.url}),
	prefix: async cache => cache.invalidate({prefix: `${origin.url}/a/`}),
	pattern: async cache => cache.invalidate({pattern: /\/a\/\d+$/v}),
};

for (const [by, purge] of Object.entries(purges)) {
	test(`purging by ${by}: what is meant, on all masters, and nothing else`, {timeout: 60_000}, async () => {
		const namespace = `by-${by}`;
		const {cache, client} = create({namespace});
		const {client: other} = create({namespace});
		for (const path of ['a', 'b']) {
			assert.equal(await hits(client, path), 0);
			assert.equal(await hits(client, path), all);
			await settle();
			assert.equal(await hits(other, path), all);
		}

		await purge(cache);
		assert.equal(await hits(other, 'b'), all);
		const found = await Promise.all(names.map(async name => cache.has(`${origin.url}/a/${name}`, {stale: true})));
		assert.deepEqual(found, names.map(() => false));
		assert.equal(await hits(other, 'a'), 0);
		await settle();
		assert.equal(await hits(client, 'a'), all);

		const keys = await Promise.all(nodes.masters.map(async master => master.client.keys(`${namespace}:{*`)));
		assert.equal(keys.every(({length}) => length > 0), true, 'each master has some');
	});
}

test('purging by origin', {timeout: 60_000}, async () => {
	const options = {namespace: 'by-origin'};
	const {cache, client} = create(options);
	await hits(client, 'a');
	assert.equal(await cache.invalidate({origin: 'http://127.0.0.1:1'}), true);
	assert.equal(await hits(client, 'a'), all);
	assert.equal(await cache.invalidate({origin: origin.url}), true);
	assert.equal(await hits(create(options).client, 'a'), 0);
});

test('clearing a namespace takes no other, and no character of it is a pattern', {timeout: 60_000}, async () => {
	const namespaces = ['a', 'a:b', 'ab', '*', 'a*', '[ab]', 'a?', String.raw`\a`];
	const caches = namespaces.map(namespace => create({namespace}));
	for (const {client} of caches) {
		assert.equal(await hits(client, 'a'), 0);
	}

	await settle();
	for (const [position, {cache}] of caches.entries()) {
		await cache.clear();
		const left = await Promise.all(caches.map(async each => (await Array.fromAsync(each.cache.entries())).length));
		assert.deepEqual(left, namespaces.map((_, other) => other <= position ? 0 : all), namespaces[position]);
	}
});

test('a hit is one MGET for the resource, beside one for each mark that lies elsewhere', {timeout: 60_000}, async () => {
	const {client} = create({namespace: 'counted'});
	const ask = async () => client('a/1', {headers: {'accept-language': 'de'}});
	await ask();
	await ask();
	await settle();
	const commands = await commandsDuring(nodes.masters, async () => {
		assert.equal((await ask()).isFromCache, true);
	});
	const ofResource = commands.filter(command => !/\{(?:group|origin|tag):/v.test(command.join(' ')));
	assert.deepEqual(ofResource.map(([name, ...keys]) => [name, keys.length]), [['MGET', 3]], 'its index, a variant and its mark');
	const ofMarks = commands.filter(command => !ofResource.includes(command));
	assert.equal(ofMarks.every(([name]) => name === 'GET' || name === 'MGET'), true, 'one of a node by itself is no list');
	assert.deepEqual(ofMarks.map(([, ...keys]) => keys.length), [1, 1, 1], 'origin, tag, group');
});

test('all that a hit asks for is sent before anything is answered: one round trip, however many slots', {timeout: 60_000}, async t => {
	const {client} = create({namespace: 'parallel', timeout: 2000});
	const ask = async () => client('a/1', {headers: {'accept-language': 'de'}});
	await ask();
	await ask();
	await settle();

	const sent: string[] = [];
	const {promise: isSent, resolve} = Promise.withResolvers<void>();
	const send = cluster.sendCommand.bind(cluster);
	t.mock.method(cluster, 'sendCommand', async (...parameters: Parameters<typeof send>) => {
		const [command = '', ...keys] = parameters[2];
		sent.push(`${String(command).replace(/^M/v, '')} ${keys.length}`);
		if (sent.length === 4) {
			resolve();
		}

		const reply = await send(...parameters);
		// No answer is handed on while something is still to be asked.
		await isSent;
		return reply;
	});

	assert.equal((await ask()).isFromCache, true);
	assert.deepEqual(sent, ['GET 3', 'GET 1', 'GET 1', 'GET 1'], 'index, variant and mark of the resource; origin, tag, group');
});
