import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
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

const whole = {headers: {'cache-control': 'max-age=60', etag: '"a"'}, body: '0123456789'};

test('a part is completed by asking for what is missing', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(partOf('bytes 0-4/10', '01234'), partOf('bytes 5-9/10', '56789'));

	await client('items', {headers: {range: 'bytes=0-4'}});
	const response = await client('items');

	assert.deepEqual([response.statusCode, response.body, response.isFromCache], [200, '0123456789', true]);
	assert.deepEqual([origin.requests[1]?.headers.range, origin.requests[1]?.headers['if-range']], ['bytes=5-', '"a"']);
	assert.match(String(response.headers['cache-status']), /;fwd=partial;fwd-status=206;.*;stored;/v);
	assert.equal(response.request.options.headers.range, undefined);

	// It is stored as a whole.
	assert.equal((await client('items')).body, '0123456789');
	assert.equal((await client('items', {headers: {range: 'bytes=4-5'}})).body, '45');
	assert.equal(origin.requests.length, 2);
});

for (const [stored, missing] of [
	[partOf('bytes 0-4/10', '{"a":'), partOf('bytes 5-9/10', '"bc"}')],
	[partOf('bytes 5-9/10', '"bc"}'), partOf('bytes 0-4/10', '{"a":')],
]) {
	test(`a promise of JSON is not failed by a part (stored: ${stored?.headers['content-range']})`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.handler = ({headers: {range}}, response) => {
			respond(response, range === undefined ? {headers: {'cache-control': 'max-age=60', etag: '"a"'}, body: '{"a":"bc"}'} : missing!);
		};

		origin.queue(stored!);
		await client('items', {headers: {range: 'bytes=0-'}});
		const response = await client('items', {responseType: 'json'});

		assert.deepEqual([response.statusCode, response.body, cacheInfo(response)?.reason], [200, {a: 'bc'}, 'range-not-stored']);
		// It is stored as a whole.
		assert.deepEqual(await client('items').json(), {a: 'bc'});
		assert.equal(origin.requests.length, 2);
	});
}

for (const [what, rest] of [
	['shorter than it says', partOf('bytes 5-9/10', '567')],
	['longer than it says', partOf('bytes 5-9/10', '56789a')],
	['of another state', {...partOf('bytes 5-9/10', '56789'), headers: {...partOf('bytes 5-9/10', '').headers, etag: '"b"'}}],
	['not the one that was asked for', partOf('bytes 7-9/10', '789')],
] as const) {
	test(`who asks for the whole is never given a part: the rest is ${what}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(partOf('bytes 0-4/10', '01234'), rest, whole);

		await client('items', {headers: {range: 'bytes=0-4'}});
		const {statusCode, body} = await client('items');

		assert.deepEqual([statusCode, body], [200, '0123456789']);
		assert.deepEqual([origin.requests[1]?.headers.range, origin.requests[2]?.headers.range], ['bytes=5-', undefined]);
		assert.equal((await client('items')).body, '0123456789');
		assert.equal(origin.requests.length, 3);
	});
}

test('a part that does not go with what is stored is given to who asked for it', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(partOf('bytes 0-4/10', '01234'), partOf('bytes 5-9/10', '567'));

	await client('items', {headers: {range: 'bytes=0-4'}});
	const response = await client('items', {headers: {range: 'bytes=5-9'}});

	assert.deepEqual([response.statusCode, response.body, cacheInfo(response)?.notStored], [206, '567', 'partial']);
	assert.equal((await client('items', {headers: {range: 'bytes=0-4'}})).body, '01234');
	assert.equal(origin.requests.length, 2);
});
