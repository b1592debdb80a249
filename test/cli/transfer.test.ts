import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {watch} from 'node:fs';
import {readdir, readFile, stat, writeFile} from 'node:fs/promises';
import process from 'node:process';
import {test} from 'node:test';
import {redisCache, type ExportedResponse, type RedisCache, type RedisCacheOptions} from '../../source/index.ts';
import {useFolder} from '../helpers/folder.ts';
import {unlessFast} from '../helpers/runs.ts';
import {environment, main, runCli, setUpCli, type CliSetup} from './helpers.ts';

const bytes = Uint8Array.from({length: 300}, (_, index) => index % 256);

/** Responses of every kind: variants, a HEAD, a POST, content that is encoded, a part, bytes, text with all sorts of characters, and one that never expires. */
const storeAll = async ({client, origin}: CliSetup) => {
	origin.handler = ({url, method, headers}, response) => {
		response.writeHead(url === '/part' ? 206 : 200, 'Fine', {
			'cache-control': 'max-age=600, stale-while-revalidate=60, stale-if-error=600',
			'content-type': url === '/bytes' ? 'image/png' : 'text/plain',
			'X-Twice': ['one', 'two'],
			etag: '"1"',
			...url.startsWith('/vary') && {vary: 'accept-language, x-absent'},
			...url === '/part' && {'content-range': 'bytes 0-3/10'},
			...url.startsWith('/search') && {'no-vary-search': 'params=("utm")'},
			'cache-groups': '"g"',
		});
		const bodies: Record<string, string | Uint8Array> = {'/bytes': bytes, '/part': 'part'};
		response.end(method === 'HEAD' ? undefined : bodies[url] ?? `\u{FEFF}${url} ${headers['accept-language'] ?? ''} äöü 🎉 \u{2028}\u{1B}[31m\0`);
	};

	await client('text', {context: {cache: {tags: ['a', 'b']}}});
	await client('bytes');
	await client('vary', {headers: {'accept-language': 'de'}});
	await client('vary', {headers: {'accept-language': 'en'}});
	await client('search?q=1&utm=2');
	await client('head', {method: 'HEAD'});
	await client('encoded', {decompress: false});
	await client('part', {headers: {range: 'bytes=0-3'}});
	await client.post('post', {json: {q: 1}, context: {cache: {methods: ['GET', 'POST']}}});
	await client('secret?api_key=hunter2');
	await client('forever', {context: {cache: {expireAfter: 'never'}}});
};

const allOf = async (cache: RedisCache): Promise<ExportedResponse[]> => {
	const responses = await Array.fromAsync(cache.export());
	return responses.toSorted((one, other) => one.key + one.method + JSON.stringify(one.vary) < other.key + other.method + JSON.stringify(other.vary) ? -1 : 1);
};

/** Without what a round trip cannot keep to the millisecond. */
const comparable = (responses: readonly ExportedResponse[]) => responses.map(({keptUntil, ...others}) => ({...others, keptUntil: keptUntil && Math.round(keptUntil.getTime() / 30_000)}));

const askAll = async ({client}: Pick<CliSetup, 'client'>) => [
	await client('text', {responseType: 'buffer'}),
	await client('bytes', {responseType: 'buffer'}),
	await client('vary', {headers: {'accept-language': 'de'}, responseType: 'buffer'}),
	await client('vary', {headers: {'accept-language': 'en'}, responseType: 'buffer'}),
	await client('search?utm=3&q=1', {responseType: 'buffer'}),
	await client('head', {method: 'HEAD', responseType: 'buffer'}),
	await client('encoded', {decompress: false, responseType: 'buffer'}),
	await client.post('post', {json: {q: 1}, context: {cache: {methods: ['GET', 'POST']}}, responseType: 'buffer'}),
	await client('secret?api_key=hunter2', {responseType: 'buffer'}),
	await client('forever', {responseType: 'buffer'}),
];

const forms: ReadonlyArray<readonly [name: string, options: RedisCacheOptions]> = [
	['plain', {}],
	['encrypted', {encryption: Buffer.alloc(32, 7).toString('hex')}],
];

