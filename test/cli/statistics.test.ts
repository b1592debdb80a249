import assert from 'node:assert/strict';
import {test} from 'node:test';
import {runCli, setUpCli} from './helpers.ts';

test('stats shows what all processes have asked for', async () => {
	await using setup = await setUpCli();
	await setup.store(['a', 'a', 'a', 'b']);
	// A process that ends tells what it has counted.
	await setup.cache.close();

	const {code, stdout, stderr} = await setup.cli('stats');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^4 requests in 1 h(?: \d+ min)?, [\d.]+ a second in the .* that had any, 50\.0 % from the cache\n\n +REQUESTS +STATUS\n/v);
	assert.match(stdout, /\n +2 +50\.0 % +hit\n/v);
	assert.match(stdout, /\n +2 +50\.0 % +miss\n/v);
	assert.match(stdout, /HOTTEST URL.*\n +3 +75\.0 % +http:\/\/127\.0\.0\.1:\d+\/a\n/v);
	assert.match(stdout, /\nfrom origins +\d+ B, of 1 origin\n/v);

	const [stats] = await setup.json('stats', '--since', '10m');
	assert.deepEqual([stats?.requests, stats?.statuses.hit, stats?.statuses.miss], [4, 2, 2]);
});

test('the requests of commands do not count', async () => {
	await using setup = await setUpCli();
	await runCli(['warm', '-'], {env: {REDIS_URL: setup.redis.url}, stdin: `${setup.origin.url}/a`});
	const {code, stdout, stderr} = await setup.cli('stats');
	assert.deepEqual([code, stdout], [1, '']);
	assert.match(stderr, /^No process has told of a request in the namespace 'http_cache' of redis:\/\/127\.0\.0\.1:\d+ since \d{4}-.*: go further back with --since/v);
});

test('top writes frames where there is no terminal', async () => {
	await using setup = await setUpCli();
	await setup.store(['a', 'a']);
	await setup.cache.close();

	const one = await setup.cli('top', '--since', '10m');
	assert.deepEqual([one.code, one.stderr], [0, '']);
	assert.match(one.stdout, /^\d{4}-.*Z\nIn the namespace 'http_cache' of redis:\/\/127\.0\.0\.1:\d+\n2 requests in .*\n\n +REQUESTS +STATUS\n/v);
	assert.ok(!one.stdout.includes('\u{1B}'));
	const frames = await setup.json('top', '--since', '10m', '--count', '2', '--interval', '0.1');
	assert.deepEqual(frames.map(({requests}) => Number(requests)), [2, 2]);
	const times = frames.map(({until}) => Date.parse(String(until)));
	assert.ok(Number(times[1]) > Number(times[0]), String(times));
});

test('stats has no share above 100 %, and the rate of the minutes that had requests', async () => {
	await using setup = await setUpCli();
	await setup.store(['a', 'a']);
	await setup.cache.close();
	const {client} = setup.redis;
	// Seven requests of the same ten minutes, before the minutes that are asked about.
	const [origins] = await client.keys('*.origins.*');
	await client.zIncrBy(String(origins), 7, `requests ${setup.origin.url}`);
	const [urls] = await client.keys('*.urls.*');
	await client.zIncrBy(String(urls), 7, `${setup.origin.url}/a`);

	const {stdout} = await setup.cli('stats', '--since', '10s');
	assert.match(stdout, /^2 requests in (?:\d+ min(?: \d+ s)?|\d+ s), /v);
	const shares = stdout.split('\n').flatMap(line => /^ +\d+ +(?<share>\d+\.\d) %/v.exec(line)?.groups?.share ?? []).map(Number);
	assert.ok(shares.length > 3, stdout);
	assert.deepEqual(shares.filter(each => each > 100), []);
	assert.match(stdout, /ORIGIN.*\n +9 +100\.0 %/v);

	const hour = await setup.cli('stats', '--since', '1h');
	const rate = Number(/, (?<rate>[\d.]+) a second/v.exec(hour.stdout)?.groups?.rate);
	// Two requests in two minutes at most, and not in an hour.
	assert.ok(rate > 0, hour.stdout);
	assert.match(hour.stdout, /errors +0 without a response, or aborted; an answer such as 503 is a response\n/v);
});

test('stats and top fit a terminal of 40 columns, with their shares', async () => {
	await using setup = await setUpCli();
	await setup.store(['a', 'a', 'b']);
	await setup.cache.close();
	for (const command of ['stats', 'top']) {
		const {stdout} = await runCli([command, '--since', '1h'], {env: {REDIS_URL: setup.redis.url, COLUMNS: '40'}});
		assert.deepEqual(stdout.split('\n').filter(line => line.length > 40), []);
		assert.match(stdout, /\n +1 +33\.3 % +hit\n/v);
		assert.match(stdout.replaceAll('\n', ' '), /33\.3 % from the cache/v);
	}
});

test('stats and top tell why origins and URLs are unreadable without the keys', async () => {
	await using setup = await setUpCli({encryption: 'a'.repeat(64)});
	await setup.store(['a']);
	await setup.cache.fleetStats();
	for (const command of ['stats', 'top']) {
		const {code, stderr} = await setup.cli(command);
		assert.equal(code, 0);
		assert.match(stderr, /^The URLs and origins of this namespace are encrypted: give the keys with --encryption-file/v);
	}
});

test('stats that Redis refuses say why', async () => {
	await using setup = await setUpCli();
	await setup.redis.client.sendCommand(['ACL', 'SETUSER', 'default', '-hgetall']);
	const {code, stdout, stderr} = await setup.cli('stats');
	assert.deepEqual([code, stdout, stderr.trimEnd().split('\n').length], [4, '', 1]);
	assert.match(stderr, /^got-redis-cache: the statistics of the fleet cannot be read: .*hgetall/iv);
});

test('stats and top of what cannot be say so', async () => {
	for (const command of ['stats', 'top']) {
		const down = await runCli([command, '--store', 'redis://127.0.0.1:1']);
		assert.deepEqual([down.code, down.stdout], [3, '']);
		assert.match(down.stderr, /^got-redis-cache: .*ECONNREFUSED.*Nothing listens there/v);
		const wrong = await runCli([command, '--since', '3d']);
		assert.equal(wrong.code, 2);
		assert.match(wrong.stderr, /^got-redis-cache: --since is '3d': give a duration longer than zero, and no longer than two days/v);
	}

	assert.match((await runCli(['top', '--interval', '0'])).stderr, /--interval is '0': give a number of seconds, such as 5/v);
});
