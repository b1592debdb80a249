import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {test} from 'node:test';
import {createValues} from '../../source/store/codec/values.ts';
import type {StoredResponse} from '../../source/types/stored.ts';
import {environment, main, setUpCli, type CliSetup} from './helpers.ts';

/*
Lists of more keys than anybody wants in memory: 16,000 large ones here, and as many as there are elsewhere.
*/

const count = 16_000;

const prefix = 'http_cache:';

/** Each entry takes some 6 KB as an object: all together several times what the command may take. */
const padding = 'x'.repeat(4500);

/** Copies a stored response to as many keys, as the cache would have written it. */
const multiply = async ({redis: {client}, ...setup}: CliSetup): Promise<void> => {
	await setup.client('template', {headers: {}});
	const [entry] = await setup.json('ls');
	const storeKey = String(entry?.storeKey);
	const values = createValues({isCompressing: false, keyRing: undefined, prefix});
	const {RESP_TYPES: types} = await import('@redis/client');
	const value = await client.withTypeMapping({[types.BLOB_STRING]: Buffer}).get(storeKey) as unknown as Uint8Array;
	const template = await values.read(value, storeKey.slice(prefix.length)) as StoredResponse;
	for (let start = 0; start < count; start += 2000) {
		await Promise.all(Array.from({length: 2000}, async (_, index) => {
			const key = `{${String(start + index).padStart(22, '0')}}`;
			const record = {...template, url: `${template.url}/${start + index}`, rawHeaders: [...template.rawHeaders, 'x-padding', padding]};
			return client.set(prefix + key, Buffer.from(await values.write(record, key)));
		}));
	}
};

const scansOf = async ({redis}: CliSetup): Promise<number> => {
	const stats = await redis.client.info('commandstats');
	return Number(/^cmdstat_scan:calls=(?<calls>\d+)/mv.exec(stats)?.groups?.calls ?? 0);
};

const start = (redisUrl: string, arguments_: readonly string[]) =>
	spawn(process.execPath, ['--max-old-space-size=48', main, ...arguments_], {
		env: environment({REDIS_URL: redisUrl, NODE_OPTIONS: ''}),
		stdio: ['ignore', 'pipe', 'pipe'],
	});

test('a list of many keys begins at once, waits for its reader, and takes bounded memory', async () => {
	await using setup = await setUpCli();
	await multiply(setup);
	await setup.redis.client.configResetStat();

	const slow = start(setup.redis.url, ['ls', '--json']);
	await once(slow.stdout, 'readable');
	assert.match(String(slow.stdout.read(100)), /^\{"storeKey":"http_cache:/v);
	// Of some 16 that a whole list takes.
	const scans = await scansOf(setup);
	assert.ok(scans < 10, String(scans));
	slow.kill('SIGKILL');
	await once(slow, 'close');

	for (const [arguments_, expected] of [[['ls', '--json'], count + 1], [['ls', '--sort', 'url', '--limit', '3'], 4]] as const) {
		const child = start(setup.redis.url, arguments_);
		let lines = 0;
		child.stdout.on('data', (chunk: Uint8Array) => {
			lines += chunk.reduce((sum, byte) => sum + Number(byte === 0x0A), 0);
		});
		let stderr = '';
		child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
			stderr += chunk;
		});
		const [code] = await once(child, 'close') as [number];
		assert.deepEqual([code, stderr, lines], [0, '', expected]);
	}
});
