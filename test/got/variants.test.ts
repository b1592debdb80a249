import assert from 'node:assert/strict';
import test from 'node:test';
import {cacheInfo} from '../../source/index.ts';
import type {PlainResponse} from '../helpers/origin.ts';
import {readStream} from './read-stream.ts';
import {setUp, settleWrites} from './helpers.ts';

const variant = (body: string, headers: Record<string, string> = {}): PlainResponse => ({headers: {'cache-control': 'max-age=60', vary: 'Accept-Language', etag: `"${body}"`, ...headers}, body});
const notModified = (headers: Record<string, string> = {}): PlainResponse => ({status: 304, headers: {vary: 'Accept-Language', ...headers}});
const inLanguage = (language: string) => ({headers: {'accept-language': language}});

test('a request for a variant that is not stored asks whether it is one of those that are', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(variant('en'), variant('de'), notModified({etag: '"de"', 'cache-control': 'max-age=99', 'x-new': 'new'}));

	await client('items', inLanguage('en'));
	await client('items', inLanguage('de'));
	assert.equal(origin.requests[1]?.headers['if-none-match'], '"en"');

	const response = await client('items', inLanguage('de-AT'));
	assert.equal(origin.requests[2]?.headers['if-none-match'], '"de", "en"');
	assert.deepEqual([response.statusCode, response.body, response.isFromCache, response.headers['x-new']], [200, 'de', true, 'new']);
	assert.deepEqual([cacheInfo(response)?.status, cacheInfo(response)?.reason], ['revalidated', 'not-modified']);
	assert.match(String(response.headers['cache-status']), /;fwd=vary-miss;fwd-status=304;ttl=9\d;stored;/v);
	assert.equal(response.request.options.headers['if-none-match'], undefined);

	// It is the variant of that request, too, from now on and for everyone.
	await settleWrites(setup);
	const {client: other} = setup.other();
	for (const [language, body] of [['de-AT', 'de'], ['de', 'de'], ['en', 'en']] as const) {
		assert.equal(await client('items', inLanguage(language)).text(), body);
		assert.equal(await other('items', inLanguage(language)).text(), body);
	}

	assert.equal(origin.requests.length, 3);
});

for (const [what, headers] of [
	['names none', {etag: '"fr"'}],
	['names one weakly', {etag: 'W/"en"'}],
	['names none at all', {}],
	['names another by its date', {'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT'}],
] as const) {
	test(`a 304 that ${what} never reaches the caller`, async () => {
		await using setup = await setUp();
		const {client, origin} = setup;
		origin.queue(variant('en', {'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT'}), notModified(headers), variant('de'));

		await client('items', inLanguage('en'));
		const {statusCode, body, isFromCache} = await client('items', inLanguage('de'));

		assert.deepEqual([statusCode, body, isFromCache], [200, 'de', false]);
		assert.deepEqual(origin.requests.map(request => request.headers['if-none-match']), [undefined, '"en"', undefined]);
		assert.equal(await client('items', inLanguage('en')).text(), 'en');
		assert.equal(origin.requests.length, 3);
	});
}

test('a 304 that names a variant which is gone is asked for again', async () => {
	await using setup = await setUp({memory: false});
	const {client, origin, redis} = setup;
	origin.queue(variant('en'), async (_request, response) => {
		const keys = await redis.client.keys('*}:*');
		assert.ok(keys.length > 0);
		await redis.client.del(keys);
		response.writeHead(304, {etag: '"en"'}).end();
	}, variant('de'));

	await client('items', inLanguage('en'));
	const {statusCode, body} = await client('items', inLanguage('de'));

	assert.deepEqual([statusCode, body], [200, 'de']);
	assert.equal(origin.requests[2]?.headers['if-none-match'], undefined);
});

test('a 304 that names what was left over of a variant that was purged is asked for again', async () => {
	await using setup = await setUp({memory: false});
	const {client, origin, redis, cache} = setup;
	origin.queue(variant('en'), variant('new', {etag: '"en"'}), notModified({etag: '"en"'}), variant('de'));

	await client('items', inLanguage('en'));
	const [key = ''] = await redis.client.keys('*}:??????????????????????');
	assert.notEqual(key, '');
	await redis.client.copy(key, 'left over');
	await cache.delete(`${origin.url}/items`);
	await client('items', inLanguage('en'));
	await settleWrites(setup);
	assert.equal(await redis.client.copy('left over', key, {REPLACE: true}), 1);

	assert.equal(await client('items', inLanguage('de')).text(), 'de');
	assert.equal(origin.requests.length, 4);
});

