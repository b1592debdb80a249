import assert from 'node:assert/strict';
import {test} from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import {runCli, setUpCli} from './helpers.ts';

test('freeze, bypass and thaw hold in other processes, and say until when', async () => {
	await using setup = await setUpCli({memory: false});
	const {cli, json, origin, client} = setup;
	await setup.store(['a']);
	const reasonOf = async (path: string) => cacheInfo(await client(path, {throwHttpErrors: false}))?.reason;

	const frozen = await cli('freeze', origin.url, '--for', '1h');
	assert.deepEqual([frozen.code, frozen.stderr], [0, '']);
	assert.match(frozen.stdout, /^Froze http:\/\/127\.0\.0\.1:\d+ until \d{4}-.*Z: every process answers from the cache alone, and with 504 for what is not stored or never is\. got-redis-cache thaw http:\/\/127\.0\.0\.1:\d+ ends it\.\n$/v);
	assert.deepEqual([await reasonOf('a'), await reasonOf('b')], ['fresh', 'frozen']);

	const [bypassed] = await json('bypass', origin.url);
	assert.deepEqual({...bypassed, until: undefined}, {switch: 'bypass', origin: origin.url, until: undefined, confirmed: true});
	const minutes = Math.round((Date.parse(String(bypassed?.until)) - Date.now()) / 60_000);
	assert.equal(minutes, 30);
	assert.equal(await reasonOf('a'), 'bypassed-by-operator');

	assert.deepEqual(await cli('thaw', origin.url), {code: 0, stdout: `Thawed ${origin.url}: every process uses the cache and the origin again.\n`, stderr: ''});
	assert.equal(await reasonOf('a'), 'fresh');
	await cli('bypass', origin.url);
	assert.deepEqual(await json('thaw', origin.url), [{switch: 'thaw', origin: origin.url, confirmed: true}]);
});

test('a switch without the keys of an encrypted namespace is warned of', async () => {
	await using setup = await setUpCli({encryption: 'a'.repeat(64)});
	await setup.store(['a']);
	const frozen = await setup.cli('freeze', setup.origin.url);
	assert.equal(frozen.code, 6);
	assert.match(frozen.stderr, /encrypted, so no process sees this switch: give the keys with --encryption-file/v);
});

test('the switches of all processes are listed, the one that ends first at the beginning', async () => {
	await using setup = await setUpCli();
	const {cli, json, cache, origin} = setup;
	const none = await cli('switches');
	assert.deepEqual([none.code, none.stdout], [1, '']);
	assert.match(none.stderr, /^No origin is frozen or bypassed in the namespace 'http_cache'/v);

	await cache.freeze({origin: 'https://api.example.com'}, '2h');
	await cache.bypass({origin: origin.url}, '30m');
	const {code, stdout, stderr} = await cli('switches');
	assert.deepEqual([code, stderr], [0, '']);
	const [header, ...rows] = stdout.trimEnd().split('\n');
	assert.equal(header, 'SWITCH         LEFT  UNTIL                 ORIGIN');
	assert.match(rows.join('\n'), /^bypass {2}29 min \d+ s {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}http:\/\/127\.0\.0\.1:\d+\nfreeze +1 h 59 min {2}.*Z {2}https:\/\/api\.example\.com$/v);
	const listed = await json('switches');
	const known = (await cache.switches()).map(({kind, origin: each, until}) => ({switch: kind, origin: each, until: until.toISOString()}));
	assert.deepEqual(listed, known);
	assert.equal(listed.length, 2);

	await cli('thaw', origin.url);
	assert.deepEqual((await json('switches')).map(({origin: each}) => String(each)), ['https://api.example.com']);
});

test('the list of switches names the keys that an encrypted namespace needs', async () => {
	await using setup = await setUpCli({encryption: 'a'.repeat(64)});
	await setup.store(['a']);
	await setup.cache.freeze({origin: setup.origin.url}, '1h');
	const {code, stderr} = await setup.cli('switches');
	assert.equal(code, 1);
	assert.match(stderr, /encrypted, and so are its switches: give the keys with --encryption-file/v);
	const withKey = await runCli(['switches', '--json'], {env: {REDIS_URL: setup.redis.url, GOT_REDIS_CACHE_ENCRYPTION: 'a'.repeat(64)}});
	assert.deepEqual([withKey.code, (JSON.parse(withKey.stdout) as Record<string, unknown>).origin], [0, setup.origin.url]);
});

