import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';

/*
A service is a child process that answers calls. It ends with its parent, however that ends: a closed channel is its order to clean up.
*/

type Call = {readonly id: number; readonly method: string; readonly argument: unknown};
type Answer = {readonly id: number; readonly result?: unknown; readonly error?: string};
type Methods = Record<string, (argument: any) => unknown>;

const ignore = (): void => {
	// Nothing is to be done.
};

export type Service = {
	readonly call: <Result>(method: string, argument?: unknown) => Promise<Result>;
	readonly stop: () => Promise<void>;
};

/**
In the child: answer the parent's calls, and clean up when there is no parent any more.
*/
export const serve = (methods: Methods, cleanUp: () => void | Promise<void> = ignore): void => {
	let isEnding = false;

	const end = async () => {
		if (isEnding) {
			return;
		}

		isEnding = true;
		try {
			await cleanUp();
		} finally {
			// A connection that a contender left open does not keep the process.
			// eslint-disable-next-line unicorn/no-process-exit
			process.exit();
		}
	};

	const answer = async ({id, method, argument}: Call): Promise<Answer> => {
		try {
			const call = methods[method];
			if (call === undefined) {
				throw new Error(`There is no method ${method}`);
			}

			return {id, result: await call(argument)};
		} catch (error) {
			return {id, error: error instanceof Error ? error.stack ?? error.message : String(error)};
		}
	};

	process.on('disconnect', () => {
		void end();
	});
	process.on('SIGTERM', () => {
		void end();
	});
	// Ctrl-C reaches the whole process group; the parent decides when its children end.
	process.on('SIGINT', ignore);

	process.on('message', (call: Call) => {
		void (async () => {
			process.send?.(await answer(call));
		})();
	});
};

const waitForExit = async (child: ChildProcess, patienceMs: number): Promise<void> => {
	if (child.exitCode !== null || child.signalCode !== null) {
		return;
	}

	const timer = setTimeout(() => {
		child.kill('SIGKILL');
	}, patienceMs);
	await once(child, 'exit');
	clearTimeout(timer);
};

/**
In the parent: start a service.
*/
export const startService = (file: URL, nodeOptions: readonly string[] = []): Service => {
	const child = fork(file, {
		// `--expose-gc` lets a worker measure what it holds rather than what is not collected yet.
		execArgv: ['--expose-gc', ...nodeOptions],
		stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
		serialization: 'advanced',
	});

	const pending = new Map<number, Omit<PromiseWithResolvers<any>, 'promise'>>();
	let lastId = 0;

	child.on('message', ({id, result, error}: Answer) => {
		const call = pending.get(id);
		pending.delete(id);
		if (error === undefined) {
			call?.resolve(result);
		} else {
			call?.reject(new Error(error));
		}
	});

	child.on('exit', (code, signal) => {
		for (const call of pending.values()) {
			call.reject(new Error(`${file.pathname} ended with ${signal ?? code}`));
		}

		pending.clear();
	});

	return {
		async call(method, argument) {
			const {promise, ...call} = Promise.withResolvers<any>();
			const id = ++lastId;
			pending.set(id, call);
			if (child.connected) {
				child.send({id, method, argument});
			} else {
				pending.delete(id);
				call.reject(new Error(`${file.pathname} has ended`));
			}

			// The caller says what the method returns.
			// eslint-disable-next-line @typescript-eslint/no-unsafe-return
			return promise;
		},
		async stop() {
			if (child.connected) {
				child.disconnect();
			}

			await waitForExit(child, 3000);
		},
	};
};
