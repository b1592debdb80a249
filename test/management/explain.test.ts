import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {redisCache, type Explanation, type OriginJudgement, type RedisCacheOptions, type RequestCacheOptions} from '../../source/index.ts';
import {setUp, settleWrites, type Setup} from '../got/helpers.ts';
import {commandsDuring} from '../helpers/monitor.ts';

/*
What `explain()` says of requests that have met a real origin and a real Redis.
*/

type Fields = Readonly<Record<string, string | string[]>>;

type Scene = Setup & {
	/** Has the origin answer with these fields from now on. */
	answer(headers: Fields, statusCode?: number): void;
	explain(target: string, headers?: Record<string, string>): Promise<Explanation>;
	/** Asks the origin past the cache. */
	judge(target: string, headers?: Record<string, string>): Promise<OriginJudgement>;
};

const setUpScene = async (options: RedisCacheOptions = {}): Promise<Scene> => {
	const setup = await setUp(options);
	const {origin, cache} = setup;

	return {
		...setup,
		answer(headers, statusCode = 200) {
			origin.handler = (_request, response) => {
				response.writeHead(statusCode, headers).end('body');
			};
		},
		async explain(target, headers) {
			await settleWrites(setup);

			return cache.explain({url: `${origin.url}/${target}`, ...headers && {headers}});
		},
		async judge(target, headers) {
			const {origin: judgement} = await cache.explain({url: `${origin.url}/${target}`, ...headers && {headers}}, {ask: true});
			assert.ok(judgement);

			return judgement;
		},
	};
};

const decisionOf = ({decision: {kind, reason}}: Explanation) => [kind, reason];

test('a URL that was never requested is not stored, and the origin is not asked', async () => {
	await using scene = await setUpScene();
	const explanation = await scene.explain('items');

	assert.deepEqual(decisionOf(explanation), ['fetch', 'not-stored']);
	assert.deepEqual([explanation.stored, explanation.purges, explanation.lastRefusal], [[], [], undefined]);
	assert.equal(explanation.decision.rfc, 'RFC 9111 §4');
	assert.equal(scene.origin.requests.length, 0);
	assert.match(
		explanation.text,
		/^GET http:\/\/127\.0\.0\.1:\d+\/items\n\nDecision {3}fetch \(not-stored\): Nothing is stored that could answer this request \(RFC 9111 §4\)\.\n {11}What to do: .*\nKey {8}http_cache:\{.{22}\}\n.*\nStored {5}nothing$/sv,
	);
});

test('a fresh response is told with its lifetime, its age and its time in Redis, and counts as no hit', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60, stale-while-revalidate=30, stale-if-error=40', etag: '"1"'});
	await scene.client('items', {context: {cache: {tags: ['a']}}});
	const explanation = await scene.explain('items');
	const [stored] = explanation.stored;

	assert.deepEqual(decisionOf(explanation), ['reuse', 'fresh']);
	assert.equal(explanation.stored.length, 1);
	assert.ok(stored);
	assert.deepEqual([stored.isSelected, stored.isFresh, stored.hasValidator, stored.isPurged], [true, true, true, false]);
	assert.deepEqual([stored.freshness.lifetimeSeconds, stored.freshness.source, stored.freshness.field], [60, 'max-age', 'cache-control']);
	assert.deepEqual(stored.staleness, {
		forbiddenBy: undefined,
		whileRevalidate: {seconds: 30, source: 'response'},
		ifError: {seconds: 40, source: 'response'},
		ifDisconnected: {seconds: 'unlimited', source: 'option'},
	});
	assert.ok(Number(stored.ttlMs) > 3_600_000);
	assert.deepEqual(stored.tags, ['a']);
	assert.equal(explanation.key.key, stored.storeKey.slice('http_cache:'.length));
	assert.equal(scene.cache.stats().requests, 1);
	assert.match(explanation.text, /lifetime 1 min, by `max-age` in cache-control, ends /v);
});

