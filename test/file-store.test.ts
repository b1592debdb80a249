import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, describe, test} from 'node:test';
import {promisify} from 'node:util';
import got, {type Got} from 'got';
import {storeChecks} from '../source/acceptance.ts';
import {fileStore} from '../source/file-store.ts';
import {cacheInfo, redisCache, type RedisCache, type RedisCacheOptions} from '../source/index.ts';
import {startOrigin, type Origin} from './helpers/origin.ts';
import {unlessFast} from './helpers/runs.ts';

const folders: string[] = [];

const makeFolder = (): string => {
	const folder = mkdtempSync(path.join(tmpdir(), 'file-store-test-'));
	folders.push(folder);
	return folder;
};

after(() => {
	for (const folder of folders) {
		rmSync(folder, {recursive: true, force: true});
	}
});

describe('the acceptance suite, with caches that share a folder', unlessFast, () => {
	const folder = makeFolder();
	for (const {name, run} of storeChecks(() => fileStore(folder), {cacheOptions: {timeout: '30s'}})) {
		test(name, run);
	}
});

type Setup = AsyncDisposable & {
	readonly origin: Origin;
	readonly folder: string;
	/** A client as in another process. */
	open(options?: RedisCacheOptions): {client: Got; cache: RedisCache; errors: string[]};
	files(): string[];
	read(ending: string | RegExp): string;
	write(ending: string | RegExp, content: string): void;
};

const setUp = async (): Promise<Setup> => {
	const origin = await startOrigin();
	const folder = makeFolder();
	const files = () => readdirSync(folder).filter(name => name !== 'bookkeeping').toSorted();
	const find = (ending: string | RegExp) => path.join(folder, files().find(name => typeof ending === 'string' ? name.endsWith(ending) : ending.test(name)) ?? 'none');

	return {
		origin,
		folder,
		open(options = {}) {
			const cache = redisCache({store: fileStore(folder), ...options});
			const errors: string[] = [];
			cache.on('error', ({message}) => {
				errors.push(message);
			});
			return {cache, errors, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache)};
		},
		files,
		read: ending => readFileSync(find(ending), 'utf8'),
		write(ending, content) {
			writeFileSync(find(ending), content);
		},
		async [Symbol.asyncDispose]() {
			await origin.stop();
		},
	};
};

const isRecord = /get-[\da-f]{12}\.json$/v;

const cacheable = {'cache-control': 'public, max-age=600'};

test('a response is a JSON file with its body beside it, without secrets', async () => {
	await using setup = await setUp();
	setup.origin.queue({headers: {...cacheable, 'content-type': 'application/json', 'x-api-key': 'secret-1', 'set-cookie': 'a=secret-2; Path=/'}, body: '{"id":1,"names":["ü"]}'});
	const {client} = setup.open();
	await client('items?page=2&api_key=secret-3');
	const [body = '', record = ''] = setup.files();
	assert.match(record, /^127\.0\.0\.1-\d+-items-api_key-redacted-page-2\.get-[\da-f]{12}\.json$/v);
	assert.equal(body, record.replace(/json$/v, 'body.json'));
	assert.equal(setup.read('.body.json'), '{\n\t"id": 1,\n\t"names": [\n\t\t"ü"\n\t]\n}\n');
	assert.doesNotMatch(setup.read(isRecord), /secret-/v);
	assert.match(setup.read(isRecord), /"x-api-key: REDACTED"/v);
	assert.match(setup.read(isRecord), /"set-cookie: a=REDACTED; Path=\/"/v);
	const response = await client('items?page=2&api_key=secret-3');
	assert.deepEqual([cacheInfo(response)?.status, response.body], ['hit', '{"id":1,"names":["ü"]}']);
	assert.equal(cacheInfo(await client('items?page=2&api_key=other', {throwHttpErrors: false}))?.status, 'miss');
});

test('a stored response that is asked for again leaves its files as they are', async () => {
	await using setup = await setUp();
	setup.origin.queue({headers: {...cacheable, vary: 'accept-language'}, body: 'a'});
	const {client} = setup.open();
	await client('a');
	const before = setup.read(isRecord);
	assert.equal((await setup.open().client('a')).isFromCache, true);
	assert.equal(setup.read(isRecord), before);
	assert.equal(setup.files().length, 2);
});

test('endings follow the type and the bytes of a body', async () => {
	await using setup = await setUp();
	const {client} = setup.open();
	const types = {
		'text/html': '.html',
		'image/png': '.png',
		'application/problem+json': '.json',
		'text/plain': '.txt',
		'application/octet-stream': '.bin',
		'image/svg+xml': '.svg',
		'text/csv': '.csv',
		'application/atom+xml': '.xml',
	};
	for (const [type, ending] of Object.entries(types)) {
		const body = ending === '.bin' || ending === '.png' ? Uint8Array.of(0, 255) : '{}';
		setup.origin.queue({headers: {...cacheable, 'content-type': type}, body});
		const {rawBody} = await client('a', {searchParams: {type}});
		assert.ok(setup.files().some(name => name.includes(type.replaceAll(/[+\/]/gv, '-')) && name.endsWith(`.body${ending}`)), type);
		assert.deepEqual((await client('a', {searchParams: {type}})).rawBody, rawBody);
	}
});

