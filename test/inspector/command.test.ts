import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {createInterface} from 'node:readline';
import test from 'node:test';
import {environment, main, setUpCli} from '../cli/helpers.ts';
import {ask} from './helpers.ts';

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	test(`the command serves the page at the address that it prints, until ${signal}`, async () => {
		await using setup = await setUpCli();
		await setup.store(['items']);
		const child = spawn(process.execPath, [main, 'inspect', '--json', '--store', setup.redis.url], {env: environment()});
		const [line] = await once(createInterface(child.stdout), 'line') as [string];
		const {url, namespace} = JSON.parse(line) as {url: string; namespace: string};
		const headers = {'x-inspector': new URL(url).hash.replace('#token=', '')};

		assert.equal(namespace, 'http_cache');
		assert.match((await ask(url, '/')).body, /<title>Cache inspector/v);
		assert.equal((await ask(url, '/api/entries')).status, 401);
		const {entries} = JSON.parse((await ask(url, '/api/entries', {headers})).body) as {entries: Array<{url: string}>};
		assert.deepEqual(entries.map(each => each.url), [`${setup.origin.url}/items`]);
		child.kill(signal);
		assert.deepEqual(await once(child, 'exit'), [0, null]);
	});
}

test('a store that is away, and a port that is taken or none, are told', async () => {
	await using setup = await setUpCli();
	const {port} = setup.redis;

	const taken = await setup.cli('inspect', '--port', String(port));
	assert.equal(taken.code, 2);
	assert.match(taken.stderr, new RegExp(`--port ${port} cannot be used .*EADDRINUSE.*: give another one`, 'v'));
	assert.equal((await setup.cli('inspect', '--port', '70000')).code, 2);
	assert.equal((await setup.cli('inspect', '--store', 'redis://127.0.0.1:1')).code, 3);
});
