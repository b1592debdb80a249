import {ownTimers} from '../ports/own-timers.ts';
import {isBusy, SqliteError} from './sqlite-error.ts';

/*
SQLite's own wait for a lock would hold the event loop up. So an operation that finds the database locked is tried again after a pause, and the operations that must not overtake it wait behind it.
*/

const firstPauseMs = 1;
const longestPauseMs = 20;

type Operation<Result> = {
	readonly keys: readonly string[];
	readonly isWriting: boolean;
	run(): Result;
};

export type Line = {
	/**
	Runs an operation at once, or in its turn.

	@throws {SqliteError} With the code `'SQLITE_BUSY'` if the database was locked for too long.
	*/
	pass<Result>(operation: Operation<Result>): Promise<Result>;
};

const pause = async (ms: number): Promise<void> => new Promise(resolve => {
	ownTimers.setTimeout(resolve, ms);
});

/**
@param patienceMs - The longest that an operation waits for a lock.
*/
export const createLine = (patienceMs: number): Line => {
	let last: Promise<unknown> | undefined;
	/** The keys of the writes that wait, and how many of them. */
	const waiting = new Map<string, number>();

	const count = (keys: readonly string[], step: 1 | -1): void => {
		for (const key of keys) {
			const left = (waiting.get(key) ?? 0) + step;
			if (left === 0) {
				waiting.delete(key);
			} else {
				waiting.set(key, left);
			}
		}
	};

	const tryAgain = async <Result>({run}: Operation<Result>, sinceMonoMs: number): Promise<Result> => {
		for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
			let leftMs: number;
			try {
				return run();
			} catch (error) {
				if (!isBusy(error)) {
					throw error;
				}

				const waitedMs = ownTimers.now() - sinceMonoMs;
				leftMs = patienceMs - waitedMs;
				if (leftMs <= 0) {
					throw new SqliteError('SQLITE_BUSY', `SQLITE_BUSY: another connection has kept the database locked for ${Math.round(waitedMs)} ms`, error);
				}
			}

			await pause(Math.min(leftMs, pauseMs * (0.5 + Math.random()))); // eslint-disable-line no-await-in-loop -- one try after the other
		}
	};

	const queue = async <Result>(operation: Operation<Result>): Promise<Result> => {
		const sinceMonoMs = ownTimers.now();
		const before = last;
		const keys = operation.isWriting ? operation.keys : [];
		count(keys, 1);
		const result = (async () => {
			await before;
			return tryAgain(operation, sinceMonoMs);
		})();
		const ended = Promise.allSettled([result]);
		last = ended;
		try {
			return await result;
		} finally {
			count(keys, -1);
			if (last === ended) {
				last = undefined;
			}
		}
	};

	return {
		async pass(operation) {
			const {keys, isWriting, run} = operation;
			if (last !== undefined && (isWriting || keys.some(key => waiting.has(key)))) {
				return queue(operation);
			}

			try {
				return run();
			} catch (error) {
				if (isBusy(error)) {
					return queue(operation);
				}

				throw error;
			}
		},
	};
};
