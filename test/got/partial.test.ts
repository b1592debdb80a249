import assert from 'node:assert/strict';
import test from 'node:test';
import type {Got} from 'got';
import {cacheInfo} from '../../source/index.ts';
import {respond, type PlainResponse} from '../helpers/origin.ts';
import {setUp, settleWrites} from './helpers.ts';
import {readStream} from './read-stream.ts';
import {dump, places} from './store-change-helpers.ts';

type Part = {
	readonly status: number;
	readonly headers: Record<string, string>;
	readonly body: string;
};

/** A response whose length is in its head, as origins send parts. */
const withLength = (part: Part): Part => ({...part, headers: {...part.headers, 'content-length': String(part.body.length)}});

const partOf = (contentRange: string, body: string) => withLength({status: 206, headers: {'cache-control': 'max-age=60', 'content-range': contentRange, etag: '"a"'}, body});

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
	test(`a promise of JSON is completed with the part that is missing (stored: ${stored?.headers['content-range']})`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.handler = ({headers: {range}}, response) => {
			respond(response, range === undefined ? {headers: {'cache-control': 'max-age=60', etag: '"a"'}, body: '{"a":"bc"}'} : missing!);
		};

		origin.queue(stored!);
		await client('items', {headers: {range: 'bytes=0-'}});
		const response = await client('items', {responseType: 'json'});

		assert.deepEqual([response.statusCode, response.body, cacheInfo(response)?.reason], [200, {a: 'bc'}, 'combined']);
		// It is stored as a whole.
		assert.deepEqual(await client('items').json(), {a: 'bc'});
		assert.equal(origin.requests.length, 2);
	});
}

