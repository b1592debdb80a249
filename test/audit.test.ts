import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import type {IncomingHttpHeaders} from 'node:http';
import {connect, createServer} from 'node:http2';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test, {suite} from 'node:test';
import {gzipSync} from 'node:zlib';
import {createAuditor} from '../source/audit/auditor.ts';
import {resolveAuditOptions} from '../source/audit/options.ts';
import {audit, type Audit, type AuditOptions, type WrongAnswer} from '../source/audit.ts';
import {listenToHits} from '../source/got/state/hits.ts';
import type {RedisCacheOptions} from '../source/index.ts';
import {holdNext, respond, startOrigin, type PlainResponse} from './helpers/origin.ts';
import {startRedis} from './helpers/redis.ts';
import {unlessFast} from './helpers/runs.ts';
import {runScript} from './helpers/script.ts';
import {isGot15, setUp, settleWrites, type Setup} from './got/helpers.ts';
import {readStream} from './got/read-stream.ts';

const root = path.resolve(import.meta.dirname, '..');

const cached = {'cache-control': 'public, max-age=60'};

type Scene = Setup & {
	readonly hits: Audit;
	readonly wrong: WrongAnswer[];
	readonly errors: Error[];
	/** Has the origin answer by what it is asked. */
	answerBy(answer: (headers: IncomingHttpHeaders, url: string) => PlainResponse): void;
	/** Stores a response, with the header fields of another request. */
	store(headers?: Record<string, string>, url?: string): Promise<void>;
};

/** A cache, every hit of which is audited. */
const setUpAudit = async (options: Partial<AuditOptions> = {}, cacheOptions: RedisCacheOptions = {}): Promise<Scene> => {
	const setup = await setUp(cacheOptions);
	const hits = audit(setup.cache, {share: 1, ...options});
	const wrong: WrongAnswer[] = [];
	const errors: Error[] = [];
	hits.on('wrong', report => {
		wrong.push(report);
	}).on('error', error => {
		errors.push(error);
	});

	return {
		...setup,
		hits,
		wrong,
		errors,
		answerBy(answer) {
			setup.origin.handler = ({headers, url}, response) => {
				respond(response, answer(headers, url));
			};
		},
		async store(headers = {}, url = 'items') {
			await setup.client(url, {headers});
			await settleWrites(setup);
		},
		async [Symbol.asyncDispose]() {
			hits.close();
			await setup[Symbol.asyncDispose]();
		},
	};
};

const doNothing = () => undefined;

const told = ({cause, names, isProven}: WrongAnswer) => ({cause, names, isProven});

const ways = {
	promise: async ({client}: Setup, headers: Record<string, string> = {}) => (await client('items', {headers})).body,
	'promise with a hook': async ({client}: Setup, headers: Record<string, string> = {}) => (await client('items', {headers, hooks: {afterResponse: [response => response]}})).body,
	stream: async ({client}: Setup, headers: Record<string, string> = {}) => (await readStream(client.stream('items', {headers}))).body,
};

/** Got 15 takes no session. */
const overHttp2 = {skip: isGot15};

