import assert from 'node:assert/strict';
import {test} from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {commandsDuring, type SeenCommand} from '../helpers/monitor.ts';
import type {TestRedis} from '../helpers/redis.ts';
import {unlessFast} from '../helpers/runs.ts';
import {
	firstWithoutCommands,
	setUp,
	settleWrites,
	type Setup,
} from './helpers.ts';

/*
What a look-up costs, whatever else is stored.
*/

const inLanguage = (language: string) => ({headers: {'accept-language': language}});

const serve = ({origin}: Setup) => {
	origin.handler = ({url, headers}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600', ...(url.startsWith('/vary') && {vary: 'accept-language'})});
		response.end(`${url} ${headers['accept-language'] ?? ''}`);
	};
};

const replyBytes = async ({client}: TestRedis, commands: readonly SeenCommand[]): Promise<number[]> => Promise.all(commands.map(async ([name = '', ...keys]) => {
	assert.equal(name, 'MGET');
	const lengths = await Promise.all(keys.map(async key => client.strLen(key)));
	return lengths.reduce((sum, length) => sum + length, 0);
}));

test('a hit is the same command with as long a reply beside 1 key and beside 40,000, whatever they are', unlessFast, async () => {
	await using setup = await setUp({memory: false});
	const {client, redis} = setup;
	serve(setup);
	const paths = ['plain', 'vary'];
	for (const path of [...paths, ...paths]) {
		await client(path, inLanguage('de'));
	}

	const measure = async () => {
		await settleWrites(setup);
		const commands = await commandsDuring([redis], async () => {
			for (const path of paths) {
				assert.equal(cacheInfo(await client(path, inLanguage('de')))?.status, 'hit');
			}
		});
		return {commands, bytes: await replyBytes(redis, commands)};
	};

	const alone = await measure();
	assert.deepEqual(alone.commands.map(([name]) => name), ['MGET', 'MGET']);
	await redis.client.mSet(Object.fromEntries(Array.from({length: 20_000}, (_, number) => [[`http_cache:{${number}}`, 'x'], [`http_cache:{${number % 300}}:${number}`, 'x']] as const).flat()));
	for (let number = 0; number < 20; number++) {
		await Promise.all(['en', 'fr', 'nl', 'pl'].map(async language => client(`vary/${number}`, inLanguage(language))));
	}

	assert.ok(await redis.client.dbSize() > 40_000);
	assert.deepEqual(await measure(), alone);
});

test('a look-up of a resource with 64 variants reads its index and one variant', async () => {
	await using setup = await setUp({memory: false});
	const {client, redis} = setup;
	serve(setup);
	const languages = Array.from({length: 64}, (_, number) => `x-${number}`);
	for (const language of languages) {
		await client('vary', inLanguage(language));
	}

	await settleWrites(setup);
	assert.equal((await redis.client.keys('http_cache:{*}:??????????????????????')).length, 64);
	for (const language of ['x-0', 'x-40', 'x-63']) {
		const commands = await commandsDuring([redis], async () => {
			const response = await client('vary', inLanguage(language));
			assert.deepEqual([cacheInfo(response)?.status, response.body], ['hit', `/vary ${language}`]);
		});
		const [[name, ...keys] = []] = commands;
		assert.deepEqual([commands.length, name], [1, 'MGET']);
		const shapes = keys.map(key => key.replace(/^http_cache:/v, '').replace(/[\w\-]{22}(?=\})/v, 'hash').replace(/(?<=:)[\w\-]{22}$/v, 'variant'));
		assert.deepEqual(shapes, ['{hash}', '{hash}:variant', '{hash}:guard', '{origin:hash}']);
	}

	// A process that does not know yet what selects needs a second step, and no more.
	const {client: other} = setup.other();
	await other('plain');
	const commands = await commandsDuring([redis], async () => {
		assert.equal((await other('vary', inLanguage('x-7'))).isFromCache, true);
	});
	const reads = commands.filter(([name = '']) => /^M?GET$/v.test(name));
	assert.deepEqual(reads.map(([name]) => name), ['MGET', 'GET']);
});

test('a hit from the memory tier asks Redis for nothing, neither what is stored nor marks', async () => {
	await using setup = await setUp({tagField: 'cache-tag', timeout: 10_000});
	const {client, cache, origin} = setup;
	origin.handler = ({url, headers}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=600', 'cache-tag': 'a, b', 'cache-groups': '"a", "b"', ...(url.startsWith('/vary') && {vary: 'accept-language'})});
		response.end(`${url} ${headers['accept-language'] ?? ''}`);
	};

	const paths = ['plain', 'vary'];
	const ask = async () => Promise.all(paths.map(async path => cacheInfo(await client(path, inLanguage('de')))?.status));
	assert.deepEqual(await ask(), ['miss', 'miss']);
	// What was written last was told of, then it is read into memory, and the connection's own answer vouches for that.
	await settleWrites(setup);
	await cache.has('http://example.com/');
	assert.deepEqual(await ask(), ['hit', 'hit']);
	await cache.has('http://example.com/');
	assert.equal(await firstWithoutCommands(setup, async () => {
		assert.deepEqual(await ask(), ['hit', 'hit']);
	}), true);

	// What anybody purges is asked for again.
	const {cache: other} = setup.other();
	assert.equal(await other.invalidate({tag: 'b'}), true);
	await cache.has('http://example.com/');
	assert.deepEqual(await ask(), ['miss', 'miss']);
});

test('that nothing is stored is asked of Redis no more than once, until somebody stores it', async () => {
	await using setup = await setUp();
	const {client, redis, origin} = setup;
	let cacheControl = 'no-store';
	origin.handler = ({headers}, response) => {
		response.writeHead(200, {'cache-control': cacheControl});
		response.end(headers['accept-language']);
	};

	for (const url of ['unstorable', 'unstorable', 'unstorable']) {
		const response = await client(url);
		assert.deepEqual([cacheInfo(response)?.status, cacheInfo(response)?.reason], ['miss', 'not-stored']);
	}

	assert.equal(await firstWithoutCommands(setup, async () => client('unstorable')), true);
	assert.equal(await firstWithoutCommands(setup, async () => client.head('unstorable')), true);

	cacheControl = 'max-age=600';
	const {client: other} = setup.other();
	await other('unstorable', inLanguage('by another'));
	await settleWrites(setup);
	// Redis has told of it before it answers this.
	await client('told');
	const found = await client('unstorable', inLanguage('by this one'));
	assert.deepEqual([cacheInfo(found)?.status, found.body], ['hit', 'by another']);

	await redis.client.flushAll();
	await client('told again');
	assert.equal((await client('unstorable', inLanguage('by this one'))).body, 'by this one');
	await settleWrites(setup);
	const again = await client('unstorable', inLanguage('nobody'));
	assert.deepEqual([cacheInfo(again)?.status, again.body], ['hit', 'by this one']);
});
