/* eslint-disable @typescript-eslint/no-loop-func -- `hanging` and `origin` are set once */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import got from 'got';
import {redisCache, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startCluster} from '../helpers/cluster.ts';
import {startHangingCluster, type HangingCluster} from '../helpers/hanging-cluster.ts';
import {newestIoredis} from '../helpers/ioredis.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';
import type {TestRedis} from '../helpers/redis.ts';

/*
Purges that go through all keys, while a master of the cluster is dead: the others are purged, and the error says which is not.
*/

/** A node that was not known to be dead is waited for once. */
const mostMs = 4500;

/** A step of the clock: seconds pass here. */
const stepMs = 100;

let hanging: HangingCluster;
let origin: Origin;

before(async () => {
	[hanging, origin] = await Promise.all([startHangingCluster(), startOrigin()]);
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'});
		response.end('x');
	};
}, {timeout: 60_000});

after(async () => {
	await Promise.all([hanging[Symbol.asyncDispose](), origin.stop()]);
});

const numbers = Array.from({length: 20}, (_, number) => number);

/** The cache of another process, which has seen nothing of the cluster yet. */
const createStored = async (store: RedisCacheOptions['store'], namespace: string): Promise<RedisCache> => {
	const filling = redisCache({store, namespace, timeout: '10s'});
	const client = got.extend({prefixUrl: origin.url}, filling);
	await Promise.all(numbers.map(async number => client(`items/${number}`)));
	await filling.close();

	return redisCache({store, namespace});
};

const responseCount = async ({client}: TestRedis, namespace: string): Promise<number> => {
	const keys = await client.keys(`${namespace}:{*}`);
	return keys.filter(key => /\{[\w\-]+\}$/v.test(key)).length;
};

const addressOf = ({port}: TestRedis) => `127.0.0.1:${port}`;

const collectErrors = (cache: RedisCache): string[] => {
	const messages: string[] = [];
	cache.on('error', ({message}) => {
		messages.push(message);
	});

	return messages;
};

for (const position of [0, 2]) {
	const namespace = `clear${position}`;

	test(`clear() while master ${position + 1} hangs clears the others within seconds, is not confirmed, and says which node is missing`, {timeout: 60_000}, async ({mock}) => {
		const master = hanging.masters[position]!;
		const others = hanging.masters.filter(each => each !== master);
		const cache = await createStored(hanging.cluster, namespace);
		const errors = collectErrors(cache);
		const node = hanging.hang(master, mock);
		let isConfirmed: boolean | undefined;
		const firstMs = await node.waitOf(async () => {
			isConfirmed = await cache.clear();
		}, stepMs);
		const secondMs = await node.waitOf(async () => {
			await cache.clear();
		});
		await node.resume();

		assert.equal(isConfirmed, false);
		assert.ok(firstMs <= mostMs, `it waited for ${firstMs} ms`);
		assert.equal(secondMs, 0);
		assert.deepEqual(await Promise.all(others.map(async other => responseCount(other, namespace))), [0, 0]);
		assert.ok(await responseCount(master, namespace) > 0);
		assert.match(errors.join('\n'), new RegExp(String.raw`clear\(\) removed \d+ keys, but not all of the cluster's: it could not finish on ${addressOf(master)}\. Call clear\(\) again when this node answers`, 'v'));
		await cache.close();
	});

	test(`a purge by pattern while master ${position + 1} hangs purges the others within seconds, and its error says how much, and which node is missing`, {timeout: 60_000}, async ({mock}) => {
		const master = hanging.masters[position]!;
		const others = hanging.masters.filter(each => each !== master);
		const cache = await createStored(hanging.cluster, `pattern${position}`);
		const left = await responseCount(master, `pattern${position}`);
		const node = hanging.hang(master, mock);
		const expected = {message: new RegExp(String.raw`The purge is not complete: ${numbers.length - left} responses? w(?:as|ere) purged, but not what is stored on ${addressOf(master)}\. Purge again when this node answers`, 'v')};
		const purge = async () => assert.rejects(cache.invalidate({pattern: `${origin.url}/items/*`}), expected);
		const waitMs = await node.waitOf(purge, stepMs);
		await node.resume();

		assert.ok(waitMs <= mostMs, `it waited for ${waitMs} ms`);
		assert.deepEqual(await Promise.all(others.map(async other => responseCount(other, `pattern${position}`))), [0, 0]);
		assert.equal(await responseCount(master, `pattern${position}`), left);
		await cache.close();
	});
}

test('a purge by pattern on a cluster of ioredis names the node that was killed, which its client forgets', {timeout: 60_000}, async () => {
	await using nodes = await startCluster({isReplicated: false});
	const cluster = newestIoredis.openCluster(nodes.masters.map(({port}) => ({host: '127.0.0.1', port})));
	const cache = await createStored(cluster, 'killed');
	const errors = collectErrors(cache);
	await cache.ready();
	const [dead, ...others] = nodes.masters as [TestRedis, ...TestRedis[]];
	await dead.kill();

	await assert.rejects(cache.invalidate({prefix: `${origin.url}/items/`}), {message: new RegExp(String.raw`responses were purged, but not what is stored on ${addressOf(dead)}\. `, 'v')});
	assert.equal(await cache.clear(), false);
	assert.match(errors.join('\n'), new RegExp(String.raw`it could not finish on ${addressOf(dead)}\. `, 'v'));
	assert.deepEqual(await Promise.all(others.map(async other => responseCount(other, 'killed'))), [0, 0]);
	cluster.disconnect();
	await cache.close();
});
