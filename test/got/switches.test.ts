import assert from 'node:assert/strict';
import {once} from 'node:events';
import test from 'node:test';
import {cacheInfo, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {createAdapter} from '../helpers/adapter.ts';
import {commandsDuring} from '../helpers/monitor.ts';
import {isGot15, setUp, settleWrites} from './helpers.ts';
import {readStream} from './read-stream.ts';
import {askUntil, setUpServing} from './switches-helpers.ts';

/*
Switches of an origin for incidents: `freeze()`, `bypass()` and `thaw()`.
*/

// The commands are the same with each got.
const slow = {timeout: 60_000, skip: isGot15};

const expired = {'cache-control': 'max-age=60', age: '61'};

const stores: Record<string, () => RedisCacheOptions> = {
	Redis: () => ({}),
	'Redis without a memory tier': () => ({memory: false}),
	'Redis, encrypted': () => ({encryption: 'a'.repeat(64)}),
	'the memory of the process': () => ({store: 'memory'}),
	'a Map': () => ({store: new Map()}),
	'another Keyv adapter': () => ({store: createAdapter()}),
};

for (const [name, toOptions] of Object.entries(stores)) {
	const options = toOptions();

	test(`${name}: a frozen origin is not asked, whether or not something is stored`, async () => {
		await using setup = await setUpServing(options, expired);
		const {cache, origin, ask} = setup;
		assert.equal(await ask('items'), 'miss not-stored 1');
		assert.equal(await cache.freeze({origin: origin.url}, '30m'), true);

		assert.equal(await ask('items'), 'stale frozen 1');
		assert.equal(await ask('items'), 'stale frozen 1');
		assert.equal(await ask('items', {headers: {'cache-control': 'no-cache'}}), 'stale frozen 1');
		assert.equal(await ask('items', {context: {cache: {mode: 'reload'}}}), 'stale frozen 1');
		assert.equal(await ask('others'), 'unavailable frozen 504');
		assert.equal(await ask('others', {context: {cache: {mode: 'reload'}}}), 'unavailable frozen 504');
		assert.equal(origin.requests.length, 1);
		assert.equal(await cache.has(`${origin.url}/items`), true);

		assert.equal(await cache.thaw({origin: origin.url}), true);
		assert.equal(await cache.has(`${origin.url}/items`), false);
		assert.equal(await ask('items'), 'miss no-validator 2');
	});

	test(`${name}: nothing is read or stored of a bypassed origin, and what was stored before is used afterwards`, async () => {
		await using setup = await setUpServing(options);
		const {cache, origin, ask} = setup;
		await ask('items');
		assert.equal(await cache.bypass({origin: origin.url}, '10m'), true);

		assert.equal(await ask('items'), 'bypass bypassed-by-operator 2');
		assert.equal(await ask('items'), 'bypass bypassed-by-operator 3');
		assert.equal(await ask('others'), 'bypass bypassed-by-operator 4');
		assert.equal(await ask('others', {context: {cache: {mode: 'reload'}}}), 'bypass bypassed-by-operator 5');
		assert.equal(await cache.has(`${origin.url}/items`), false);
		assert.equal(await cache.has(`${origin.url}/items`, {stale: true}), true);

		assert.equal(await cache.thaw({origin: origin.url}), true);
		assert.equal(await ask('items'), 'hit fresh 1');
		assert.equal(await ask('others'), 'miss not-stored 6');
	});

	test(`${name}: a purge ends no switch, and a switch is no purge`, async () => {
		await using setup = await setUpServing(options);
		const {cache, origin, ask} = setup;
		await ask('items');
		await cache.freeze({origin: origin.url}, '30m');
		assert.equal(await ask('items'), 'hit fresh 1');
		assert.equal(await cache.invalidate({origin: origin.url}, {soft: true}), true);
		assert.equal(await ask('items'), 'stale frozen 1');
		assert.equal(await cache.invalidate({origin: origin.url}), true);
		assert.equal(await ask('items'), 'unavailable frozen 504');
		assert.equal(await cache.clear(), true);
		assert.equal(await ask('items'), 'unavailable frozen 504');
		await cache.thaw({origin: origin.url});
		assert.equal(await ask('items'), 'miss not-stored 2');
	});

	test(`${name}: switches are listed by another cache that has asked no origin, until they end`, async t => {
		// A store in memory is seen by caches that are given the same object.
		const isShared = options.store !== 'memory';
		await using setup = await setUpServing(options);
		const {cache, origin, ask} = setup;
		const other = isShared ? setup.other().cache : cache;
		await ask('items');
		assert.deepEqual(await other.switches(), []);
		t.mock.timers.enable({apis: ['Date'], now: Date.now()});
		const until = new Date(Date.now() + 120_000);
		await cache.bypass({origin: 'http://127.0.0.1:1'}, '3m');
		await cache.freeze({origin: origin.url}, '2m');
		await cache.freeze({origin: 'https://thawed.example'}, '1h');
		await cache.thaw({origin: 'https://thawed.example'});
		const [first, ...others] = await other.switches();
		assert.deepEqual(first, {origin: origin.url, kind: 'freeze', until});
		assert.deepEqual(others.map(({origin: each, kind}) => [each, kind]), [['http://127.0.0.1:1', 'bypass']]);
		assert.equal(other.health().switches.length, 2);
		t.mock.timers.tick(120_000);
		assert.deepEqual((await other.switches()).map(({kind}) => kind), ['bypass']);
	});

	test(`${name}: a switch ends by itself`, async t => {
		await using setup = await setUpServing(options);
		const {cache, origin, ask} = setup;
		await ask('items');
		t.mock.timers.enable({apis: ['Date'], now: Date.now()});
		await cache.freeze({origin: origin.url}, '2m');
		await cache.bypass({origin: 'http://127.0.0.1:1'}, '3m');
		t.mock.timers.tick(119_000);
		assert.equal(await ask('items'), 'stale frozen 1');
		assert.deepEqual(Object.fromEntries(cache.health().switches.map(({origin: each, kind}) => [each, kind])), {'http://127.0.0.1:1': 'bypass', [origin.url]: 'freeze'});
		t.mock.timers.tick(1000);
		assert.equal(await ask('items'), 'miss no-validator 2');
		assert.deepEqual(cache.health().switches.map(({kind}) => kind), ['bypass']);
		t.mock.timers.tick(60_000);
		assert.deepEqual(cache.health().switches, []);
	});
}

test('the later switch is in force, and one origin is not another', async () => {
	await using setup = await setUpServing();
	const {cache, origin, ask} = setup;
	await cache.freeze({origin: new URL(`${origin.url}/`)}, 60_000);
	await cache.bypass({origin: origin.url}, '30m');
	assert.equal(await ask('items'), 'bypass bypassed-by-operator 1');
	await cache.freeze({origin: origin.url}, '1h');
	assert.equal(await ask('items'), 'unavailable frozen 504');
	const [{until, ...known} = {until: undefined}, ...others] = cache.health().switches;
	assert.deepEqual([known, others], [{origin: origin.url, kind: 'freeze'}, []]);
	assert.ok((until?.getTime() ?? 0) > Date.now() + 3_500_000);
	assert.equal(await ask(`http://localhost:${origin.port}/items`, {prefixUrl: ''}), 'miss not-stored 2');
});

test('streams, HEAD, redirects and Cache-Status tell of a switch', async () => {
	await using setup = await setUpServing({}, expired);
	const {cache, client, origin, ask} = setup;
	await ask('items');
	await cache.freeze({origin: origin.url}, '30m');

	const stream = client.stream('items');
	const {body, info} = await readStream(stream);
	assert.deepEqual([body, info?.reason], ['1', 'frozen']);
	const frozen = await client('items', {headers: {'if-none-match': '"x"'}});
	assert.match(String(frozen.headers['cache-status']), /^got-redis-cache;hit;ttl=-\d+;key="[^"]+";detail=frozen$/v);
	const head = await client.head('items');
	assert.deepEqual([head.statusCode, cacheInfo(head)?.reason], [200, 'frozen']);

	const unavailable = await client('others', {throwHttpErrors: false, retry: {limit: 2}});
	assert.equal(unavailable.headers['cache-status'], 'got-redis-cache;key="' + String(cacheInfo(unavailable)?.key) + '";detail=frozen');
	await assert.rejects(client('others'), {name: 'HTTPError', message: /504/v});
	assert.equal(origin.requests.length, 1);

	await cache.bypass({origin: origin.url}, '30m');
	const bypassed = await client('items');
	assert.equal(bypassed.headers['cache-status'], 'got-redis-cache;fwd=bypass;fwd-status=200;detail=bypassed-by-operator');
	assert.deepEqual([cacheInfo(bypassed)?.notStored, cacheInfo(bypassed)?.key], ['bypassed', undefined]);
});

test('explain() tells of a switch, also in a process that has not asked the origin yet', async () => {
	await using setup = await setUpServing();
	const {cache, origin, ask, other} = setup;
	await ask('items');
	const decided = async (url: string) => {
		const {decision: {kind, reason}} = await other().cache.explain(`${origin.url}/${url}`);
		return `${kind} ${reason}`;
	};

	await cache.freeze({origin: origin.url}, '30m');
	assert.deepEqual([await decided('items'), await decided('others')], ['reuse fresh', 'unavailable frozen']);
	await cache.bypass({origin: origin.url}, '30m');
	assert.equal(await decided('items'), 'bypass bypassed-by-operator');
});

test('requests that the cache takes no part in go to a frozen origin, and an unsafe one purges', async () => {
	await using setup = await setUpServing();
	const {cache, client, origin, ask} = setup;
	await ask('items');
	await cache.freeze({origin: origin.url}, '30m');
	assert.equal(await ask('items', {headers: {'cache-control': 'no-store'}}), 'bypass no-store 2');
	assert.equal(await ask('items', {context: {cache: false}}), 'bypass disabled 3');
	assert.equal(await client.post('items').text(), '4');
	assert.equal(await ask('items'), 'unavailable frozen 504');
});

test('a response to POST is not stored for GET while the origin is bypassed', async () => {
	await using setup = await setUpServing({}, {'content-location': '/items'});
	const {cache, client, origin, ask} = setup;
	await ask('others');
	await cache.bypass({origin: origin.url}, '30m');
	await ask('others');
	await client.post('items');
	await cache.thaw({origin: origin.url});
	assert.match(await ask('items'), /^miss not-stored/v);
});

test('a stored response is not refreshed while its origin is frozen', async () => {
	await using setup = await setUpServing({refreshAhead: true}, {'cache-control': 'max-age=60, stale-while-revalidate=600', age: '61'});
	const {cache, origin, ask} = setup;
	await ask('items');
	await cache.freeze({origin: origin.url}, '30m');
	assert.equal(await ask('items'), 'stale frozen 1');
	assert.equal(await ask('items'), 'stale frozen 1');
	await settleWrites(setup);
	assert.equal(origin.requests.length, 1);
});

test('a shared cache gives nothing frozen that the origin has to consent to each time', async () => {
	await using setup = await setUpServing({}, {'cache-control': 'no-cache', etag: '"1"'});
	const {cache, origin, ask} = setup;
	await ask('items', {headers: {cookie: 'sid=a'}});
	await cache.freeze({origin: origin.url}, '30m');
	assert.equal(await ask('items', {headers: {cookie: 'sid=b'}}), 'unavailable frozen 504');
});

test('a switch takes no command more: not for a hit, a miss or a look-up of nothing', async () => {
	await using setup = await setUpServing({memory: false});
	const {cache, redis, origin, ask} = setup;
	await ask('items');
	const commands = async () => commandsDuring([redis], async () => ask('items'));
	const before = await commands();
	await cache.freeze({origin: origin.url}, '30m');
	assert.equal((await commands()).length, before.length);
	await cache.thaw({origin: origin.url});
	assert.equal((await commands()).length, before.length);
});

test('the key in Redis outlives the switch', async () => {
	await using setup = await setUpServing();
	const {cache, redis, origin, ask} = setup;
	const ttl = async () => {
		const [key = ''] = await redis.client.keys('*:{origin:*');
		const ttlMs = await redis.client.pTTL(key);
		return ttlMs / 3_600_000;
	};

	await cache.freeze({origin: origin.url}, '10h');
	assert.ok(await ttl() > 10.9);
	await cache.invalidate({origin: origin.url});
	assert.ok(await ttl() > 10.9);
	await cache.thaw({origin: origin.url});
	await cache.clear();
	await ask('items');
	await cache.freeze({origin: origin.url}, '10h');
	assert.ok(await ttl() > 10.9);
});

const mistakes: ReadonlyArray<readonly [call: (cache: RedisCache) => Promise<unknown>, message: RegExp]> = [
	[
		async cache => cache.freeze({origin: 'api.example.com'}, '1m'),
		/^Expected the property `origin` in freeze\(\) to be an absolute URL such as 'https:\/\/api\.example\.com', got 'api\.example\.com'$/v,
	],
	[
		async cache => cache.bypass('https://api.example.com' as never, '1m'),
		/^Expected an object such as \{origin: 'https:\/\/api\.example\.com'\} in bypass\(\), got 'https:\/\/api\.example\.com'$/v,
	],
	[async cache => cache.thaw({} as never), /^Expected the property `origin` in thaw\(\) to be an absolute URL .*, got undefined$/v],
	[async cache => cache.freeze({tag: 'a'} as never, '1m'), /^Unknown property `tag` in freeze\(\): a switch is about all of an origin$/v],
	[
		async cache => cache.freeze({origin: 'https://api.example.com/items'}, '1m'),
		/in freeze\(\) without a path, got 'https:\/\/api\.example\.com\/items': a switch is about all of an origin$/v,
	],
	[async cache => cache.freeze({origin: 'https://*.example.com'}, '1m'), /in freeze\(\) without a wildcard/v],
	[
		async cache => cache.freeze({origin: 'https://api.example.com'}, undefined as never),
		/^Expected `duration` in freeze\(\) to be a duration longer than zero: milliseconds, or a string such as '30m', got undefined$/v,
	],
	[async cache => cache.bypass({origin: 'https://api.example.com'}, 0), /`duration` in bypass\(\) .*, got 0$/v],
	[async cache => cache.freeze({origin: 'https://api.example.com'}, '30' as never), /got '30', which has no unit: write '30s' for seconds/v],
	[async cache => cache.freeze({origin: 'https://api.example.com'}, Infinity), /got Infinity$/v],
	[
		async cache => (cache.thaw as (...given: unknown[]) => Promise<unknown>).call(cache, {origin: 'https://api.example.com'}, '1m'),
		/at most one argument in thaw\(\), got 2/v,
	],
];

test('a switch that is wrong is refused with the argument, the value and what is expected', async () => {
	await using setup = await setUp({store: 'memory'});
	for (const [call, message] of mistakes) {
		await assert.rejects(call(setup.cache), error => error instanceof TypeError && message.test(error.message), String(message));
	}
});

test('another process without a memory tier heeds a switch at once, one with it as soon as Redis tells it', async () => {
	await using setup = await setUpServing();
	const {cache, origin, ask, other} = setup;
	await ask('items');
	const [withTier, without] = [other(), other({memory: false})];
	for (const {client} of [withTier, without]) {
		assert.equal(await ask('items', {}, client), 'hit fresh 1');
	}

	await cache.bypass({origin: origin.url}, '10m');
	assert.match(await ask('items', {}, without.client), /^bypass/v);
	await askUntil(async () => (await ask('items', {}, withTier.client)).slice(0, 6), 'bypass');
	assert.deepEqual(withTier.cache.health().switches.map(({origin: each, kind}) => [each, kind]), [[origin.url, 'bypass']]);
	await cache.thaw({origin: origin.url});
	assert.equal(await ask('items', {}, without.client), 'hit fresh 1');
	await askUntil(async () => ask('items', {}, withTier.client), 'hit fresh 1');
	assert.deepEqual(withTier.cache.health().switches, []);
	assert.equal(await ask('items', {}, other().client), 'hit fresh 1');
});

test('a switch that is set while Redis hangs holds in its process, and for all when Redis answers, though its process asks nothing', async () => {
	await using setup = await setUpServing({timeout: 100});
	const {cache, redis, origin, ask, other} = setup;
	await ask('items');
	redis.pause();
	assert.equal(await cache.freeze({origin: origin.url}, '30m'), false);
	assert.equal(await ask('others'), 'unavailable frozen 504');
	redis.resume();
	const another = other({memory: false, timeout: '30s'});
	await askUntil(async () => ask(`others-${Math.random()}`, {}, another.client), 'unavailable frozen 504');
	assert.equal(await ask('items', {}, another.client), 'hit fresh 1');
});

test('a purge that Redis did not confirm is made when Redis answers, though its process asks nothing', async () => {
	await using setup = await setUpServing({timeout: 100});
	const {cache, redis, ask, other} = setup;
	const another = other({memory: false, timeout: '30s'});
	await ask('items', {context: {cache: {tags: ['a']}}});
	await askUntil(async () => ask('items', {}, another.client), 'hit fresh 1');
	redis.pause();
	assert.equal(await cache.invalidate({tag: 'a'}), false);
	redis.resume();
	await askUntil(async () => ask('items', {}, another.client), 'miss not-stored 2');
});

test('a known switch holds while Redis is away, and is written again when Redis has lost it', async () => {
	await using setup = await setUpServing({timeout: 1000});
	const {cache, redis, origin, ask, other} = setup;
	const another = other({timeout: '30s'});
	await ask('items', {}, another.client);
	await cache.freeze({origin: origin.url}, '30m');
	await askUntil(async () => ask('others', {}, another.client), 'unavailable frozen 504');
	await redis.kill();
	assert.equal(await ask('items'), 'unavailable frozen 504');
	assert.equal(await ask('items', {}, another.client), 'unavailable frozen 504');
	await redis.restart();
	await cache.close();
	const third = other({timeout: '30s', memory: false});
	await askUntil(async () => {
		await ask('others', {}, another.client);
		return ask(`others-${Math.random()}`, {}, third.client);
	}, 'unavailable frozen 504');
});

test('a thaw reaches a process that knows the switch, also where Redis has lost it meanwhile', async () => {
	await using setup = await setUpServing({memory: false});
	const {cache, redis, origin, ask, other} = setup;
	await cache.freeze({origin: origin.url}, '30m');
	assert.equal(await ask('items'), 'unavailable frozen 504');
	await redis.client.flushAll();
	assert.equal(await other().cache.thaw({origin: origin.url}), true);
	assert.equal(await ask('items'), 'miss not-stored 1');
});

test('in a store that stands in for Redis a switch holds, and is set in the Redis that takes over', slow, async () => {
	await using setup = await setUpServing();
	const {redis, origin, ask} = setup;
	const {RedisCache: Cache} = await import('../../source/got/redis-cache.ts');
	const {default: got} = await import('got');
	delete process.env.REDIS_URL; // eslint-disable-line n/prefer-global/process, node-test/no-process-env-mutation -- The tests set none.
	redis.pause();
	const alone = new Cache({timeout: 50}, redis.url);
	try {
		const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, alone);
		assert.match(await ask('items', {}, client), /^miss/v);
		const recovered = once(alone as never, 'recovered');
		assert.equal(await alone.freeze({origin: origin.url}, '30m'), false);
		assert.equal(await ask('others', {}, client), 'unavailable frozen 504');
		redis.resume();
		await recovered;
		await askUntil(async () => ask(`others-${Math.random()}`), 'unavailable frozen 504');
		assert.equal(await ask('others', {}, client), 'unavailable frozen 504');
	} finally {
		await alone.close();
	}
});
