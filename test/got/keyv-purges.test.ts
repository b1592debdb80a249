import assert from 'node:assert/strict';
import test from 'node:test';
import got from 'got';
import {Keyv} from 'keyv';
import {redisCache, type RedisCache} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {respond, startOrigin} from '../helpers/origin.ts';

/*
A Keyv cannot check and write in one step: what docs/contributing/wire-format.md says of purges of everything there.
*/

const sweeps: Record<string, (cache: RedisCache, url: string) => Promise<boolean>> = {
	'clear()': async cache => cache.clear(),
	'a purge by prefix': async (cache, url) => cache.invalidate({prefix: url}),
};

for (const [name, sweep] of Object.entries(sweeps)) {
	test(`in a Keyv, ${name} refuses what its own cache is asking for, and not what another one is`, async () => {
		const arrived = Promise.withResolvers<void>();
		const released = Promise.withResolvers<void>();
		await using origin = await startOrigin(async (_request, response) => {
			if (origin.requests.length === 2) {
				arrived.resolve();
			}

			await released.promise;
			respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
		});
		const store = new Keyv(new Map());
		await using own = redisCache({store});
		await using other = redisCache({store});
		const asked = [[own, 'own'], [other, 'other']] as const;
		const answers = asked.map(async ([cache, path]) => got.extend({prefixUrl: origin.url}, cache)(path).text());
		await arrived.promise;
		assert.equal(await sweep(own, origin.url), true);
		released.resolve();
		assert.deepEqual(await Promise.all(answers), ['x', 'x']);
		while (!await other.has(`${origin.url}/other`)) {
			await new Promise(resolve => {
				setImmediate(resolve);
			});
		}

		assert.equal(await own.has(`${origin.url}/own`), false);
	});
}

test('a store that lists nothing, though a key was just written, confirms no purge of everything', async () => {
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: 'x'});
	});
	await using cache = redisCache({store: createAdapter(() => ({
		async * iterator() {
			// As that of `@keyv/valkey`.
		},
	}))});
	const errors: string[] = [];
	cache.on('error', ({message}) => errors.push(message));
	await got.extend(cache)(`${origin.url}/a`);
	assert.equal(await cache.clear(), false);
	await assert.rejects(cache.invalidate({prefix: origin.url}), /could not list/v);
	await assert.rejects(Array.fromAsync(cache.entries()), /could not list/v);
	assert.match(errors.join('\n'), /does not list a key that was just written/v);
});

test('an empty Keyv is cleared', async () => {
	await using cache = redisCache({store: new Keyv(new Map())});
	assert.equal(await cache.clear(), true);
});
