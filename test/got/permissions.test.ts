import assert from 'node:assert/strict';
import test from 'node:test';
import got from 'got';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {respond, startOrigin} from '../helpers/origin.ts';
import {startRedis, type TestRedis} from '../helpers/redis.ts';
import {settleWrites} from './helpers.ts';

/*
`coalesce: 'fleet'` for a user of Redis who may not do everything that it needs.
*/

/** What a cache does on a Redis of which its user may not use a command: equal requests, at once and one after the other, in two processes of a fleet. */
const useWithout = async (redis: TestRedis, url: string) => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
	});
	const told: Error[] = [];
	const create = () => {
		const cache = redisCache({store: url, coalesce: 'fleet', timeout: '10s'});
		cache.on('error', error => told.push(error));
		return {cache, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
	};

	const [one, other] = [create(), create()];
	const responses = [];
	for (const path of ['shared', 'own/1', 'own/2']) {
		for (const [position, {client}] of [one, other].entries()) {
			origin.requests.length = 0;
			responses.push(...await Promise.all(Array.from({length: 20}, async () => client(path.replace('own', () => String(position))))));
			assert.ok(origin.requests.length <= 1, `${origin.requests.length} requests at once`);
			await settleWrites({redis});
			assert.deepEqual(await redis.client.keys('*:lease:*'), [], 'nobody is waited for');
		}
	}

	assert.ok(responses.every(({body}) => body === 'x'));
	await Promise.all([one.cache.close(), other.cache.close()]);
	return {told, responses};
};

const user = async (redis: TestRedis, ...rules: readonly string[]): Promise<string> => {
	await redis.client.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~http_cache:*', '+@all', ...rules]);
	return `redis://limited:secret@127.0.0.1:${redis.port}`;
};

for (const command of ['EVAL', 'SET', 'GET', 'MGET', 'PTTL', 'PEXPIRE', 'UNLINK']) {
	test(`a user of Redis without ${command} waits for no lease, and each process says once what is missing`, async () => {
		await using redis = await startRedis();
		const {told} = await useWithout(redis, await user(redis, `-${command.toLowerCase()}`));
		const messages = told.map(({message}) => message).filter(message => message.includes(`run ${command} `));
		assert.equal(messages.length, 2, told.join('\n'));
		assert.equal(new Set(told.map(({message}) => message)).size, 1, told.join('\n'));
		assert.match(String(messages[0]), new RegExp(String.raw`ACL SETUSER <user> \+${command.toLowerCase()};`, 'v'));
	});
}

test('a user of Redis without DEL shares leases', async () => {
	await using redis = await startRedis();
	const {told, responses} = await useWithout(redis, await user(redis, '-del'));
	assert.deepEqual(told, []);
	assert.equal(responses.filter(response => cacheInfo(response)?.status === 'miss').length, 5);
});

test('a user of Redis who may not access the keys says so once', async () => {
	await using redis = await startRedis();
	const {told} = await useWithout(redis, await user(redis, 'resetkeys', '~other:*'));
	assert.equal(told.length, 2, told.join('\n'));
	assert.match(String(told[0]), /ACL SETUSER <user> ~http_cache:\*/v);
});

for (const command of ['EVAL', 'UNLINK']) {
	test(`a Redis whose ${command} is disabled by rename-command gives no lease, and each process says so once`, async () => {
		await using redis = await startRedis({args: ['--rename-command', command, '']});
		const {told} = await useWithout(redis, redis.url);
		assert.equal(told.length, 2, told.join('\n'));
		assert.match(String(told[0]), new RegExp(`does not have the command ${command}: `, 'v'));
		assert.doesNotMatch(told.join('\n'), /redis\.call|http_cache:\{/v);
	});
}