/** An HTTP/2 origin without TLS, and the session that leads to it. */
const startHttp2Origin = async () => {
	const origin = {body: 'old'};
	const server = createServer((_request, response) => {
		response.writeHead(200, cached);
		response.end(origin.body);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const session = connect(url);

	return Object.assign(origin, {
		url,
		session,
		async [Symbol.asyncDispose]() {
			const closed = once(server, 'close');
			session.destroy();
			server.close();
			await closed;
		},
	});
};

await suite('a right answer', () => {
	for (const [way, ask] of Object.entries(ways)) {
		test(`is counted as such, ${way}`, async () => {
			await using scene = await setUpAudit();
			scene.answerBy(() => ({headers: cached, body: 'same'}));
			await scene.store();
			await ask(scene);
			await scene.hits.whenIdle();

			assert.equal(scene.origin.requests.length, 2);
			assert.deepEqual(scene.hits.stats(), {
				audited: 1, wrong: 0, rate: 0, unstable: 0, failed: 0, skipped: 0,
				byCause: {vary: 0, credentials: 0, parameter: 0, lifetime: 0, unknown: 0},
			});
			assert.deepEqual([scene.wrong, scene.errors], [[], []]);
		});
	}

	test('may differ in Date, Age, cookies, validators, identifiers and ignored fields', async () => {
		await using scene = await setUpAudit({ignore: ['X-Build']});
		let count = 0;
		scene.answerBy(() => {
			count++;
			return {
				headers: {
					...cached, age: String(count), date: new Date(Date.now() - (count * 1000)).toUTCString(), expires: new Date(Date.now() + (count * 1000)).toUTCString(), etag: `"${count}"`,
					'x-request-id': String(count), via: `1.1 proxy${count}`, 'x-build': String(count), 'server-timing': `total;dur=${count}`,
				},
				body: 'same',
			};
		});
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong, scene.origin.requests.length], [1, 0, 2]);
	});

	test('may differ in a nonce that is ignored, however often it occurs', async () => {
		await using scene = await setUpAudit({ignore: [/nonce="\d+"/v]});
		let count = 0;
		scene.answerBy(() => ({headers: cached, body: `<script nonce="${++count}"></script><style nonce="${count}">é</style>`}));
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong, scene.origin.requests.length], [1, 0, 2]);
	});

	test('may differ as `compare` allows', async () => {
		await using scene = await setUpAudit({compare: (stored, current) => Buffer.from(stored.body).toString().trim() === Buffer.from(current.body).toString().trim()});
		scene.origin.queue({headers: cached, body: 'same'}, {headers: cached, body: ' same\n'});
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [1, 0]);
	});

	test('may differ in a field that each response has otherwise', async () => {
		await using scene = await setUpAudit();
		let count = 0;
		scene.answerBy(() => ({headers: {...cached, 'x-unheard-of': String(++count)}, body: 'same'}));
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong, scene.hits.stats().unstable], [1, 0, 0]);
	});

	test('to HEAD is compared without a body', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(() => ({headers: cached, body: 'same'}));
		await scene.store();
		await scene.client.head('items');
		await scene.hits.whenIdle();

		assert.equal(scene.origin.requests[1]?.method, 'HEAD');
		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [1, 0]);
	});

	test('to a part or a precondition is compared as a whole', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(() => ({headers: {...cached, etag: '"1"'}, body: 'same'}));
		await scene.store();
		assert.equal((await scene.client('items', {headers: {range: 'bytes=0-1'}})).statusCode, 206);
		assert.equal((await scene.client('items', {headers: {'if-none-match': '"1"'}})).statusCode, 304);
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [2, 0]);
		assert.ok(scene.origin.requests.every(({headers}) => headers.range === undefined && headers['if-none-match'] === undefined));
	});

	test('to QUERY is compared with the same content', async () => {
		await using scene = await setUpAudit({}, {methods: ['GET', 'QUERY']});
		scene.origin.handler = ({body}, response) => {
			respond(response, {headers: cached, body: Buffer.from(body)});
		};

		for (let count = 0; count < 2; count++) {
			await scene.client('items', {method: 'QUERY' as 'GET', json: {q: 1}, allowGetBody: true});
			await settleWrites(scene);
		}

		await scene.hits.whenIdle();
		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [1, 0]);
		assert.equal(Buffer.from(scene.origin.requests[1]!.body).toString(), '{"q":1}');
	});
});

