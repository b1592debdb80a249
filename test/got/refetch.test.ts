import assert from 'node:assert/strict';
import {once} from 'node:events';
import {constants, type ServerHttp2Session, type ServerHttp2Stream} from 'node:http2';
import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test, {suite} from 'node:test';
import got, {type Got, type OptionsInit, type Response} from 'got';
import {cacheInfo, redisCache, type RedisCache} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {
	beginHttp2,
	respondHttp2,
	startHttp2Origin,
	type Http2Handler,
	type Http2Origin,
	type Http2Response,
} from '../helpers/http2-origin.ts';
import {isGot15, outwait} from './helpers.ts';
import {readStream} from './read-stream.ts';

/*
Requests that are made once more, since what the origin says of what is stored does not go with it: over HTTP/2, where the first request and the second may share a session.
*/

type Setup = AsyncDisposable & {
	readonly origin: Http2Origin;
	readonly cache: RedisCache;
	readonly client: Got;
	/** Has the store answer no more until the session has ended, on the client's side too. */
	holdUntilEnd(session: ServerHttp2Session | undefined): void;
};

const setUp = async (options: OptionsInit = {}): Promise<Setup> => {
	const origin = await startHttp2Origin();
	let held: Promise<void> | undefined;
	const store = createAdapter(({get}) => ({
		async get(key) {
			await held;
			return get(key);
		},
	}));
	const cache = redisCache({store, timeout: '10s', memory: false});
	const client = got.extend({
		prefixUrl: origin.url,
		http2: true,
		https: {certificateAuthority: origin.certificate},
		retry: {limit: 0},
		...options,
	}, cache);

	return {
		origin,
		cache,
		client,
		holdUntilEnd(session) {
			const waitForEnd = async () => {
				await once(session!, 'close');
				for (let turn = 0; turn < 20; turn++) {
					await nextTurn();
				}
			};

			held = waitForEnd();
		},
		async [Symbol.asyncDispose]() {
			await Promise.all([cache.close(), origin.stop()]);
		},
	};
};

type Answer = {readonly statusCode: number; readonly body: string; readonly status: string | undefined};

type Kind = 'promise' | 'stream';

const kinds: Record<Kind, (client: Got, url: string, options?: OptionsInit) => Promise<Answer>> = {
	async promise(client, url, options) {
		const response = await client(url, options) as Response<string>;
		return {statusCode: response.statusCode, body: response.body, status: cacheInfo(response)?.status};
	},
	async stream(client, url, options) {
		const {statusCode, body, info} = await readStream(client.stream(url, options));
		return {statusCode, body, status: info?.status};
	},
};

const stale = {headers: {'cache-control': 'max-age=0, stale-if-error=60', etag: '"1"'}, body: 'stored'};
const fresh = {headers: {'cache-control': 'max-age=60', etag: '"2"'}, body: 'new'};
const another = {status: 304, headers: {etag: '"2"'}};

/** What the origin says of what is stored, and does to the session then. */
const mismatches: Record<string, Http2Response | Http2Handler> = {
	'with another entity tag': another,
	'with another entity tag, whose stream stays open'(stream) {
		stream.respond({':status': 304, ...another.headers});
	},
	'with another entity tag, before a GOAWAY'(stream) {
		const {session} = stream;
		respondHttp2(stream, another);
		session?.goaway(constants.NGHTTP2_NO_ERROR);
	},
	'with another entity tag, before the session closes'(stream) {
		const {session} = stream;
		respondHttp2(stream, another);
		session?.close();
	},
};

/** The same, once the client has had the response, and before the origin is asked again. */
const ends: Record<string, (session: ServerHttp2Session) => void> = {
	'a GOAWAY'(session) {
		session.goaway(constants.NGHTTP2_NO_ERROR);
		session.close();
	},
	'a GOAWAY with an error'(session) {
		session.goaway(constants.NGHTTP2_INTERNAL_ERROR);
		setImmediate(() => session.destroy());
	},
	'the end of the session': session => session.destroy(),
	'the end of the connection': session => session.socket.destroy(),
};