test('a body that a person has edited is served as edited, with its length', async () => {
	await using setup = await setUp();
	setup.origin.queue({headers: {...cacheable, 'content-type': 'application/json'}, body: '{"id":1}'}, {headers: {...cacheable, 'content-type': 'text/plain', 'content-length': '3'}, body: 'old'});
	const {client, errors} = setup.open();
	await client('json');
	await client('text');
	setup.write('.body.json', '{\n\t"id": 12345678901234567890,\n\t"more": "a b"\n}\n');
	setup.write('.body.txt', 'edited');
	setup.write(/text\.get-[\da-f]{12}\.json$/v, setup.read(/text\.get-[\da-f]{12}\.json$/v).replace('"headers": [', '"headers": [\n"X-Own: yes",'));
	assert.equal((await client('json')).body, '{"id":12345678901234567890,"more":"a b"}');
	const {body, headers, isFromCache} = await client('text');
	assert.deepEqual([body, headers['content-length'], headers['x-own'], isFromCache], ['edited', '6', 'yes', true]);
	assert.deepEqual(errors, []);
});

const nonsense: Record<string, readonly [edit: (content: string) => string, expected: RegExp]> = {
	'no JSON': [() => '{"method": ', /\.json: is no JSON: /v],
	'an array': [() => '[]', /\.json: expected an object, got \[\]/v],
	'no key': [content => content.replace(/,\s*"key": "[^"]*"/v, ''), /\.json: expected `key` to be a string, got none/v],
	'an unknown member': [content => content.replace('"statusCode"', '"status"'), /\.json: unknown member `status`: expected one of method, url, /v],
	'a status that is none': [content => content.replace('"statusCode": 200', '"statusCode": "OK"'), /\.json: expected `statusCode` to be a final status code, such as 200, got 'OK'/v],
	'a header field with a line break': [content => content.replace('"headers": [', String.raw`"headers": ["a: b\r\nc: d",`), /\.json: expected `headers` to be an array of header fields/v],
	'a policy without times': [content => content.replace(/"requestTimeMs": \d+,/v, ''), /\.json: expected `policy\.requestTimeMs` to be a number, got undefined/v],
	'a body in another folder': [content => content.replace(/"body": "[^"]*"/v, '"body": "../../etc/passwd"'), /\.json: expected `body` to be the name of a file in the same folder/v],
	'a body that is missing': [content => content.replace(/"body": "[^"]*"/v, '"body": "gone.txt"'), /gone\.txt: the file is missing, and .*\.json names it as the body/v],
};

for (const [name, [edit, expected]] of Object.entries(nonsense)) {
	test(`a file that a person has edited into nonsense is one error that names it, and a miss: ${name}`, async () => {
		await using setup = await setUp();
		setup.origin.handler = (_request, response) => {
			response.writeHead(200, {...cacheable, 'content-type': 'text/plain'}).end('body');
		};

		const {client, errors, cache} = setup.open();
		await client('a');
		const edited = edit(setup.read(isRecord));
		setup.write(isRecord, edited);
		assert.equal(await cache.has(`${setup.origin.url}/a`), false);
		const response = await client('a');
		assert.deepEqual([cacheInfo(response)?.status, response.body], ['miss', 'body']);
		assert.equal(errors.length, 1, errors.join('\n'));
		assert.match(errors[0] ?? '', expected);
		// Nothing of the person's is lost.
		assert.equal(setup.read('.unreadable'), edited);
		assert.equal((await client('a')).isFromCache, true);
		assert.equal(cache.health().state, 'ok');
	});
}

test('a folder that is a file is an error of the store, and no request fails', async () => {
	await using setup = await setUp();
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, cacheable).end('body');
	};

	const place = path.join(setup.folder, 'file');
	writeFileSync(place, '');
	const {client, errors} = setup.open({store: fileStore(place)});
	for (const url of ['a', 'a', 'b']) {
		assert.equal((await client(url)).body, 'body');
	}

	assert.match(errors.join('\n'), /ENOTDIR.* \(store: files in .*\)/v);
});

test('two processes use one folder', unlessFast, async () => {
	await using setup = await setUp();
	setup.origin.queue({headers: {...cacheable, 'content-type': 'text/plain'}, body: 'shared'});
	const script = `
		import got from 'got';
		import {redisCache} from '${path.resolve(import.meta.dirname, '../source/index.ts')}';
		import {fileStore} from '${path.resolve(import.meta.dirname, '../source/file-store.ts')}';
		const {body, isFromCache} = await got.extend(redisCache(fileStore(${JSON.stringify(setup.folder)})))('${setup.origin.url}/a');
		console.log(JSON.stringify([body, isFromCache]));
	`;
	const run = async () => {
		const {stdout} = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {cwd: path.resolve(import.meta.dirname, '..')});
		return JSON.parse(stdout) as unknown;
	};

	assert.deepEqual([await run(), await run()], [['shared', false], ['shared', true]]);
	assert.equal((await setup.open().client('a')).isFromCache, true);
});

test('a store that is given no folder throws', () => {
	assert.throws(() => fileStore(undefined as never), {name: 'TypeError', message: 'Expected the path of a folder in fileStore(), such as \'./fixtures\', got undefined'});
	assert.throws(() => fileStore(''), TypeError);
});
