import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import process from 'node:process';
import test from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {cacheInfo, type RedisCacheOptions} from '../../source/index.ts';
import {respond} from '../helpers/origin.ts';
import {runScript} from '../helpers/script.ts';
import {expectedOutcome, runScenario} from './faked-time-scenario.ts';
import {setUp, settleWrites} from './helpers.ts';

/*
Tests of users that fake time after their cache was made.
*/

const fresh = {'cache-control': 'max-age=60'};

const setUpFresh = async (options: RedisCacheOptions = {}) => {
	const setup = await setUp(options);
	setup.origin.handler = (_request, response) => {
		// Node's own field has the time of the last second that it saw pass.
		respond(response, {headers: {...fresh, date: new Date().toUTCString()}, body: 'x'});
	};

	return setup;
};

for (const store of ['Redis', 'memory', 'Map'] as const) {
	test(`a clock that is faked after the cache was made is followed: ${store}`, async t => {
		await using setup = await setUpFresh(store === 'Redis' ? {} : {store: store === 'Map' ? new Map() : 'memory'});
		const {client, cache, origin} = setup;
		await client('items');
		await settleWrites(setup);
		t.mock.timers.enable({apis: ['Date'], now: Date.now()});
		t.mock.timers.setTime(Date.now() + 50_000);
		const {isFromCache} = await client('items');
		assert.equal(isFromCache, true);

		t.mock.timers.setTime(Date.now() + 20_000);
		assert.equal(await cache.has(`${origin.url}/items`), false);
		const response = await client('items');
		assert.equal(response.isFromCache, false);
		assert.equal(cacheInfo(await client('items'))?.status, 'hit');
		// The real clock is behind what was stored by the other.
		t.mock.timers.reset();
		assert.equal((await client('items')).body, 'x');
	});
}

for (const apis of [['setTimeout'], ['setTimeout', 'setImmediate'], ['setTimeout', 'setImmediate', 'setInterval', 'Date']] as const) {
	test(`with ${apis.join(', ')} faked, requests and methods end`, async t => {
		await using setup = await setUpFresh({timeout: 50});
		const {client, cache, origin} = setup;
		await client('items');
		t.mock.timers.enable({apis: [...apis]});
		t.mock.timers.tick(1);
		for (let count = 0; count < 6; count++) {
			assert.equal((await client(`faked/${count}`)).body, 'x');
		}

		assert.equal(typeof await cache.has(`${origin.url}/items`), 'boolean');
		assert.equal(typeof await cache.delete(`${origin.url}/items`), 'boolean');
		assert.equal(cache.health().state === 'unavailable', (apis as readonly string[]).includes('setImmediate'), 'node-redis writes with setImmediate()');
	});

	test(`with ${apis.join(', ')} faked, a store in memory caches, and a cache is closed`, async t => {
		await using setup = await setUpFresh({store: 'memory'});
		t.mock.timers.enable({apis: [...apis]});
		t.mock.timers.tick(1);
		await setup.client('items');
		const {isFromCache} = await setup.client('items');
		assert.equal(isFromCache, true);
		await setup.cache.close();
	});

	test(`with ${apis.join(', ')} faked, a cache on Redis is closed`, async t => {
		await using setup = await setUpFresh({timeout: 50});
		await setup.client('items');
		t.mock.timers.enable({apis: [...apis]});
		t.mock.timers.tick(1);
		await setup.client('others');
		await setup.cache.close();
		assert.equal(setup.cache.health().state, 'closed');
	});
}

test('with the timers of node:test, time is followed, nothing hangs, and Redis is used again afterwards', async ({mock: {timers}}) => {
	assert.deepEqual(await runScenario({
		fake(apis = ['setTimeout', 'setInterval', 'setImmediate', 'Date']) {
			timers.enable({apis: [...apis] as Array<'Date'>, now: Date.now()});
		},
		advance(ms) {
			timers.setTime(Date.now() + ms);
		},
		restore() {
			timers.reset();
		},
	}), expectedOutcome);
});

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../faked-time/', import.meta.url));

// Without `process.nextTick()`, no stream of Node's goes on, and plain got ends no request: time has to go on there.
for (const [title, config] of [['all that it fakes by itself, while time goes on', {}], ['all but nextTick() and queueMicrotask()', {toNotFake: ['nextTick', 'queueMicrotask']}]] as const) {
	test(`with the timers of sinon, time is followed, nothing hangs, and Redis is used again afterwards: ${title}`, async () => {
		const {stdout} = await run(process.execPath, [`${folder}sinon.js`, JSON.stringify(config)]);
		assert.deepEqual(JSON.parse(stdout), expectedOutcome);
	});
}

test('with the timers of vitest, time is followed, nothing hangs, and Redis is used again afterwards', async () => {
	const {NODE_TEST_CONTEXT: _context, ...env} = process.env;
	const {stdout} = await run(process.execPath, [fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json'))), 'run', '--dir', folder, '--reporter', 'tap-flat'], {env});
	assert.match(stdout, /^ok 1 .*a cache follows the clock/mv);
});

test('timers that were faked before the library is loaded keep no response from its caller', async () => {
	await using setup = await setUp({store: 'memory'});
	setup.origin.handler = ({headers}, response) => {
		respond(response, {status: headers['if-none-match'] ? 304 : 200, headers: {'cache-control': 'no-cache', etag: '"1"'}});
	};

	const {code, stdout, stderr} = await runScript(`
		globalThis.setImmediate = () => ({});
		const {default: got} = await import('got');
		const {cacheInfo, redisCache} = await import('${new URL('../../source/index.ts', import.meta.url).href}');
		const client = got.extend(redisCache({store: 'memory'}));
		for (let count = 0; count < 2; count++) {
			console.log(cacheInfo(await client('${setup.origin.url}/items')).status);
		}
	`);
	assert.deepEqual({code, stdout, stderr}, {code: 0, stdout: 'miss\nrevalidated\n', stderr: ''});
});
