import {setTimeout as wait} from 'node:timers/promises';

/*
The pace of requests: so many a second at most, and none while an origin asks for a break.
*/

export type Pace = {
	/** Resolves when the next request may begin. Rejects when the signal aborts. */
	turn(): Promise<void>;
	/** Lets no request begin for that long. */
	pause(milliseconds: number): void;
};

/** @param ratePerSecond - `undefined`: as fast as answers come. */
export const createPace = (ratePerSecond: number | undefined, signal: AbortSignal): Pace => {
	const intervalMs = ratePerSecond === undefined ? 0 : 1000 / ratePerSecond;
	let nextMs = 0;

	return {
		async turn() {
			for (;;) {
				signal.throwIfAborted();
				const nowMs = performance.now();
				if (nowMs >= nextMs) {
					nextMs = nowMs + intervalMs;
					return;
				}

				// eslint-disable-next-line no-await-in-loop -- A break may have become longer.
				await wait(nextMs - nowMs, undefined, {signal});
			}
		},
		pause(milliseconds) {
			nextMs = Math.max(nextMs, performance.now() + milliseconds);
		},
	};
};

/** The break that a `Retry-After` field asks for, RFC 9110 §10.2.3; `undefined` if it is none. */
export const retryAfterMs = (field: string | undefined, nowMs: number): number | undefined => {
	if (field === undefined) {
		return undefined;
	}

	const date = Date.parse(field);

	return /^\d+$/v.test(field) ? Number(field) * 1000 : (Number.isNaN(date) ? undefined : Math.max(date - nowMs, 0));
};
