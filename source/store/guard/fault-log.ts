import type {StoreEvent} from '../ports/health.ts';
import {ownTimers} from '../ports/own-timers.ts';
import type {StoreError} from '../ports/store-error.ts';

/** A fault that did not show for so long is a new one when it does. */
const episodeMs = 10_000;
const maxMessages = 20;

/** The message of an error without what Redis adds where a script met it: which script, and on which line. */
const kindOf = ({message}: Error): string => message.replace(/^ERR Error running script .*@user_script: \d+: -?/v, '').replace(/ script: [\da-f]+, on @user_script:\d+\.$/v, '');

/**
Turns a stream of faults into one event per change.

@param toStoreError - Makes the error that is reported of one that came up.
*/
export const createFaultLog = (onEvent: ((event: StoreEvent) => void) | undefined, toStoreError: (error: Error) => StoreError) => {
	/** Kinds of errors. */
	const reported = new Set<string>();
	/** A permission that is missing is the same error until it is granted, however much time passes in between. */
	const reportedErrors = new WeakSet<Error>();
	let degradations = 0;
	let lastFaultMs = -Infinity;

	const emit = (event: StoreEvent): void => {
		try {
			onEvent?.(event);
		} catch (error) {
			// A listener's own fault: it must end neither a request nor be lost.
			queueMicrotask(() => {
				throw error;
			});
		}
	};

	return {
		failed(error: Error): void {
			const nowMs = ownTimers.now();
			if (degradations === 0 && nowMs - lastFaultMs > episodeMs) {
				reported.clear();
			}

			lastFaultMs = nowMs;
			const kind = kindOf(error);
			if (reported.has(kind) || reported.size >= maxMessages || reportedErrors.has(error)) {
				return;
			}

			reported.add(kind);
			reportedErrors.add(error);
			emit({type: 'error', error: toStoreError(error)});
		},
		degraded(error: Error): void {
			degradations++;
			if (degradations === 1) {
				emit({type: 'degraded', error: toStoreError(error)});
			}
		},
		recovered(): void {
			degradations--;
			if (degradations > 0) {
				return;
			}

			reported.clear();
			emit({type: 'recovered'});
		},
		replaced(address: string, replacedBy: readonly string[]): void {
			emit({type: 'failover', address, replacedBy});
		},
	};
};
