import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {PassThrough} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import process from 'node:process';
import {test} from 'node:test';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {createGzip} from 'node:zlib';
import type {OptionsOfTextResponseBody} from 'got';
import {cacheInfo, redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {holdNext} from '../helpers/origin.ts';
import {unlessFast} from '../helpers/runs.ts';
import {runScript} from '../helpers/script.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/* What docs/security.md promises of the cache as a whole. */

const statusOf = async ({client}: Pick<Setup, 'client'>, path: string, options?: OptionsOfTextResponseBody) => {
	const response = await client(path, options);
	return `${cacheInfo(response)?.status} ${response.body}`;
};

/* Prototypes. */

const untouched = Object.getOwnPropertyNames(Object.prototype).length;

const assertNothingPolluted = () => {
	const plain: Record<string, unknown> = {};
	assert.equal(plain.polluted, undefined);
	assert.equal(Object.getOwnPropertyNames(Object.prototype).length, untouched);
};

const pollution = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}';

for (const [name, options] of Object.entries({Redis: {}, 'an adapter': {store: createAdapter()}}) as Array<[string, RedisCacheOptions]>) {
	test(`names such as __proto__ in header fields, bodies and URLs are names, with ${name}`, async () => {
		await using setup = await setUp({methods: ['GET', 'POST'], ignoredParameters: ['secret'], tagField: '__proto__', shared: false, ...options});
		const {origin, cache, client} = setup;
		origin.handler = (_request, response) => {
			response.writeHead(200, ['__proto__', 'polluted', 'constructor', 'polluted', 'cache-control', 'max-age=60', 'vary', '__proto__, constructor, toString', 'cache-groups', '"__proto__"']);
			response.end(String(origin.requests.length));
		};

		const headers = JSON.parse('{"__proto__": "a", "constructor": "b", "toString": "c"}') as Record<string, string>;
		for (const status of ['miss 1', 'hit 1']) {
			assert.equal(await statusOf(setup, '__proto__?__proto__[polluted]=1&constructor.prototype.polluted=1', {headers}), status);
		}

		for (const status of ['miss 2', 'hit 2']) {
			assert.equal(await statusOf(setup, 'a', {method: 'POST', body: pollution, headers: {'content-type': 'application/json'}}), status);
		}

		await settleWrites(setup);
		const [entry] = await Array.fromAsync(cache.entries({prefix: `${origin.url}/__proto__`}));
		assert.equal(entry?.headers.constructor, 'polluted');
		// Got sends no field of that name.
		const sent = {constructor: 'b', toString: 'c'} as unknown as Record<string, string>;
		assert.equal((await cache.get({url: entry.url, headers: sent}))?.size, 1);
		assert.equal(await cache.get({url: entry.url, headers}), undefined);
		assert.equal(await cache.invalidate({group: '__proto__', origin: origin.url}), true);
		assert.equal(await cache.has({url: entry.url, headers: sent}, {stale: true}), false);
		await client('toString');
		assertNothingPolluted();
	});
}

test('names such as __proto__ are no options', async () => {
	await using setup = await setUp();
	const {cache, origin} = setup;
	assert.throws(() => redisCache(JSON.parse('{"namespace": "a", "__proto__": {"disabled": true}}') as never), {name: 'TypeError', message: /`__proto__`/v});
	assert.throws(() => redisCache({constructor: 1} as never), {name: 'TypeError'});
	assert.throws(() => redisCache({store: JSON.parse('{"__proto__": {"url": "redis://evil"}}') as never}), {name: 'TypeError'});
	const context = JSON.parse('{"cache": {"__proto__": {"mode": "no-store"}}}') as Record<string, unknown>;
	await assert.rejects(async () => setup.client('a', {context}), /`__proto__`/v);
	await assert.rejects(Array.fromAsync(cache.entries(JSON.parse('{"__proto__": {"tag": "a"}}') as never)), {name: 'TypeError'});
	await assert.rejects(cache.invalidate(JSON.parse('{"__proto__": {"tag": "a"}}') as never), {name: 'TypeError'});
	assert.equal(origin.requests.length, 0);
	assertNothingPolluted();
});

