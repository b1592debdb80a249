import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {test} from 'node:test';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import {setUp, settleWrites} from './helpers.ts';

const forms: Record<string, RedisCacheOptions> = {
	plain: {},
	compressed: {compression: true},
	encrypted: {encryption: Buffer.alloc(32, 1)},
	'compressed and encrypted with another key': {encryption: Buffer.alloc(32, 2), compression: true},
	'a Map': {store: new Map()},
};

for (const [from, fromOptions] of Object.entries(forms)) {
	for (const [to, toOptions] of Object.entries(forms)) {
		test(`copied from ${from} to ${to}, all is there, and can be purged`, async () => {
			await using setup = await setUp({tagField: 'cache-tag', timeout: 10_000, namespace: 'from', ...fromOptions, ...(from === 'a Map' && {store: new Map()})});
			const {client, cache, origin} = setup;
			origin.handler = ({url, method, headers}, response) => {
				response.writeHead(200, {'cache-control': 'max-age=600', 'cache-tag': url.slice(1), ...(url === '/vary' && {vary: 'accept-language'})});
				response.end(method === 'HEAD' ? undefined : `${url} ${headers['accept-language'] ?? ''} `.padEnd(200_000, 'abcd'));
			};

			const requests = [
				['plain', {}],
				['vary', {headers: {'accept-language': 'de'}}],
				['vary', {headers: {'accept-language': 'en'}}],
				['encoded', {decompress: false}],
				['head', {method: 'HEAD'}],
			] as const;
			const askAll = async (each: typeof client) => Promise.all(requests.map(async ([path, options]) => each(path, options)));
			const stored = await askAll(client);
			await askAll(client);
			await settleWrites(setup);

			const {cache: copy, client: copyClient} = setup.other({encryption: undefined, compression: false, ...toOptions, namespace: 'to', ...(to === 'a Map' && {store: new Map()})});
			assert.equal(await cache.copyTo(copy), requests.length);
			const asked = origin.requests.length;
			for (const [position, response] of (await askAll(copyClient)).entries()) {
				assert.equal(cacheInfo(response)?.status, 'hit', requests[position]?.[0]);
				assert.ok(Buffer.from(response.rawBody).equals(stored[position]?.rawBody ?? Buffer.alloc(1)));
			}

			assert.equal(origin.requests.length, asked);
			assert.equal(await copy.invalidate({tag: 'vary'}), true);
			assert.equal(await copy.delete(`${origin.url}/plain`), true);
			assert.deepEqual(await Promise.all(['plain', 'vary', 'encoded'].map(async path => copy.has(`${origin.url}/${path}`))), [false, false, true]);
			assert.equal(await cache.has(`${origin.url}/plain`), true);
		});
	}
}

test('a copied response is replaced by a later one of the origin', async () => {
	await using setup = await setUp({namespace: 'from'});
	const {client, cache, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'old'}, {headers: {'cache-control': 'max-age=60'}, body: 'new'});
	await client('items');
	const {cache: copy, client: copyClient} = setup.other({namespace: 'to'});
	assert.equal(await cache.copyTo(copy), 1);
	await copyClient('items', {context: {cache: {mode: 'reload'}}});
	const {isFromCache, body} = await copyClient('items');
	assert.deepEqual([isFromCache, body], [true, 'new']);
});

const asked = [
	['plain', {}],
	['secret?api_key=hunter2', {}],
	['body', {method: 'QUERY', body: 'a'}],
	['mine', {context: {user: 'alice'}}],
] as const;

const targets: Record<string, readonly [options: RedisCacheOptions, hits: readonly boolean[]]> = {
	'the same key': [{encryption: Buffer.alloc(32, 1)}, [true, true, true, true]],
	'the same last key': [{encryption: [Buffer.alloc(32, 2), Buffer.alloc(32, 1)]}, [true, true, true, true]],
	'another key': [{encryption: Buffer.alloc(32, 2)}, [true, false, false, false]],
	'no key': [{encryption: undefined}, [true, false, false, false]],
};

for (const [name, [{encryption}, hits]] of Object.entries(targets)) {
	test(`copied from an encrypted cache to one with ${name}: what is copied is found, what is not is told, and no credential is stored`, async () => {
		const user: RedisCacheOptions['user'] = (_request, {context}) => context.user as string | undefined;
		await using setup = await setUp({namespace: 'from', timeout: 10_000, encryption: Buffer.alloc(32, 1), user});
		const {client, cache, origin, redis} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=600'}).end('x');
		};

		const ask = async (each: typeof client) => Promise.all(asked.map(async ([path, options]) => (await each(path, options)).isFromCache));
		await ask(client);
		await settleWrites(setup);
		assert.deepEqual(await ask(client), asked.map(() => true));

		const errors: string[] = [];
		cache.on('error', ({message}) => errors.push(message));
		const {cache: copy, client: copyClient} = setup.other({namespace: 'to', timeout: 10_000, user, encryption});
		const count = hits.filter(Boolean).length;
		assert.equal(await cache.copyTo(copy), count);
		assert.equal((await Array.fromAsync(copy.entries())).length, count);
		assert.deepEqual(await ask(copyClient), hits);
		if (count === asked.length) {
			assert.deepEqual(errors, []);
		} else {
			assert.equal(errors.length, 1);
			assert.match(String(errors), /^got-redis-cache: copyTo\(\): 3 responses were not copied: the other cache has another last key of `encryption`, or none/v);
		}

		for (const stored of await redis.client.keys('*')) {
			const value = await redis.client.dump(stored);
			assert.doesNotMatch(`${stored}${value}`, /hunter2/v);
		}
	});
}

test('a copied response with No-Vary-Search is found by processes that have never met the field', async () => {
	await using setup = await setUp({namespace: 'from'});
	const {client, cache, origin} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'no-vary-search': 'params=("utm")'}).end('found');
	};

	await client('search?q=1&utm=2');
	assert.equal(await cache.copyTo(setup.other({namespace: 'to'}).cache), 1);
	const {isFromCache, body} = await setup.other({namespace: 'to'}).client('search?q=1&utm=3');
	assert.deepEqual([isFromCache, body], [true, 'found']);
});