for (const format of ['ndjson', 'har']) {
	for (const [name, options] of forms) {
		test(`a response that is exported as ${format} and imported is the same, ${name}`, async () => {
			await using setup = await setUpCli(options);
			await using folder = await useFolder();
			await storeAll(setup);
			const env = {REDIS_URL: setup.redis.url, ...typeof options.encryption === 'string' && {GOT_REDIS_CACHE_ENCRYPTION: options.encryption}};
			const file = folder.file(`cache.${format}`);
			const before = await allOf(setup.cache);
			assert.equal(before.length, 11);

			assert.deepEqual(await runCli(['export', '--output', file], {env}), {code: 0, stdout: `Exported 11 responses to ${file}.\n`, stderr: ''});
			const imported = await runCli(['import', file, '--namespace', 'copy'], {env});
			assert.deepEqual(imported, {code: 0, stdout: 'Imported 11 responses.\n', stderr: ''});

			const copy = setup.other({namespace: 'copy'});
			assert.deepEqual(comparable(await allOf(copy.cache)), comparable(before));

			const asked = setup.origin.requests.length;
			const [originals, copies] = [await askAll(setup), await askAll(copy)];
			assert.deepEqual(copies.map(({rawBody}) => Buffer.from(rawBody)), originals.map(({rawBody}) => Buffer.from(rawBody)));
			assert.deepEqual(copies.map(({isFromCache}) => isFromCache), copies.map(() => true));
			assert.deepEqual(copies.map(({rawHeaders}) => rawHeaders.filter(text => text.toLowerCase().startsWith('x-'))), originals.map(() => ['X-Twice', 'X-Twice']));
			assert.equal(setup.origin.requests.length, asked);

			assert.equal(await copy.cache.invalidate({tag: 'b'}), true);
			assert.deepEqual([await copy.cache.has(`${setup.origin.url}/text`), await setup.cache.has(`${setup.origin.url}/text`)], [false, true]);
		});
	}
}

test('an export is readable: a line for each response, with text as text', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['items']});

	const {stdout, stderr, code} = await setup.cli('export');
	assert.deepEqual([stderr, code], ['', 0]);
	const [line, ...others] = stdout.trimEnd().split('\n').map(text => JSON.parse(text) as Record<string, unknown>);
	assert.deepEqual(others, []);
	assert.deepEqual([line?.url, line?.body, line?.tags, line?.version, line?.bodyEncoding], [`${setup.origin.url}/a`, 'body of /a', ['items'], 1, undefined]);
	assert.ok((line?.headers as unknown[]).some(field => JSON.stringify(field) === '["content-type","text/plain"]'));
});

test('an export takes filters, and of nothing exits with 1', async () => {
	await using setup = await setUpCli();
	await setup.store(['a', 'b']);
	const {stdout} = await setup.cli('export', '--prefix', `${setup.origin.url}/b`);
	assert.equal(stdout.trimEnd().split('\n').length, 1);
	const none = await setup.cli('export', '--tag', 'none');
	assert.deepEqual([none.code, none.stdout], [1, '']);
	assert.match(none.stderr, /^Nothing that matches is stored in the namespace 'http_cache' of redis:/v);
	const archive = await setup.cli('export', '--tag', 'none', '--format', 'har');
	assert.deepEqual((JSON.parse(archive.stdout) as {log: {entries: unknown[]}}).log.entries, []);
});

test('an export counts what cannot be read', async () => {
	await using setup = await setUpCli({encryption: 'a'.repeat(64)});
	await setup.store(['a']);
	const {code, stdout, stderr} = await setup.cli('export');
	assert.deepEqual([code, stdout], [1, '']);
	assert.match(stderr, /^\d values are encrypted \(http_cache:.*\): give the keys with --encryption-file or GOT_REDIS_CACHE_ENCRYPTION\nNothing is stored in the namespace/v);
});

test('an exported archive is HTTP Archive 1.2', async () => {
	await using setup = await setUpCli();
	await setup.client('vary?b=2', {headers: {'accept-language': 'de'}});

	const {stdout} = await setup.cli('export', '--format', 'har');
	const {log} = JSON.parse(stdout) as {log: {version: string; entries: Array<Record<string, any>>}};
	assert.equal(log.version, '1.2');
	const [{request, response, startedDateTime, timings, time} = {}] = log.entries;
	assert.deepEqual([request.method, request.url, request.headers, request.queryString], ['GET', `${setup.origin.url}/vary?b=2`, [{name: 'accept-language', value: 'de'}], [{name: 'b', value: '2'}]]);
	assert.deepEqual([response.status, response.statusText, response.httpVersion], [200, 'OK', 'HTTP/1.1']);
	assert.deepEqual(response.content, {size: 20, mimeType: 'text/plain', text: 'body of /vary?b=2 de'});
	assert.ok(Date.parse(String(startedDateTime)) <= Date.now());
	assert.equal(timings.wait, time);
});