type Second = {
	readonly handler: Http2Handler;
	readonly timeout?: Record<string, number>;
	readonly expected: Answer | {readonly name: string; readonly code: string};
};

const broken = {name: 'ReadError', code: 'ECONNRESET'};

const seconds: Record<string, Second> = {
	'a 200': {
		handler(stream) {
			respondHttp2(stream, fresh);
		},
		expected: {statusCode: 200, body: 'new', status: 'miss'},
	},
	'a 304': {
		handler(stream) {
			respondHttp2(stream, another);
		},
		expected: {statusCode: 304, body: '', status: 'miss'},
	},
	'a 503': {
		handler(stream) {
			respondHttp2(stream, {status: 503, body: 'broken'});
		},
		expected: {name: 'HTTPError', code: 'ERR_NON_2XX_3XX_RESPONSE'},
	},
	'a reset': {
		handler(stream) {
			stream.close(constants.NGHTTP2_INTERNAL_ERROR);
		},
		expected: broken,
	},
	'a refusal': {
		handler(stream) {
			stream.close(constants.NGHTTP2_REFUSED_STREAM);
		},
		expected: broken,
	},
	'the end of the session': {
		handler(stream) {
			stream.session?.destroy();
		},
		expected: isGot15 ? broken : {name: 'RequestError', code: 'ERR_GOT_REQUEST_ERROR'},
	},
	'the end of the session in the body': {
		handler(stream) {
			beginHttp2(stream, {...fresh.headers, 'content-length': 10});
			stream.write('half ', () => stream.session?.ping(() => stream.session?.destroy()));
		},
		expected: {name: 'ReadError', code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'},
	},
	...Object.fromEntries(['request', 'socket'].map(name => [`no answer before \`timeout.${name}\``, {
		handler: () => undefined,
		timeout: {[name]: 500},
		// As of got 15 alone.
		expected: isGot15 ? broken : {name: 'TimeoutError', code: 'ETIMEDOUT'},
	}])),
};

const outcomeOf = async (answer: Promise<Answer>): Promise<Answer | {name: string; code: string}> => {
	try {
		return await answer;
	} catch (error) {
		const {name, code} = error as Error & {code: string};
		return {name, code};
	}
};

/** Until the client has given up its last stream. */
const assertNoStreams = async ({streams}: Http2Origin): Promise<void> => {
	for (let turn = 0; turn < 1000 && streams.size > 0; turn++) {
		await nextTurn();
	}

	assert.equal(streams.size, 0);
};

await suite('over HTTP/2, the origin is asked again', () => {
	for (const kind of ['promise', 'stream'] as const) {
		for (const [why, first] of Object.entries(mismatches)) {
			for (const [name, {handler, timeout, expected}] of Object.entries(seconds)) {
				test(`${kind}: after a 304 ${why}, which leads to ${name}`, async ({mock}) => {
					await using setup = await setUp();
					const {client, origin} = setup;
					const ask = kinds[kind];
					origin.queue(stale, first);
					origin.handler = handler;
					await ask(client, 'items');

					const again = async () => outcomeOf(ask(client, 'items', {timeout}));
					// Node's timers for sockets cannot be faked.
					const outcome = await (timeout?.request === undefined ? again() : outwait(mock, origin, again));
					mock.timers.reset();
					assert.deepEqual(outcome, expected);
					assert.equal(origin.requests[1]?.['if-none-match'], '"1"');
					assert.equal(origin.requests[2]?.['if-none-match'], undefined);
					await assertNoStreams(origin);
				});
			}
		}

		for (const [why, end] of Object.entries(ends)) {
			test(`${kind}: after a 304 with another entity tag and ${why}`, async () => {
				await using setup = await setUp();
				const {client, origin, holdUntilEnd} = setup;
				const ask = kinds[kind];
				origin.queue(stale, stream => {
					const {session} = stream;
					holdUntilEnd(session as ServerHttp2Session);
					respondHttp2(stream, another);
					session?.ping(() => {
						end(session as ServerHttp2Session);
					});
				}, fresh);
				await ask(client, 'items');
				assert.deepEqual(await ask(client, 'items'), {statusCode: 200, body: 'new', status: 'miss'});
				assert.equal(origin.requests.length, 3);
				assert.deepEqual(await ask(client, 'items'), {statusCode: 200, body: 'new', status: 'hit'});
				await assertNoStreams(origin);
			});
		}
	}
});

const isNew = {statusCode: 200, body: 'new', status: 'miss'};

const ways: Record<string, OptionsInit> = {
	'without sessions that are kept': {agent: {http2: false}},
	'with a request function that leaves it to got': {request: () => undefined},
	'with a `beforeRequest` hook behind the cache': {
		hooks: {
			beforeRequest: [options => {
				options.headers['x-late'] = 'yes';
			}],
		},
	},
};

for (const kind of ['promise', 'stream'] as const) {
	for (const [name, options] of Object.entries(ways)) {
		test(`over HTTP/2, ${name}, the origin is asked again: ${kind}`, async () => {
			await using setup = await setUp();
			const {origin} = setup;
			const client = setup.client.extend(options);
			origin.handler = (stream, {'if-none-match': tag}) => {
				respondHttp2(stream, tag === undefined ? fresh : another);
			};

			origin.queue(stale);
			await kinds[kind](client, 'items');
			assert.deepEqual(await kinds[kind](client, 'items'), isNew);
			assert.equal(origin.requests.length, 3);
			await assertNoStreams(origin);
		});
	}

	test(`over HTTP/2, nothing is left of fifty requests that were made again: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		const warnings: Error[] = [];
		const warn = (warning: Error) => {
			warnings.push(warning);
		};

		process.on('warning', warn);
		const ask = async () => {
			origin.queue(stale, another, {body: 'new'});
			await kinds[kind](client, 'items');
			assert.deepEqual(await kinds[kind](client, 'items'), isNew);
		};

		await ask();
		const sessions = [...origin.sessions];
		for (let count = 0; count < 50; count++) {
			await ask();
		}

		process.off('warning', warn);
		assert.deepEqual(warnings, []);
		assert.deepEqual([...origin.sessions], sessions);
		await assertNoStreams(origin);
	});

	test(`over HTTP/2, a 304 without an entity tag is about what was asked: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale, {status: 304});
		await kinds[kind](client, 'items');
		assert.deepEqual(await kinds[kind](client, 'items'), {statusCode: 200, body: 'stored', status: 'revalidated'});
		assert.equal(origin.requests.length, 2);
	});

	test(`over HTTP/2, a 304 that nobody asked for is the caller's, and the origin is not asked again: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(another);
		assert.deepEqual(await kinds[kind](client, 'items'), {statusCode: 304, body: '', status: 'miss'});
		assert.equal(origin.requests.length, 1);
	});

	test(`over HTTP/2, the origin is asked again at the end of a redirect: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale, {status: 302, headers: {location: '/items'}}, another, fresh);
		await kinds[kind](client, 'items');
		assert.deepEqual(await kinds[kind](client, 'from'), isNew);
		assert.deepEqual(origin.requests.map(headers => headers[':path']), ['/items', '/from', '/items', '/items']);
		assert.deepEqual(await kinds[kind](client, 'items'), {...isNew, status: 'hit'});
	});

	test(`over HTTP/2, a redirect may answer when the origin is asked again: ${kind}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(stale, another, {status: 302, headers: {location: '/to'}}, fresh);
		await kinds[kind](client, 'items');
		assert.deepEqual(await kinds[kind](client, 'items'), isNew);
		assert.deepEqual(origin.requests.map(headers => headers[':path']), ['/items', '/items', '/items', '/to']);
	});

	test(`over HTTP/2, those who wait for a request that is made again have its answer: ${kind}`, async ({mock}) => {
		mock.timers.enable({apis: ['Date'], now: Date.now()});
		await using setup = await setUp();
		const {client, origin} = setup;
		const {promise: isReady, resolve: ready} = Promise.withResolvers<void>();
		const answerLater = async (stream: ServerHttp2Stream) => {
			await isReady;
			respondHttp2(stream, another);
		};

		origin.queue({...stale, headers: {...stale.headers, 'cache-control': 'max-age=60'}}, answerLater, stream => {
			// Node remembers the date for a second.
			respondHttp2(stream, {...fresh, headers: {...fresh.headers, date: new Date().toUTCString()}});
		});
		await kinds[kind](client, 'items');
		mock.timers.tick(61_000);
		const answers = Array.from({length: 10}, async () => kinds[kind](client, 'items'));
		// Until the others wait, too.
		for (let turn = 0; turn < 100 || origin.requests.length < 2; turn++) {
			await nextTurn();
		}

		ready();
		const bodies = await Promise.all(answers);
		assert.deepEqual(new Set(bodies.map(({body}) => body)), new Set(['new']));
		assert.equal(origin.requests.length, 3);
		await assertNoStreams(origin);
	});

	test(`over HTTP/2, a refresh in the background is made again: ${kind}`, async () => {
		await using setup = await setUp();
		const {cache, client, origin} = setup;
		origin.queue({...stale, headers: {...stale.headers, 'cache-control': 'max-age=0, stale-while-revalidate=60'}}, another, fresh);
		await kinds[kind](client, 'items');
		assert.deepEqual(await kinds[kind](client, 'items'), {statusCode: 200, body: 'stored', status: 'stale'});
		while (!await cache.has(`${origin.url}/items`) || origin.requests.length < 3) {
			await nextTurn();
		}

		assert.deepEqual(await kinds[kind](client, 'items'), {...isNew, status: 'hit'});
		assert.equal(origin.requests.length, 3);
		await assertNoStreams(origin);
	});
}

const whole = {headers: {'cache-control': 'max-age=60', etag: '"1"'}, body: '0123456789'};

const missingParts: Record<string, Http2Response> = {
	'a 416': {status: 416, headers: {'content-range': 'bytes */10'}},
	'a part of something else': {status: 206, headers: {etag: '"2"', 'content-range': 'bytes 5-9/10'}, body: '56789'},
	'another part': {status: 206, headers: {etag: '"1"', 'content-range': 'bytes 7-9/10'}, body: '789'},
	'a part that is shorter than it says': {status: 206, headers: {etag: '"1"', 'content-range': 'bytes 5-9/10'}, body: '567'},
};

for (const [name, part] of Object.entries(missingParts)) {
	test(`over HTTP/2, the whole is asked for where the missing part is ${name}`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue({status: 206, headers: {...whole.headers, 'content-range': 'bytes 0-4/10'}, body: '01234'}, part, whole);
		await kinds.promise(client, 'items', {headers: {range: 'bytes=0-4'}});
		assert.deepEqual(await kinds.promise(client, 'items'), {statusCode: 200, body: whole.body, status: 'miss'});
		assert.deepEqual(origin.requests.map(({range}) => range), ['bytes=0-4', 'bytes=5-', undefined]);
		await assertNoStreams(origin);
	});
}

test('over HTTP/2, the origin is asked again where it names a variant that is not stored', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const variant = (tag: string, body: string) => ({headers: {'cache-control': 'max-age=60', vary: 'accept-language', etag: `"${tag}"`}, body});
	origin.queue(variant('1', 'English'), variant('2', 'German'), {status: 304, headers: {etag: '"3"'}}, variant('3', 'French'));
	for (const language of ['en', 'de']) {
		await kinds.promise(client, 'items', {headers: {'accept-language': language}});
	}

	assert.deepEqual(await kinds.promise(client, 'items', {headers: {'accept-language': 'fr'}}), {statusCode: 200, body: 'French', status: 'miss'});
	assert.deepEqual(origin.requests.map(headers => headers['if-none-match']), [undefined, '"1"', '"2", "1"', undefined]);
	await assertNoStreams(origin);
});
