import assert from 'node:assert/strict';
import test from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import {cacheInfo} from '../../source/index.ts';
import {holdNext, type Origin} from '../helpers/origin.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/*
Answers that arrive after something newer: a purge, or the answer to a later request.
*/

/** Counts the origin's answers when they begin, so that a body tells when its request arrived. */
const serve = (origin: Origin, headers: Record<string, string> = {}) => {
	let count = 0;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', etag: `"${++count}"`, ...headers}).end(String(count));
	};
};

/** The next request to the origin is answered when the test says so. */
const holdAnswer = (origin: Origin, statusCode: number, headers: Record<string, string>, body?: string): {readonly arrived: Promise<void>; answer(): void} => {
	const {promise: arrived, resolve: arrive} = Promise.withResolvers<void>();
	const {promise: due, resolve: answer} = Promise.withResolvers<void>();
	origin.queue(async (_request, response) => {
		arrive();
		await due;
		response.writeHead(statusCode, headers).end(body);
	});
	return {arrived, answer};
};

const postponed = async ({redis}: Setup, count: number): Promise<void> => {
	while (!(await redis.client.info('clients')).includes(`blocked_clients:${count}\r\n`)) {
		await delay(5);
	}
};

test('a guard that is placed after a purge, of an exchange that looked up before it, refuses the response', async () => {
	await using setup = await setUp({timeout: 20_000, memory: false});
	const {client, origin, redis} = setup;
	serve(origin);
	await client('warm');
	await settleWrites(setup);
	const {cache} = setup.other();
	await cache.has(`${origin.url}/items`);
	// What writes has to wait, and is carried out in the order of arrival; look-ups go on.
	await redis.client.sendCommand(['CLIENT', 'PAUSE', '20000', 'WRITE']);
	const purge = cache.delete(`${origin.url}/items`);
	await postponed(setup, 1);
	const {arrived, release} = holdNext(origin);
	const held = client('items');
	await arrived;
	await postponed(setup, 2);
	await redis.client.sendCommand(['CLIENT', 'UNPAUSE']);
	assert.equal(await purge, true);
	release();
	const response = await held;
	assert.equal(cacheInfo(response)?.notStored, 'invalidated');
	await settleWrites(setup);
	assert.equal((await client('items')).isFromCache, false);
});

for (const [what, filter] of [['a prefix', 'prefix'], ['a pattern', 'pattern']] as const) {
	const purge = async ({cache}: Pick<Setup, 'cache'>, url: string, isSoft: boolean) => cache.invalidate(filter === 'prefix' ? {prefix: url} : {pattern: `${url}*`}, {soft: isSoft});

	for (const [who, actorOf] of [['this process', (setup: Setup) => setup], ['another process', (setup: Setup) => setup.other()]] as const) {
		test(`a response that is on its way while ${who} purges ${what} softly is not served without validation`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			serve(origin);
			const {arrived, release} = holdNext(origin);
			const held = client('items');
			await arrived;
			await settleWrites(setup);
			assert.equal(await purge(actorOf(setup), `${origin.url}/it`, true), true);
			release();
			await held;
			await settleWrites(setup);
			assert.notEqual(cacheInfo(await client('items'))?.status, 'hit');
		});

		test(`the first response with No-Vary-Search of a path is not stored where ${who} purges ${what} meanwhile`, async () => {
			await using setup = await setUp();
			const {client, origin} = setup;
			serve(origin, {'no-vary-search': 'params=("utm")'});
			const {arrived, release} = holdNext(origin);
			const held = client('items?utm=1');
			await arrived;
			await settleWrites(setup);
			assert.equal(await purge(actorOf(setup), `${origin.url}/it`, false), true);
			release();
			await held;
			await settleWrites(setup);
			for (const each of [client, setup.other().client]) {
				const response = await each('items?utm=1', {context: {cache: {mode: 'only-if-cached'}}, throwHttpErrors: false});
				assert.equal(response.statusCode, 504);
			}
		});
	}
}

test('a response that invalidates more than 64 groups purges its origin, and leaves no key for each', async () => {
	await using setup = await setUp();
	const {client, origin, redis} = setup;
	serve(origin, {'cache-groups': '"g7"'});
	await client('items');
	await client('other', {context: {cache: {tags: ['a']}}});
	await settleWrites(setup);
	const keysBefore = await redis.client.keys('*');
	origin.queue({status: 204, headers: {'cache-group-invalidation': Array.from({length: 5000}, (_, number) => `"g${number}"`).join(', ').slice(0, 7000).replace(/,[^,]*$/v, '')}});
	await client.post('action', {body: 'x'});
	await settleWrites(setup);
	const keys = await redis.client.keys('*');
	assert.ok(keys.length - keysBefore.length <= 2, String(keys));
	for (const path of ['items', 'other']) {
		assert.equal((await client(path)).isFromCache, false);
	}
});