test('JSON that somebody else puts into a store is a miss, whatever it names', async () => {
	const values = [
		pollution,
		'{"value": {"__proto__": {"polluted": 1}, "kind": "response", "body": "forged"}, "expires": null}',
		'{"value": "forged", "__proto__": {"value": "forged"}}',
		'{"expires": 1e308}',
		'"forged"',
		'[]',
		'null',
		'{"value"',
		'',
	];
	for (const value of values) {
		const store = createAdapter(({get}) => ({get: async key => await get(key) === undefined ? undefined : value}));
		await using setup = await setUp({store});
		setup.origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60'}).end('right');
		};

		for (let count = 0; count < 3; count++) {
			assert.equal(await statusOf(setup, 'a'), 'miss right', value);
		}
	}

	assertNothingPolluted();
});

/* Patterns. */

test('no character of a URL, a tag or a prefix is a pattern', async () => {
	await using setup = await setUp({tagField: 'cache-tag'});
	const {origin, cache, client} = setup;
	origin.handler = ({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': url.slice(1)}).end('x');
	};

	const paths = ['a*c', 'ab', 'a.b', 'axb', 'a?', '(a)+', '[ab]', 'a|b', '^a', '$&'];
	const store = async () => {
		await Promise.all(paths.map(async path => client(path)));
		await settleWrites(setup);
	};

	const left = async () => {
		const held = await Promise.all(paths.map(async path => cache.has(`${origin.url}/${path}`, {stale: true})));
		return paths.filter((_, position) => held[position]);
	};

	const without = (...gone: readonly string[]) => paths.filter(path => !gone.includes(path));
	const purges: ReadonlyArray<readonly [purge: () => Promise<unknown>, ...gone: readonly string[]]> = [
		[async () => cache.delete(`${origin.url}/a*c`), 'a*c'],
		[async () => cache.invalidate({prefix: `${origin.url}/a*c`}), 'a*c'],
		[async () => cache.invalidate({prefix: `${origin.url}/.`})],
		[async () => cache.invalidate({tag: '*'})],
		[async () => cache.invalidate({tag: 'a.b'}), 'a.b'],
		[async () => cache.invalidate({pattern: `127.0.0.1:${origin.port}/a.`}), 'a.b'],
		[async () => cache.invalidate({pattern: `127.0.0.1:${origin.port}/(a`}), '(a)+'],
		[async () => cache.invalidate({pattern: `127.0.0.1:${origin.port}/[`}), '[ab]'],
		[async () => cache.invalidate({pattern: `127.0.0.1:${origin.port}/*|`}), 'a|b'],
		// A star is one where it is said to be.
		[async () => cache.invalidate({pattern: `127.0.0.1:${origin.port}/a*b`}), 'ab', 'a.b', 'axb', 'a|b'],
	];
	for (const [purge, ...gone] of purges) {
		await store();
		await purge();
		assert.deepEqual(await left(), without(...gone), String(purge));
	}

	await assert.rejects(cache.invalidate({origin: '*'}), TypeError);
});

/* Users. */

const users = {
	'an Authorization field': (user: string) => ({headers: {authorization: `Bearer ${user}`}}),
	'a Cookie field': (user: string) => ({headers: {cookie: `sid=${user}`}}),
	userinfo: (user: string) => ({username: user, password: 'x'}),
};

/** Each user's response names him. */
const greet = ({origin}: Setup, headers: Record<string, string>) => {
	origin.handler = ({headers: {authorization, cookie}}, response) => {
		response.writeHead(200, headers).end(Buffer.from(authorization?.replace('Basic ', '') ?? cookie ?? '', authorization?.startsWith('Basic') ? 'base64' : 'utf8').toString());
	};
};

const ofOneUser: Record<string, Record<string, string>> = {
	private: {'cache-control': 'private, max-age=60'},
	varies: {'cache-control': 'public, max-age=60', vary: 'authorization, cookie'},
	'no-store': {'cache-control': 'no-store'},
	'varies by everything': {'cache-control': 'public, max-age=60', vary: '*'},
};

for (const [how, optionsOf] of Object.entries(users)) {
	for (const [what, headers] of Object.entries(ofOneUser)) {
		test(`two users with ${how}, and a response that ${what === 'varies' ? what : `is ${what}`}: none is given the other's`, async () => {
			for (const shared of [true, false]) {
				await using setup = await setUp({shared, staleIfError: true, tagField: 'cache-tag'});
				greet(setup, headers);
				const {client, origin} = setup;
				const ask = async (user: string) => {
					const {body} = await client('a', optionsOf(user));
					assert.ok(body.includes(user), `${user} was given ${body}`);
				};

				for (const user of ['alice', 'bob', 'alice', 'carol', 'bob']) {
					await ask(user);
				}

				// At the same time, too.
				await setup.cache.clear();
				const flight = holdNext(origin);
				const first = ask('alice');
				await flight.arrived;
				const others = ['bob', 'carol', 'alice'].map(async user => ask(user));
				await setup.cache.has(`${origin.url}/b`);
				flight.release();
				await Promise.all([first, ...others]);

				// And when the origin fails.
				origin.handler = (_request, response) => {
					response.writeHead(503).end();
				};

				const stranger = await client('a', {...optionsOf('mallory'), throwHttpErrors: false});
				assert.deepEqual([stranger.statusCode, stranger.body], [503, '']);
			}
		});
	}
}

test('a response to a request with credentials that says nothing of others is for nobody else', async () => {
	await using setup = await setUp();
	greet(setup, {'cache-control': 'max-age=60'});
	for (const user of ['alice', 'bob']) {
		assert.equal(await statusOf(setup, 'a', users['an Authorization field'](user)), `miss Bearer ${user}`);
	}
});

const spokenBy: Readonly<Record<string, readonly [options: RedisCacheOptions, isStored: boolean]>> = {
	nobody: [{expireAfter: '1h'}, false],
	'nobody, for one URL': [{urlsExpireAfter: [['127.0.0.1', '1h']]}, false],
	'nobody, as its directives are ignored': [{expireAfter: '1h', cacheControl: false}, false],
	matchHeaders: [{expireAfter: '1h', matchHeaders: ['Cookie', 'X-Api-Key']}, true],
	user: [{expireAfter: '1h', user: ({headers}) => String(headers.cookie ?? headers['x-api-key'])}, true],
	key: [{expireAfter: '1h', key: ({headers}) => String(headers.cookie ?? headers['x-api-key'])}, true],
};

for (const name of ['cookie', 'x-api-key']) {
	for (const [who, [options, isStored]] of Object.entries(spokenBy)) {
		test(`a response to ${name} whose lifetime is the user's own is for nobody else, where users are told apart by ${who}`, async () => {
			await using setup = await setUp(options);
			const {client, origin} = setup;
			origin.handler = ({headers}, response) => {
				response.writeHead(200).end(String(headers[name]));
			};

			const ask = async (user: string) => client('a', {headers: {[name]: user}});
			const seen = [];
			for (const user of ['alice', 'bob', 'alice']) {
				const response = await ask(user);
				seen.push([response.body, cacheInfo(response)?.status]);
			}

			assert.deepEqual(seen, [['alice', 'miss'], ['bob', 'miss'], ['alice', isStored ? 'hit' : 'miss']]);
			assert.equal(cacheInfo(await ask('carol'))?.notStored, isStored ? undefined : 'credentials');
			await setup.cache.clear();
			const flight = holdNext(origin);
			const first = ask('alice');
			await flight.arrived;
			const second = ask('bob');
			await setup.cache.has({url: `${origin.url}/b`, ...options.key && {key: 'b'}});
			flight.release();
			assert.deepEqual((await Promise.all([first, second])).map(({body}) => body), ['alice', 'bob']);
		});
	}
}

/* Input that is no part of a key. */

test('a request\'s Host tells it apart, wherever it is sent', async () => {
	await using setup = await setUp();
	const {origin, cache} = setup;
	origin.handler = ({headers}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60'}).end(headers.host);
	};

	const own = origin.url.replace('http://', '');
	for (const status of ['miss', 'hit']) {
		assert.equal(await statusOf(setup, 'a', {headers: {host: 'evil.example'}}), `${status} evil.example`);
		assert.equal(await statusOf(setup, 'a'), `${status} ${own}`);
		assert.equal(await statusOf(setup, 'a', {headers: {host: 'other.example'}}), `${status} other.example`);
	}

	// A purge is one of what the request names.
	origin.queue({status: 204});
	await setup.client.post('a', {headers: {host: 'evil.example'}});
	assert.equal(await statusOf(setup, 'a', {headers: {host: 'evil.example'}}), 'miss evil.example');
	assert.equal(await statusOf(setup, 'a'), `hit ${own}`);
	await cache.delete({url: `${origin.url}/a`, headers: {host: 'other.example'}});
	assert.equal(await statusOf(setup, 'a', {headers: {host: 'other.example'}}), 'miss other.example');
	assert.equal(await statusOf(setup, 'a'), `hit ${own}`);
});

test('what an origin says of another one\'s resources purges and replaces nothing of them', async () => {
	await using setup = await setUp();
	await using hostile = await setUp();
	const {origin, client} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-groups': '"g"'}).end('right');
	};

	assert.equal(await statusOf(setup, 'a'), 'miss right');
	const url = `${origin.url}/a`;
	hostile.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'content-location': url, location: url, 'cache-group-invalidation': '"g"', 'clear-site-data': '"cache"'}).end('forged');
	};

	for (const method of ['POST', 'PUT', 'DELETE', 'GET'] as const) {
		await client(`${hostile.origin.url}/b`, {prefixUrl: '', method});
	}

	assert.equal(await statusOf(setup, 'a'), 'hit right');
	assert.equal(origin.requests.length, 1);
});