await suite('a wrong answer', () => {
	for (const [way, ask] of Object.entries(ways)) {
		test(`by a field missing in Vary is found with the field, ${way}`, async () => {
			await using scene = await setUpAudit();
			scene.answerBy(({'accept-language': language = 'en'}) => ({headers: cached, body: language}));
			await scene.store({accept: 'text/html', 'x-app': '1'});
			assert.equal(await ask(scene, {'accept-language': 'de', accept: 'text/html', 'x-app': '1'}), 'en');
			await scene.hits.whenIdle();

			assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'vary', names: ['accept-language'], isProven: true}]);
			const [{advice, differences, url, storedStatusCode, statusCode, lifetimeSeconds, method}] = scene.wrong as [WrongAnswer];
			assert.equal(advice, 'The origin should send `Vary: Accept-Language`; until then, pass `matchHeaders: [\'accept-language\']` to redisCache().');
			assert.deepEqual({differences, url, storedStatusCode, statusCode, lifetimeSeconds, method}, {
				differences: ['body'], url: `${scene.origin.url}/items`, storedStatusCode: 200, statusCode: 200, lifetimeSeconds: 60, method: 'GET',
			});
			assert.deepEqual([scene.hits.stats().rate, scene.hits.stats().byCause.vary], [1, 1]);
			assert.ok(scene.origin.requests.length <= 2 + 4);
		});
	}

	test('by a field missing in Vary is proven where the stored response names its language', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(({'accept-language': language = 'en'}) => ({headers: {...cached, 'content-language': language}, body: language}));
		await scene.store({'accept-language': 'fr'});
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'vary', names: ['accept-language'], isProven: true}]);
		assert.deepEqual(scene.wrong[0]?.differences, ['body', 'content-language']);
	});

	for (const name of ['accept', 'origin', 'user-agent', 'x-tenant']) {
		test(`by ${name} missing in Vary is found`, async () => {
			await using scene = await setUpAudit();
			scene.answerBy(headers => ({headers: cached, body: `${headers[name] as string | undefined}`}));
			await scene.store({[name]: 'one/1'});
			await scene.client('items', {headers: {[name]: 'two/2'}});
			await scene.hits.whenIdle();

			assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'vary', names: [name], isProven: false}]);
		});
	}

	test('by a field of a request without which the origin refuses it is not blamed on that field', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(headers => headers['x-version'] === undefined ? {status: 400} : {headers: cached, body: String(headers['accept-language'])});
		await scene.store({'x-version': '1', 'accept-language': 'en'});
		await scene.client('items', {headers: {'x-version': '1', 'accept-language': 'de'}});
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'vary', names: ['accept-language'], isProven: false}]);
	});

	test('by a field that Vary names is none', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(({'accept-language': language = 'en'}) => ({headers: {...cached, vary: 'accept-language'}, body: language}));
		await scene.store({'accept-language': 'fr'});
		await scene.store({'accept-language': 'de'});
		await scene.client('items', {headers: {'accept-language': 'de'}});
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [1, 0]);
	});

	for (const name of ['authorization', 'cookie', 'x-api-key']) {
		test(`by ${name} is found as one of credentials`, async () => {
			await using scene = await setUpAudit();
			scene.answerBy(headers => ({headers: cached, body: `${headers[name] as string | undefined}`}));
			await scene.store({[name]: 'Bearer one'});
			await scene.client('items', {headers: {[name]: 'Bearer two'}});
			await scene.hits.whenIdle();

			assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'credentials', names: [name], isProven: false}]);
			assert.match(scene.wrong[0]!.advice, /`Cache-Control: private`.*`user`/v);
			assert.doesNotMatch(JSON.stringify(scene.wrong), /Bearer/v);
		});
	}

	test('to somebody whom the origin refuses is one of credentials', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(({authorization}) => authorization === undefined ? {status: 401} : {headers: cached, body: 'secret'});
		await scene.store({authorization: 'Bearer one'});
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'credentials', names: [], isProven: true}]);
		assert.deepEqual([scene.wrong[0]?.storedStatusCode, scene.wrong[0]?.statusCode], [200, 401]);
	});

	test('by an ignored parameter is found with the parameter', async () => {
		await using scene = await setUpAudit({}, {ignoredParameters: ['page', 'utm_source']});
		scene.answerBy((_headers, url) => ({headers: cached, body: new URL(url, 'http://a').searchParams.get('page') ?? 'none'}));
		await scene.store({}, 'items?page=1&utm_source=a');
		await scene.client('items?page=2&utm_source=b');
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'parameter', names: ['page'], isProven: false}]);
		assert.equal(scene.wrong[0]?.advice, 'The response depends on the parameter `page`: remove it from `ignoredParameters`.');
	});

	test('by a lifetime that is too long is found by Last-Modified', async () => {
		await using scene = await setUpAudit();
		scene.origin.queue({headers: {...cached, age: '20', 'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT'}, body: 'old'});
		scene.answerBy(() => ({headers: {...cached, 'last-modified': 'Thu, 02 Jan 2025 00:00:00 GMT'}, body: 'new'}));
		await scene.store();
		await scene.client('items', {headers: {authorization: 'Bearer one', 'accept-language': 'de'}});
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'lifetime', names: [], isProven: true}]);
		const [{advice, ageSeconds, remainingSeconds}] = scene.wrong as [WrongAnswer];
		assert.match(advice, /^The response changed 2\d s into a lifetime of 60 s: the origin should send a shorter `max-age`; until then, set `expireAfter`, or purge it/v);
		assert.ok(ageSeconds >= 20);
		assert.equal(Math.round(ageSeconds + remainingSeconds), 60);
	});

	test('by a lifetime of the user\'s own is found as one', async () => {
		await using scene = await setUpAudit({}, {expireAfter: 'never'});
		scene.origin.queue({body: 'old'});
		scene.answerBy(() => ({body: 'new'}));
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'lifetime', names: [], isProven: false}]);
		assert.match(scene.wrong[0]!.advice, /a lifetime of any length: give it a shorter `expireAfter`/v);
		assert.equal(scene.wrong[0]?.lifetimeSeconds, Infinity);
	});

	test('whose cause cannot be told is unknown where the origin wants credentials', async () => {
		await using scene = await setUpAudit();
		let body = 'old';
		scene.answerBy(({authorization}) => authorization === undefined ? {status: 401} : {headers: cached, body});
		await scene.store({authorization: 'Bearer one'});
		body = 'new';
		await scene.client('items', {headers: {authorization: 'Bearer one'}});
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'unknown', names: ['authorization'], isProven: false}]);
		assert.match(scene.wrong[0]!.advice, /^Either the response depends on who asks \(`Authorization`\)/v);
	});

	test('is reported without the credentials in its URL', async () => {
		await using scene = await setUpAudit();
		scene.origin.queue({headers: cached, body: 'old'});
		scene.answerBy(() => ({headers: cached, body: 'new'}));
		await scene.store({}, 'items?api_key=secret');
		await scene.client('items?api_key=secret');
		await scene.hits.whenIdle();

		assert.equal(scene.wrong[0]?.url, `${scene.origin.url}/items?api_key=REDACTED`);
		assert.equal(await scene.cache.deleteByKey(scene.wrong[0].key), true);
		assert.equal(await scene.cache.has(`${scene.origin.url}/items?api_key=secret`), false);
	});

	test('costs the origin five requests at most', async () => {
		await using scene = await setUpAudit();
		const names = Array.from({length: 12}, (_, index) => `x-field-${index}`);
		scene.answerBy(headers => ({headers: cached, body: `${headers['x-field-9'] as string | undefined}`}));
		await scene.store();
		await scene.client('items', {headers: {...Object.fromEntries(names.map(name => [name, '1'])), cookie: 'a=1'}});
		await scene.hits.whenIdle();

		assert.equal(scene.origin.requests.length, 1 + 5);
		assert.equal(scene.wrong[0]?.cause, 'vary');
		assert.ok(scene.wrong[0].names.includes('x-field-9'));
		assert.ok(scene.wrong[0].names.length <= 4);
	});
});