test('nothing is written to Redis', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', vary: 'accept-language'});
	await scene.client('items');
	await settleWrites(scene);
	const {cache} = scene.other({memory: false});
	await cache.has(`${scene.origin.url}/other`);
	const commands = await commandsDuring([scene.redis], async () => cache.explain(`${scene.origin.url}/items`));
	const names = new Set(commands.map(command => command[0]?.toUpperCase()));

	assert.ok(names.size > 0);
	assert.deepEqual([...names].filter(name => !['GET', 'MGET', 'PTTL', 'HGET', 'HLEN', 'GETRANGE', 'STRLEN', 'ZRANGE'].includes(name ?? '')), []);
});

test('a stale response with a validator is validated, one without is fetched anew', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=0', etag: '"1"'});
	await scene.client('with');
	scene.answer({'cache-control': 'max-age=10', age: '20'});
	await scene.client('without', {context: {cache: {staleIfError: '1h'}}});
	const [validated, fetched] = [await scene.explain('with'), await scene.explain('without')];

	assert.deepEqual(decisionOf(validated), ['validate', 'stale']);
	assert.deepEqual(validated.decision.addedHeaders, {'if-none-match': '"1"'});
	assert.deepEqual([...decisionOf(fetched), fetched.decision.insteadOf], ['fetch', 'no-validator', 'stale']);
	assert.equal(fetched.stored[0]?.isFresh, false);
});

test('explain() lists all variants with the fields that select them and the values in the request', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', vary: 'Accept-Language'});
	for (const language of ['de', 'en']) {
		await scene.client('items', {headers: {'accept-language': language}});
	}

	const mismatch = await scene.explain('items', {'Accept-Language': 'fr'});
	assert.deepEqual(decisionOf(mismatch), ['fetch', 'vary-mismatch']);
	assert.deepEqual(new Set(mismatch.stored.map(({vary}) => vary['accept-language'])), new Set(['de', 'en']));
	assert.deepEqual(mismatch.selectedBy, {'accept-language': 'fr'});
	assert.ok(mismatch.stored.every(({isSelected}) => !isSelected));

	const match = await scene.explain('items', {'accept-language': 'de'});
	assert.deepEqual(decisionOf(match), ['reuse', 'fresh']);
	assert.deepEqual(match.stored.filter(({isSelected}) => isSelected).map(({vary}) => vary), [{'accept-language': 'de'}]);
});

test('the fields that got adds select a variant, as in a request', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', vary: 'Accept-Encoding, User-Agent'});
	await scene.client('items');

	assert.deepEqual(decisionOf(await scene.explain('items')), ['reuse', 'fresh']);
});

const refusals: ReadonlyArray<readonly [reason: string, headers: Fields, requestHeaders?: Record<string, string>]> = [
	['authorization', {'cache-control': 'max-age=60'}, {authorization: 'Bearer secret'}],
	['set-cookie', {'set-cookie': 'a=1', etag: '"1"'}],
	['no-store', {'cache-control': 'no-store'}],
	['private', {'cache-control': 'private, max-age=60'}],
	['vary-star', {'cache-control': 'max-age=60', vary: '*'}],
	['not-reusable', {}],
];

for (const [reason, headers, requestHeaders] of refusals) {
	test(`the last response was not stored: ${reason}`, async () => {
		await using scene = await setUpScene();
		scene.answer(headers);
		await scene.client('items', {headers: requestHeaders ?? {}});
		const explanation = await scene.explain('items', requestHeaders);

		assert.deepEqual(decisionOf(explanation), ['fetch', 'not-stored']);
		assert.deepEqual([explanation.lastRefusal?.reason, explanation.lastRefusal?.statusCode], [reason, 200]);
		assert.ok(explanation.text.includes(`${reason}: The re`));
		assert.doesNotMatch(JSON.stringify(explanation), /secret/v);
	});
}

test('a response that is stored at last takes back why the last one was not', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'no-store'});
	await scene.client('items');
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items');

	assert.equal((await scene.explain('items')).lastRefusal, undefined);
});

