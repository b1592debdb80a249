import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';

const find = (): string | undefined => {
	const {status, stdout} = spawnSync('sh', ['-c', 'command -v valkey-server'], {encoding: 'utf8'});
	return status === 0 ? stdout.trim() : undefined;
};

/** Has this process, and those that it starts, run a `valkey-server` in place of each `redis-server`, if there is one. Returns its version. */
export const useValkey = (): string | undefined => {
	const server = find();
	if (server === undefined) {
		return undefined;
	}

	const directory = mkdtempSync(path.join(tmpdir(), 'valkey-'));
	process.on('exit', () => {
		rmSync(directory, {recursive: true});
	});
	symlinkSync(server, path.join(directory, 'redis-server'));
	process.env.PATH = `${directory}${path.delimiter}${process.env.PATH}`;

	return execFileSync('redis-server', ['--version'], {encoding: 'utf8'});
};

/** Options of the test that there is one: skipped without, unless it has to be there, as in CI. */
export const ifThereIs = (version: string | undefined): {readonly skip: string | false} => ({
	skip: version === undefined && !process.env.REQUIRE_VALKEY && 'There is no valkey-server in PATH: apt-get install valkey-server, from bookworm-backports or Debian 13',
});