await suite('a hit that cannot be compared', () => {
	test('because the origin says something else each time is counted apart', async () => {
		await using scene = await setUpAudit();
		let count = 0;
		scene.answerBy(() => ({headers: cached, body: String(count++)}));
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		const {audited, wrong, unstable} = scene.hits.stats();
		assert.deepEqual([audited, wrong, unstable, scene.wrong.length], [0, 0, 1, 0]);
		assert.equal(scene.origin.requests.length, 3);
	});

	for (const status of [429, 503]) {
		test(`because the origin answers ${status} is counted as failed`, async () => {
			await using scene = await setUpAudit();
			scene.origin.queue({headers: cached, body: 'stored'}, {status});
			await scene.store();
			await scene.client('items');
			await scene.hits.whenIdle();

			const {audited, failed} = scene.hits.stats();
			assert.deepEqual([audited, failed], [0, 1]);
			assert.equal(scene.errors[0]?.message, `got-redis-cache: A hit could not be audited, GET ${scene.origin.url}/items: the origin answered ${status}`);
		});
	}

	test('because the origin is gone is counted as failed, and no request fails', async () => {
		await using scene = await setUpAudit();
		scene.origin.queue({headers: cached, body: 'stored'});
		await scene.store();
		await scene.origin.stop();
		assert.equal((await scene.client('items')).body, 'stored');
		await scene.hits.whenIdle();

		assert.equal(scene.hits.stats().failed, 1);
		assert.equal(scene.errors.length, 1);
	});

	test('because it is stale, or the origin must not be asked, is passed over', async () => {
		await using scene = await setUpAudit();
		scene.origin.queue({headers: {'cache-control': 'max-age=1', age: '1', etag: '"1"'}, body: 'stored'}, {headers: cached, body: 'fresh'});
		await scene.store({}, 'stale');
		await scene.store();
		await scene.client('stale', {headers: {'cache-control': 'max-stale'}});
		await scene.client('items', {context: {cache: {onlyIfCached: true}}});
		await scene.hits.whenIdle();

		assert.equal(scene.origin.requests.length, 2);
		assert.equal(scene.hits.stats().audited, 0);
	});

	test('because its origin is frozen is passed over', async () => {
		await using scene = await setUpAudit();
		scene.origin.queue({headers: cached, body: 'stored'});
		await scene.store();
		await scene.cache.freeze({origin: scene.origin.url}, '1m');
		assert.equal((await scene.client('items')).body, 'stored');
		await scene.hits.whenIdle();

		assert.deepEqual([scene.origin.requests.length, scene.hits.stats().audited], [1, 0]);
	});

	test('because servers take turns with two versions is unstable', async () => {
		await using scene = await setUpAudit();
		const bodies = ['a', 'b', 'b', 'a', 'a'];
		scene.answerBy(() => ({headers: cached, body: bodies.shift()}));
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.deepEqual([scene.hits.stats().unstable, scene.hits.stats().wrong], [1, 0]);
	});

	test('because a function of the user\'s throws is told in an error event', async () => {
		await using scene = await setUpAudit({
			compare() {
				throw new Error('No JSON');
			},
		});
		scene.origin.queue({headers: cached, body: 'stored'}, {headers: cached, body: 'new'});
		await scene.store();
		await scene.client('items');
		await scene.hits.whenIdle();

		assert.match(scene.errors[0]!.message, /No JSON$/v);
	});
});