/* Bombs. */

const mebibyte = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes outside the heap that somebody still holds. */
const heldBytes = () => {
	collectGarbage();
	return process.memoryUsage().arrayBuffers;
};

for (const [name, encoding] of [['without end', undefined], ['that grows when it is decompressed', 'gzip']] as const) {
	test(`a body ${name} passes by: neither kept in memory nor stored`, unlessFast, async () => {
		await using setup = await setUp({maxBodySize: mebibyte});
		const {origin, client, cache, redis} = setup;
		const chunk = Buffer.alloc(mebibyte);
		origin.handler = async (_request, response) => {
			response.writeHead(200, {'cache-control': 'max-age=60', ...(encoding && {'content-encoding': encoding})});
			await pipeline(function * () {
				for (let count = 0; count < 200; count++) {
					yield chunk;
				}
			}, encoding ? createGzip({level: 1}) : new PassThrough(), response);
		};

		const before = heldBytes();
		const held: number[] = [];
		let length = 0;
		for await (const part of client.stream('a')) {
			const looks = Math.floor(length / mebibyte / 20);
			length += (part as Uint8Array).length;
			if (Math.floor(length / mebibyte / 20) > looks) {
				held.push(heldBytes() - before);
			}
		}

		assert.equal(length, 200 * mebibyte);
		// A socket may hold much for a while; what is kept grows with the body.
		assert.ok(Math.min(...held.slice(-3)) < 80 * mebibyte, `${held.join(', ')} bytes are held`);
		await settleWrites(setup);
		assert.equal(await cache.has(`${origin.url}/a`, {stale: true}), false);
		const used = Number(/(?<=used_memory_dataset:)\d+/v.exec(await redis.client.info('memory'))?.[0]);
		assert.ok(used < 2 * mebibyte, `${used} bytes in Redis`);
	});
}

