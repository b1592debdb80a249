import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer, type AddressInfo} from 'node:net';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {test} from 'node:test';
import {unlessFast} from '../helpers/runs.ts';
import {environment, main, setUpCli} from './helpers.ts';

/** Takes connections as a Redis that hangs does. */
const silentServer = async () => {
	const asked = Promise.withResolvers<void>();
	const server = createServer(socket => {
		socket.on('error', () => undefined).once('data', () => {
			asked.resolve();
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
		isAsked: asked.promise,
		async [Symbol.asyncDispose]() {
			server.close();
		},
	};
};

test('purge of a URL removes it and says whether it was confirmed', async () => {
	await using setup = await setUpCli();
	await setup.store(['a', 'b']);
	const url = `${setup.origin.url}/a`;

	assert.deepEqual(await setup.cli('purge', url), {code: 0, stdout: `Purged ${url}. Redis confirmed it, for every process.\n`, stderr: ''});
	assert.deepEqual((await setup.json('ls')).map(({url: each}) => String(each)), [`${setup.origin.url}/b`]);
	const again = await setup.cli('purge', url);
	assert.equal(again.code, 0);
	assert.match(again.stdout, /Nothing readable was stored for it/v);
	assert.deepEqual(await setup.json('purge', url), [{purge: url, soft: false, confirmed: true, found: false}]);
});

test('purge by tag, group, origin, prefix, pattern, age, staleness and of all', async () => {
	await using setup = await setUpCli();
	const {origin} = setup;
	const purges: ReadonlyArray<readonly string[]> = [
		['--tag', 'other', '--tag', 'items'],
		['--group', 'g', '--origin', origin.url],
		['--origin', origin.url],
		['--prefix', `${origin.url}/group/`],
		['--pattern', '/group/*'],
		['--url', `${origin.url}/group/1`],
		['--older-than', '0s'],
		['--all'],
	];
	for (const arguments_ of purges) {
		await setup.store(['group/1'], {tags: ['items']});
		const dry = await setup.cli('purge', ...arguments_, '--dry-run');
		assert.match(dry.stdout, /^http.*\/group\/1\nWould purge .*: 1 response\. Nothing was purged, because of --dry-run\.\n$/v, arguments_.join(' '));
		assert.equal((await setup.cli('ls')).code, 0);

		const {code, stdout} = await setup.cli('purge', ...arguments_, ...arguments_.includes('--all') ? ['--yes'] : []);
		assert.equal(code, 0);
		assert.match(stdout, /^Purged .*\. Redis confirmed it, for every process\.\n$/v);
		assert.equal((await setup.cli('ls')).code, 1, arguments_.join(' '));
	}

	await setup.store(['old', 'new']);
	assert.equal((await setup.cli('purge', '--stale')).code, 0);
	assert.deepEqual((await setup.json('ls')).map(({url}) => String(url)), [`${origin.url}/new`]);
});

test('purge --soft keeps responses, and has them validated', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['t']});

	const {code, stdout} = await setup.cli('purge', '--tag', 't', '--soft');
	assert.equal(code, 0);
	assert.match(stdout, /^Softly purged the tag 't'\. .* Each response is validated before it is used again\.\n$/v);
	const [entry] = await setup.json('ls');
	assert.equal(entry?.isFresh, false);
});

test('purge of a key removes all variants of its URL, and a value that is corrupt', async () => {
	await using setup = await setUpCli();
	for (const language of ['de', 'en']) {
		await setup.client('vary', {headers: {'accept-language': language}});
	}

	const [entry] = await setup.json('ls');
	assert.equal((await setup.cli('purge', String(entry?.storeKey), '--dry-run')).code, 0);
	const {code, stdout} = await setup.cli('purge', String(entry?.storeKey));
	assert.equal(code, 0);
	assert.match(stdout, /^Purged the key http_cache:/v);
	assert.deepEqual(await setup.json('ls'), []);

	for (const key of ['http_cache:{corrupt}', 'http_cache:{corrupt}:variant']) {
		await setup.redis.client.set(key, 'nothing of ours');
		assert.equal((await setup.cli('purge', key)).code, 0);
		assert.equal(await setup.redis.client.exists(key), 0);
	}
});

test('a dry run that finds nothing exits with 1', async () => {
	await using setup = await setUpCli();
	const {code, stdout} = await setup.cli('purge', '--tag', 'none', '--dry-run');
	assert.equal(code, 1);
	assert.match(stdout, /: 0 responses\./v);
	assert.deepEqual(await setup.json('purge', '--tag', 'none', '--dry-run'), [{purge: 'the tag \'none\'', dryRun: true, found: 0, bytes: 0}]);
});

