import type {Clock} from './clock.ts';

/*
The requests of one host, in this process, that wait for their turns. They are served in the order in which they came: where one gives up, those behind it move up, and the last turn is given back.
*/

export type WaitingTurn = {
	/** By the clock of this process. */
	readonly atMs: number;
	/** Gives the turn back. */
	release(): void;
};

type Waiter = {
	resolve(turn: WaitingTurn): void;
};

export type Turns = {
	/**
	@returns The turn, when its time has come; `undefined` if the wait was aborted, and a turn was given back.
	*/
	wait(turn: WaitingTurn, signal: AbortSignal): Promise<WaitingTurn | undefined>;
	/** The number of requests that wait. */
	readonly size: number;
};

export const createTurns = (clock: Clock): Turns => {
	const turns: WaitingTurn[] = [];
	const waiters: Waiter[] = [];
	let cancel: (() => void) | undefined;

	const arm = (): void => {
		cancel?.();
		cancel = undefined;
		const [next] = turns;
		if (next) {
			cancel = clock.callAt(next.atMs, () => {
				serve(next.atMs);
			});
		}
	};

	const serve = (untilMs: number): void => {
		cancel = undefined;
		while (turns[0] && turns[0].atMs <= untilMs) {
			const turn = turns.shift();
			const waiter = waiters.shift();
			if (turn) {
				waiter?.resolve(turn);
			}
		}

		arm();
	};

	const leave = (waiter: Waiter): void => {
		const position = waiters.indexOf(waiter);
		if (position === -1) {
			return;
		}

		waiters.splice(position, 1);
		turns.pop()?.release();
		arm();
	};

	return {
		async wait(turn, signal) {
			if (signal.aborted) {
				turn.release();
				return undefined;
			}

			const {promise, resolve} = Promise.withResolvers<WaitingTurn | undefined>();
			const waiter: Waiter = {resolve};
			const abort = () => {
				leave(waiter);
				resolve(undefined);
			};

			signal.addEventListener('abort', abort, {once: true});
			const position = turns.findLastIndex(({atMs}) => atMs <= turn.atMs) + 1;
			turns.splice(position, 0, turn);
			waiters.push(waiter);
			arm();
			try {
				return await promise;
			} finally {
				signal.removeEventListener('abort', abort);
			}
		},
		get size() {
			return waiters.length;
		},
	};
};
