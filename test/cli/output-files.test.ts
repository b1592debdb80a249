import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {lstat, readdir, readFile, readlink, symlink, writeFile} from 'node:fs/promises';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {test} from 'node:test';
import {useFolder} from '../helpers/folder.ts';
import {unlessFast} from '../helpers/runs.ts';
import {environment, main, setUpCli} from './helpers.ts';

/*
Where the output of a command goes: devices, pipes, symbolic links, and disks that are full.
*/

// macOS has no /dev/full.
const options = {skip: process.platform !== 'linux'};
const slowOptions = {skip: options.skip || unlessFast.skip};

test('an export to a named pipe or a device is written to it, and replaces neither', options, async () => {
	await using setup = await setUpCli();
	await using folder = await useFolder();
	await setup.store(['a']);

	const pipe = folder.file('pipe');
	execFileSync('mkfifo', [pipe]);
	const reader = spawn('cat', [pipe]);
	const [{code}, read] = await Promise.all([setup.cli('export', '--output', pipe), text(reader.stdout)]);
	assert.equal(code, 0);
	assert.match(read, /^\{"version":1,.*\}\n$/v);
	assert.ok((await lstat(pipe)).isFIFO());

	// Only now that the pipe is still there: this machine needs its devices.
	const device = folder.file('null');
	await symlink('/dev/null', device);
	assert.equal((await setup.cli('export', '--output', device)).code, 0);
	assert.equal(await readlink(device), '/dev/null');
	assert.ok((await lstat('/dev/null')).isCharacterDevice());
	assert.deepEqual((await readdir(folder.folder)).toSorted(), ['null', 'pipe']);

	const full = await setup.cli('export', '--output', '/dev/full');
	assert.deepEqual([full.code, full.stderr], [7, 'got-redis-cache: /dev/full could not be written to its end (ENOSPC: no space left on device, write)\n']);
});

test('an export to a symbolic link replaces the file that it leads to, also one that is not there yet', async () => {
	await using setup = await setUpCli();
	await using folder = await useFolder();
	await setup.store(['a']);
	await writeFile(folder.file('there'), 'former');
	for (const name of ['there', 'absent']) {
		await symlink(name, folder.file(`to-${name}`));
		assert.equal((await setup.cli('export', '--output', folder.file(`to-${name}`))).code, 0);
		assert.equal(await readlink(folder.file(`to-${name}`)), name);
		assert.match(await readFile(folder.file(name), 'utf8'), /^\{"version":1,/v);
	}

	assert.deepEqual((await readdir(folder.folder)).toSorted(), ['absent', 'there', 'to-absent', 'to-there']);
});

test('a full disk exits with 7 and says so', slowOptions, async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const url = `${setup.origin.url}/a`;
	for (const arguments_ of [['ls'], ['ls', '--json'], ['export'], ['explain', url], ['doctor'], ['--help']]) {
		const command = [process.execPath, main, ...arguments_].map(argument => `'${argument}'`).join(' ');
		const child = spawn('sh', ['-c', `exec ${command} > /dev/full`], {env: environment({REDIS_URL: setup.redis.url})});
		const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number]>]);
		assert.equal(code, 7, arguments_.join(' '));
		assert.match(stderr, /Standard output could not be written to its end \(ENOSPC: no space left on device, write\)/v, arguments_.join(' '));
		assert.equal(stderr.trimEnd().split('\n').length, 1);
	}
});
