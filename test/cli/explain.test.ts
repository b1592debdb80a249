import assert from 'node:assert/strict';
import {test} from 'node:test';
import {runCli, setUpCli} from './helpers.ts';

test('explain tells the decision, the key and what is stored', async () => {
	await using setup = await setUpCli();
	await setup.store(['a'], {tags: ['items']});

	const {code, stdout, stderr} = await setup.cli('explain', `${setup.origin.url}/a`);
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^GET http:\/\/127\.0\.0\.1:\d+\/a\n\nDecision {3}reuse \(fresh\): The stored response is fresh \(RFC 9111 §4\.2\)\.\nKey {8}http_cache:\{.{22}\}\n/v);
	assert.match(stdout, /\n {11}tags items\nAssumed {4}The default options of redisCache\(\); --config FILE has those of your program\.\n$/v);
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
