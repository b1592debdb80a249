import {spawn, type ChildProcess, type StdioOptions} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {text} from 'node:stream/consumers';

const repository = new URL('../..', import.meta.url);

type ScriptOptions = {
	/** Beside those of the test. */
	readonly env?: NodeJS.ProcessEnv;
	/** Of Node.js. */
	readonly args?: readonly string[];
	readonly stdio?: StdioOptions;
};

/** Another process with the source of a module, in the project's folder. It ends with the test, whatever becomes of it. */
export const startScript = (t: {after(hook: () => void): void}, source: string, {env = {}, args = [], stdio = ['ignore', 'inherit', 'inherit', 'ipc']}: ScriptOptions = {}): ChildProcess => {
	const child = spawn(process.execPath, [...args, '--input-type=module', '--eval', source], {cwd: repository, env: {...process.env, ...env}, stdio});
	t.after(() => {
		child.kill('SIGKILL');
	});
	return child;
};

/** Runs a module to its end. One that does not end by itself is killed, and has no code. */
export const runScript = async (source: string, {env = {}}: Pick<ScriptOptions, 'env'> = {}): Promise<{readonly code: number | undefined; readonly stdout: string; readonly stderr: string}> => {
	const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
		cwd: repository,
		env: {...process.env, ...env},
		stdio: ['ignore', 'pipe', 'pipe'],
		timeout: 20_000,
		killSignal: 'SIGKILL',
	});
	const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>]); // eslint-disable-line @typescript-eslint/no-restricted-types -- Node's
	return {code: code ?? undefined, stdout, stderr};
};
