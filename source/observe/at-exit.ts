import process from 'node:process';

/** The functions to be called when the process has nothing else to do. */
const pending = new Set<() => Promise<void>>();

const run = (): void => {
	// A copy, because a task may add itself again.
	const tasks = [...pending];
	for (const task of tasks) {
		void task();
	}
};

/** Has a function called when the process is about to end by itself. */
export const callAtExit = (task: () => Promise<void>): void => {
	if (pending.size === 0) {
		process.on('beforeExit', run);
	}

	pending.add(task);
};

export const forgetAtExit = (task: () => Promise<void>): void => {
	pending.delete(task);
	if (pending.size === 0) {
		process.off('beforeExit', run);
	}
};