for (const [what, rest] of [
	['shorter than it says', partOf('bytes 5-9/10', '567')],
	['longer than it says', partOf('bytes 5-9/10', '56789a')],
	['of another state', {...partOf('bytes 5-9/10', '56789'), headers: {...partOf('bytes 5-9/10', '56789').headers, etag: '"b"'}}],
	['sent in chunks, and shorter than it says', {...partOf('bytes 5-9/10', '567'), headers: {'content-range': 'bytes 5-9/10', etag: '"a"'}}],
	['not the one that was asked for', partOf('bytes 7-9/10', '789')],
] as const) {
	test(`a request for the whole is never given a part: the rest is ${what}`, async () => {
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

/** How a rest ends before it is whole, and how the promise fails. */
const brokenRests: Record<string, {readonly timeout?: Record<string, number>; readonly expected: Record<string, string>; readonly isCut?: boolean}> = {
	'breaks off': {isCut: true, expected: {name: 'ReadError'}},
	'stops, beyond `timeout.read`': {timeout: {read: 300}, expected: {name: 'TimeoutError', event: 'read'}},
	'stops, beyond `timeout.request`': {timeout: {request: 300}, expected: {name: 'TimeoutError', event: 'request'}},
	'stops, beyond `timeout.socket`': {timeout: {socket: 300}, expected: {name: 'TimeoutError', event: 'socket'}},
};

for (const [what, {timeout, isCut, expected}] of Object.entries(brokenRests)) {
	test(`a promise fails as without the cache where the rest ${what}, and the next one is completed`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const rest = partOf('bytes 5-9/10', '56789');
		origin.queue(partOf('bytes 0-4/10', '01234'), (_request, response) => {
			response.writeHead(206, rest.headers).write('56', () => isCut && response.destroy());
		}, rest);
		await client('items', {headers: {range: 'bytes=0-4'}});

		await assert.rejects(client('items', {timeout}), expected);
		assert.equal((await client('items')).body, '0123456789');
		assert.equal(origin.requests.length, 3);
	});
}

test('`timeout.response` is over when the head of the rest has come', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const rest = partOf('bytes 5-9/10', '56789');
	const {promise: isOverdue, resolve} = Promise.withResolvers<void>();
	origin.queue(partOf('bytes 0-4/10', '01234'), async (_request, response) => {
		response.writeHead(206, rest.headers).write('56');
		await isOverdue;
		response.end('789');
	});
	await client('items', {headers: {range: 'bytes=0-4'}});
	setTimeout(resolve, 600);

	assert.equal((await client('items', {timeout: {response: 300}})).body, '0123456789');
});

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

const text = '{"a":"0123456789"}';
const fields = {'cache-control': 'max-age=60', etag: '"a"'};

const partOfText = (first: number, last: number, more: Record<string, string> = {}) => withLength({
	status: 206,
	headers: {...fields, 'content-range': `bytes ${first}-${last}/${text.length}`, ...more},
	body: text.slice(first, last + 1),
});

/** What an origin may send in place of the rest that it was asked for: all that is not the rest. */
const rests: Readonly<Record<string, PlainResponse>> = {
	'five bytes of it': partOfText(5, 9),
	'the same part once more': partOfText(0, 4),
	'an earlier part': partOfText(2, 6),
	'a part with a gap': partOfText(7, text.length - 1),
	'a part of another length': partOfText(5, text.length - 1, {'content-range': `bytes 5-${text.length - 1}/99`}),
	'a part of another state': partOfText(5, text.length - 1, {etag: '"b"'}),
	'a part with a weak entity tag': partOfText(5, text.length - 1, {etag: 'W/"a"'}),
	'several parts': {status: 206, headers: {...fields, 'content-type': 'multipart/byteranges; boundary=x'}, body: '--x\r\ncontent-range: bytes 5-9/18\r\n\r\n01234\r\n--x--'},
	'a part of unknown length': partOfText(5, text.length - 1, {'content-range': 'bytes 5-17/*'}),
	'a part without Content-Range': {status: 206, headers: fields, body: text.slice(5)},
	'a part with a wrong Content-Range': partOfText(5, text.length - 1, {'content-range': 'bytes 17-5/18'}),
	'a part that is shorter than it says': withLength({...partOfText(5, text.length - 1), body: text.slice(5, 9)}),
	'a part that is longer than it says': withLength({...partOfText(5, text.length - 1), body: `${text.slice(5)}x`}),
	'a part in chunks that is shorter than it says': {status: 206, headers: {...fields, 'content-range': 'bytes 5-17/18'}, body: text.slice(5, 9)},
	'no part': {status: 416, headers: {'content-range': `bytes */${text.length}`}},
	'not modified': {status: 304, headers: fields},
	'five bytes that may not be stored': partOfText(5, 9, {'cache-control': 'no-store'}),
};

/** Got's interfaces, each with what it makes of the whole. */
const wholes: Readonly<Record<string, (client: Got) => Promise<unknown>>> = {
	async promise(client) {
		const {statusCode, ok, body} = await client('items');
		return [statusCode, ok, body];
	},
	'text()': async client => [200, true, await client('items').text()],
	'json()': async client => [200, true, JSON.stringify(await client('items').json())],
	'buffer()': async client => [200, true, new TextDecoder().decode(await client('items').buffer())],
	async stream(client) {
		const {statusCode, body} = await readStream(client.stream('items'));
		return [statusCode, true, body];
	},
};

for (const [what, rest] of Object.entries(rests)) {
	for (const store of ['Redis', 'memory']) {
		test(`a request for the whole is given the whole, whatever the origin sends in place of the rest: ${what} (${store})`, async () => {
			await using setup = await setUp(store === 'memory' ? {store} : {});
			const {client, origin, cache} = setup;
			origin.handler = ({headers: {range}}, response) => {
				respond(response, range === undefined ? {headers: fields, body: text} : rest);
			};

			for (const [name, ask] of Object.entries(wholes)) {
				await cache.clear();
				origin.queue(partOfText(0, 4));
				await client('items', {headers: {range: 'bytes=0-4'}});
				origin.requests.length = 0;

				assert.deepEqual(await ask(client), [200, true, text], name);
				// A promise asks for the rest, and then for the whole.
				const isAskedAtOnce = name === 'stream';
				assert.deepEqual(origin.requests.map(({headers: {range}}) => range), isAskedAtOnce ? [undefined] : ['bytes=5-', undefined], name);
				await settleWrites(setup);
				assert.deepEqual(await ask(client), [200, true, text], name);
				assert.equal(origin.requests.length, isAskedAtOnce ? 1 : 2, name);
			}
		});
	}
}

for (const [what, rest] of Object.entries({'the end of it': partOfText(3, 9), 'the beginning of it': partOfText(0, 5), 'what is stored': partOfText(10, 17)})) {
	test(`a request for the whole is given the whole if its end is stored and the origin sends ${what}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(partOfText(10, 17), rest, {headers: fields, body: text});
		await client('items', {headers: {range: 'bytes=10-'}});

		const {statusCode, body} = await client('items');
		assert.deepEqual([statusCode, body], [200, text]);
		assert.deepEqual(origin.requests.map(({headers: {range}}) => range), ['bytes=10-', 'bytes=0-9', undefined]);
	});
}

test('a part that is less than the range that was asked for is given as the origin sent it', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(partOfText(0, 4), partOfText(5, 9));
	await client('items', {headers: {range: 'bytes=0-4'}});

	const {statusCode, body, headers} = await client('items', {headers: {range: 'bytes=5-14'}});
	assert.deepEqual([statusCode, body, headers['content-range']], [206, text.slice(5, 10), 'bytes 5-9/18']);
	// The two are stored as one.
	assert.equal((await client('items', {headers: {range: 'bytes=0-9'}})).body, text.slice(0, 10));
	assert.equal(origin.requests.length, 2);
});

/** How what completes a part may not be stored: by what the origin says, or by who asks. */
const refusals: Readonly<Record<string, {readonly reason: string; readonly fields: Record<string, string>; readonly request?: Record<string, string>}>> = {
	private: {reason: 'private', fields: {'cache-control': 'private, max-age=60'}},
	'no-store': {reason: 'no-store', fields: {'cache-control': 'no-store, max-age=60'}},
	'Vary: *': {reason: 'vary-star', fields: {vary: '*'}},
	'credentials and a lifetime': {reason: 'authorization', fields: {}, request: {authorization: 'Bearer A'}},
	'credentials without a word': {reason: 'authorization', fields: {'cache-control': ''}, request: {authorization: 'Bearer A'}},
};

for (const [what, {reason, fields: more, request}] of Object.entries(refusals)) {
	for (const {where, options, ask, isStream, isShared} of places) {
		test(`a response that completes a part and may not be stored is given to its caller alone: ${what} (${where})`, async () => {
			await using setup = await setUp(options);
			const {client, origin, redis, cache} = setup;
			const mine = {...more, 'set-cookie': 'session=A', 'x-user': 'A'};
			origin.handler = ({headers}, response) => {
				if (headers['x-who'] === 'A') {
					respond(response, headers.range === undefined ? {headers: {...fields, ...mine}, body: text} : partOfText(5, text.length - 1, mine));
				} else {
					respond(response, {status: 401, body: 'who?'});
				}
			};

			for (const other of isShared ? [client, setup.other().client] : [client]) {
				await cache.clear();
				origin.queue(partOfText(0, 4));
				await client('items', {headers: {range: 'bytes=0-4'}});

				const given = await ask(client, {headers: {'x-who': 'A', ...request}});
				assert.deepEqual([given.statusCode, given.body, given.headers['x-user'], given.headers['set-cookie']], [200, text, 'A', ['session=A']]);
				assert.deepEqual([given.info?.reason, given.info?.notStored], [isStream ? 'range-not-stored' : 'combined', reason]);
				assert.equal(String(given.headers['cache-status']).includes(';stored'), false);
				await settleWrites(setup);

				const next = await ask(other);
				assert.deepEqual([next.statusCode, next.body, next.headers['x-user']], [401, 'who?', undefined]);
				assert.equal((await dump(redis)).includes('session=A'), false);
			}
		});
	}
}

test('a response that completes a part brings its Vary: it is the variant of its caller', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(partOfText(0, 4), partOfText(5, text.length - 1, {vary: 'x-who', 'x-user': 'A'}));
	await client('items', {headers: {range: 'bytes=0-4'}});
	assert.equal((await client('items', {headers: {'x-who': 'A'}})).body, text);

	origin.queue({status: 401});
	assert.equal((await client('items', {throwHttpErrors: false})).statusCode, 401);
	assert.equal((await client('items', {headers: {'x-who': 'A'}})).body, text);
	assert.equal(origin.requests.length, 3);
});

test('those who wait for a whole that may not be stored ask for themselves', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(partOfText(0, 4));
	await client('items', {headers: {range: 'bytes=0-4'}});
	origin.handler = ({headers: {range, 'x-who': who}}, response) => {
		const mine = {'cache-control': 'private, max-age=60', 'x-user': String(who)};
		respond(response, range === undefined ? {headers: {...fields, ...mine}, body: text} : partOfText(5, text.length - 1, mine));
	};

	const answers = await Promise.all(['A', 'B', 'C'].map(async who => client('items', {headers: {'x-who': who}})));
	assert.deepEqual(answers.map(({headers, body}) => [headers['x-user'], body]), [['A', text], ['B', text], ['C', text]]);
});
