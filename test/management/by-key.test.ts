import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {test} from 'node:test';
import {Keyv} from 'keyv';
import {cacheInfo, redisCache, type RedisCacheOptions, type UnreadableEntry} from '../../source/index.ts';
import {setUp} from '../got/helpers.ts';

const forms: ReadonlyArray<readonly [name: string, options: () => RedisCacheOptions]> = [
	['Redis', () => ({})],
	['Redis, encrypted', () => ({encryption: Buffer.alloc(32, 1)})],
	['a Map', () => ({store: new Map()})],
	['Keyv', () => ({store: new Keyv()})],
];

for (const [name, optionsOf] of forms) {
	test(`in ${name}, an entry is found and removed by its key`, async () => {
		await using setup = await setUp(optionsOf());
		const {cache, client, origin} = setup;
		origin.handler = ({url, headers}, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60', ...url === '/vary' && {vary: 'accept-language'}}).end(`${url} ${headers['accept-language'] ?? ''}`);
		};

		const plain = await client('plain');
		await client('vary', {headers: {'accept-language': 'de'}});
		await client('vary', {headers: {'accept-language': 'en'}});
		const entries = await Array.fromAsync(cache.entries());
		assert.equal(entries.length, 3);
		for (const {storeKey, url, vary} of entries) {
			const stored = await cache.getByKey(storeKey);
			assert.deepEqual([stored?.url, stored?.vary, stored?.storeKey], [url, vary, storeKey]);
			assert.equal((await cache.get({url, headers: vary}))?.storeKey, storeKey);
		}

		const plainKey = cacheInfo(plain)?.key ?? '';
		assert.equal((await cache.getByKey(plainKey))?.url, `${origin.url}/plain`);
		const variant = entries.find(({url}) => url.endsWith('/vary'))?.storeKey ?? '';
		assert.equal(await cache.deleteByKey(variant), true);
		assert.deepEqual((await Array.fromAsync(cache.entries())).map(({url}) => url), [`${origin.url}/plain`]);
		assert.equal(await cache.deleteByKey(plainKey), true);
		assert.equal(await cache.getByKey(plainKey), undefined);
		assert.equal(await cache.deleteByKey(plainKey), true);
	});
}

test('entries tell when the store removes them', async () => {
	await using setup = await setUp({ttlOffset: '1h'});
	const {cache, client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}}, {headers: {'cache-control': 'max-age=60'}});
	await client('a');
	await client('b', {context: {cache: {expireAfter: 'never'}}});
	const kept = new Map((await Array.fromAsync(cache.entries())).map(({url, keptUntil}) => [url.at(-1), keptUntil]));
	assert.ok(Math.abs((kept.get('a')?.getTime() ?? 0) - Date.now() - 3_660_000) < 60_000);
	assert.equal(kept.get('b'), undefined);
});

test('onUnreadable is told of each value that cannot be read, and why', async () => {
	const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
	await using setup = await setUp();
	const {cache, client, origin, redis} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('body');
	};

	await client('plain');
	const [{storeKey} = {storeKey: ''}] = await Array.fromAsync(cache.entries());
	const reasonsFor = async (reader: typeof cache): Promise<Array<UnreadableEntry['reason']>> => {
		const found: UnreadableEntry[] = [];
		await Array.fromAsync(reader.entries({tag: 'none'}, {onUnreadable: entry => found.push(entry)}));
		assert.ok(found.every(entry => entry.storeKey.startsWith('http_cache:{')));
		return [...new Set(found.map(({reason}) => reason))].toSorted();
	};

	assert.deepEqual(await reasonsFor(cache), []);
	const encrypted = setup.other({encryption: one});
	assert.deepEqual(await reasonsFor(encrypted.cache), ['not-encrypted']);
	await encrypted.client('encrypted');
	assert.deepEqual(await reasonsFor(cache), ['encrypted']);
	assert.deepEqual(await reasonsFor(setup.other({encryption: [other, one]}).cache), ['not-encrypted']);
	assert.deepEqual(await reasonsFor(setup.other({encryption: other}).cache), ['not-encrypted', 'other-encryption-key']);

	await redis.client.setRange(storeKey, 6, '\u{2}');
	assert.deepEqual(await reasonsFor(cache), ['encrypted', 'other-version']);
	await redis.client.set('http_cache:{short}', '');
	await redis.client.set('http_cache:{lease}:lease:a', 'abcdefgh12345678');
	await redis.client.set('http_cache:{x}', 'nothing of ours');
	assert.deepEqual(await reasonsFor(cache), ['corrupt', 'encrypted', 'other-version']);
});

test('a key that is none of this cache throws', async () => {
	const cache = redisCache({store: 'memory', namespace: 'mine'});
	const message = (given: string, where: string) => ({name: 'TypeError', message: `Expected a key of this cache in ${where}, such as 'mine:{…}', got ${given}`});
	for (const key of ['other:{a}', 'a', '{}', '{a', 'mine:a']) {
		await assert.rejects(cache.getByKey(key), message(`'${key}'`, 'getByKey()'));
		await assert.rejects(cache.deleteByKey(key), message(`'${key}'`, 'deleteByKey()'));
	}

	await assert.rejects(cache.getByKey(undefined as never), message('undefined', 'getByKey()'));
	// @ts-expect-error It takes a function.
	await assert.rejects(cache.entries({}, {onUnreadable: true}).next(), {name: 'TypeError', message: 'Expected the property `onUnreadable` in entries() to be a function, got true'});
});