await suite('the request of an audit', () => {
	test('is the caller\'s, with his credentials and hooks, and leaves the store and his cookie jar alone', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(headers => ({
			headers: {...cached, vary: 'cookie, authorization', 'set-cookie': 'b=2'},
			body: `${String(headers['x-signed'])} ${String(headers.cookie)} ${String(headers.authorization)}`,
		}));
		const set: string[] = [];
		const client = scene.client.extend({
			cookieJar: {
				async getCookieString() {
					return 'a=1';
				},
				async setCookie(cookie: string) {
					set.push(cookie);
				},
			},
			hooks: {
				beforeRequest: [options => {
					options.headers['x-signed'] = 'yes';
				}],
			},
			username: 'me',
			password: 'secret',
		});
		const reports: string[] = [];
		scene.cache.on('exchange', ({status}) => {
			reports.push(status);
		});
		await client('items');
		await settleWrites(scene);
		const keys = await scene.redis.client.keys('*');
		await client('items');
		await scene.hits.whenIdle();
		await settleWrites(scene);

		const [first, second] = scene.origin.requests;
		assert.deepEqual(second?.headers, first?.headers);
		assert.deepEqual(reports, ['miss', 'hit']);
		assert.equal(set.length, 1);
		assert.deepEqual((await scene.redis.client.keys('*')).toSorted(), keys.toSorted());
		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [1, 0]);
	});

	test('of a user known by name has his credentials, which are not suspected', async () => {
		await using scene = await setUpAudit({}, {user: ({headers}) => String(headers['x-user'])});
		let body = 'old';
		scene.answerBy(({authorization}) => ({headers: {'cache-control': 'private, max-age=60'}, body: `${authorization ?? ''} ${body}`}));
		await scene.store({'x-user': 'me', authorization: 'Bearer one'});
		body = 'new';
		await scene.client('items', {headers: {'x-user': 'me', authorization: 'Bearer one'}});
		await scene.hits.whenIdle();

		assert.ok(scene.origin.requests.every(({headers}) => headers.authorization === 'Bearer one'));
		assert.equal(scene.wrong[0]?.cause, 'lifetime');
	});

	test('follows no redirect', async () => {
		await using scene = await setUpAudit();
		scene.answerBy((_headers, url) => url === '/from' ? {status: 301, headers: {...cached, location: '/items'}} : {headers: cached, body: 'to'});
		await scene.store({}, 'from');
		await scene.client('from');
		await scene.hits.whenIdle();

		assert.deepEqual(scene.origin.requests.map(({url}) => url).toSorted(), ['/from', '/from', '/items', '/items']);
		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [2, 0]);
	});

	test('is decoded as the caller\'s is, or not', async () => {
		await using scene = await setUpAudit();
		scene.answerBy(() => ({headers: {...cached, 'content-encoding': 'gzip'}, body: gzipSync('same')}));
		for (const decompress of [true, false]) {
			await scene.client('items', {decompress});
			await settleWrites(scene);
			await scene.client('items', {decompress});
			await scene.hits.whenIdle();
		}

		assert.equal(scene.origin.requests.length, 4);
		assert.deepEqual([scene.hits.stats().audited, scene.hits.stats().wrong], [2, 0]);
	});

	test('goes over the caller\'s HTTP/2 session', overHttp2, async () => {
		await using scene = await setUpAudit();
		await using origin = await startHttp2Origin();
		const client = scene.client.extend({prefixUrl: origin.url, h2session: origin.session});
		await client('items');
		await settleWrites(scene);
		origin.body = 'new';
		await client('items');
		await scene.hits.whenIdle();

		assert.deepEqual(scene.wrong.map(report => told(report)), [{cause: 'lifetime', names: [], isProven: false}]);
	});

	test('outlives the caller\'s, and ends with `close()`', async () => {
		await using scene = await setUpAudit();
		scene.origin.queue({headers: cached, body: 'stored'});
		await scene.store();
		const held = holdNext(scene.origin);
		const controller = new AbortController();
		await scene.client('items', {signal: controller.signal, timeout: {request: 10_000}});
		controller.abort();
		await held.arrived;
		scene.hits.close();
		await scene.hits.whenIdle();
		held.release();

		assert.deepEqual([scene.hits.stats().failed, scene.errors], [0, []]);
		await scene.client('items');
		await scene.hits.whenIdle();
		assert.equal(scene.origin.requests.length, 2);
	});

	test('is one of few at a time, and hits beyond a hundred that wait are passed over', async () => {
		await using scene = await setUpAudit({concurrency: 1});
		scene.answerBy(() => ({headers: cached, body: 'stored'}));
		await scene.store();
		const held = holdNext(scene.origin);
		await Promise.all(Array.from({length: 111}, async () => scene.client('items')));
		await held.arrived;
		assert.equal(scene.origin.requests.length, 2);
		assert.equal(scene.hits.stats().skipped, 10);
		held.release();
		await scene.hits.whenIdle();

		assert.equal(scene.hits.stats().audited, 101);
	});
});