test('a switch that Redis does not take, or whose arguments are wrong, says so', async () => {
	await using setup = await setUpCli();
	await setup.redis.client.sendCommand(['ACL', 'SETUSER', 'default', '-eval']);
	const {code, stderr} = await setup.cli('freeze', 'https://api.example.com');
	assert.equal(code, 4);
	assert.match(stderr, /does not let this user run EVAL/v);

	const mistakes: ReadonlyArray<readonly [arguments_: readonly string[], message: RegExp]> = [
		[['freeze', 'api.example.com'], /'api\.example\.com' is no origin: give one such as https:\/\/api\.example\.com/v],
		[['bypass', 'https://api.example.com/items'], /: 'https:\/\/api\.example\.com\/items' is no origin, because it has a path: give https:\/\/api\.example\.com \(a switch is about all of an origin\)$/mv],
		[['freeze', 'https://api.example.com', '--for', '5'], /--for is '5', which has no unit: write '5s' for seconds, or give a duration longer than zero such as 30m/v],
		[['freeze', 'https://api.example.com', '--for', '-5m'], /: --for is '-5m': give a value that is not negative$/mv],
		[['freeze', 'https://api.example.com', '--for', '0s'], /--for is '0s': give a duration longer than zero/v],
		[['thaw', 'https://api.example.com', '--for', '1h'], /--for/v],
	];
	for (const [arguments_, message] of mistakes) {
		const {code: usage, stdout, stderr: told} = await setup.cli(...arguments_);
		assert.match(told, message);
		assert.deepEqual([usage, stdout, told.trimEnd().split('\n').length], [2, '', 1], told);
	}
});

test('the hint how to end a switch has the options of the store, without its password', async () => {
	await using setup = await setUpCli({namespace: 'my shop'});
	await setup.store(['a']);
	const store = setup.redis.url.replace('//', '//default:hunter2@');
	const {code, stdout, stderr} = await runCli(['freeze', setup.origin.url, '--store', store, '-n', 'my shop']);
	assert.deepEqual([code, stderr], [0, '']);
	assert.ok(stdout.endsWith(` got-redis-cache thaw ${setup.origin.url} --store ${setup.redis.url} --namespace 'my shop' ends it.\n`), stdout);
	const {stdout: bypassed} = await runCli(['bypass', setup.origin.url, '-n', 'my shop'], {env: {REDIS_URL: setup.redis.url}});
	assert.match(bypassed, / got-redis-cache thaw http:\S+ --namespace 'my shop' ends it\.\n$/v);
});

test('thaw of an origin without a switch finds nothing, and writes nothing', async () => {
	await using setup = await setUpCli();
	const {cli, json, cache, origin, redis} = setup;
	const {code, stdout, stderr} = await cli('thaw', origin.url);
	assert.deepEqual([code, stdout], [1, '']);
	assert.equal(stderr, `Found nothing to thaw: ${origin.url} is neither frozen nor bypassed in the namespace 'http_cache' of ${redis.url}; \`got-redis-cache switches\` lists the origins that are\n`);
	assert.deepEqual(await redis.client.keys('*'), []);

	const all = await cli('thaw', '--all');
	assert.deepEqual([all.code, all.stdout], [1, '']);
	await cache.freeze({origin: 'https://api.example.com'}, '2h');
	await cache.bypass({origin: origin.url}, '30m');
	assert.deepEqual((await json('thaw', '--all')).map(({origin: each, confirmed}) => `${each} ${confirmed}`), [`${origin.url} true`, 'https://api.example.com true']);
	assert.deepEqual(await cache.switches(), []);
	assert.equal((await cli('thaw', origin.url)).code, 1);
	for (const arguments_ of [['thaw'], ['thaw', origin.url, '--all']]) {
		assert.match((await cli(...arguments_)).stderr, /^got-redis-cache: Give either an origin such as https:\/\/api\.example\.com, or --all\n$/v);
	}
});

test('thaw without the keys of an encrypted namespace says that it sees no switch', async () => {
	await using setup = await setUpCli({encryption: 'a'.repeat(64)});
	await setup.store(['a']);
	await setup.cache.freeze({origin: setup.origin.url}, '1h');
	const {code, stderr} = await setup.cli('thaw', setup.origin.url);
	assert.equal(code, 6);
	assert.match(stderr, /encrypted, and so are its switches: give the keys with --encryption-file/v);
	assert.equal((await setup.cache.switches()).length, 1);
});

test('a switch of an origin that nobody knows, or for longer than a week, is set with a warning', async () => {
	await using setup = await setUpCli();
	const {cli, origin, redis} = setup;
	const place = `the namespace 'http_cache' of ${redis.url}`;
	const empty = await cli('freeze', 'https://api.example.com');
	assert.deepEqual([empty.code, empty.stderr], [0, `Nothing is stored of https://api.example.com, and no process has asked for it in the last hour, in ${place}: is it spelt as in your program? (none is known there)\n`]);

	await setup.store(['a']);
	const misspelt = await cli('bypass', origin.url.replace('127.0.0.1', 'localhost'));
	assert.equal(misspelt.code, 0);
	assert.match(misspelt.stderr, /^Nothing is stored of http:\/\/localhost:\d+, .* \(known there: http:\/\/127\.0\.0\.1:\d+\)\n$/v);
	assert.match((await cli('freeze', origin.url, '--for', '1000d')).stderr, /^That is longer than a week: /v);
	assert.equal((await cli('freeze', origin.url, '--for', '7d')).stderr, '');

	// What processes have counted is known as well.
	await setup.cache.clear();
	await setup.cache.close();
	assert.equal((await cli('freeze', origin.url)).stderr, '');
});

test('a module of options that is not there is told without a file of the command line', async () => {
	const {code, stderr} = await runCli(['switches', '--config', 'nosuch.mjs']);
	assert.equal(code, 2);
	assert.match(stderr, /^got-redis-cache: --config nosuch\.mjs cannot be loaded \(Cannot find module '[^']*nosuch\.mjs'\): give a module/v);
});
