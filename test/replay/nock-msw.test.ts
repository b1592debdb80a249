import assert from 'node:assert/strict';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import got, {type Got} from 'got';
import {http, HttpResponse} from 'msw';
import {setupServer} from 'msw/node';
import nock from 'nock';
import {redisCache} from '../../source/index.ts';
import {replay, type ReplayOptions} from '../../source/replay.ts';

/*
A recorder and a cache beside nock and msw, which answer in place of the network.
*/

const prefixUrl = 'https://api.example.com';
const folders: string[] = [];

const makeFolder = (): string => {
	const folder = mkdtempSync(path.join(tmpdir(), 'replay-mocks-'));
	folders.push(folder);
	return folder;
};

after(() => {
	for (const folder of folders) {
		rmSync(folder, {recursive: true});
	}
});

type Network = AsyncDisposable & {
	/** The requests that came here. */
	readonly asked: string[];
};

/** Starts to answer each request with its path. */
type StartNetwork = () => Promise<Network>;

const startNock: StartNetwork = async () => {
	if (!nock.isActive()) {
		nock.activate();
	}

	nock.disableNetConnect();
	const asked: string[] = [];
	const answer = ({url}: Request): [number, {uri: string}, Record<string, string>] => {
		const uri = url.slice(prefixUrl.length);
		asked.push(uri);
		return [200, {uri}, {'cache-control': 'max-age=60', 'content-type': 'application/json'}];
	};

	nock(prefixUrl).persist().get(/./v).reply(answer).post(/./v).reply(answer);
	return {
		asked,
		async [Symbol.asyncDispose]() {
			nock.cleanAll();
			nock.enableNetConnect();
			nock.restore();
		},
	};
};

const startMsw: StartNetwork = async () => {
	const asked: string[] = [];
	const server = setupServer(http.all(`${prefixUrl}/*`, ({request}) => {
		const uri = request.url.slice(prefixUrl.length);
		asked.push(uri);
		return HttpResponse.json({uri}, {headers: {'cache-control': 'max-age=60'}});
	}));
	server.listen({onUnhandledFrame: 'error'});
	return {
		asked,
		async [Symbol.asyncDispose]() {
			server.close();
		},
	};
};

const open = (options: Partial<ReplayOptions> & {folder: string}): Got => got.extend({prefixUrl, retry: {limit: 0}}, replay(options));

for (const [name, start] of [['nock', startNock], ['msw', startMsw]] as const) {
	test(`${name}: a recorder records what it replies, and in a replay it is told of nothing`, async () => {
		await using network = await start();
		const folder = makeFolder();
		const recording = open({folder, mode: 'record'});
		assert.deepEqual(await recording('items/1').json(), {uri: '/items/1'});
		assert.deepEqual(await recording.post('items', {json: {a: 1}}).json(), {uri: '/items'});
		assert.deepEqual(network.asked, ['/items/1', '/items']);
		assert.equal(readdirSync(folder).filter(file => file.endsWith('.body.json')).length, 2);

		const replaying = open({folder});
		assert.deepEqual(await replaying('items/1').json(), {uri: '/items/1'});
		assert.deepEqual(await replaying.post('items', {json: {a: 1}}).json(), {uri: '/items'});
		await assert.rejects(replaying('items/2'), {code: 'ERR_UNRECORDED_REQUEST'});
		assert.equal(network.asked.length, 2);
	});

	test(`${name}: in the mode auto, a request that is not recorded is told to it once`, async () => {
		await using network = await start();
		const folder = makeFolder();
		for (let count = 0; count < 2; count++) {
			const client = open({folder, mode: 'auto'});
			assert.deepEqual(await client('items').json(), {uri: '/items'});
			const chunks = await Array.fromAsync(client.stream('streamed') as AsyncIterable<Uint8Array>);
			assert.deepEqual(JSON.parse(chunks.map(chunk => new TextDecoder().decode(chunk)).join('')), {uri: '/streamed'});
		}

		assert.deepEqual(network.asked, ['/items', '/streamed']);
	});

	test(`${name}: a cache in front of a recorder asks it once, and a hit asks nobody`, async () => {
		await using network = await start();
		const folder = makeFolder();
		for (const mode of ['record', 'replay'] as const) {
			await using cache = redisCache('memory');
			const client = got.extend({prefixUrl, retry: {limit: 0}}, cache, replay({folder, mode}));
			const seen = [];
			for (let count = 0; count < 3; count++) {
				const response = await client('items', {responseType: 'json'});
				assert.deepEqual(response.body, {uri: '/items'});
				seen.push(response.isFromCache);
			}

			assert.deepEqual(seen, [false, true, true]);
		}

		assert.deepEqual(network.asked, ['/items']);
	});

	test(`${name}: a cache without a recorder stores what it replies, of promises and streams`, async () => {
		await using network = await start();
		await using cache = redisCache('memory');
		const client = got.extend({prefixUrl, retry: {limit: 0}}, cache);
		assert.deepEqual(await client('items').json(), {uri: '/items'});
		assert.equal((await client('items')).isFromCache, true);
		const chunks = await Array.fromAsync(client.stream('items') as AsyncIterable<Uint8Array>);
		assert.ok(chunks.length > 0);
		await client.post('items', {json: {}});
		assert.equal((await client('items')).isFromCache, false);
		assert.deepEqual(network.asked, ['/items', '/items', '/items']);
	});
}
