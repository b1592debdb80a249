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

export type DeadlineOptions = {
	/** Lets the process exit meanwhile. */
	readonly isInBackground?: boolean;
	/** For a node of a cluster: others that answer are no reason to wait for it. */
	readonly isAnswering?: Answering | undefined;
};

/**
A wait for a store. It is one object and no closures, because each command of each request has one.
*/
export type Deadline = {
	/** The rest of the store's time. */
	readonly leftMs: number;
	/** All of the store's time. */
	readonly timeoutMs: number;
	readonly giveUp: () => void;
	readonly isInBackground: boolean;
	readonly isAnswering: Answering;
	/** The turn in which the store was asked. */
	readonly asked: Turn;
	timer: NodeJS.Timeout | undefined;
	scheduledAtMs: number;
	/** The time that the timer was set to. */
	wholeMs: number;
	lookedAtMs: number;
	hasLeft: boolean;
	isForgotten: boolean;
	graces: number;
	silentGraces: number;
};

const schedule = (deadline: Deadline, ms: number): void => {
	deadline.scheduledAtMs = ownTimers.now();
	// A fraction more would be another millisecond.
	deadline.wholeMs = Math.min(Math.floor(ms), longestTimerMs);
	deadline.timer = ownTimers.setTimeout(() => {
		onTimer(deadline);
	}, deadline.wholeMs);
	if (deadline.isInBackground) {
		inBackground(deadline.timer);
	}
};

const onTimer = (deadline: Deadline): void => {
	const nowMs = ownTimers.now();
	if (nowMs - deadline.scheduledAtMs - deadline.wholeMs >= lateMs) {
		busyAtMs = nowMs;
	}

	if (!deadline.hasLeft) {
		deadline.hasLeft = true;
		const missingMs = deadline.leftMs - (nowMs - (deadline.asked.endedMs ?? nowMs));
		if (missingMs >= 1) {
			schedule(deadline, missingMs);
			return;
		}
	}

	// Timers come first: what has arrived since the last turn is read after them.
	afterPolling(() => {
		if (!deadline.isForgotten) {
			lookAgain(deadline, nowMs);
		}
	});
};

const mayWait = (deadline: Deadline, isBusy: boolean): boolean => {
	deadline.silentGraces = deadline.isAnswering(deadline.lookedAtMs) ? 0 : deadline.silentGraces + 1;
	deadline.graces++;
	const most = answeredInOrderAtMs > deadline.lookedAtMs ? mostGraces.answeringInOrder : mostGraces.answering;
	return isBusy && deadline.silentGraces <= mostGraces.silent && deadline.graces <= most;
};

/** @param firedAtMs - When the timer fired, before what has arrived was read. */
const lookAgain = (deadline: Deadline, firedAtMs: number): void => {
	const nowMs = ownTimers.now();
	if (nowMs - firedAtMs >= lateMs) {
		busyAtMs = nowMs;
	}

	// Another timer that was late just now tells as much.
	const isBusy = busyAtMs > Math.max(deadline.scheduledAtMs, firedAtMs - leastGraceMs);
	if (!mayWait(deadline, isBusy)) {
		gaveUpAtMs = nowMs;
		deadline.giveUp();
		return;
	}

	deadline.lookedAtMs = nowMs;
	schedule(deadline, Math.min(deadline.timeoutMs, leastGraceMs));
};

const defaults: DeadlineOptions = {};

/**
Calls back when a store has had its time, from when what it is asked can have left the process. Before that, what has arrived by then is read; in a busy process, that may take longer.

@returns The deadline, for `forgetDeadline()`.
*/
export const atDeadline = (leftMs: number, timeoutMs: number, giveUp: () => void, options: DeadlineOptions = defaults): Deadline => {
	const deadline: Deadline = {
		leftMs,
		timeoutMs,
		giveUp,
		isInBackground: options.isInBackground ?? false,
		isAnswering: options.isAnswering ?? isAnyAnswering,
		asked: currentTurn(),
		timer: undefined,
		scheduledAtMs: 0,
		wholeMs: 0,
		lookedAtMs: 0,
		hasLeft: false,
		isForgotten: false,
		graces: 0,
		silentGraces: 0,
	};
	schedule(deadline, leftMs);
	deadline.lookedAtMs = deadline.scheduledAtMs;

	return deadline;
};

/** Ends the wait: the store has answered, or its answer is not wanted any more. */
export const forgetDeadline = (deadline: Deadline): void => {
	deadline.isForgotten = true;
	ownTimers.clearTimeout(deadline.timer);
};
