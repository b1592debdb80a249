import {AsyncResource} from 'node:async_hooks';

export type Task = () => Promise<void>;

/** Runs tasks, a few at a time. */
export type Queue = {
	readonly isFull: boolean;
	/** Runs a task, now or when another one has ended. The task must not reject. */
	add(task: Task): void;
	/** Resolves when no task runs or waits. */
	whenIdle(): Promise<void>;
	/** Forgets the tasks that wait. */
	clear(): void;
};

/** More would hold the bodies of too many stored responses in memory. */
const maxWaiting = 100;

export const createQueue = (concurrency: number): Queue => {
	const waiting: Task[] = [];
	let running = 0;
	let idle = Promise.withResolvers<void>();
	idle.resolve();

	const run = async (task: Task): Promise<void> => {
		running++;
		await task();
		running--;
		const next = waiting.shift();
		if (next) {
			void run(next);
		} else if (running === 0) {
			idle.resolve();
		}
	};

	return {
		get isFull() {
			return waiting.length >= maxWaiting;
		},
		add(task) {
			if (running === 0) {
				idle = Promise.withResolvers();
			}

			if (running < concurrency) {
				void run(task);
			} else {
				// Hooks of the user's may ask their `AsyncLocalStorage` whose request it is.
				waiting.push(AsyncResource.bind(task));
			}
		},
		async whenIdle() {
			return idle.promise;
		},
		clear() {
			waiting.length = 0;
		},
	};
};
