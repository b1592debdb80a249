import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {readStream} from './read-stream.ts';
import {setUp, type Setup} from './helpers.ts';

const readOnly = {context: {cache: {readOnly: true}}};
const etag = {etag: '"a"'};
const stale = {headers: {...etag, 'cache-control': 'max-age=0', 'x-version': '1'}, body: '0123456789'};
const notModified = {status: 304, headers: {...etag, 'cache-control': 'max-age=60', 'x-version': '2'}};
const part = {status: 206, headers: {...etag, 'cache-control': 'max-age=60', 'content-range': 'bytes 0-4/10'}, body: '01234'};
const rest = {...part, headers: {...part.headers, 'content-range': 'bytes 5-9/10'}, body: '56789'};

/** All that Redis has. */
const contents = async ({redis: {client}}: Setup) => {
	const keys = (await client.keys('*')).toSorted();
	return Promise.all(keys.map(async key => [key, await client.get(key)]));
};

test('a 304 makes the stored response answer, and nothing is written', async () => {
	await using setup = await setUp({memory: false});
	const {client, origin} = setup;
	origin.queue(stale, notModified, notModified);
	await client('items');
	const before = await contents(setup);

	const response = await client('items', readOnly);
	assert.deepEqual([response.body, response.headers['x-version'], cacheInfo(response)?.status], ['0123456789', '2', 'revalidated']);
	assert.doesNotMatch(String(response.headers['cache-status']), /stored/v);

	const {body} = await readStream(client.stream('items', readOnly));
	assert.equal(body, '0123456789');
	assert.equal(origin.requests.length, 3);
	assert.deepEqual(await contents(setup), before);
});

test('a part is completed for the caller alone', async () => {
	await using setup = await setUp({memory: false});
	const {client, origin} = setup;
	origin.queue(part, rest);
	await client('items', {headers: {range: 'bytes=0-4'}});
	const before = await contents(setup);

	const response = await client('items', readOnly);
	assert.deepEqual([response.statusCode, response.body], [200, '0123456789']);
	assert.doesNotMatch(String(response.headers['cache-status']), /stored/v);
	assert.deepEqual(await contents(setup), before);
});

test('a stored response that the origin did not mean is left alone, and the origin is asked once more without it', async () => {
	await using setup = await setUp({memory: false});
	const {client, origin} = setup;
	origin.queue(stale, {status: 304, headers: {etag: '"b"'}}, {headers: {etag: '"b"'}, body: 'new'});
	await client('items');
	const before = await contents(setup);

	assert.equal((await client('items', readOnly)).body, 'new');
	assert.deepEqual([origin.requests[1]?.headers['if-none-match'], origin.requests[2]?.headers['if-none-match']], ['"a"', undefined]);
	assert.deepEqual(await contents(setup), before);
});

test('nothing is invalidated', async () => {
	await using setup = await setUp({memory: false});
	const {client, origin} = setup;
	origin.queue({...stale, headers: {'cache-control': 'max-age=60'}}, {status: 204});
	await client('items');
	const before = await contents(setup);

	await client.put('items', {json: {}, ...readOnly});
	assert.deepEqual(await contents(setup), before);
});