test('a file that exists is replaced when the export is complete, and open to its owner alone', async () => {
	await using setup = await setUpCli();
	await using folder = await useFolder();
	await setup.store(['a']);
	const file = folder.file('cache.ndjson');
	await writeFile(file, 'former');

	const failed = await runCli(['export', '--output', file, '--store', 'redis://127.0.0.1:1']);
	assert.equal(failed.code, 3);
	assert.equal(await readFile(file, 'utf8'), 'former');
	assert.deepEqual(await readdir(folder.folder), ['cache.ndjson']);

	assert.equal((await setup.cli('export', '--output', file)).code, 0);
	assert.match(await readFile(file, 'utf8'), /^\{"version":1,/v);
	assert.equal((await stat(file)).mode % 0o1000, 0o600);
	assert.deepEqual(await readdir(folder.folder), ['cache.ndjson']);
	const nowhere = await setup.cli('export', '--output', folder.file('missing/cache.ndjson'));
	assert.equal(nowhere.code, 2);
	assert.match(nowhere.stderr, /cannot be written \(ENOENT.*\): give another file with --output\n$/v);
});

test('an interrupted export leaves no file behind', unlessFast, async () => {
	await using setup = await setUpCli();
	await using folder = await useFolder();
	await setup.store(['a']);
	setup.redis.pause();
	// eslint-disable-next-line n/prefer-promises/fs -- An iterator that nobody ends would keep the test running.
	const watcher = watch(folder.folder);
	const hasChanged = once(watcher, 'change');
	const child = spawn(process.execPath, [main, 'export', '--output', folder.file('cache.ndjson'), '--timeout', '30s'], {env: environment({REDIS_URL: setup.redis.url}), stdio: 'ignore'});
	// The file is there before Redis is asked.
	await hasChanged;
	watcher.close();
	child.kill('SIGTERM');
	const [code] = await once(child, 'close') as [number];
	setup.redis.resume();
	assert.deepEqual([code, await readdir(folder.folder)], [130, []]);
});

test('a pipe leads from one Redis to another', async () => {
	await using setup = await setUpCli();
	await using other = await setUpCli();
	await setup.store(['a', 'b']);

	const {stdout} = await setup.cli('export');
	const imported = await runCli(['import', '-', '--json'], {env: {REDIS_URL: other.redis.url}, stdin: stdout});
	assert.deepEqual(JSON.parse(imported.stdout), {imported: 2, expired: 0, unnamed: 0, unwritten: 0, notStored: {}});
	assert.equal((await other.json('ls')).length, 2);
});

test('an import leaves out what has expired, and what nobody would find', async () => {
	const encryption = randomBytes(32).toString('hex');
	await using setup = await setUpCli({encryption});
	await setup.client('mine?api_key=secret');
	await setup.store(['open', 'over']);
	const env = {REDIS_URL: setup.redis.url, GOT_REDIS_CACHE_ENCRYPTION: encryption};
	const {stdout} = await runCli(['export'], {env});
	const changed = stdout.split('\n').map(line => line.includes('/over"') ? line.replace(/"keptUntil":"[^"]+"/v, '"keptUntil":"2020-01-01T00:00:00.000Z"') : line).join('\n');

	const imported = await runCli(['import', '-', '--namespace', 'copy'], {env: {REDIS_URL: setup.redis.url}, stdin: changed});
	assert.deepEqual([imported.code, imported.stdout], [6, 'Imported 1 response; 1 had expired; 1 have keys that only a cache with the same `encryption` finds.\n']);
	const same = await runCli(['import', '-', '--namespace', 'copy', '--json'], {env, stdin: stdout});
	assert.equal((JSON.parse(same.stdout) as {imported: number}).imported, 3);
});

test('a file that is none is refused, with the line', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const {stdout} = await setup.cli('export');
	const line = stdout.trimEnd();
	const refusals: ReadonlyArray<readonly [stdin: string, message: RegExp]> = [
		['nonsense', /standard input: it is neither one JSON object a line nor an HTTP Archive/v],
		['{"log": {}}', /it is no HTTP Archive: it has no log\.entries/v],
		['{"log": {"entries": [{}]}}', /its entry 1 has no request or no response/v],
		['{"a": 1}', /line 1: it is no response that `got-redis-cache export` wrote; all before it was imported/v],
		[`${line}\n{"a": 1}`, /line 2: it is no response/v],
		[`${line}\n\n{`, /line 3: .*JSON.*; all before it was imported/v],
		[line.replace('"version":1', '"version":2'), /line 1: it has version 2 of the format, and this program reads version 1/v],
		[line.replace('"statusCode":200', '"statusCode":"200"'), /line 1: Expected the property `statusCode`.* to be a status code, got '200'/v],
		[line.replace('"url":"http:', '"url":"ftp:'), /line 1: Expected the property `url`.* to be an absolute URL/v],
		[line.replace('"isShared":true', '"isShared":1'), /`isShared`.* to be a boolean, got 1/v],
		[line.replace('"isShared":true,', ''), /`isShared`.* to be a boolean, got undefined/v],
		[line.replace(/"key":"[^"]+"/v, '"key":"x"'), /`key`.* to be a key/v],
		[line.replace('"tags":[]', '"tags":[1]'), /`tags`.* to be an array of strings/v],
		[line.replace('"body":"body', '"bodyEncoding":"gzip","body":"body'), /its `body` is no string, or its `bodyEncoding` is not base64/v],
	];
	for (const [stdin, message] of refusals) {
		const {code, stdout: told, stderr} = await runCli(['import', '-', '--namespace', 'copy'], {env: {REDIS_URL: setup.redis.url}, stdin});
		assert.match(stderr, message);
		assert.deepEqual([code, told, stderr.trimEnd().split('\n').length], [6, '', 1]);
	}

	assert.deepEqual(await runCli(['import', '-'], {env: {REDIS_URL: setup.redis.url}}), {code: 1, stdout: 'Imported 0 responses.\n', stderr: ''});
	assert.equal((await setup.cli('import', '/does/not/exist')).code, 2);
	assert.equal((await runCli(['import', '-', '--store', 'redis://127.0.0.1:1'], {stdin: line})).code, 3);
});

test('an archive of another program is stored by the rules of the cache', async () => {
	await using setup = await setUpCli();
	const entry = (url: string, cacheControl: string | undefined, more: Record<string, unknown> = {}) => ({
		startedDateTime: new Date().toISOString(),
		request: {method: 'GET', url, headers: [{name: ':authority', value: 'api.example.com'}, {name: 'Accept-Language', value: 'de'}]},
		response: {
			status: 200,
			statusText: 'OK',
			headers: [
				{name: ':status', value: '200'},
				{name: 'Content-Type', value: 'application/json'},
				{name: 'Content-Encoding', value: 'br'},
				{name: 'Content-Length', value: '5'},
				{name: 'Vary', value: 'Accept-Language'},
				...cacheControl === undefined ? [] : [{name: 'Cache-Control', value: cacheControl}],
			],
			content: {mimeType: 'application/json', text: '{"a":"ä"}'},
		},
		...more,
	});
	const archive = JSON.stringify({
		log: {
			version: '1.2',
			entries: [
				entry('https://api.example.com/items', 'max-age=60'),
				entry('https://api.example.com/private', 'no-store'),
				entry('https://api.example.com/plain', undefined),
				{...entry('https://api.example.com/post', 'max-age=60'), request: {method: 'POST', url: 'https://api.example.com/post', headers: []}},
				{...entry('https://api.example.com/bytes', 'max-age=60'), response: {status: 200, headers: [{name: 'Cache-Control', value: 'max-age=60'}], content: {text: 'AAEC', encoding: 'base64'}}},
			],
		},
	}, undefined, '\t');

	const {code, stdout, stderr} = await runCli(['import', '-', '--json'], {env: {REDIS_URL: setup.redis.url}, stdin: archive});
	assert.deepEqual([code, stderr], [0, '']);
	const counts = JSON.parse(stdout) as {imported: number; notStored: Record<string, number>};
	assert.equal(counts.imported, 2);
	assert.deepEqual(counts.notStored, {method: 1, 'no-store': 1, 'not-reusable': 1});
	const stored = await setup.cache.get({url: 'https://api.example.com/items', headers: {'accept-language': 'de'}});
	assert.deepEqual([new TextDecoder().decode(stored?.body), stored?.isFresh, stored?.headers['content-encoding']], ['{"a":"ä"}', true, undefined]);
	assert.deepEqual([...(await setup.cache.get('https://api.example.com/bytes'))?.body ?? []], [0, 1, 2]);

	const kept = await runCli(['import', '-', '--expire-after', '1d', '--json'], {env: {REDIS_URL: setup.redis.url}, stdin: archive});
	assert.equal((JSON.parse(kept.stdout) as {imported: number}).imported, 3);
	assert.equal((await setup.json('ls', '--older-than', '0s')).every(({expiresAt}) => Date.parse(String(expiresAt)) > Date.now() + 3_600_000), true);
});

test('cache.import() takes what cache.export() gives, and says what it is not', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const copy = redisCache('memory');
	assert.deepEqual(await copy.import(setup.cache.export()), {imported: 1, expired: 0, unnamed: 0, unwritten: 0});
	assert.equal(await copy.has(`${setup.origin.url}/a`), true);
	const [exported] = await Array.fromAsync(setup.cache.export());
	await assert.rejects(copy.import([{...exported!, body: 'text' as never}]), {name: 'TypeError', message: 'Expected the property `body` in import() to be a Uint8Array, got another value'});
	await assert.rejects(copy.import([undefined as never]), TypeError);
	assert.deepEqual(await copy.import([{...exported!, tags: Array.from({length: 300}, (_, index) => `tag-${index}`)}]), {imported: 0, expired: 0, unnamed: 0, unwritten: 1});
	// @ts-expect-error It takes one.
	await assert.rejects(copy.import([], 1), TypeError);
});
