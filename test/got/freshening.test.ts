import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {test} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {unlessFast} from '../helpers/runs.ts';
import {readStream} from './read-stream.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/*
A 304 changes what is stored, not the body.
*/

const received = async ({client}: TestRedis): Promise<number> => Number(/(?<=total_net_input_bytes:)\d+/v.exec(await client.info('stats'))?.[0]);

/** Text with as much chance as matter. */
const large = randomBytes(2 * 1024 * 1024).toString('hex');

/** The body once; after that its validator and the number of the request. */
const serve = ({origin}: Setup, body: string, headers: Record<string, string> = {}) => {
	origin.handler = (request, response) => {
		const isKnown = request.headers['if-none-match'] !== undefined;
		response.writeHead(isKnown ? 304 : 200, {etag: '"1"', 'cache-control': 'max-age=60', 'x-version': String(origin.requests.length), ...headers});
		response.end(isKnown ? undefined : body);
	};
};

/** What is long is written when it has been compressed. */
const arrival = async (setup: Setup) => {
	const {cache} = setup.other();
	while (!await cache.has(`${setup.origin.url}/items`)) {
		await settleWrites(setup);
	}

	await settleWrites(setup);
};

const again = {headers: {'cache-control': 'no-cache'}};

const forms: Record<string, RedisCacheOptions> = {
	plain: {compression: false},
	compressed: {compression: true},
	encrypted: {compression: false, encryption: Buffer.alloc(32, 1)},
	'compressed, encrypted, without memory': {compression: true, encryption: Buffer.alloc(32, 1), memory: false},
	'without expiry': {ttl: false},
};

for (const [name, options] of Object.entries(forms)) {
	test(`a 304 for 4 MiB sends less than 4 KiB to Redis: ${name}`, async () => {
		await using setup = await setUp({timeout: 20_000, ...options});
		const {client, redis} = setup;
		const {client: other, cache: otherCache} = setup.other();
		serve(setup, large);
		await client('items');
		await arrival(setup);
		const before = await received(redis);
		const revalidated = await client('items', again);
		assert.equal(cacheInfo(revalidated)?.status, 'revalidated');
		assert.ok(revalidated.body === large); // eslint-disable-line node-test/prefer-equality-assertion -- a message would print it
		await settleWrites(setup);
		const sent = await received(redis) - before;
		assert.ok(sent < 4096, `${sent} bytes`);

		// What Redis told before this reply has arrived with it.
		await otherCache.has('http://example.com/');
		for (const each of [client, other, setup.other().client]) {
			const {isFromCache, headers, body} = await each('items');
			assert.deepEqual([isFromCache, headers['x-version'], body === large], [true, '2', true]);
		}
	});
}

for (const [name, options] of Object.entries(forms)) {
	test(`so it is with 64 variants: ${name}`, unlessFast, async () => {
		await using setup = await setUp({timeout: 20_000, ...options});
		const {client, redis, origin} = setup;
		serve(setup, large.slice(0, 50_000), {vary: 'accept-language', etag: `"${'0'.repeat(40)}"`});
		const ask = async (each: typeof client, language: number, headers = {}) => each('items', {headers: {'accept-language': `x-${language}`, ...headers}});
		const languages = Array.from({length: 64}, (_, language) => language);
		for (const language of languages) {
			await ask(client, language);
		}

		await setup.cache.has('http://example.com/');
		const {client: other, cache: otherCache} = setup.other();
		otherCache.on('error', error => {
			throw error;
		});
		// The first write of a process has the text of the script in it.
		await other('elsewhere');
		for (const language of [63, 0, 31, 0]) {
			await ask(other, language);
			const before = await received(redis);
			const revalidated = await ask(other, language, again.headers);
			assert.equal(cacheInfo(revalidated)?.status, 'revalidated');
			await otherCache.has('http://example.com/');
			const sent = await received(redis) - before;
			assert.ok(sent < 3072, `${sent} bytes`);
			const last = await setup.other().cache.get(`${origin.url}/items`);
			assert.deepEqual([last?.vary, last?.headers['x-version']], [{'accept-language': `x-${language}`}, revalidated.headers['x-version']]);
		}

		const {client: reader} = setup.other({memory: false});
		const answers = await Promise.all(languages.map(async language => ask(reader, language)));
		assert.equal(answers.every(({isFromCache}) => isFromCache), true);
	});
}

