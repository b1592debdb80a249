import assert from 'node:assert/strict';
import {execFile, spawnSync} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {promisify} from 'node:util';
import {commands} from '../../source/cli/commands.ts';
import {runCli} from './helpers.ts';

const scriptFor = async (shell: string): Promise<string> => {
	const {code, stdout, stderr} = await runCli(['completion', shell]);
	assert.deepEqual([code, stderr], [0, '']);
	return stdout;
};

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** The words that Bash offers behind a line. */
const offered = async (script: string, ...words: readonly string[]): Promise<string[]> => {
	const {stdout} = await promisify(execFile)('bash', [
		'-c',
		`${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _got_redis_cache got-redis-cache "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\\n' "\${COMPREPLY[@]}"`,
		'bash',
		'got-redis-cache',
		...words,
	]);
	return stdout.trim().split('\n').filter(Boolean);
};

test('Bash completes commands, options, and values that are known', async () => {
	const script = await scriptFor('bash');
	assert.deepEqual(await offered(script, 's'), commands.map(({name}) => name).filter(name => name.startsWith('s')));
	assert.deepEqual(await offered(script, 'ls', '--so'), ['--sort']);
	assert.deepEqual(await offered(script, '--store', 'redis://localhost', 'purge', '--dry'), ['--dry-run']);
	assert.deepEqual(await offered(script, 'ls', '--sort', 's'), ['size', 'status']);
	assert.deepEqual(await offered(script, 'completion', 'z'), ['zsh']);
	assert.deepEqual(await offered(script, 'doctor', '--js'), ['--json']);
	assert.ok((await offered(script, 'export', '--output', 'package.j')).includes('package.json'));
});

for (const shell of ['bash', 'zsh', 'fish']) {
	test(`the script for ${shell} has every command and option, and is right`, async () => {
		const script = await scriptFor(shell);
		for (const {name, options} of commands) {
			assert.ok(script.includes(name), name);
			for (const option of Object.keys(options)) {
				assert.ok(script.includes(shell === 'fish' ? `-l ${option}` : `--${option}`), option);
			}
		}

		// A shell that this machine lacks is tried elsewhere. Fish reads no script from a socket.
		const file = path.join(await mkdtemp(path.join(tmpdir(), 'completion-')), 'script');
		await writeFile(file, script);
		const {status, stderr} = has(shell) ? spawnSync(shell, ['-n', file], {encoding: 'utf8'}) : {status: 0, stderr: ''};
		await rm(path.dirname(file), {recursive: true});
		assert.deepEqual([status, stderr], [0, '']);
	});
}

test('another shell is refused', async () => {
	assert.deepEqual(await runCli(['completion', 'powershell']), {code: 2, stdout: '', stderr: 'got-redis-cache: There is no completion for \'powershell\': give one of bash, zsh, fish\n'});
});