test('close() waits for all variants that are still to be written', async () => {
	await using setup = await setUp();
	const {origin} = setup;
	serve(origin, {vary: 'accept-language'});
	const {client, cache} = setup.other();
	const languages = Array.from({length: 40}, (_, number) => `x-${number}`);
	await Promise.all(languages.map(async language => client('items', {headers: {'accept-language': language}})));
	await cache.close();
	for (const language of languages) {
		const {isFromCache} = await setup.client('items', {headers: {'accept-language': language}});
		assert.equal(isFromCache, true, language);
	}
});

/* The answer to a request that began earlier. */

for (const [name, headers, ask] of [
	['a response', {}, {}],
	['a variant', {vary: 'accept-language'}, {headers: {'accept-language': 'en'}}],
	['a response for callers who decode for themselves', {}, {decompress: false}],
] as const) {
	for (const [storeName, options] of [['Redis', {}], ['Redis without a memory tier', {memory: false}], ['a Map', {store: new Map()}]] as const) {
		test(`${storeName}: ${name} that arrives after the answer to a later reload is handed on, and does not take its place`, async () => {
			await using setup = await setUp({coalesce: false, ...options});
			const {client, origin} = setup;
			serve(origin, headers);
			const {arrived, answer} = holdAnswer(origin, 200, {'cache-control': 'max-age=600', etag: '"old"', ...headers}, 'old');
			const held = client('items', ask);
			await arrived;
			const {body: newer} = await client('items', {...ask, context: {cache: {mode: 'reload'}}});
			answer();
			const {body: older} = await held;
			assert.equal(older, 'old');
			await settleWrites(setup);
			const response = await client('items', ask);
			assert.deepEqual([response.isFromCache, response.body], [true, newer]);
		});
	}
}

const english = {headers: {'accept-language': 'en'}};

for (const [name, olderHeaders, newerHeaders] of [
	['a response without Vary', {}, {vary: 'accept-language'}],
	['a variant', {vary: 'accept-language'}, {}],
] as const) {
	test(`${name} that arrives after the answer to a later reload, which has it otherwise, does not take its place`, async () => {
		await using setup = await setUp({coalesce: false});
		const {client, origin} = setup;
		serve(origin, newerHeaders);
		const {arrived, answer} = holdAnswer(origin, 200, {'cache-control': 'max-age=600', ...olderHeaders}, 'old');
		const held = client('items', english);
		await arrived;
		const {body: newer} = await client('items', {...english, context: {cache: {mode: 'reload'}}});
		answer();
		await held;
		await settleWrites(setup);
		const response = await client('items', english);
		assert.deepEqual([response.isFromCache, response.body], [true, newer]);
	});
}

test('a response that arrives after the answer to a later request, which may not be stored, is not stored either', async () => {
	await using setup = await setUp({coalesce: false});
	const {client, origin} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'no-store'}).end('new');
	};

	const {arrived, answer} = holdAnswer(origin, 200, {'cache-control': 'max-age=600'}, 'old');
	const held = client('items');
	await arrived;
	await client('items', {headers: {'cache-control': 'no-cache'}});
	answer();
	assert.equal((await held).body, 'old');
	await settleWrites(setup);
	assert.equal((await client('items')).body, 'new');
});

test('variants that arrive out of order are all stored', async () => {
	await using setup = await setUp({coalesce: false});
	const {client, origin} = setup;
	serve(origin, {vary: 'accept-language'});
	const {arrived, release} = holdNext(origin);
	const held = client('items', english);
	await arrived;
	await client('items', {headers: {'accept-language': 'de'}});
	release();
	await held;
	await settleWrites(setup);
	for (const language of ['en', 'de']) {
		const {isFromCache} = await client('items', {headers: {'accept-language': language}});
		assert.equal(isFromCache, true, language);
	}
});

test('a 304 that arrives after the answer to a later reload does not bring back what it validated', async () => {
	await using setup = await setUp({coalesce: false});
	const {client, origin} = setup;
	serve(origin, {'cache-control': 'max-age=0'});
	await client('items');
	await settleWrites(setup);
	const {arrived, answer} = holdAnswer(origin, 304, {'cache-control': 'max-age=600', etag: '"1"'});
	const held = client('items');
	await arrived;
	serve(origin, {'cache-control': 'max-age=60', etag: '"new"'});
	const {body: newer} = await client('items', {context: {cache: {mode: 'reload'}}});
	answer();
	assert.equal((await held).statusCode, 200);
	await settleWrites(setup);
	const response = await client('items');
	assert.deepEqual([response.isFromCache, response.body, response.headers.etag], [true, newer, '"new"']);
});
