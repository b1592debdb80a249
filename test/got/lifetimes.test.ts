import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {cacheInfo, type ExpireAfter} from '../../source/index.ts';
import type {PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites} from './helpers.ts';
import {readStream} from './read-stream.ts';

const answer = (body: string, cacheControl = 'max-age=60'): PlainResponse => ({headers: {'cache-control': cacheControl, etag: `"${body}"`}, body});

await suite('precedence', () => {
	const ways: Readonly<Record<string, readonly [url: ExpireAfter | undefined, request: ExpireAfter | undefined, age: number | undefined]>> = {
		'a request\'s lifetime is used before that of its URL': ['1h', '2h', 7200],
		'a lifetime by URL is used before that of the cache': ['1h', undefined, 3600],
		'the lifetime of the cache is used where no other is given': [undefined, undefined, 180],
		'a request\'s function that returns undefined leaves the lifetime to the response': ['1h', () => undefined, 60],
		'a request\'s lifetime of 0 is stale at once': ['1h', 0, 0],
		'a request\'s lifetime that never ends is used before that of its URL': ['1h', 'never', undefined],
	};

	for (const [what, [ofUrl, ofRequest, seconds]] of Object.entries(ways)) {
		test(what, async () => {
			await using setup = await setUp({expireAfter: '3m', ...ofUrl !== undefined && {urlsExpireAfter: [['127.0.0.1', ofUrl]]}});
			const {client, origin} = setup;
			origin.queue(answer('a'));
			const response = await client('items', {context: {cache: {expireAfter: ofRequest}}});
			const earliestMs = Date.now();
			const {age = 0, expiresAt} = cacheInfo(response) ?? {};
			const latestMs = Date.now();
			// On a busy machine, the response is some seconds old when it comes.
			const lifetimes = [latestMs, earliestMs].map(nowMs => expiresAt && age + ((expiresAt.getTime() - nowMs) / 1000));

			if (seconds === undefined) {
				assert.deepEqual(lifetimes, [undefined, undefined]);
			} else {
				const [least = Infinity, most = -Infinity] = lifetimes;
				const tolerance = 0.01;
				assert.ok(least < seconds + tolerance, `at least ${least}`);
				assert.ok(most > seconds - tolerance, `at most ${most}`);
			}
		});
	}
});

await suite('the lifetime no-store', () => {
	test('of a URL stores nothing, and asks the origin each time', async () => {
		await using setup = await setUp({expireAfter: '1h', urlsExpireAfter: [['127.0.0.1/account', 'no-store']]});
		const {client, origin, redis} = setup;
		origin.queue(answer('1'), answer('2'), answer('3'));

		for (const body of ['1', '2']) {
			const response = await client('account');
			assert.equal(response.body, body);
			assert.deepEqual([cacheInfo(response)?.status, cacheInfo(response)?.reason, cacheInfo(response)?.notStored], ['bypass', 'no-store', 'bypassed']);
		}

		assert.equal((await readStream(client.stream('account'))).body, '3');
		await settleWrites(setup);
		assert.deepEqual(await redis.client.keys('*'), []);
	});

	test('of a request neither uses nor replaces what is stored', async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(answer('stored'), answer('new'));
		await client('items');
		const cache = {expireAfter: 'no-store'} as const;

		assert.equal((await client('items', {context: {cache}})).body, 'new');
		assert.equal((await client('items')).body, 'stored');
	});

	test('serves nothing stale when the origin fails', async () => {
		await using setup = await setUp();
		const {client, origin, cache} = setup;
		origin.queue(answer('stored', 'max-age=0'));
		await client('items');
		assert.equal(await cache.has(`${origin.url}/items`, {stale: true}), true);
		await origin.stop();

		await assert.rejects(client('items', {context: {cache: {expireAfter: 'no-store', staleIfError: true}}}), {name: 'RequestError'});
		assert.equal((await client('items')).body, 'stored');
	});

	test('by a function stores nothing of the responses that it is given for', async () => {
		await using setup = await setUp({expireAfter: ({statusCode}) => statusCode === 404 ? 'no-store' : '1h'});
		const {client, origin} = setup;
		origin.queue({status: 404, ...answer('none')}, answer('some'));

		const missing = await client('items', {throwHttpErrors: false});
		assert.deepEqual([missing.statusCode, cacheInfo(missing)?.status, cacheInfo(missing)?.notStored], [404, 'miss', 'no-store']);
		assert.equal((await client('items')).body, 'some');
		assert.equal((await client('items')).isFromCache, true);
	});

	test('by a function has what a 304 confirms validated before it is used again', async () => {
		let lifetime: ExpireAfter = 0;
		await using setup = await setUp({expireAfter: () => lifetime as number});
		const {client, origin} = setup;
		origin.queue(answer('a'), {status: 304, headers: {etag: '"a"'}});
		await client('items');
		lifetime = 'no-store';
		await client('items');
		await origin.stop();

		await assert.rejects(client('items'), {name: 'RequestError'});
	});

	test('is no lifetime for what is already stored', async () => {
		await using setup = await setUp();
		const {cache, origin} = setup;

		await assert.rejects(cache.touch(`${origin.url}/items`, 'no-store' as never), {
			name: 'TypeError',
			message: /`expireAfter` in touch\(\) .* got 'no-store'; delete\(\) removes what is stored$/v,
		});
	});

	test('is a 504 for a request that must not go to the origin', async () => {
		await using setup = await setUp({onlyIfCached: true, expireAfter: 'no-store'});
		const {client, origin} = setup;

		assert.equal((await client('items', {throwHttpErrors: false})).statusCode, 504);
		assert.equal((await client.post('items', {throwHttpErrors: false})).statusCode, 504);
		assert.equal(origin.requests.length, 0);
	});
});