test('a 304 that names a variant whose group was invalidated is asked for again', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue(variant('en', {'cache-groups': '"g"'}), {status: 204, headers: {'cache-group-invalidation': '"g"'}}, notModified({etag: '"en"'}), variant('de'));

	await client('items', inLanguage('en'));
	await client.post('others', {json: {}});

	assert.equal(await client('items', inLanguage('de')).text(), 'de');
	assert.equal(origin.requests.length, 4);
});

test('a redirect is not taken for a variant of what is not', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.queue({...variant('en', {location: '/en'}), status: 301}, variant('there', {etag: '"there"'}), notModified({etag: '"en"'}), variant('de'));

	await client('items', inLanguage('en'));
	const {statusCode, body} = await client('items', inLanguage('de'));

	assert.deepEqual([statusCode, body], [200, 'de']);
});

test('what cannot be asked safely is not asked', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	origin.handler = ({url, headers}, response) => {
		const etag = url.includes('weak') ? 'W/"1"' : '"1"';
		response.writeHead(200, {'cache-control': 'public, max-age=60', vary: url.includes('cookie') ? 'Cookie' : 'Accept-Language', etag});
		response.end(String(headers['accept-language'] ?? headers.cookie));
	};

	const asked = async (path: string, ask: () => PromiseLike<unknown>) => {
		await client(path, {headers: {'accept-language': 'en', cookie: 'user=1'}});
		await ask();
		return origin.requests.at(-1)?.headers['if-none-match'];
	};

	const other = {headers: {'accept-language': 'de', cookie: 'user=2'}};
	assert.equal(await asked('plain', async () => client('plain', other)), '"1"');
	assert.equal(await asked('stream', async () => readStream(client.stream('stream', other))), '"1"');
	assert.equal(await asked('weak', async () => client('weak', other)), undefined);
	assert.equal(await asked('cookie', async () => client('cookie', other)), undefined);
	assert.equal(await asked('head', async () => client.head('head', other)), undefined);
	assert.equal(await asked('range', async () => client('range', {headers: {...other.headers, range: 'bytes=0-1'}})), undefined);
	assert.equal(await asked('own', async () => client('own', {headers: {...other.headers, 'if-none-match': '"0"'}})), '"0"');
	assert.equal(await asked('own-date', async () => client('own-date', {headers: {...other.headers, 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT'}})), undefined);
});

test('a 65th variant displaces the one that was written longest ago, which is not one that was validated', async () => {
	await using setup = await setUp();
	const {client, cache, origin, redis} = setup;
	origin.handler = ({headers}, response) => {
		const etag = `"${headers['accept-language']}"`;
		const isKnown = String(headers['if-none-match']).includes(etag);
		response.writeHead(isKnown ? 304 : 200, {'cache-control': 'max-age=60', vary: 'accept-language', etag}).end(isKnown ? undefined : etag);
	};

	const languages = Array.from({length: 66}, (_, number) => `x-${String(number).padStart(2, '0')}`);
	const [first = '', second, third, ...others] = languages;
	for (const language of languages.slice(0, 64)) {
		await client('items', inLanguage(language));
	}

	const validated = await client('items', {headers: {'accept-language': first, 'cache-control': 'no-cache'}});
	assert.equal(cacheInfo(validated)?.status, 'revalidated');
	for (const language of languages.slice(64)) {
		await client('items', inLanguage(language));
	}

	await cache.has('http://example.com/');
	const {cache: other} = setup.other();
	const isStored = async (language = '') => other.has({url: `${origin.url}/items`, headers: {'accept-language': language}});
	assert.deepEqual([await isStored(first), await isStored(second), await isStored(third)], [true, false, false]);
	assert.deepEqual(await Promise.all(others.map(async language => isStored(language))), others.map(() => true));
	assert.equal((await redis.client.keys('http_cache:{*}:??????????????????????')).length, 64);
});

test('variants with long entity tags are stored, however many there are', async () => {
	await using setup = await setUp();
	const {client, origin} = setup;
	const languages = Array.from({length: 40}, (_, number) => `x-${number}`);
	const responseIn = (language: string) => variant(language, {etag: `"${language}${'e'.repeat(8000)}"`});
	origin.queue(...languages.map(language => responseIn(language)));
	for (const language of languages) {
		await client('items', inLanguage(language));
	}

	await settleWrites(setup);
	const {client: other} = setup.other();
	for (const language of languages) {
		assert.equal(await other('items', inLanguage(language)).text(), language);
	}

	assert.equal(origin.requests.length, languages.length);
});