test('a purge by tag is named, with its time, while the response is still there', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', etag: '"1"'});
	await scene.client('items', {context: {cache: {tags: ['a', 'b']}}});
	await settleWrites(scene);
	await scene.other().cache.invalidate({tag: 'b'});
	const {cache} = scene.other();
	const explanation = await cache.explain(`${scene.origin.url}/items`);
	const [stored] = explanation.stored;

	assert.deepEqual(decisionOf(explanation), ['fetch', 'not-stored']);
	assert.ok(stored?.isPurged);
	assert.deepEqual(stored.purges.map(({kind, name, isSoft, isLost}) => [kind, name, isSoft, isLost]), [['tag', 'b', false, false]]);
	assert.ok(stored.purges[0]?.purgedAt instanceof Date);
	assert.match(explanation.text, /purged since it was requested: the tag b, at /v);
});

test('a soft purge of an origin is named, and has the response validated', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', etag: '"1"'});
	await scene.client('items');
	await settleWrites(scene);
	await scene.cache.invalidate({origin: scene.origin.url}, {soft: true});
	const explanation = await scene.explain('items');

	assert.deepEqual(decisionOf(explanation), ['validate', 'invalidated']);
	assert.deepEqual(explanation.stored[0]?.purges.map(({kind, name, isSoft}) => [kind, name, isSoft]), [['origin', scene.origin.url, true]]);
	assert.equal(explanation.stored[0]?.isPurged, false);
});

test('versions that Redis has lost are named', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', 'cache-groups': '"g"'});
	await scene.client('items');
	await settleWrites(scene);
	const [key = ''] = await scene.redis.client.keys('http_cache:{group:*');
	await scene.redis.client.del(key);
	const explanation = await scene.other().cache.explain(`${scene.origin.url}/items`);

	assert.deepEqual(explanation.stored[0]?.purges.map(({kind, name, isLost}) => [kind, name, isLost]), [['group', 'g', true]]);
	assert.match(explanation.text, /the group g: the store has lost what tells of purges/v);
});

test('a purge of the URL is told, in this process with its time', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items');
	await settleWrites(scene);
	await scene.cache.delete(`${scene.origin.url}/items`);
	const own = await scene.explain('items');
	const elsewhere = await scene.other().cache.explain(`${scene.origin.url}/items`);

	assert.deepEqual([own.stored, elsewhere.stored], [[], []]);
	assert.deepEqual(own.purges.map(({kind, purgedAt}) => [kind, purgedAt instanceof Date]), [['url', true]]);
	assert.deepEqual(elsewhere.purges.map(({kind, purgedAt}) => [kind, purgedAt]), [['url', undefined]]);
});

test('requests that the cache takes no part in are told with the option or the directive', async () => {
	const cases: ReadonlyArray<readonly [options: RedisCacheOptions, headers: Record<string, string>, method: string, reason: string]> = [
		[{filter: ({url}) => !url.endsWith('/items')}, {}, 'GET', 'filtered'],
		[{disabled: true}, {}, 'GET', 'disabled'],
		[{}, {}, 'POST', 'method'],
		[{}, {'cache-control': 'no-store'}, 'GET', 'no-store'],
		[{expireAfter: 'no-store'}, {}, 'GET', 'no-store'],
	];
	for (const [options, headers, method, reason] of cases) {
		await using scene = await setUpScene(options);
		const explanation = await scene.cache.explain({url: `${scene.origin.url}/items`, headers, method});
		assert.deepEqual(decisionOf(explanation), ['bypass', reason]);
	}
});

test('the options that a request has in `context.cache` count', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', etag: '"1"'});
	await scene.client('items');
	const url = `${scene.origin.url}/items`;
	const cases: ReadonlyArray<readonly [cache: RequestCacheOptions | false, kind: string, reason: string]> = [
		[{}, 'reuse', 'fresh'],
		[{mode: 'no-cache'}, 'validate', 'request-no-cache'],
		[{mode: 'reload'}, 'fetch', 'reload'],
		[{alwaysRevalidate: true}, 'validate', 'always-revalidate'],
		[{onlyIfCached: true}, 'reuse', 'fresh'],
		[{expireAfter: 'no-store'}, 'bypass', 'no-store'],
		[false, 'bypass', 'disabled'],
	];
	for (const [cache, ...expected] of cases) {
		assert.deepEqual(decisionOf(await scene.cache.explain(url, {cache})), expected);
	}

	const misspelt: Record<string, unknown> = {mod: 'reload'};
	await assert.rejects(scene.cache.explain(url, {cache: misspelt as RequestCacheOptions}), /^TypeError: .*`mod`/v);
	await assert.rejects(scene.cache.explain(url, true as never), /^TypeError: Expected an object such as \{ask: true\} in explain\(\), got true$/v);
});

