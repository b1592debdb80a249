import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import test from 'node:test';
import {Keyv, KeyvHooks, type KeyvStoreAdapter} from 'keyv';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
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

const setUpAnswering = async (options: RedisCacheOptions) => {
	const setup = await setUp(options);
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end('body');
	};

	return setup;
};

/** Keyv lists the keys of dialects that it knows alone. */
class ListedBufferAdapter extends BufferAdapter {
	readonly opts = {dialect: 'sqlite', url: ''};
}

const stores: Record<string, () => KeyvStoreAdapter | Keyv> = {
	'an adapter that gives Buffers, and has an iterator and no `opts`,': () => new BufferAdapter() as unknown as KeyvStoreAdapter,
	'a Keyv over an adapter that gives Buffers': () => new Keyv(new ListedBufferAdapter() as unknown as KeyvStoreAdapter),
	'a Keyv that was given such an adapter later'() {
		const keyv = new Keyv();
		keyv.store = new ListedBufferAdapter();
		return keyv;
	},
};

const assertUse = async (store: KeyvStoreAdapter | Keyv): Promise<void> => {
	await using setup = await setUpAnswering({store});
	const {client, cache, origin} = setup;
	const errors: string[] = [];
	cache.on('error', ({message}) => {
		errors.push(message);
	});
	await client('items');
	const response = await client('items');
	assert.deepEqual([cacheInfo(response)?.status, response.body], ['hit', 'body']);
	const listed = await Array.fromAsync(cache.entries(), ({url}) => url);
	assert.deepEqual(listed, [`${origin.url}/items`]);
	assert.equal(cache.health().counters.corrupt, 0);
	assert.equal(await cache.delete(`${origin.url}/items`), true);
	assert.equal((await client('items')).isFromCache, false);
	assert.equal(await cache.clear(), true);
	assert.equal(await cache.has(`${origin.url}/items`), false);
	assert.deepEqual(errors, []);
};

for (const [name, create] of Object.entries(stores)) {
	// eslint-disable-next-line node-test/require-assertion -- `assertUse()` has them
	test(`${name} is used as any other`, async () => {
		await assertUse(create());
	});
}

/** An adapter that can do nothing. */
const createFailing = () => {
	const fail = async (): Promise<never> => {
		throw new Error('The database is gone');
	};

	return createAdapter(() => ({get: fail, set: fail, delete: fail}));
};

const swallowing: Record<string, () => Keyv> = {
	'a Keyv': () => new Keyv(createFailing()),
	'a Keyv with `throwOnErrors`': () => new Keyv(createFailing(), {throwOnErrors: true}),
	'a Keyv without events for errors': () => new Keyv(createFailing(), {emitErrors: false}),
};

for (const [name, create] of Object.entries(swallowing)) {
	test(`${name}: an adapter that fails is an event and given up, whether or not the Keyv swallows its errors, and the Keyv stays as it was`, async () => {
		const keyv = create();
		const {throwOnErrors, opts} = keyv;
		const told: unknown[] = [];
		const tell = (error: unknown) => told.push(error);
		keyv.on('error', tell);
		const before = {...opts};
		await using setup = await setUpAnswering({store: keyv});
		const {client, cache} = setup;
		const errors: string[] = [];
		cache.on('error', ({message}) => {
			errors.push(message);
		});
		for (let number = 0; number < 3; number++) {
			assert.equal((await client(`items/${number}`)).isFromCache, false);
		}

		assert.match(errors.join('\n'), /^got-redis-cache: The database is gone \(store: Keyv with Object\)$/v);
		assert.equal(cache.health().state, 'unavailable');
		await setup.cache.close();
		assert.deepEqual([keyv.throwOnErrors, keyv.opts === opts, {...keyv.opts}], [throwOnErrors, true, before]);
		assert.deepEqual(keyv.listeners('error'), [tell]);
		const [{status}] = await Promise.allSettled([keyv.get('a')]);
		assert.equal(status, throwOnErrors ? 'rejected' : 'fulfilled');
	});
}

test('a Keyv keeps its hooks and statistics while a cache uses it', async () => {
	const keyv = new Keyv({stats: true});
	const keys: string[] = [];
	keyv.hooks.addHandler(KeyvHooks.PRE_SET, ({key}: {readonly key: string}) => {
		keys.push(key);
	});
	await using setup = await setUpAnswering({store: keyv});
	await setup.client('items');
	assert.equal((await setup.client('items')).isFromCache, true);
	assert.match(keys.join('\n'), /http_cache:/v);
	assert.ok(keyv.stats.hits > 0);
});

test('a subclass of Keyv is used as it is, with the fields that no other object has', async () => {
	class Counting extends Keyv {
		#deletions = 0;

		get deletions() {
			return this.#deletions;
		}

		override async delete(key: string | string[]): Promise<boolean> {
			this.#deletions++;
			return super.delete(key);
		}
	}

	const keyv = new Counting();
	await using setup = await setUpAnswering({store: keyv});
	await setup.client('items');
	assert.equal((await setup.client('items')).isFromCache, true);
	assert.equal(await setup.cache.delete(`${setup.origin.url}/items`), true);
	assert.ok(keyv.deletions > 0);
});
