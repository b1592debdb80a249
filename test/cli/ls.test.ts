import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {test} from 'node:test';
import {runCli, setUpCli} from './helpers.ts';

test('ls writes a table of what is stored', async () => {
	await using setup = await setUpCli();
	await setup.store(['items?page=1'], {tags: ['items', 'prices']});
	await setup.store(['old']);

	const {code, stdout, stderr} = await setup.cli('ls', '--sort', 'url');
	const [header, ...rows] = stdout.trimEnd().split('\n');
	assert.match(header ?? '', /^STATE +CODE +AGE +TTL +SIZE +URL$/v);
	assert.match(rows[0] ?? '', /^fresh +200 +\d+s +\d+[hm] +21 B +http:\/\/127\.0\.0\.1:\d+\/items\?page=1 {2}#items #prices$/v);
	assert.match(rows[1] ?? '', /^stale +200 +\dm +\d+m +12 B +http:\/\/127\.0\.0\.1:\d+\/old$/v);
	assert.deepEqual([code, stderr, rows.length], [0, '', 2]);
});

test('ls --json writes a line for each entry, with its key in Redis', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['t']});

	const [entry, ...others] = await setup.json('ls');
	assert.deepEqual(others, []);
	assert.equal(entry?.url, `${setup.origin.url}/a`);
	assert.deepEqual([entry?.statusCode, entry?.isFresh, entry?.size, entry?.tags], [200, true, 10, ['t']]);
	assert.equal(await setup.redis.client.exists(String(entry?.storeKey)), 1);
	assert.ok(Date.parse(String(entry?.keptUntil)) > Date.parse(String(entry?.expiresAt)));
});

test('ls filters by prefix, pattern, origin, tag, age and freshness', async () => {
	await using setup = await setUpCli();
	await setup.store(['items/1', 'items/2'], {tags: ['items']});
	await setup.store(['old', 'other']);
	const pathsOf = async (...filter: readonly string[]) => {
		const entries = await setup.json('ls', ...filter);
		return entries.map(({url}) => new URL(String(url)).pathname).toSorted();
	};

	assert.deepEqual(await pathsOf('--prefix', `${setup.origin.url}/items/`), ['/items/1', '/items/2']);
	assert.deepEqual(await pathsOf('--pattern', '/items/*'), ['/items/1', '/items/2']);
	assert.deepEqual(await pathsOf('--tag', 'nothing', '--tag', 'items'), ['/items/1', '/items/2']);
	assert.deepEqual(await pathsOf('--stale'), ['/old']);
	assert.deepEqual(await pathsOf('--fresh', '--tag', 'items'), ['/items/1', '/items/2']);
	assert.deepEqual(await pathsOf('--url', `${setup.origin.url}/other`), ['/other']);
	assert.deepEqual(await pathsOf('--older-than', '1h'), []);
	assert.equal((await pathsOf('--origin', setup.origin.url)).length, 4);
});

test('ls sorts, reverses and pages', async () => {
	await using setup = await setUpCli();
	await setup.store(['c', 'b', 'long-name', 'a']);
	const pathsOf = async (...order: readonly string[]) => {
		const entries = await setup.json('ls', ...order);
		return entries.map(({url}) => new URL(String(url)).pathname.slice(1));
	};

	assert.deepEqual(await pathsOf('--sort', 'url'), ['a', 'b', 'c', 'long-name']);
	assert.deepEqual(await pathsOf('--sort', 'url', '--reverse', '--limit', '1'), ['long-name']);
	assert.deepEqual(await pathsOf('--sort', 'url', '--limit', '3', '--page', '2'), ['long-name']);
	assert.deepEqual(await pathsOf('--sort', 'size', '--limit', '1'), ['long-name']);
	assert.equal((await pathsOf('--limit', '2')).length, 2);
});

test('ls of an empty namespace says so, and exits with 1', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);

	assert.deepEqual(await setup.cli('ls', '--namespace', 'empty'), {
		code: 1,
		stdout: '',
		stderr: `Nothing is stored in the namespace 'empty' of ${setup.redis.url}; --namespace and --store look elsewhere\n`,
	});
	const {code, stderr} = await setup.cli('ls', '--tag', 'none');
	assert.deepEqual([code, stderr.startsWith('Nothing that matches is stored in')], [1, true]);
});

test('ls in a terminal of 40 columns keeps each row on one line', async () => {
	await using setup = await setUpCli();
	await setup.store([`items/${'long/'.repeat(30)}end?page=1`, 'a'], {tags: ['items']});

	const {stdout} = await runCli(['ls', '--sort', 'size'], {env: {REDIS_URL: setup.redis.url, COLUMNS: '40'}});
	const lines = stdout.trimEnd().split('\n');
	assert.equal(lines.length, 3);
	assert.ok(lines.every(line => line.length <= 40), stdout);
	assert.match(lines[1] ?? '', /^fresh {2}200 {3}http:\/\/[^…]+…[^…]+end\?page=1$/v);
});

test('ls counts and names values that are corrupt, and lists the others', async () => {
	await using setup = await setUpCli();
	await setup.store(['good', 'damaged']);
	const entries = await setup.json('ls');
	const damaged = String(entries.find(({url}) => String(url).endsWith('/damaged'))?.storeKey);
	await setup.redis.client.setRange(damaged, 30, '??');
	await setup.redis.client.set('http_cache:{anything}', 'nothing of ours');

	const {code, stdout, stderr} = await setup.cli('ls');
	assert.equal(code, 0);
	assert.match(stdout, /\/good\n$/v);
	assert.equal(stdout.split('\n').length, 3);
	assert.match(stderr, /^2 values are corrupt \(http_cache:\{.+\}, http_cache:\{.+\}\): .*purge KEY/v);
	assert.ok(stderr.includes(damaged));
	assert.ok(stderr.includes('http_cache:{anything}'));
});

test('ls says of encrypted responses how many there are, and lists them with the key', async () => {
	const encryption = randomBytes(32).toString('hex');
	await using setup = await setUpCli({encryption});
	await setup.store(['a', 'b', 'c']);

	const {code, stdout, stderr} = await setup.cli('ls');
	assert.deepEqual([code, stdout], [1, '']);
	// The version of the origin is encrypted as well.
	assert.match(stderr, /^\d values are encrypted \(http_cache:.*\): give the keys with --encryption-file or GOT_REDIS_CACHE_ENCRYPTION\n/v);

	const withKey = await runCli(['ls', '--json'], {env: {REDIS_URL: setup.redis.url, GOT_REDIS_CACHE_ENCRYPTION: encryption}});
	assert.deepEqual([withKey.stdout.trimEnd().split('\n').length, withKey.stderr], [3, '']);

	const withOther = await runCli(['ls'], {env: {REDIS_URL: setup.redis.url, GOT_REDIS_CACHE_ENCRYPTION: randomBytes(32).toString('hex')}});
	assert.match(withOther.stderr, /values are encrypted with another key/v);
});

test('ls --keys has the key of each response, which show takes', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['items']});
	const {stdout} = await setup.cli('ls', '--keys');
	assert.match(stdout, /^STATE .* KEY AND URL\nfresh .* {2}http_cache:\{\S{22}\} {2}http:\/\/127\.0\.0\.1:\d+\/a {2}#items\n$/v);
	const key = /http_cache:\S+/v.exec(stdout)?.[0] ?? '';
	assert.equal((await setup.cli('show', key, '--body')).stdout, 'body of /a');
});