test('the directives of the request count', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', etag: '"1"', age: '30'});
	await scene.client('items');
	const cases: ReadonlyArray<readonly [cacheControl: string, kind: string, reason: string]> = [
		['no-cache', 'validate', 'request-no-cache'],
		['max-age=10', 'validate', 'request-max-age'],
		['min-fresh=40', 'validate', 'request-min-fresh'],
		['only-if-cached', 'reuse', 'fresh'],
	];
	for (const [cacheControl, ...expected] of cases) {
		assert.deepEqual(decisionOf(await scene.explain('items', {'cache-control': cacheControl})), expected);
	}

	assert.deepEqual(decisionOf(await scene.explain('other', {'cache-control': 'only-if-cached'})), ['unavailable', 'only-if-cached']);
});

test('explain() of a stored part tells which bytes are stored and which are fetched', async () => {
	await using scene = await setUpScene();
	scene.origin.handler = (_request, response) => {
		response.writeHead(206, {'cache-control': 'max-age=60', etag: '"1"', 'content-range': 'bytes 0-3/10'}).end('0123');
	};

	await scene.client('items', {headers: {range: 'bytes=0-3'}});
	const explanation = await scene.explain('items');

	assert.deepEqual(decisionOf(explanation), ['validate', 'range-incomplete']);
	assert.deepEqual(explanation.stored[0]?.range, {firstByte: 0, lastByte: 3, completeLength: 10});
	assert.equal(explanation.decision.addedHeaders.range, 'bytes=4-');
	assert.match(explanation.text, /the bytes 0-3 of 10/v);
});

test('equivalent URLs are told with No-Vary-Search', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', 'no-vary-search': 'params=("a")'});
	await scene.client('items?a=1&b=1');
	await settleWrites(scene);
	const explanation = await scene.other().cache.explain(`${scene.origin.url}/items?a=2&b=1`);

	assert.deepEqual(decisionOf(explanation), ['reuse', 'fresh']);
	assert.equal(explanation.key.noVarySearch, 'params=("a")');
	assert.match(explanation.key.key, /^\{\?/v);
});

test('content is a part of the key, as in a request of got', async () => {
	await using scene = await setUpScene({methods: ['GET', 'POST'], filter: () => true});
	scene.answer({'cache-control': 'max-age=60'});
	const url = `${scene.origin.url}/search`;
	const contents = [{json: {b: 1, a: [2]}}, {form: {a: '1', b: '2'}}, {body: 'text', headers: {'content-type': 'text/plain'}}];
	for (const content of contents) {
		await scene.client.post('search', content);
	}

	await settleWrites(scene);
	const explanations = await Promise.all(contents.map(async content => scene.cache.explain({url, method: 'POST', ...content})));
	assert.deepEqual(explanations.map(({decision, key}) => [decision.reason, key.content]), [['fresh', 'json'], ['fresh', 'form'], ['fresh', 'bytes']]);
	assert.deepEqual(decisionOf(await scene.cache.explain({url, method: 'POST', json: {a: 1}})), ['fetch', 'not-stored']);
});

test('credentials in a URL are sent as a header field, and count as one', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60'});
	const url = `http://user:topsecret@127.0.0.1:${scene.origin.port}/items`;
	const {origin} = await scene.cache.explain(url, {ask: true});

	assert.equal(origin?.reason, 'authorization');
	assert.match(String(scene.origin.requests[0]?.headers.authorization), /^Basic /v);
});

