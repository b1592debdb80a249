import assert from 'node:assert/strict';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import test from 'node:test';
import {createClient, createCluster} from '@redis/client';
import type {RedisCacheOptions} from '../../source/index.ts';
import {startCluster} from '../helpers/cluster.ts';
import {isGot15, type Setup} from './helpers.ts';
import {askUntil, setUpServing} from './switches-helpers.ts';
import type {Answer} from './switches-worker.ts';

/*
Switches of an origin in several processes, and in a cluster.
*/

// The commands are the same with each got.
const slow = {timeout: 60_000, skip: isGot15};

test('a client of the user\'s, and a cluster', slow, async () => {
	await using nodes = await startCluster({isReplicated: false});
	await using setup = await setUpServing();
	const {origin, redis, ask, other} = setup;
	const client = createClient({url: redis.url});
	const cluster = createCluster({rootNodes: nodes.masters.map(({url}) => ({url}))});
	try {
		for (const store of [client, cluster] as const) {
			const [one, two] = [other({store}), other({store})];
			await ask('items', {}, one.client);
			assert.match(await ask('items', {}, two.client), /^hit fresh/v);
			assert.equal(await one.cache.freeze({origin: origin.url}, '30m'), true);
			assert.equal(await ask('others', {}, two.client), 'unavailable frozen 504');
			assert.equal(await one.cache.invalidate({origin: origin.url}), true);
			assert.equal(await ask('items', {}, two.client), 'unavailable frozen 504');
			assert.equal(await two.cache.thaw({origin: origin.url}), true);
			assert.match(await ask('items', {}, one.client), /^miss/v);
		}
	} finally {
		client.destroy();
		cluster.destroy();
	}
});

const startWorker = async (options: RedisCacheOptions) => {
	const child = fork(path.join(import.meta.dirname, 'switches-worker.ts'), [JSON.stringify(options)]);
	await once(child, 'message');
	return {
		async ask(url: string): Promise<Answer> {
			child.send(url);
			const [answer] = await once(child, 'message') as [Answer];
			return answer;
		},
		async [Symbol.asyncDispose]() {
			child.kill('SIGKILL');
		},
	};
};

const reasonsOf = async (workers: ReadonlyArray<Awaited<ReturnType<typeof startWorker>>>, url: string): Promise<string> => {
	const answers = await Promise.all(workers.map(async worker => worker.ask(url)));
	return [...new Set(answers.map(({status, reason}) => `${status} ${reason}`))].join(', ');
};

for (const [name, options] of Object.entries<RedisCacheOptions>({'with the memory tier': {}, 'with a Redis that tells of no change': {memory: false}})) {
	test(`four processes ${name}, and one that starts later, heed freeze(), bypass() and thaw()`, async () => {
		await using setup: Setup & {ask: unknown} = await setUpServing({}, {'cache-control': 'max-age=600'});
		const {cache, origin, redis} = setup;
		const url = `${origin.url}/items`;
		await using stack = new AsyncDisposableStack();
		const workers = await Promise.all(Array.from({length: 4}, async () => stack.use(await startWorker({store: redis.url, ...options}))));
		await setup.client('items');
		await askUntil(async () => reasonsOf(workers, url), 'hit fresh');

		for (const [kind, path_, expected] of [['freeze', 'others', 'unavailable frozen'], ['bypass', 'items', 'bypass bypassed-by-operator']] as const) {
			assert.equal(await cache[kind]({origin: origin.url}, '30m'), true);
			await askUntil(async () => reasonsOf(workers, `${origin.url}/${path_}`), expected);
			const later = stack.use(await startWorker({store: redis.url, ...options}));
			const {status, reason, switches} = await later.ask(`${origin.url}/${path_}`);
			assert.equal(`${status} ${reason}`, expected);
			assert.deepEqual(switches, [{origin: origin.url, kind}]);
		}

		await cache.thaw({origin: origin.url});
		await askUntil(async () => reasonsOf(workers, url), 'hit fresh');
	});
}
