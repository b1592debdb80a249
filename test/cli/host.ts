import {Buffer} from 'node:buffer';
import process from 'node:process';
import {Readable, Writable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {run} from '../../source/cli/run.ts';

/*
Runs commands one after the other, each as if the process were its own: the library is loaded once for all of them.

A command gets its own environment and standard streams, and is over when it has left nothing behind that would keep a process alive.
*/

export type Job = {
	readonly arguments: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	readonly stdin: string;
};

/** `code` is `undefined` for a command that does not let its process end. */
export type JobResult = {
	readonly code: number | undefined;
	readonly stdout: string;
	readonly stderr: string;
};

const longestMs = 60_000;

const written: Record<'stdout' | 'stderr', Uint8Array[]> = {stdout: [], stderr: []};

for (const name of ['stdout', 'stderr'] as const) {
	const stream = new Writable({
		write(chunk: Uint8Array, _encoding, callback) {
			written[name].push(Uint8Array.from(chunk));
			callback();
		},
	});
	Object.defineProperty(process, name, {value: stream, configurable: true});
}

// Node.js itself would write warnings past the stream.
process.on('warning', ({name, message}) => {
	process.stderr.write(`(node:${process.pid}) ${name}: ${message}\n`);
});

const take = (name: keyof typeof written): string => Buffer.concat(written[name].splice(0)).toString();

/** Whether nothing keeps the process alive that did not before. */
const isIdle = (before: readonly string[]): boolean => {
	const known = [...before];
	return process.getActiveResourcesInfo().every(name => {
		const index = known.indexOf(name);
		known.splice(index, index === -1 ? 0 : 1);
		return index !== -1;
	});
};

/** Waits for the time at which a process of the command's own would end. Returns whether it came. */
const isOver = async (before: readonly string[]): Promise<boolean> => {
	for (const endMs = performance.now() + longestMs; performance.now() < endMs;) {
		if (isIdle(before)) {
			return true;
		}

		await delay(1, undefined, {ref: false});
	}

	return false;
};

const runAlone = async ({arguments: arguments_, env, stdin}: Job): Promise<JobResult> => {
	process.env = {...env};
	Object.defineProperty(process, 'stdin', {value: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]), configurable: true});
	const before = process.getActiveResourcesInfo();
	const code = await run(arguments_);
	let hasEnded = await isOver(before);
	if (hasEnded) {
		process.emit('beforeExit', code);
		hasEnded = await isOver(before);
	}

	for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
		process.removeAllListeners(signal);
	}

	return {code: hasEnded ? code : undefined, stdout: take('stdout'), stderr: take('stderr')};
};

process.on('message', (job: Job) => {
	void runAlone(job).then(result => process.send?.(result));
});