test('a response to HEAD alone, and one for callers who decode, are told', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', etag: '"1"'});
	await scene.client.head('items');
	await scene.client('items', {decompress: false});
	await settleWrites(scene);
	const get = await scene.explain('items');
	const head = await scene.cache.explain({url: `${scene.origin.url}/items`, method: 'HEAD'});

	assert.deepEqual(decisionOf(get), ['fetch', 'not-stored']);
	assert.deepEqual(get.stored.map(({method, isEncoded, isSelected}) => [method, isEncoded, isSelected]), [['HEAD', false, false], ['GET', true, false]]);
	assert.deepEqual([...decisionOf(head), head.key.method], ['reuse', 'fresh', 'GET']);
});

test('a switch of the origin is told, with its end', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=0', etag: '"1"'});
	await scene.client('items');
	await scene.other().cache.freeze({origin: scene.origin.url}, '30m');
	const explanation = await scene.explain('items');

	assert.deepEqual(decisionOf(explanation), ['reuse', 'frozen']);
	assert.equal(explanation.originSwitch?.kind, 'freeze');
	assert.match(explanation.text, /\nSwitch {5}freeze\(\) is in force for the origin until .* \(in 30 min\)\n/v);
});

test('a user is told apart by name', async () => {
	await using scene = await setUpScene({user: ({headers}) => String(headers['x-user'])});
	scene.answer({'cache-control': 'private, max-age=60'});
	await scene.client('me', {headers: {'x-user': 'alice', authorization: 'Bearer secret'}});
	await settleWrites(scene);
	const of = async (user: string) => scene.cache.explain({url: `${scene.origin.url}/me`, user});
	const [alice, bob] = [await of('alice'), await of('bob')];

	assert.deepEqual([decisionOf(alice), alice.key.user], [['reuse', 'fresh'], 'alice']);
	assert.deepEqual([decisionOf(bob), bob.stored], [['fetch', 'not-stored'], []]);
});

test('explain() of an encrypted cache tells keys as Redis has them, with their times', async () => {
	await using scene = await setUpScene({encryption: randomBytes(32)});
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items');
	const explanation = await scene.explain('items');
	const [stored] = explanation.stored;

	assert.deepEqual(decisionOf(explanation), ['reuse', 'fresh']);
	assert.equal(await scene.redis.client.exists(stored?.storeKey ?? ''), 1);
	assert.equal(explanation.key.storeKey, stored?.storeKey);
	assert.ok(Number(stored?.ttlMs) > 0);
});

test('a response in the memory of the process is told to be there', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items');
	await settleWrites(scene);
	await scene.client('items');
	const other = await scene.other({memory: false}).cache.explain(`${scene.origin.url}/items`);

	assert.equal((await scene.explain('items')).stored[0]?.isInMemory, true);
	assert.equal(other.stored[0]?.isInMemory, false);
});

test('a store without times to live is told without them', async () => {
	await using scene = await setUpScene({store: 'memory'});
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items');
	const explanation = await scene.cache.explain(`${scene.origin.url}/items`);

	assert.deepEqual(decisionOf(explanation), ['reuse', 'fresh']);
	assert.deepEqual([explanation.store.isAnswering, explanation.stored[0]?.ttlMs], [true, undefined]);
});

test('a Redis without TTL is told so', async () => {
	await using scene = await setUpScene({ttl: false});
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items');

	assert.equal((await scene.explain('items')).stored[0]?.ttlMs, 'unlimited');
});

test('a store that is down is told, and nothing is thrown', async () => {
	await using cache = redisCache({store: 'redis://127.0.0.1:1'});
	const explanation = await cache.explain('https://api.example.com/items');

	assert.equal(explanation.store.isAnswering, false);
	assert.deepEqual(decisionOf(explanation), ['fetch', 'not-stored']);
	assert.match(explanation.text, /\nStore {6}unavailable, does not answer: requests go on without it\n.*\nStored {5}not known, for the store does not answer$/sv);
});

