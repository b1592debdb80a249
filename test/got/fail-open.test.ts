import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {createServer, type AddressInfo, type Server, type Socket} from 'node:net';
import test from 'node:test';
import got from 'got';
import {redisCache, type RedisCacheOptions} from '../../source/index.ts';
import {startOrigin} from '../helpers/origin.ts';
import {startRedis} from '../helpers/redis.ts';

const listen = async (onConnection: (socket: Socket) => void): Promise<Server & AsyncDisposable & {url: string}> => {
	const sockets = new Set<Socket>();
	const server = createServer(socket => {
		sockets.add(socket);
		socket.on('error', () => undefined);
		onConnection(socket);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	return Object.assign(server, {
		url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
		async [Symbol.asyncDispose]() {
			for (const socket of sockets) {
				socket.destroy();
			}

			server.close();
			await once(server, 'close');
		},
	});
};

const nowhere = async () => {
	const server = await listen(() => undefined);
	const {url} = server;
	await server[Symbol.asyncDispose]();
	return url;
};

const unhandled: unknown[] = [];
process.on('unhandledRejection', reason => unhandled.push(reason));
process.on('warning', warning => unhandled.push(warning));

const sickStores: Record<string, () => Promise<{url: string; stop(): Promise<void>}>> = {
	async 'refuses connections'() {
		return {url: await nowhere(), stop: async () => undefined};
	},
	async 'never answers'() {
		const server = await listen(() => undefined);
		return {url: server.url, stop: async () => server[Symbol.asyncDispose]()};
	},
	async 'answers garbage'() {
		const server = await listen(socket => {
			socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n\u{0}\u{1}garbage'));
		});
		return {url: server.url, stop: async () => server[Symbol.asyncDispose]()};
	},
	async 'hangs up'() {
		const server = await listen(socket => socket.destroy());
		return {url: server.url, stop: async () => server[Symbol.asyncDispose]()};
	},
};

for (const [name, start] of Object.entries(sickStores)) {
	test(`requests succeed uncached with a Redis that ${name}, and an event says so once`, async () => {
		const store = await start();
		await using origin = await startOrigin((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end('body');
		});
		const options: RedisCacheOptions = {store: store.url, timeout: 50};
		const cache = redisCache(options);
		const errors: Error[] = [];
		cache.on('error', error => errors.push(error));
		const client = got.extend({prefixUrl: origin.url}, cache);

		for (let count = 0; count < 10; count++) {
			const response = await client('items');
			assert.equal(response.body, 'body');
			assert.equal(response.isFromCache, false);
		}

		assert.equal(errors.length, 1, errors.map(error => error.message).join('\n'));
		assert.ok(errors[0] instanceof Error);

		// Without a listener, nothing happens.
		const silent = got.extend({prefixUrl: origin.url}, redisCache(options));
		assert.equal(await silent('items').text(), 'body');

		await cache.close();
		await store.stop();
		assert.deepEqual(unhandled, []);
	});
}

test('a value that is not ours is a miss and is replaced', async () => {
	await using origin = await startOrigin((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end(`body ${origin.requests.length}`);
	});
	await using redis = await startRedis();
	const client = got.extend({prefixUrl: origin.url}, redisCache({store: redis.url, memory: false}));
	await client('items');
	const [key = ''] = await redis.client.keys('*');
	const {client: raw} = redis;
	const spoil: Record<string, () => Promise<unknown>> = {
		foreign: async () => raw.set(key, '{"value":"not ours"}'),
		empty: async () => raw.set(key, ''),
		truncated: async () => raw.set(key, String(await raw.getRange(key, 0, 20))),
		async 'of another type'() {
			await raw.del(key);
			return raw.hSet(key, 'a', 'b');
		},
	};

	for (const [name, change] of Object.entries(spoil)) {
		origin.requests.length = 0;
		await change();
		assert.equal(await client('items').text(), 'body 1', name);
		assert.equal(await client('items').text(), 'body 1', name);
		assert.equal(origin.requests.length, 1, name);
	}
});

const run = async (script: string, environment: Record<string, string>) => {
	const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
		env: {...process.env, ...environment},
		stdio: ['ignore', 'pipe', 'pipe'],
		cwd: new URL('../..', import.meta.url),
		timeout: 20_000,
	});
	let output = '';
	child.stdout.on('data', chunk => {
		output += String(chunk);
	});
	child.stderr.on('data', chunk => {
		output += String(chunk);
	});
	const [code] = await once(child, 'close') as [number];

	return {code, output};
};

const script = `
	import got from 'got';
	import {redisCache} from './source/index.ts';
	const client = got.extend(redisCache({store: process.env.STORE, timeout: 100}));
	const started = performance.now();
	for (let count = 0; count < 2; count++) {
		const response = await client(process.env.ORIGIN);
		console.log(response.body, response.isFromCache);
	}
	const done = performance.now();
	process.on('exit', () => console.log(performance.now() - done < 1000 ? 'exits' : 'lingers'));
`;

test('a script that is done exits by itself, and not before', async () => {
	await using redis = await startRedis();
	await using origin = await startOrigin((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end('body');
	});

	const {code, output} = await run(script, {STORE: redis.url, ORIGIN: origin.url});
	assert.deepEqual({code, output}, {code: 0, output: 'body false\nbody true\nexits\n'});
});

for (const name of ['refuses connections', 'never answers', 'answers garbage']) {
	test(`a script that is done exits by itself with a Redis that ${name}`, async () => {
		const store = await sickStores[name]!();
		await using origin = await startOrigin((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end('body');
		});

		const {code, output} = await run(script, {STORE: store.url, ORIGIN: origin.url});
		await store.stop();
		assert.deepEqual({code, output}, {code: 0, output: 'body false\nbody false\nexits\n'});
	});
}