test('so it is with variants', async () => {
	await using setup = await setUp();
	const {client, redis} = setup;
	const body = large.slice(0, 100_000);
	serve(setup, body, {vary: 'accept-language'});
	const [german, english] = ['de', 'en'].map(language => ({headers: {'accept-language': language}}));
	await client('items', german);
	await client('items', english);
	await arrival(setup);
	await setup.cache.has('http://example.com/');

	const before = await received(redis);
	await client('items', {headers: {...german?.headers, ...again.headers}});
	await settleWrites(setup);
	assert.ok(await received(redis) - before < 4096);
	const {client: other} = setup.other();
	const versions = [(await other('items', german)).headers['x-version'], (await other('items', english)).headers['x-version']];
	assert.deepEqual(versions, ['3', '2']);
});

const ways: Record<string, {readonly headers?: Record<string, string>; ask(setup: Setup): Promise<string>}> = {
	'a stream': {
		ask: async ({client}) => (await readStream(client.stream('items', again))).body,
	},
	'a refresh behind a stale answer': {
		headers: {'cache-control': 'max-age=0, stale-while-revalidate=600'},
		async ask({client, origin}) {
			const asked = origin.requests.length;
			const {body} = await client('items');
			while (origin.requests.length === asked) {
				await nextTurn();
			}

			return body;
		},
	},
	'a 304 for what is in memory': {
		async ask({client}) {
			await client('items');
			await client('items');
			return client('items', again).text();
		},
	},
};

for (const [name, {headers, ask}] of Object.entries(ways)) {
	test(`so it is with ${name}`, async () => {
		await using setup = await setUp({timeout: 10_000});
		const {client, redis, cache, origin} = setup;
		const body = large.slice(0, 1_000_000);
		serve(setup, body, headers);
		await client('items');
		await arrival(setup);

		const before = await received(redis);
		assert.ok(await ask(setup) === body); // eslint-disable-line node-test/prefer-equality-assertion -- a message would print it
		while ((await cache.get(`${origin.url}/items`))?.headers['x-version'] !== '2') {
			await settleWrites(setup);
		}

		const sent = await received(redis) - before;
		assert.ok(sent < 20_000, `${sent} bytes`);
	});
}

test('touching and purging softly send no body to Redis', async () => {
	await using setup = await setUp();
	const {client, redis, cache, origin} = setup;
	serve(setup, large.slice(0, 1_000_000));
	await client('items');
	await arrival(setup);

	const before = await received(redis);
	await cache.touch(`${origin.url}/items`, '1d');
	await cache.invalidate({prefix: origin.url}, {soft: true});
	assert.ok(await received(redis) - before < 8192);
	assert.equal(cacheInfo(await client('items'))?.status, 'revalidated');
});

test('a purge while the origin is asked takes back what is freshened', async () => {
	await using setup = await setUp();
	const {client, origin, redis} = setup;
	const {cache: other} = setup.other();
	serve(setup, large.slice(0, 100_000));
	await client('items');
	await settleWrites(setup);
	const {handler} = origin;
	origin.handler = async (...parameters) => {
		await other.delete(`${origin.url}/items`);
		return handler(...parameters);
	};

	await client('items', again);
	origin.handler = handler;
	await settleWrites(setup);
	while ((await redis.client.keys('http_cache:{*}')).some(key => !/\{(?:origin|path):/v.test(key))) {
		await settleWrites(setup);
	}

	assert.equal((await client('items')).isFromCache, false);
});