test('a response that is larger than a stored one may be is not read to its end, and counts as failed', async () => {
	await using scene = await setUpAudit({}, {maxBodySize: 1000});
	scene.answerBy(() => ({headers: cached, body: 'short'}));
	await scene.store();
	const closed = Promise.withResolvers<void>();
	scene.origin.handler = (_request, response) => {
		response.writeHead(200, cached);
		const write = () => {
			while (response.write('x'.repeat(10_000))) {
				// Until the reader is behind.
			}
		};

		response.on('drain', write).once('close', closed.resolve);
		write();
	};

	await scene.client('items');
	await scene.hits.whenIdle();
	await closed.promise;

	assert.deepEqual([scene.hits.stats().failed, scene.hits.stats().audited], [1, 0]);
	assert.match(scene.errors[0]?.message ?? '', /could not be audited, GET .*\/items: the body has more than 1000 bytes/v);
});

test('a listener that throws fails nothing, and an error event tells of it', async () => {
	await using scene = await setUpAudit();
	scene.hits.on('wrong', () => {
		throw new Error('Oops');
	});
	scene.origin.queue({headers: cached, body: 'old'});
	scene.answerBy(() => ({headers: cached, body: 'new'}));
	await scene.store();
	await scene.client('items');
	await scene.hits.whenIdle();

	assert.equal(scene.hits.stats().wrong, 1);
	assert.equal(scene.errors[0]?.message, 'got-redis-cache: A listener of the event `wrong` threw: Oops');
});

test('the share 0 asks nothing', async () => {
	await using scene = await setUpAudit({share: 0});
	scene.answerBy(() => ({headers: cached, body: 'stored'}));
	await scene.store();
	await scene.client('items');
	await scene.hits.whenIdle();

	assert.equal(scene.origin.requests.length, 1);
});