test('a response with more tags than anybody needs is not stored', async () => {
	await using setup = await setUp({tagField: 'cache-tag', memory: false});
	const {origin, redis} = setup;
	const tags = (count: number) => Array.from({length: count}, (_, number) => `t${number}`).join(',');
	origin.handler = ({url}, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'cache-tag': tags(Number(url.slice(1)))}).end('x');
	};

	for (const status of ['miss', 'miss']) {
		assert.equal(await statusOf(setup, '2000'), `${status} x`);
	}

	await settleWrites(setup);
	assert.ok(await redis.client.dbSize() < 10);
	for (const status of ['miss', 'hit']) {
		assert.equal(await statusOf(setup, '100'), `${status} x`);
	}
});

/* What is told. */

test('nothing is printed, whatever happens', unlessFast, async () => {
	const script = `
		import got from 'got';
		import {redisCache} from '${import.meta.resolve('../../source/index.ts')}';
		const cache = redisCache({store: 'redis://user:hunter2@127.0.0.1:1', timeout: 50});
		const client = got.extend(cache, {retry: {limit: 0}});
		await client('http://user:hunter2@127.0.0.1:1/').catch(() => undefined);
		await cache.delete('http://127.0.0.1:1/');
		await cache.clear();
		await cache.close();
	`;
	assert.deepEqual(await runScript(script), {code: 0, stdout: '', stderr: ''});
});

test('nothing is printed while no sentinel answers, and what others print is', unlessFast, async () => {
	const script = `
		import {createSentinel} from '${import.meta.resolve('@redis/client')}';
		import {redisCache} from '${import.meta.resolve('../../source/index.ts')}';
		const sentinel = createSentinel({name: 'main', sentinelRootNodes: [{host: '127.0.0.1', port: 1}]});
		const failures = [];
		sentinel.on('error', error => failures.push(error));
		const cache = redisCache({store: sentinel, timeout: 50});
		await cache.has('http://127.0.0.1:1/');
		while (failures.length < 4) {
			await new Promise(resolve => setImmediate(resolve));
		}

		console.log('printed');
		process.exit();
	`;
	assert.deepEqual(await runScript(script), {code: 0, stdout: 'printed\n', stderr: ''});
});
