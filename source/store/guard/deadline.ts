import {setImmediate as afterPolling} from 'node:timers';
import {inBackground} from '../../types/background.ts';
import {ownTimers} from '../ports/own-timers.ts';
import type {Answering} from '../ports/status.ts';

/*
A deadline is for the store, not for the process. A process that is busy sends a command late, and reads its reply late: neither says that the store is slow.
*/

/** A timer that fires so late, and a turn of the event loop that takes so long, tell of a busy process. */
const lateMs = 10;

/** The extra time of a store that answers late. */
export const graceMs = 50;

/** A busy process waits so long before it looks again whether a reply has arrived. */
export const leastGraceMs = 25;

/**
How often it looks again: a store that does not answer anything is given up soon. Redis answers in the order of the commands, so while it answers others, there are only more of them to read; another store may have lost this one.
*/
const mostGraces = {silent: 2, answering: 10, answeringInOrder: 100};

/** 25 days: a timer of Node.js that is to take longer fires at once. */
const longestTimerMs = (2 ** 31) - 1;

/** By `performance.now()`, of this process. */
let busyAtMs = -Infinity;
let gaveUpAtMs = -Infinity;
let answeredAtMs = -Infinity;
let answeredInOrderAtMs = -Infinity;

/** Whether it is the process that has taken a store's time. */
export const wasBusySince = (sinceMs: number): boolean => busyAtMs >= sinceMs;

export const wasGivenUpSince = (sinceMs: number): boolean => gaveUpAtMs >= sinceMs;

/** To be called when a store has answered something. */
export const noteAnswer = (isInOrder: boolean): void => {
	answeredAtMs = ownTimers.now();
	if (isInOrder) {
		answeredInOrderAtMs = answeredAtMs;
	}
};

/** Any store of the process: most have one, with one connection. */
const isAnyAnswering: Answering = sinceMonoMs => answeredAtMs > sinceMonoMs;

/** How long the event loop has done nothing but wait. */
export const idleMs = (): number => ownTimers.idleMs();

/** A turn of the event loop in which stores are asked. Commands leave the process at the end of a turn. */
type Turn = {endedMs: number | undefined};

let turn: Turn | undefined;

const currentTurn = (): Turn => {
	if (turn) {
		return turn;
	}

	const current: Turn = {endedMs: undefined};
	const startedMs = ownTimers.now();
	turn = current;
	afterPolling(() => {
		turn = undefined;
		current.endedMs = ownTimers.now();
		if (current.endedMs - startedMs >= lateMs) {
			busyAtMs = current.endedMs;
		}
	});

	return current;
};

/**
Calls back when a store has had its time, from when what it is asked can have left the process. Before that, what has arrived by then is read; in a busy process, that may take longer.

@param leftMs - The rest of its time.
@param timeoutMs - All of its time.
@param options.isAnswering - For a node of a cluster: others that answer are no reason to wait for it.
@returns Lets go of it.
*/
export const atDeadline = (
	leftMs: number,
	timeoutMs: number,
	giveUp: () => void,
	{isInBackground = false, isAnswering = isAnyAnswering}: {readonly isInBackground?: boolean; readonly isAnswering?: Answering | undefined} = {},
): (() => void) => {
	const asked = currentTurn();
	let timer: NodeJS.Timeout;
	let scheduledAtMs = ownTimers.now();
	let lookedAtMs = scheduledAtMs;
	let hasLeft = false;
	let isForgotten = false;
	let graces = 0;
	let silentGraces = 0;

	const schedule = (ms: number) => {
		scheduledAtMs = ownTimers.now();
		// A fraction more would be another millisecond.
		const wholeMs = Math.min(Math.floor(ms), longestTimerMs);
		timer = ownTimers.setTimeout(() => {
			onTimer(ownTimers.now() - scheduledAtMs - wholeMs);
		}, wholeMs);
		if (isInBackground) {
			inBackground(timer);
		}
	};

	const onTimer = (lateByMs: number) => {
		const nowMs = ownTimers.now();
		if (lateByMs >= lateMs) {
			busyAtMs = nowMs;
		}

		if (!hasLeft) {
			hasLeft = true;
			const missingMs = leftMs - (nowMs - (asked.endedMs ?? nowMs));
			if (missingMs >= 1) {
				schedule(missingMs);
				return;
			}
		}

		// Timers come first: what has arrived since the last turn is read after them.
		afterPolling(() => {
			if (!isForgotten) {
				lookAgain(nowMs);
			}
		});
	};

	const mayWait = (isBusy: boolean): boolean => {
		silentGraces = isAnswering(lookedAtMs) ? 0 : silentGraces + 1;
		graces++;
		const most = answeredInOrderAtMs > lookedAtMs ? mostGraces.answeringInOrder : mostGraces.answering;
		return isBusy && silentGraces <= mostGraces.silent && graces <= most;
	};

	/** @param firedAtMs - When the timer fired, before what has arrived was read. */
	const lookAgain = (firedAtMs: number) => {
		const nowMs = ownTimers.now();
		if (nowMs - firedAtMs >= lateMs) {
			busyAtMs = nowMs;
		}

		// Another timer that was late just now tells as much.
		const isBusy = busyAtMs > Math.max(scheduledAtMs, firedAtMs - leastGraceMs);
		if (!mayWait(isBusy)) {
			gaveUpAtMs = nowMs;
			giveUp();
			return;
		}

		lookedAtMs = nowMs;
		schedule(Math.min(timeoutMs, leastGraceMs));
	};

	schedule(leftMs);

	return () => {
		isForgotten = true;
		ownTimers.clearTimeout(timer);
	};
};