test('a share is chosen at random', async () => {
	await using setup = await setUp();
	const {origin, cache, client} = setup;
	origin.handler = (_request, response) => {
		respond(response, {headers: cached, body: 'stored'});
	};

	const numbers = [0, 0.249, 0.25, 0.9, 0.1];
	const auditor = createAuditor(resolveAuditOptions({share: 0.25}), {wrong: doNothing, failed: doNothing}, () => numbers.shift() ?? 1);
	const stop = listenToHits(cache, auditor.onHit);
	await client('items');
	await settleWrites(setup);
	for (let count = 0; count < 6; count++) {
		await client('items');
	}

	stop?.();
	await auditor.whenIdle();
	assert.equal(auditor.stats().audited, 3);
});

test('a cache that is closed has no hits, and its audit goes on without any', async () => {
	await using scene = await setUpAudit();
	scene.answerBy(() => ({headers: cached, body: 'stored'}));
	await scene.store();
	await scene.cache.close();
	assert.equal((await scene.client('items')).body, 'stored');
	await scene.hits.whenIdle();

	assert.equal(scene.hits.stats().audited, 0);
	assert.equal(scene.origin.requests.length, 2);
});

test('several audits of a cache do not disturb each other', async () => {
	await using scene = await setUpAudit();
	using second = audit(scene.cache, {share: 1});
	scene.answerBy(() => ({headers: cached, body: 'stored'}));
	await scene.store();
	scene.hits.close();
	await scene.client('items');
	await second.whenIdle();

	assert.deepEqual([scene.hits.stats().audited, second.stats().audited], [0, 1]);
});

test('wrong arguments throw an error that says what is expected', async () => {
	await using setup = await setUp();
	const {cache} = setup;
	const wrongCalls: ReadonlyArray<readonly [given: readonly unknown[], message: RegExp]> = [
		[[{}, {share: 1}], /^Expected a cache that redisCache\(\) made in audit\(\), got an object of class Object$/v],
		[[undefined, {share: 1}], /^Expected a cache that redisCache\(\) made in audit\(\), got undefined$/v],
		[[cache], /^Expected an object with options in audit\(\), got undefined$/v],
		[[cache, {}], /^Expected the option `share` in audit\(\) to be a number from 0 to 1, .*, got undefined$/v],
		[[cache, {share: 2}], /^Expected the option `share`.*, got 2$/v],
		[[cache, {share: 1, rate: 1}], /^Unknown option `rate` in audit\(\)/v],
		[[cache, {share: 1, ignore: ['a b']}], /^Expected the option `ignore`/v],
		[[cache, {share: 1, compare: true}], /^Expected the option `compare`/v],
		[[cache, {share: 1, concurrency: 0}], /^Expected the option `concurrency`/v],
	];
	for (const [given, message] of wrongCalls) {
		assert.throws(() => Reflect.apply(audit, undefined, given), {name: 'TypeError', message});
	}

	using hits = audit(cache, {share: 1});
	assert.throws(() => hits.on('right' as 'wrong', doNothing), {name: 'TypeError', message: 'Expected the event in on() to be \'wrong\' or \'error\', got \'right\''});
});

test('the example of the documentation prints what it says', async () => {
	const page = await readFile(path.join(root, 'docs/operations.md'), 'utf8');
	const [, code = '', output = ''] = /```js\n(?<code>import \{createServer\}.*?)```\n\n```text\n(?<output>.*?)```/sv.exec(page) ?? [];
	await using redis = await startRedis();
	const runnable = code
		.replace('redisCache()', () => `redisCache({store: '${redis.url}', timeout: '10s'})`)
		.replace('\'got-redis-cache\'', '\'./source/index.ts\'')
		.replace('\'got-redis-cache/audit\'', '\'./source/audit.ts\'');

	assert.deepEqual(await runScript(runnable), {code: 0, stdout: output, stderr: ''});
});

test('an audit keeps no process alive', unlessFast, async () => {
	await using redis = await startRedis();
	await using origin = await startOrigin();
	origin.queue({headers: cached, body: 'stored'}, () => undefined);
	const result = await runScript(`
		import got from 'got';
		import {redisCache} from './source/index.ts';
		import {audit} from './source/audit.ts';

		const cache = redisCache({store: '${redis.url}', timeout: '10s'});
		const client = got.extend(cache);
		const hits = audit(cache, {share: 1});
		await client('${origin.url}');
		console.log((await client('${origin.url}')).isFromCache);
	`);

	assert.deepEqual(result, {code: 0, stdout: 'true\n', stderr: ''});
});
