/** What a store reports of itself, once per change. */
export type StoreEvent =
	/** An operation failed. */
	| {readonly type: 'error'; readonly error: Error}
	/** The store is not asked, or not written to, until it answers again. */
	| {readonly type: 'degraded'; readonly error: Error}
	| {readonly type: 'recovered'};

/** A fault that did not show for so long is a new one when it does. */
const episodeMs = 10_000;
const maxMessages = 20;

/**
Turns a stream of faults into one event per change.
*/
export const createFaultLog = (onEvent: ((event: StoreEvent) => void) | undefined) => {
	const reported = new Set<string>();
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
			const nowMs = performance.now();
			if (degradations === 0 && nowMs - lastFaultMs > episodeMs) {
				reported.clear();
			}

			lastFaultMs = nowMs;
			if (reported.has(error.message) || reported.size >= maxMessages) {
				return;
			}

			reported.add(error.message);
			emit({type: 'error', error});
		},
		degraded(error: Error): void {
			degradations++;
			if (degradations === 1) {
				emit({type: 'degraded', error});
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
	};
};
