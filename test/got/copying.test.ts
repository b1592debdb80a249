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

test('what was copied is replaced by what the origin says later', async () => {
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
