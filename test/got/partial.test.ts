import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {setUp} from './helpers.ts';

const partOf = (contentRange: string, body: string) => ({status: 206, headers: {'cache-control': 'max-age=60', 'content-range': contentRange, etag: '"a"'}, body});

test('a part that is shorter than it says answers no more than what arrived of it', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	// The last five bytes were asked for, and five bytes came: the first one is not what it is said to be.
	origin.queue(partOf('bytes 4-9/10', '56789'));
	await client('items', {headers: {range: 'bytes=-5'}});

	const {body, headers} = await client('items', {headers: {range: 'bytes=-1'}});
	assert.deepEqual({body, range: headers['content-range']}, {body: '9', range: 'bytes 9-9/10'});

	origin.queue(partOf('bytes 4-9/10', '456789'));
	const more = await client('items', {headers: {range: 'bytes=4-'}});
	assert.equal(more.body, '456789');
	assert.equal(origin.requests.length, 2);
});

test('a part that is longer than it says is not stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(partOf('bytes 0-4/10', '012345'));

	const response = await client('items', {headers: {range: 'bytes=0-4'}});

	assert.equal(response.body, '012345');
	assert.equal(cacheInfo(response)?.notStored, 'incomplete');
});
