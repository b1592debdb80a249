import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {registerHooks} from 'node:module';
import test from 'node:test';

/*
Part of the tests once more, with the oldest version of got that this package goes with: reuse, revalidation, variants, streams, flights, refreshes, switches and the events.

Got 14 reports failures over HTTP/2 and of bodies that break off in words of its own, which the tests of these are not about.
*/
registerHooks({
	resolve: (specifier, context, next) => next(specifier === 'got' ? 'got-14' : specifier, context),
});

test('got is got 14', async () => {
	const [{default: got}, {default: got14}] = await Promise.all([import('got'), import('got-14')]);
	assert.equal(got, got14);
});

for (const name of ['reuse', 'stale', 'streams', 'flights', 'flights-streams', 'refresh', 'stale-after', 'variants', 'partial', 'switches', '../observe/tracing']) {
	await import(`./${name}.test.ts`);
}

test('a hit that starts no request', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: '{"a":1}'});
	await client('items').json();
	for (let count = 0; count < 3; count++) {
		const response = await client<unknown>('items', {responseType: 'json'});
		assert.deepEqual(response.body, {a: 1});
		assert.deepEqual([response.isFromCache, response.statusCode, response.retryCount], [true, 200, 0]);
		assert.equal(response.request.options.headers['if-none-match'], undefined);
	}

	assert.deepEqual(await client('items').json(), {a: 1});
	assert.equal(origin.requests.length, 1);
});

test('the promise of a hit can be cancelled, and is a `Buffer` with `.buffer()`', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'x'});
	await client('items');
	const promise = client('items');
	assert.equal(typeof (promise as unknown as {cancel?: unknown}).cancel, 'function');
	assert.equal((await promise).isFromCache, true);
	assert.equal(Buffer.isBuffer(await client('items').buffer()), true);
	assert.equal(origin.requests.length, 1);
});
