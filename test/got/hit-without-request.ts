import assert from 'node:assert/strict';

/** A hit that starts no request, with the version of got that `got` stands for in this process. */
export const askForHitWithoutRequest = async () => {
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
};