test('credentials of a URL and of header fields are in no part of it, but tell requests apart', async () => {
	await using scene = await setUpScene({ignoredParameters: ['utm_source']});
	scene.answer({'cache-control': 'public, max-age=60', vary: 'authorization'});
	const target = 'items?api_key=topsecret&utm_source=mail&a=1';
	const headers = {authorization: 'Bearer topsecret'};
	await scene.client(target, {headers});
	const explanation = await scene.explain(target, headers);

	assert.deepEqual(decisionOf(explanation), ['reuse', 'fresh']);
	assert.deepEqual(explanation.key.ignoredParameters, ['utm_source']);
	assert.ok(explanation.url.endsWith('/items?a=1&api_key=REDACTED'));
	assert.doesNotMatch(JSON.stringify(explanation), /topsecret/v);
	assert.deepEqual(decisionOf(await scene.explain('items?api_key=other&a=1', headers)), ['fetch', 'not-stored']);

	const withPassword = await scene.cache.explain(`http://user:topsecret@127.0.0.1:${scene.origin.port}/items`);
	assert.doesNotMatch(JSON.stringify(withPassword), /topsecret/v);
});

test('lifetimes are told with the option that sets them', async () => {
	const cases: ReadonlyArray<readonly [options: RedisCacheOptions, headers: Fields, source: string]> = [
		[{expireAfter: '1h'}, {}, 'expireAfter'],
		[{urlsExpireAfter: [['*/items', '1h']]}, {'cache-control': 'max-age=60'}, 'urlsExpireAfter'],
		[{expireAfter: () => undefined}, {'cache-control': 's-maxage=30, max-age=60'}, 's-maxage'],
		[{shared: false}, {'cache-control': 's-maxage=30, max-age=60'}, 'max-age'],
		[{}, {expires: new Date(Date.now() + 60_000).toUTCString()}, 'expires'],
		[{}, {'last-modified': new Date(Date.now() - 86_400_000).toUTCString()}, 'heuristic'],
		[{}, {etag: '"1"'}, 'none'],
	];
	for (const [options, headers, source] of cases) {
		await using scene = await setUpScene(options);
		scene.answer(headers);
		await scene.client('items');
		assert.equal((await scene.explain('items')).stored[0]?.freshness.source, source);
	}

	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60'});
	await scene.client('items', {context: {cache: {expireAfter: '1h'}}});
	assert.equal((await scene.explain('items')).stored[0]?.freshness.source, 'other');
});

test('a wrong argument throws', async () => {
	await using cache = redisCache('memory');
	await assert.rejects(cache.explain('/items'), {name: 'TypeError', message: /^Expected an absolute URL such as '.*' in explain\(\), got '\/items'$/v});
	await assert.rejects(cache.explain({url: 'https://example.com/', user: 'alice'}), {name: 'TypeError', message: /^The property `user` in explain\(\)/v});
	const explain = cache.explain.bind(cache) as (...parameters: unknown[]) => Promise<unknown>;
	await assert.rejects(explain('https://example.com/', {}, {}), {name: 'TypeError', message: /^Expected at most two arguments in explain\(\), got 3/v});
	await assert.rejects(explain('https://example.com/', {ask: 1}), {name: 'TypeError', message: /^Expected the property `ask` in explain\(\) to be a boolean, got 1$/v});
	await assert.rejects(cache.explain({url: 'https://example.com/', method: 'DELETE'}, {ask: true}), {name: 'TypeError', message: /^The option `ask` in explain\(\) would send a DELETE request/v});
});

const aboutOf = ({findings}: OriginJudgement, level: string) => findings.filter(finding => finding.level === level).map(({about}) => about);

test('asked, the origin sees the request as it is, and nothing of its response is stored', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60', etag: '"1"', 'cache-groups': '"g"'});
	const judgement = await scene.judge('items', {'accept-language': 'de'});
	const [asked] = scene.origin.requests;

	assert.deepEqual([judgement.statusCode, judgement.isStored, judgement.reason, judgement.error], [200, true, undefined, undefined]);
	assert.deepEqual([judgement.freshness?.lifetimeSeconds, judgement.freshness?.source, judgement.groups], [60, 'max-age', ['g']]);
	assert.ok(Number(judgement.ttlMs) > 3_600_000);
	assert.deepEqual([asked?.headers['accept-language'], asked?.headers['if-none-match'], scene.origin.requests.length], ['de', undefined, 1]);
	assert.deepEqual(aboutOf(judgement, 'failure'), []);
	assert.deepEqual([(await scene.explain('items')).stored, scene.cache.stats().requests], [[], 0]);
	assert.equal(await scene.redis.client.dbSize(), 0);
});

