import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {test} from 'node:test';
import {runCli, setUpCli} from './helpers.ts';

test('show tells freshness, times, header fields and a body that is text', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['items']});

	const {code, stdout, stderr} = await setup.cli('show', `${setup.origin.url}/a`);
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^GET http:\/\/127\.0\.0\.1:\d+\/a\n200 OK, fresh\n\nage {6}\d+s\n/v);
	assert.match(stdout, /\nexpires {2}\d{4}-\S+Z \(in \d+s\)\n/v);
	assert.match(stdout, /\nkept {5}until \d{4}-\S+Z \(in \d+[hm]\)\n/v);
	assert.match(stdout, /\nkey {6}http_cache:\{.{22}\}\ntags {5}items\n/v);
	assert.match(stdout, /\ncontent-type: text\/plain\n/v);
	assert.match(stdout, /\n\nbody of \/a\n$/v);
});

test('show finds a response by its key as Redis has it, with and without the namespace', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const [entry] = await setup.json('ls');
	const key = String(entry?.storeKey);

	for (const each of [key, key.slice('http_cache:'.length)]) {
		const [shown] = await setup.json('show', each);
		assert.deepEqual([shown?.url, shown?.body, shown?.storeKey], [`${setup.origin.url}/a`, 'body of /a', key]);
	}

	const other = await setup.cli('show', 'other:{mJ3xXvJ8sUuGgI7mRz1b5w}');
	assert.equal(other.code, 2);
	assert.match(other.stderr, /^got-redis-cache: Expected a key of this cache, such as 'http_cache:\{…\}', got 'other:/v);
});

test('show selects the variant that --header names', async () => {
	await using setup = await setUpCli();
	for (const language of ['de', 'en']) {
		await setup.client('vary', {headers: {'accept-language': language}});
	}

	for (const language of ['de', 'en']) {
		const [shown] = await setup.json('show', `${setup.origin.url}/vary`, '-H', `Accept-Language: ${language}`);
		assert.deepEqual([shown?.body, shown?.vary], [`body of /vary ${language}`, {'accept-language': language}]);
		const [byKey] = await setup.json('show', String(shown?.storeKey));
		assert.equal(byKey?.body, shown?.body);
	}
});

test('show --body writes the body byte for byte, and show none that is no text', async () => {
	await using setup = await setUpCli();
	const bytes = Uint8Array.from({length: 256}, (_, index) => index);
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'application/octet-stream'}).end(bytes);
	};

	await setup.store(['bytes']);
	const url = `${setup.origin.url}/bytes`;

	const [shown] = await setup.json('show', url);
	assert.deepEqual([shown?.bodyEncoding, shown?.body], ['base64', Buffer.from(bytes).toString('base64')]);

	const {stdout} = await setup.cli('show', url);
	assert.match(stdout, /\(256 B that are no text: --body writes them as they are\)\n$/v);
	assert.equal((await setup.cli('show', url, '--body')).stdout, new TextDecoder().decode(bytes));
});

test('show of nothing says so, and exits with 1', async () => {
	await using setup = await setUpCli();
	const {code, stdout, stderr} = await setup.cli('show', 'https://example.com/nothing');
	assert.deepEqual([code, stdout], [1, '']);
	assert.match(stderr, /^Nothing is stored for https:\/\/example\.com\/nothing in the namespace 'http_cache' of redis:\/\/127\.0\.0\.1:\d+; `got-redis-cache ls --url URL`/v);
});

test('show of a key whose value is corrupt says that it cannot be read', async () => {
	await using setup = await setUpCli();
	await setup.redis.client.set('http_cache:{corrupt}', 'no value of a cache');
	const {code, stdout, stderr} = await setup.cli('show', 'http_cache:{corrupt}');
	assert.deepEqual([code, stdout], [6, '']);
	assert.match(stderr, /^got-redis-cache: The value that is stored for http_cache:\{corrupt\} cannot be read, and requests miss it: .*purge KEY/v);
});

