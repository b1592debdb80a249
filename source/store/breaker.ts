import {inBackground} from '../background.ts';

const firstCooldownMs = 250;
const longestCooldownMs = 2000;

export type Breaker = {
	/** Whether an operation may be sent now. */
	isClosed(): boolean;
	succeeded(): void;
	failed(error: Error, options?: {readonly isFatal?: boolean}): void;
	/** Ends its timer. */
	stop(): void;
};

export type BreakerOptions = {
	/** So many failures in a row open it; a fatal one opens it at once. */
	readonly threshold: number;
	/** Asks whether the other side is well again. Without it, the first operation after a cooldown is let through to see. */
	readonly probe?: () => Promise<unknown>;
	readonly onOpen: (error: Error) => void;
	readonly onClose: () => void;
	/** The first cooldown, doubled up to eight times as long while it stays open. */
	readonly cooldownMs?: number;
};

/**
A circuit breaker: stops asking a side that is sick, and finds out by itself when it is well again. Its timer does not keep the process alive.
*/
export const createBreaker = ({threshold, probe, onOpen, onClose, cooldownMs = firstCooldownMs}: BreakerOptions): Breaker => {
	let state: 'closed' | 'open' | 'trial' = 'closed';
	let failureCount = 0;
	let nextCooldownMs = cooldownMs;
	let timer: NodeJS.Timeout | undefined;
	let isStopped = false;

	const close = () => {
		failureCount = 0;
		if (state === 'closed') {
			return;
		}

		state = 'closed';
		nextCooldownMs = cooldownMs;
		clearTimeout(timer);
		onClose();
	};

	const coolDown = () => {
		state = 'open';
		clearTimeout(timer);
		if (isStopped) {
			return;
		}

		// A fleet that lost its Redis at one moment does not come back at one moment.
		timer = inBackground(setTimeout(probe === undefined ? letOneThrough : check, nextCooldownMs * (0.75 + (Math.random() / 2))));
		nextCooldownMs = Math.min(nextCooldownMs * 2, cooldownMs * longestCooldownMs / firstCooldownMs);
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
				// What comes of it may never be told: the connection may fail before the operation is sent.
				coolDown();
				return true;
			}

			return state === 'closed';
		},
		succeeded() {
			if (failureCount > 0 || (state === 'open' && probe === undefined)) {
				close();
			}
		},
		failed(error, {isFatal = false} = {}) {
			failureCount++;
			if (state === 'open') {
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
		stop() {
			isStopped = true;
			clearTimeout(timer);
		},
	};
};
