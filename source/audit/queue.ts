import {AsyncResource} from 'node:async_hooks';

export type Task = () => Promise<void>;

/** Runs tasks, a few at a time. */
export type Queue = {
	readonly isFull: boolean;
	/**
	Runs a task, now or when another one has ended. The task must not reject.

	@param bytes - The memory that the task holds while it waits.
	*/
	add(task: Task, bytes: number): void;
	/** Resolves when no task runs or waits. */
	whenIdle(): Promise<void>;
	/** Forgets the tasks that wait. */
	clear(): void;
};

const maxWaiting = 100;

/** The bodies of stored responses that waiting tasks hold. */
const maxWaitingBytes = 32 * 1024 * 1024;

export const createQueue = (concurrency: number): Queue => {
	const waiting: Array<{readonly task: Task; readonly bytes: number}> = [];
	let waitingBytes = 0;
	let running = 0;
	let idle = Promise.withResolvers<void>();
	idle.resolve();

	const run = async (task: Task): Promise<void> => {
		running++;
		await task();
		running--;
		const next = waiting.shift();
		if (next) {
			waitingBytes -= next.bytes;
			void run(next.task);
		} else if (running === 0) {
			idle.resolve();
		}
	};

	return {
		get isFull() {
			return waiting.length >= maxWaiting || waitingBytes >= maxWaitingBytes;
		},
		add(task, bytes) {
			if (running === 0) {
				idle = Promise.withResolvers();
			}

			if (running < concurrency) {
				void run(task);
			} else {
				// Hooks of the user's may ask their `AsyncLocalStorage` whose request it is.
				waiting.push({task: AsyncResource.bind(task), bytes});
				waitingBytes += bytes;
			}
		},
		async whenIdle() {
			return idle.promise;
		},
		clear() {
			waiting.length = 0;
			waitingBytes = 0;
		},
	};
};
