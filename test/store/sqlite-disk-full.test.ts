import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import got from 'got';
import {cacheInfo, redisCache} from '../../source/index.ts';
import {respond, startOrigin} from '../helpers/origin.ts';

/*
A real disk of two megabytes, which only root can have.
*/

const disk = mkdtempSync(path.join(tmpdir(), 'sqlite-disk-'));
const {status} = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
const isMounted = status === 0;

after(() => {
	if (isMounted) {
		spawnSync('umount', ['--lazy', disk]);
	}

	rmSync(disk, {recursive: true, force: true});
});

const options = {skip: !isMounted && 'Only root can mount a tmpfs'};

test('a disk without room costs no request: an event says so, what is stored is given, a purge holds, and writes come back with room', options, async () => {
	const filler = path.join(disk, 'filler');
	writeFileSync(filler, randomBytes(1_000_000));
	await using origin = await startOrigin((_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: randomBytes(40_000)});
	});
	await using cache = redisCache({store: `sqlite:${path.join(disk, 'cache.db')}`, memory: false, timeout: '10s'});
	const errors: string[] = [];
	cache.on('error', error => errors.push(error.message));
	const client = got.extend({prefixUrl: origin.url, retry: {limit: 0}}, cache);
	const ask = async (name: string) => {
		const response = await client(name, {responseType: 'buffer'});
		assert.equal(response.body.length, 40_000);
		return cacheInfo(response)?.status;
	};

	assert.deepEqual([await ask('first'), await ask('first')], ['miss', 'hit']);
	for (let count = 0; errors.length === 0; count++) {
		assert.equal(await ask(String(count)), 'miss');
		assert.ok(count < 200, 'the disk is never full');
	}

	assert.match(errors[0] ?? '', /SQLITE_(?:FULL|IOERR)/v);
	assert.equal(await ask('first'), 'hit');
	await cache.delete(`${origin.url}/first`);
	assert.equal(await ask('first'), 'miss');

	rmSync(filler);
	while (await ask('again') !== 'hit') {
		await delay(5);
	}
});
