import assert from 'node:assert/strict';
import {test} from 'node:test';
import {runCli, setUpCli} from './helpers.ts';

test('explain tells the decision, the key and what is stored', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['items']});

	const {code, stdout, stderr} = await setup.cli('explain', `${setup.origin.url}/a`);
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^GET http:\/\/127\.0\.0\.1:\d+\/a\n\nDecision {3}reuse \(fresh\): The stored response is fresh \(RFC 9111 §4\.2\)\.\nKey {8}http_cache:\{.{22}\}\n/v);
	assert.match(stdout, /\n {11}tags items\nAsked {6}The namespace 'http_cache' of redis:\/\/127\.0\.0\.1:\d+\.\nAssumed {4}The default options of redisCache\(\); --config FILE has those of your program\.\n$/v);
	assert.equal(setup.origin.requests.length, 1);
});

test('explain --json gives the data, for the variant that --header selects', async () => {
	await using setup = await setUpCli();
	await setup.client('vary', {headers: {'accept-language': 'de'}});
	const url = `${setup.origin.url}/vary`;
	const [match] = await setup.json('explain', url, '-H', 'accept-language: de');
	const [mismatch] = await setup.json('explain', url, '-H', 'accept-language: en');

	assert.deepEqual([match?.decision.reason, mismatch?.decision.reason], ['fresh', 'vary-mismatch']);
	assert.deepEqual(mismatch?.selectedBy, {'accept-language': 'en'});
	assert.deepEqual(mismatch?.asked, {store: setup.redis.url, namespace: 'http_cache'});
});

test('explain --ask judges what the origin answers', async () => {
	await using setup = await setUpCli();
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'private'}).end('body');
	};

	const {code, stdout, stderr} = await setup.cli('explain', `${setup.origin.url}/a`, '--ask');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /\nOrigin {5}answered 200 in .*: private: The response has `private`, and the cache is shared \(RFC 9111 §5\.2\.2\.7\)\.\n {11}To mend it: /v);
	assert.equal(setup.origin.requests.length, 1);
});

test('explain takes no key, and no relative URL', async () => {
	const key = await runCli(['explain', 'http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}']);
	assert.deepEqual([key.code, key.stderr], [2, 'got-redis-cache: \'http_cache:{mJ3xXvJ8sUuGgI7mRz1b5w}\' is no absolute URL: give one such as https://api.example.com/items; `got-redis-cache show` tells that of a key\n']);
	const path = await runCli(['explain', '/items']);
	assert.deepEqual([path.code, path.stderr], [2, 'got-redis-cache: \'/items\' is no absolute URL: give one such as https://api.example.com/items\n']);
});

test('explain of an origin that fails names the status code and what stands in', async () => {
	await using setup = await setUpCli();
	const url = `${setup.origin.url}/a`;
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'max-age=0, stale-if-error=60', 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT'}).end('body');
	};

	await setup.store(['a']);
	const stale = await setup.cli('explain', url);
	assert.match(stale.stdout, /\nDecision {3}validate \(stale\).*\n(?: {11}.*\n)* {11}If the origin answers with a 5xx or cannot be reached, the stored response answers, stale\.\n/v);

	setup.origin.handler = (_request, response) => {
		response.writeHead(503).end('failed');
	};

	const asked = await setup.cli('explain', `${setup.origin.url}/b`, '--ask');
	assert.match(asked.stdout, /\nOrigin {5}answered 503 in .*: not-explicit: A response with the status code 503 is stored only if .*\n {11}To mend it: The origin failed\..*`staleIfError`.*`freeze\(\)`\.\n/v);
	assert.doesNotMatch(asked.stdout, /Send an `ETag`|met:/v);
});

test('explain of a frozen URL that is not stored says 504, and how to thaw its origin', async () => {
	await using setup = await setUpCli();
	const {origin, client} = setup;
	origin.handler = ({url}, response) => {
		response.writeHead(200, {'cache-control': url === '/b' ? 'no-store' : 'private'}).end('body');
	};

	await client('b');
	await setup.cache.fleetStats();
	await setup.cli('freeze', origin.url);
	for (const path of ['a', 'b']) {
		const {stdout} = await setup.cli('explain', `${origin.url}/${path}`);
		assert.match(stdout, /\nDecision {3}unavailable \(frozen\): .* nothing is stored that may answer\. The answer is 504\.\n {11}What to do: End it with `cache\.thaw\(\)` or `got-redis-cache thaw`/v);
		assert.ok(stdout.includes(`\`got-redis-cache thaw ${origin.url}\` ends it.`), stdout);
		assert.doesNotMatch(stdout, /A stored response answers/v);
	}
});

test('explain counts what was not stored once, by reason', async () => {
	await using setup = await setUpCli();
	const {origin, client} = setup;
	for (const cacheControl of ['no-store', 'private', 'private']) {
		origin.handler = (_request, response) => {
			response.writeHead(200, {'cache-control': cacheControl}).end('body');
		};

		await client('a');
	}

	await setup.cache.fleetStats();
	const [refusals] = await setup.redis.client.keys('*.refusals.*');
	await setup.redis.client.zIncrBy(String(refusals), 1000, `private ${origin.url}/a`);
	const {stdout} = await setup.cli('explain', `${origin.url}/a`);
	assert.match(stdout, /\nNot stored 1,003 responses to this URL in the last hour, of all processes\n {11}1,002 with private: .*\n {11}To mend it: .*\n {11}1 with no-store: /v);
	assert.equal(stdout.split('in the last hour').length, 2);
});

test('explain --ask names what a response complies with without a double negative', async () => {
	await using setup = await setUpCli();
	const {stdout} = await setup.cli('explain', `${setup.origin.url}/a`, '--ask');
	assert.match(stdout, /\n {11}met: method, status, .*no `no-store` in the request, .*, no `no-store`, not `private`, .*can be used again, /v);
	assert.doesNotMatch(stdout, /met:.* (?:private|no-store|not-explicit|not-reusable)(?:,|\n)/v);
});