for (const [reason, headers, requestHeaders] of refusals) {
	test(`asked, the origin answers with a response that would not be stored: ${reason}`, async () => {
		await using scene = await setUpScene();
		scene.answer(headers);
		const judgement = await scene.judge('items', requestHeaders);

		assert.deepEqual([judgement.isStored, judgement.reason, judgement.freshness, judgement.ttlMs], [false, reason, undefined, undefined]);
		assert.equal(aboutOf(judgement, 'failure')[0], reason);
		assert.ok(judgement.mend);
	});
}

test('asked, limits and options count', async () => {
	const cases: ReadonlyArray<readonly [options: RedisCacheOptions, headers: Fields, reason: string | undefined]> = [
		[{filter: (_request, response) => response?.statusCode !== 200}, {'cache-control': 'max-age=60'}, 'filtered'],
		[{maxBodySize: 3}, {'cache-control': 'max-age=60'}, 'too-large'],
		[{readOnly: true}, {'cache-control': 'max-age=60'}, 'read-only'],
		[{ttlOffset: 0, statusCodes: [200]}, {'cache-control': 'max-age=0', etag: '"1"'}, 'past-time-to-live'],
		[{shared: false}, {'cache-control': 'private, max-age=60'}, undefined],
		[{expireAfter: '1h'}, {}, undefined],
	];
	for (const [options, headers, reason] of cases) {
		await using scene = await setUpScene(options);
		scene.answer(headers);
		assert.equal((await scene.judge('items')).reason, reason);
	}
});

test('asked, an origin that cannot be reached or breaks off is told, and nothing is thrown', async () => {
	await using scene = await setUpScene();
	scene.origin.handler = (_request, response) => {
		response.writeHead(200, {'content-length': '10'}).write('body');
		response.destroy();
	};

	assert.ok((await scene.judge('items')).error);
	const {url} = scene.origin;
	await scene.origin.stop();
	const {origin, text} = await scene.cache.explain(`${url}/items`, {ask: true});
	assert.deepEqual([origin?.statusCode, origin?.isStored, origin?.reason, origin?.findings], [undefined, false, 'error', []]);
	assert.match(text, /\nOrigin {5}no response after .*: connect ECONNREFUSED /v);
});

test('asked, a redirect is judged itself, and a compressed body with its Vary', async () => {
	await using scene = await setUpScene();
	scene.answer({location: '/other', 'cache-control': 'max-age=60'}, 301);
	const redirect = await scene.judge('items');
	assert.deepEqual([redirect.statusCode, redirect.isStored, scene.origin.requests.length], [301, true, 1]);

	scene.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=60', etag: '"1"', 'content-encoding': 'gzip'}).end(gzipSync('body'));
	};

	const judgement = await scene.judge('items');
	assert.deepEqual([judgement.isStored, aboutOf(judgement, 'warning')], [true, ['vary']]);
});

test('asked, the time is that of the origin, without what passed before the request was sent', async () => {
	await using scene = await setUpScene();
	scene.answer({'cache-control': 'max-age=60'});
	let heldMs = 0;
	// The process is busy while the request begins.
	const hold = () => {
		const startMs = performance.now();
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
		heldMs = performance.now() - startMs;
	};

	subscribe('http.client.request.start', hold);
	const startMs = performance.now();
	const {durationMs} = await scene.judge('items');
	const totalMs = performance.now() - startMs;
	unsubscribe('http.client.request.start', hold);
	assert.ok(heldMs > 0);
	assert.ok(durationMs > 0);
	assert.ok(durationMs <= totalMs - heldMs, `${durationMs} of ${totalMs}, ${heldMs} held`);
});
