import {inBackground} from '../../types/background.ts';
import {ownTimers} from '../ports/own-timers.ts';

const firstCooldownMs = 250;
const longestCooldownMs = 2000;

/** The number of operations in a row that, for longer than the longest cooldown, show that a side is well; without that many, five times as long. */
const convincingCount = 20;
const probationCooldowns = 5;

export type Breaker = {
	/** Whether an operation may be sent now. */
	isClosed(): boolean;
	/** Whether it is open: other than `isClosed()`, this lets no operation through. */
	readonly isOpen: boolean;
	succeeded(): void;
	failed(error: Error, options?: {readonly isFatal?: boolean}): void;
	/** Forgets what has failed. */
	reset(): void;
	/** Ends its timer: it stays as it is. */
	stop(): void;
};

export type BreakerOptions = {
	/** The number of failures in a row that open it; a fatal one opens it at once. */
	readonly threshold: number;
	/** Asks whether the other side is well again. Without it, the first operation after a cooldown is let through to see. */
	readonly probe?: () => Promise<unknown>;
	readonly onOpen: (error: Error) => void;
	readonly onClose: () => void;
	/** The first cooldown, doubled up to eight times as long while it stays open. */
	readonly cooldownMs?: number;
	/** Whether operations have to succeed for some time before it counts as closed: for a side that now succeeds and now fails. Operations are let through meanwhile. Default: `false`. */
	readonly hasProbation?: boolean;
};

/**
A circuit breaker: stops asking a side that is sick, and finds out by itself when it is well again. Its timer does not keep the process alive.
*/
export const createBreaker = ({threshold, probe, onOpen, onClose, cooldownMs = firstCooldownMs, hasProbation = false}: BreakerOptions): Breaker => {
	const longestMs = cooldownMs * longestCooldownMs / firstCooldownMs;
	let state: 'closed' | 'open' | 'trial' | 'probation' = 'closed';
	let failureCount = 0;
	let probation = {sinceMs: 0, successCount: 0};
	let nextCooldownMs = cooldownMs;
	let timer: NodeJS.Timeout | undefined;
	let isStopped = false;

	const close = () => {
		failureCount = 0;
		if (state === 'closed' || isStopped) {
			return;
		}

		state = 'closed';
		nextCooldownMs = cooldownMs;
		ownTimers.clearTimeout(timer);
		onClose();
	};

	const coolDown = () => {
		state = 'open';
		ownTimers.clearTimeout(timer);
		if (isStopped) {
			return;
		}

		// A fleet that lost its Redis at one moment does not come back at one moment.
		timer = inBackground(ownTimers.setTimeout(probe === undefined ? letOneThrough : check, nextCooldownMs * (0.75 + (Math.random() / 2))));
		nextCooldownMs = Math.min(nextCooldownMs * 2, longestMs);
	};

	const beginProbation = () => {
		ownTimers.clearTimeout(timer);
		if (isStopped) {
			return;
		}

		state = 'probation';
		probation = {sinceMs: ownTimers.now(), successCount: 1};
		timer = inBackground(ownTimers.setTimeout(close, probationCooldowns * longestMs));
	};

	const letOneThrough = () => {
		state = 'trial';
	};

	const check = async () => {
		try {
			await probe?.();
			close();
		} catch {
			coolDown();
		}
	};

	return {
		isClosed() {
			if (state === 'trial') {
				// The probe's result may never arrive: the connection may fail before the operation is sent.
				coolDown();
				return true;
			}

			return state === 'closed' || state === 'probation';
		},
		get isOpen() {
			return state === 'open';
		},
		succeeded() {
			if (state === 'closed' || !hasProbation) {
				close();
				return;
			}

			if (state !== 'probation') {
				beginProbation();
				return;
			}

			probation.successCount++;
			if (probation.successCount >= convincingCount && ownTimers.now() - probation.sinceMs >= longestMs) {
				close();
			}
		},
		failed(error, {isFatal = false} = {}) {
			if (isStopped) {
				return;
			}

			failureCount++;
			if (state === 'open' || state === 'probation') {
				if (probe === undefined) {
					coolDown();
				}

				return;
			}

			if (!isFatal && failureCount < threshold) {
				return;
			}

			coolDown();
			onOpen(error);
		},
		reset: close,
		stop() {
			isStopped = true;
			ownTimers.clearTimeout(timer);
		},
	};
};
