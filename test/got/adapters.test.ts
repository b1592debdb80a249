import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import test from 'node:test';
import type {KeyvStoreAdapter} from 'keyv';
import {cacheInfo} from '../../source/index.ts';
import {setUp} from './helpers.ts';

/*
Adapters that do not do quite what Keyv expects of them.
*/

/** As some databases, it gives the bytes of the text that it was given. Its fields are private. */
class BufferAdapter {
	readonly #values = new Map<string, string>();

	async get(key: string) {
		const value = this.#values.get(key);
		return value === undefined ? undefined : Buffer.from(value);
	}

	async getMany(keys: readonly string[]) {
		return Promise.all(keys.map(async key => this.get(key)));
	}

	async set(key: string, value: string) {
		this.#values.set(key, value);
	}

	async delete(key: string) {
		return this.#values.delete(key);
	}

	async clear() {
		this.#values.clear();
	}

	async * iterator() {
		for (const key of this.#values.keys()) {
			yield [key, await this.get(key)];
		}
	}
}

test('an adapter that gives Buffers, and has an iterator and no `opts`, is used as any other', async () => {
	await using setup = await setUp({store: new BufferAdapter() as unknown as KeyvStoreAdapter});
	const {client, cache, origin} = setup;
	const errors: string[] = [];
	cache.on('error', ({message}) => {
		errors.push(message);
	});
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('body');
	};

	await client('items');
	const response = await client('items');
	assert.deepEqual([cacheInfo(response)?.status, response.body], ['hit', 'body']);
	assert.equal(cache.health().counters.corrupt, 0);
	assert.equal(await cache.delete(`${origin.url}/items`), true);
	assert.equal((await client('items')).isFromCache, false);
	assert.equal(await cache.clear(), true);
	assert.equal(await cache.has(`${origin.url}/items`), false);
	assert.deepEqual(errors, []);
});
