import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {test} from 'node:test';
import type {Got} from 'got';
import type {RedisCacheOptions} from '../../source/index.ts';
import {setUp, settleWrites, type Setup} from './helpers.ts';

/*
Whoever reads a response may change its bytes, or have a worker take them. Nobody else sees it.
*/

/** Long enough to be compressed beside the event loop, and for many chunks. */
const expected = Buffer.alloc(300_000, 'A text that compresses. ');

/** What was read, and is spoiled from then on. */
type Read = (url: string, setup: Pick<Setup, 'cache'> & {readonly client: Got}) => Promise<Uint8Array>;

const ways: Record<string, Read> = {
	async 'a promise for bytes'(url, {client}) {
		const response = await client(url, {responseType: 'buffer'});
		const seen = Buffer.from(response.rawBody);
		response.body.fill(0);
		response.rawBody.fill(0);
		return seen;
	},
	async 'a stream'(url, {client}) {
		const stream = client.stream(url);
		const seen: Uint8Array[] = [];
		stream.on('data', (chunk: Uint8Array) => {
			seen.push(Buffer.from(chunk));
			chunk.fill(0);
		});
		await once(stream, 'end');
		return Buffer.concat(seen);
	},
	async 'cache.get()'(url, {client, cache}) {
		const stored = await cache.get(url) ?? await client(url, {responseType: 'buffer'});
		const seen = Buffer.from(stored.body);
		stored.body.fill(0);
		return seen;
	},
};

const stores: Record<string, RedisCacheOptions> = {
	'Redis and memory': {},
	Redis: {memory: false},
	'Redis, not compressed': {compression: false},
	memory: {store: 'memory'},
	'a Map, compressed': {store: new Map(), compression: true},
};

for (const [store, options] of Object.entries(stores)) {
	for (const [way, read] of Object.entries(ways)) {
		test(`${store}: what ${way} gave may be changed`, async () => {
			await using setup = await setUp({timeout: 10_000, ...options});
			const {origin, client} = setup;
			origin.handler = (_request, response) => {
				response.writeHead(200, {'cache-control': 'max-age=600'}).end(expected);
			};

			const url = `${origin.url}/${encodeURIComponent(way)}`;
			// One leads, the others wait for what it gets.
			for (const seen of await Promise.all([1, 2, 3].map(async () => read(url, setup)))) {
				assert.equal(expected.equals(seen), true);
			}

			await settleWrites(setup);
			for (let turn = 0; turn < 3; turn++) {
				for (const [other, readOther] of Object.entries(ways)) {
					assert.equal(expected.equals(await readOther(url, setup)), true, `${other}, turn ${turn}`);
				}
			}

			assert.equal(await client(url).text(), expected.toString());
			assert.equal(origin.requests.length, 1);
		});
	}
}

for (const [store, options] of Object.entries(stores)) {
	test(`${store}: what is answered in place of a 304, or of a failure, may be changed`, async () => {
		await using setup = await setUp({timeout: 10_000, ...options});
		const {origin} = setup;
		const client = setup.client.extend({retry: {limit: 0}});
		origin.handler = ({url, headers}, response) => {
			const isStored = headers['if-none-match'] === '"a"';
			const status = url.startsWith('/fails') ? 503 : 304;
			response.writeHead(isStored ? status : 200, {'cache-control': 'max-age=0, stale-if-error=600', etag: '"a"'}).end(isStored ? undefined : expected);
		};

		for (const kind of ['validates', 'fails']) {
			const url = `${origin.url}/${kind}`;
			await client(url);
			await settleWrites(setup);
			for (const [way, read] of Object.entries(ways)) {
				for (const turn of [1, 2]) {
					for (const seen of await Promise.all([1, 2].map(async () => read(url, {...setup, client})))) {
						assert.equal(expected.equals(seen), true, `${kind}, ${way}, turn ${turn}`);
					}

					await settleWrites(setup);
				}
			}

			assert.equal(await client(url).text(), expected.toString());
			assert.ok(origin.requests.length > 4);
		}
	});
}

test('what a `Map` of the user does to its values is nothing to the requests that wait for the same response', async () => {
	class Spoiling extends Map<string, {value: Uint8Array}> {
		override set(key: string, entry: {value: Uint8Array}): this {
			super.set(key, {...entry, value: Buffer.from(entry.value)});
			entry.value.fill(0);
			return this;
		}
	}

	await using setup = await setUp({timeout: 10_000, store: new Spoiling()});
	const {origin, client} = setup;
	const asked = Promise.withResolvers<void>();
	const mayAnswer = Promise.withResolvers<void>();
	origin.handler = async (_request, response) => {
		asked.resolve();
		await mayAnswer.promise;
		response.writeHead(200, {'cache-control': 'max-age=600'}).end(expected);
	};

	const ask = async () => client(origin.url, {responseType: 'buffer'});
	const leader = ask();
	await asked.promise;
	const waiting = [ask(), ask()];
	// They wait for the leader by now.
	await setup.cache.has(origin.url);
	await setup.cache.has(origin.url);
	mayAnswer.resolve();
	for (const {body} of await Promise.all([leader, ...waiting])) {
		assert.equal(expected.equals(body), true);
	}

	assert.equal(origin.requests.length, 1);
});
