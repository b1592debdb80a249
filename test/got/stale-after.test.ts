import assert from 'node:assert/strict';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test, {suite} from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {holdNext} from '../helpers/origin.ts';
import {setUp, type Setup} from './helpers.ts';
import {readStream} from './read-stream.ts';

const old = {headers: {'cache-control': 'max-age=0', etag: '"1"'}, body: 'old'};
const renewed = {headers: {'cache-control': 'max-age=60', etag: '"2"'}, body: 'new'};

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
	while (!await isSo()) {
		await nextTurn();
	}
};

const ways: Readonly<Record<string, (setup: Setup, options?: Record<string, unknown>) => Promise<{body: unknown; status: unknown; reason: unknown}>>> = {
	async promise({client}, options) {
		const response = await client<string>('items', options as never) as never as {body: string};
		const info = cacheInfo(response);
		return {body: response.body, status: info?.status, reason: info?.reason};
	},
	async stream({client}, options) {
		const {body, info} = await readStream(client.stream('items', options));
		return {body, status: info?.status, reason: info?.reason};
	},
};

for (const [way, ask] of Object.entries(ways)) {
	await suite(`staleAfter, ${way}`, () => {
		test('a slow origin is answered for, and its answer is stored', async () => {
			await using setup = await setUp({staleAfter: 20});
			const {origin, cache} = setup;
			origin.queue(old);
			await ask(setup);
			const held = holdNext(origin);
			origin.handler = (_request, response) => {
				response.writeHead(200, renewed.headers).end(renewed.body);
			};

			// The request's own timeout is shorter than the origin takes.
			assert.deepEqual(await ask(setup, {timeout: {request: 50}}), {body: 'old', status: 'stale', reason: 'timeout'});
			assert.deepEqual(await ask(setup), {body: 'old', status: 'stale', reason: 'timeout'});
			held.release();
			await until(async () => cache.has(`${origin.url}/items`));
			assert.deepEqual(await ask(setup), {body: 'new', status: 'hit', reason: 'fresh'});
			assert.equal(origin.requests.length, 2);
		});

		test('an origin that is fast enough answers', async () => {
			await using setup = await setUp({staleAfter: '10s'});
			setup.origin.queue(old, renewed);
			await ask(setup);

			assert.deepEqual(await ask(setup), {body: 'new', status: 'hit', reason: 'collapsed'});
			assert.equal(setup.origin.requests.length, 2);
		});

		test('a response that must not be reused stale waits for the origin', async () => {
			await using setup = await setUp({staleAfter: 0});
			const {origin} = setup;
			origin.queue({...old, headers: {...old.headers, 'cache-control': 'max-age=0, must-revalidate'}}, renewed);
			await ask(setup);

			assert.equal((await ask(setup)).body, 'new');
		});

		test('an answer that may not be stored reaches the caller', async () => {
			await using setup = await setUp({staleAfter: '10s'});
			const {origin} = setup;
			const personal = {headers: {'cache-control': 'no-store'}, body: 'personal'};
			origin.queue(old, personal, personal);
			await ask(setup);

			assert.equal((await ask(setup)).body, 'personal');
		});

		test('without it, the origin is waited for', async () => {
			await using setup = await setUp();
			setup.origin.queue(old, renewed);
			await ask(setup);

			assert.deepEqual(await ask(setup), {body: 'new', status: 'miss', reason: 'stale'});
		});
	});
}