test('show of nothing where responses are encrypted asks for the key', async () => {
	const encryption = randomBytes(32).toString('base64');
	await using setup = await setUpCli({encryption});
	await setup.store(['a']);
	const url = `${setup.origin.url}/a`;

	assert.match((await setup.cli('show', url)).stderr, /the responses are encrypted: give the keys/v);
	const {stdout} = await runCli(['show', url], {env: {REDIS_URL: setup.redis.url, GOT_REDIS_CACHE_ENCRYPTION: encryption}});
	assert.match(stdout, /body of \/a\n$/v);
	const key = /^key +(?<key>\S+)$/mv.exec(stdout)?.groups?.key ?? '';
	assert.equal(await setup.redis.client.exists(key), 1);
	const byKey = await runCli(['show', key, '--json'], {env: {REDIS_URL: setup.redis.url, GOT_REDIS_CACHE_ENCRYPTION: encryption}});
	assert.equal((JSON.parse(byKey.stdout) as {body: string}).body, 'body of /a');
});

test('show finds what is stored for a user, and for an additional key', async () => {
	await using setup = await setUpCli({user: ({headers}) => String(headers['x-user']), key: ({headers}) => String(headers['x-key'])});
	await setup.client('a', {headers: {'x-user': 'anna', 'x-key': 'k'}});
	const url = `${setup.origin.url}/a`;

	const [shown] = await setup.json('show', url, '--user', 'anna', '--key', 'k');
	assert.equal(shown?.body, 'body of /a');
	assert.equal((await setup.cli('show', url)).code, 1);
	assert.equal((await setup.json('ls', '--url', url)).length, 1);
});

test('text of a server moves no cursor and changes no colours', async () => {
	await using setup = await setUpCli();
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', 'content-type': 'text/plain', 'x-evil': '\u{9B}2Jtitle\u{9D}0;owned\u{9C}', 'cache-tag': 'a'});
		response.end('plain\u{1B}[2J\u{1B}]0;owned\u{7}\u{202E}txt.exe\n\ttab');
	};

	await setup.store(['evil?%1b[31m'], {tags: ['tag\u{1B}[31m']});
	const url = `${setup.origin.url}/evil?%1b[31m`;
	const control = /[\p{Bidi_Control}[\p{Control}--[\t\n]]]/v;

	for (const arguments_ of [
		['ls'],
		['ls', '--json'],
		['show', url],
		['show', url, '--json'],
		['purge', url, '--dry-run'],
		['purge', '--tag', 'tag\u{1B}[31m', '--dry-run'],
		['show', `${url}\u{1B}[2J`],
	]) {
		const {stdout, stderr} = await setup.cli(...arguments_);
		assert.doesNotMatch(stdout + stderr, control, arguments_.join(' '));
	}

	const {stdout} = await setup.cli('show', url);
	assert.match(stdout, /\n\nplain.*txt\.exe\n\ttab\n$/v);

	const [shown] = await setup.json('show', url);
	assert.ok(String(shown?.body).startsWith('plain\u{1B}[2J'));
});

test('show of a key that holds no response says what it is for', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['items']});
	await setup.client('secret', {context: {cache: {expireAfter: 'no-store'}}});
	await setup.cache.fleetStats();
	await setup.cache.delete(`${setup.origin.url}/b`);

	const keys = await setup.redis.client.keys('http_cache:*');
	const kinds: ReadonlyArray<readonly [key: RegExp, what: RegExp]> = [
		[/:stats\./v, /the statistics of the fleet/v],
		[/:guard$/v, /the guard of a URL/v],
		[/:\{origin:/v, /the version of an origin/v],
		[/:\{tag:/v, /the version of a tag/v],
	];
	for (const [pattern, what] of kinds) {
		const key = keys.find(each => pattern.test(each)) ?? '';
		const {code, stdout, stderr} = await setup.cli('show', key);
		assert.deepEqual([code, stdout], [1, '']);
		assert.ok(stderr.startsWith(`${key} is no response, but bookkeeping of the cache: `), stderr);
		assert.match(stderr, what);
	}

	assert.match((await setup.cli('show', 'http_cache:{tag:none}')).stderr, /^Nothing is stored for http_cache:\{tag:none\} in /v);
});

test('show tells the same time of removal each time', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const url = `${setup.origin.url}/a`;
	const kept = await Promise.all([setup.json('show', url), setup.json('show', url)]);
	const [one, other] = kept.map(([stored]) => String(stored?.keptUntil));
	assert.match(String(one), /^\d{4}-/v);
	assert.equal(one, other);
});
