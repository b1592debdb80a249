import assert from 'node:assert/strict';
import {registerHooks} from 'node:module';
import test from 'node:test';

/*
The tests of what matters most once more, with the oldest major version of got that this package goes with.
*/
registerHooks({
	resolve: (specifier, context, next) => next(specifier === 'got' ? 'got-15' : specifier, context),
});

test('got is got 15', async () => {
	const [{default: got}, {default: got15}] = await Promise.all([import('got'), import('got-15')]);
	assert.equal(got, got15);
});

// A hit, revalidation, variants; failures and retries; streams, redirects; flights.
for (const name of ['reuse', 'stale', 'streams', 'streams-stale', 'flights', 'flights-streams']) {
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

test('a cookie jar is given no stored cookie', async () => {
	const {setUp} = await import('./helpers.ts');
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({headers: {'cache-control': 'public, max-age=60', 'set-cookie': 'a=1'}, body: 'x'});
	const given: string[] = [];
	const cookieJar = {
		async getCookieString() {
			return '';
		},
		async setCookie(cookie: string) {
			given.push(cookie);
		},
	};

	for (let count = 0; count < 3; count++) {
		const {headers, body} = await client('items', {cookieJar});
		assert.equal(body, 'x');
		assert.deepEqual(headers['set-cookie'], ['a=1']);
	}

	assert.deepEqual(given, ['a=1']);
	assert.equal(origin.requests.length, 1);
});
