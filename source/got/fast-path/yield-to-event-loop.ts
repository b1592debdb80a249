import {setImmediate} from 'node:timers';
import {ownTimers} from '../../store/ports/own-timers.ts';

/** A wait of this length is not noticed. */
const longestTurnMs = 10;

// Node's own, whatever somebody has put in its place, or puts there later on.
const afterIo = setImmediate;

/** The turn of the event loop in which answers are being given. */
let turn: {readonly startMs: number; readonly ended: Promise<void>} | undefined;

let sending: Promise<void> | undefined;

/** Resolves at the end of the turn of the event loop, when clients have given to their sockets what they were asked in it: the same promise for all who wait. */
export const yieldToEventLoop = (): Promise<void> => {
	sending ??= new Promise(resolve => {
		afterIo(() => {
			sending = undefined;
			resolve();
		});
	});

	return sending;
};

/**
A promise to wait for before the next answer, if the event loop had better turn: answers need no I/O, so whoever asks for one after the other would keep all others waiting for theirs, the store too.

@returns The same for all who ask: whoever went on before the others would be the only one.
*/
export const yieldIfOverdue = (): Promise<void> | undefined => {
	const nowMs = ownTimers.now();
	if (turn) {
		return nowMs - turn.startMs > longestTurnMs ? turn.ended : undefined;
	}

	const {promise, resolve} = Promise.withResolvers<void>();
	turn = {startMs: nowMs, ended: promise};
	afterIo(() => {
		turn = undefined;
		resolve();
	});

	return undefined;
};