test('a purge without the keys of an encrypted namespace says that it reaches nothing', async () => {
	await using setup = await setUpCli({encryption: 'a'.repeat(64)});
	await setup.store(['a'], {tags: ['t']});
	const url = `${setup.origin.url}/a`;
	for (const arguments_ of [[url], ['--tag', 't'], ['--prefix', setup.origin.url]]) {
		const {code, stderr} = await setup.cli('purge', ...arguments_);
		assert.equal(code, 6);
		assert.match(stderr, /encrypted, so this purge does not reach them: give the keys with --encryption-file/v);
		assert.equal(await setup.cache.has(url), true);
	}

	const dry = await setup.cli('purge', '--tag', 't', '--dry-run');
	assert.equal(dry.code, 1);
	assert.match(dry.stderr, /^\d values are encrypted/v);
	assert.equal((await setup.cli('purge', '--all', '--yes')).stderr, '');
	assert.equal(await setup.cache.has(url), false);
});

test('a purge on a replica says which Redis to give', async () => {
	await using setup = await setUpCli();
	await setup.redis.client.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
	const {code, stdout, stderr} = await setup.cli('purge', '--tag', 't');
	assert.deepEqual([code, stdout], [4, '']);
	assert.match(stderr, /^got-redis-cache: READONLY You can't write against a read only replica \(store: [^\)]+\)\. This Redis is a replica: give the address of its master with --store\n$/v);
});

test('a purge that Redis does not confirm says so', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['t']});
	await setup.redis.client.sendCommand(['ACL', 'SETUSER', 'default', '-scan']);
	const {code, stdout, stderr} = await setup.cli('purge', '--prefix', 'http://example.com/');
	assert.equal(stdout, '');
	assert.equal(code, 4);
	assert.match(stderr, /does not let this user run SCAN .* ACL SETUSER <user> \+scan/v);
});

test('a purge has one thing in common, and options that fit', async () => {
	await using setup = await setUpCli();
	const mistakes: ReadonlyArray<readonly [arguments_: readonly string[], message: RegExp]> = [
		[[], /^got-redis-cache: Give exactly one of URL, KEY, --tag/v],
		[['--tag', 'a', '--prefix', 'http://example.com/'], /not the tag 'a' and the prefix http:\/\/example\.com\//v],
		[['--group', 'a'], /--group needs --origin/v],
		[['https://example.com/', '--soft'], /--soft is not for one URL or key: use --url URL --soft/v],
		[['--all', '--soft'], /--soft is not for --all/v],
		[['--tag', 'a', '--user', 'u'], /--user is for one URL/v],
		[['{key}', '-H', 'a: b'], /--header has no effect beside a key/v],
		[['/items'], /'\/items' is neither an absolute URL nor a key of Redis: give one such as https/v],
		[['--prefix', '/items'], /--prefix is '\/items': give the beginning of an absolute URL/v],
		[['--older-than', '5'], /--older-than is '5', which has no unit: write '5s'/v],
		[['--origin', 'https://example.com/items'], /: 'https:\/\/example\.com\/items' is no origin, because it has a path: give https:\/\/example\.com \(all of the origin would be purged; did you mean --prefix or --url\?\)/v],
		[['https://example.com/*'], /--pattern/v],
		[['--tag', ''], /a string that is not empty/v],
	];
	for (const [arguments_, message] of mistakes) {
		const {code, stdout, stderr} = await setup.cli('purge', ...arguments_);
		assert.match(stderr, message);
		assert.deepEqual([code, stdout, stderr.trimEnd().split('\n').length], [2, '', 1], stderr);
	}
});

test('purge of all is refused without --yes where there is no terminal, and purges nothing', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	for (const more of [[], ['--json']]) {
		const {code, stdout, stderr} = await setup.cli('purge', '--all', ...more);
		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, /there is no terminal to ask: add --yes/v);
	}

	assert.equal((await setup.cli('ls')).code, 0);
});

test('a purge of a tag that no response has is made, and warns of a misspelt tag', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['products', 'prices']});
	const {code, stdout, stderr} = await setup.cli('purge', '--tag', 'prodcts');
	assert.deepEqual([code, stdout], [0, 'Purged the tag \'prodcts\'. Redis confirmed it, for every process.\n']);
	assert.match(stderr, /^No stored response had the tag 'prodcts' in the namespace 'http_cache' of redis:\S+: is it spelt as in your program\? \(known there: (?:products, prices|prices, products)\)\n$/v);
	assert.equal((await setup.cli('purge', '--tag', 'prodcts', '--tag', 'prices')).stderr, '');
	assert.match((await setup.cli('purge', '--tag', 'prices')).stderr, /\(none is known there\)\n$/v);
});

test('a purge or a switch that is interrupted while Redis hangs says that it may have taken effect', unlessFast, async () => {
	const origin = 'https://api.example.com';
	for (const [what, arguments_] of [['purge', ['purge', '--prefix', origin]], ['switch', ['freeze', origin]]] as const) {
		await using server = await silentServer();
		const child = spawn(process.execPath, [main, ...arguments_, '--timeout', '50s'], {env: environment({REDIS_URL: server.url})});
		await server.isAsked;
		child.kill('SIGINT');
		const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number]>]);
		assert.equal(stderr, `Interrupted before the store answered: it is not known whether the ${what} took effect. Run the command again to be sure\n`);
		assert.equal(code, 130);
	}
});
