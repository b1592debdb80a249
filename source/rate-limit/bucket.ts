import type {Limit} from './limits.ts';

/*
The algorithm by which requests get their turns: a sliding window that knows the time of each request. A window of the limit's length never has more requests than the limit, wherever it begins: that satisfies an origin that counts in fixed windows, in sliding ones, or with a token bucket of the same size.

`redis-bucket.ts` has the same as a script, for all processes together. A test compares the two.
*/

/** A request that asks for its turn. */
export type TurnRequest = {
	readonly limits: readonly Limit[];
	/** How long the request waits at most. */
	readonly patienceMs: number;
	/** Whether the request gives way to others, and leaves a fifth of each limit to them. */
	readonly isSpare: boolean;
};

/** The turn of a request, or the refusal of one. */
export type Turn = {
	readonly isGranted: boolean;
	/** How long it is until the turn. */
	readonly waitMs: number;
	/** The position of the limit that decided; `'origin'`: the origin has said so; `undefined`: none did. */
	readonly by: number | 'origin' | undefined;
	/** Requests that were granted before, and this one. */
	readonly serial: number;
	/** The time of the turn, by the clock of the bucket. */
	readonly atMs: number;
};

/** A quota that an origin has told of. */
export type Quota = {
	readonly name: string;
	/** The requests that are left. */
	readonly remaining: number;
	/** The time until there are more. */
	readonly resetMs: number;
	/** The number of requests, and the time that they are for; `undefined` if the origin did not say. */
	readonly count: number | undefined;
	readonly windowMs: number | undefined;
};

/** The limits that the response to a request has told of. */
export type Heard = {
	/** The `serial` of the request. */
	readonly serial: number;
	/** How long the origin wants to be left alone. */
	readonly pauseMs: number | undefined;
	readonly quotas: readonly Quota[];
};

/** The state of a quota: the serial up to which requests may be sent until a time. */
type Ceiling = {
	serial: number;
	ceiling: number;
	untilMs: number;
	count: number;
	windowMs: number;
};

export type Bucket = {
	take(request: TurnRequest, nowMs: number): Turn;
	/** Takes notice of a request that was granted elsewhere. */
	record(limits: readonly Limit[], atMs: number, nowMs: number): void;
	/** Gives a turn back that is not used. */
	release(limits: readonly Limit[], atMs: number): void;
	heed(heard: Heard, nowMs: number): void;
	/** How long the origin wants to be left alone. */
	pausedMs(nowMs: number): number;
};

/** No origin is left alone for longer. */
export const longestPauseMs = 86_400_000;

/** Times that are later were written by a clock that has since been set back. */
export const mostAheadMs = 3_600_000;

/** Two times until which a quota lasts are the same if they differ by no more: origins tell whole seconds. */
export const sameWindowMs = 1000;

/** Requests that give way leave this part of a limit to others. */
export const sparePart = 5;

const spareOf = (count: number): number => Math.ceil(count / sparePart);

export const createBucket = (): Bucket => {
	const logs = new Map<number, number[]>();
	const ceilings = new Map<string, Ceiling>();
	let serial = 0;
	let pausedUntilMs = 0;

	const logOf = ({windowMs}: Limit, nowMs: number): number[] => {
		const log = logs.get(windowMs) ?? [];
		logs.set(windowMs, log);
		if ((log.at(-1) ?? 0) > nowMs + mostAheadMs) {
			log.length = 0;
		}

		const firstInWindow = log.findIndex(atMs => atMs > nowMs - windowMs);
		log.splice(0, firstInWindow === -1 ? log.length : firstInWindow);

		return log;
	};

	/** Begins a new window of a quota whose last one is over. A quota without a known size is forgotten. */
	const renew = (name: string, ceiling: Ceiling, nowMs: number): boolean => {
		if (nowMs < ceiling.untilMs) {
			return true;
		}

		if (ceiling.count === 0 || ceiling.windowMs === 0) {
			ceilings.delete(name);
			return false;
		}

		ceiling.ceiling = Math.min(serial, ceiling.ceiling) + ceiling.count;
		ceiling.untilMs = nowMs + ceiling.windowMs;

		return true;
	};

	/** The time from which a quota allows a request. */
	const allowedFrom = ({ceiling, untilMs, count, windowMs}: Ceiling, isSpare: boolean): number => {
		const above = serial - ceiling + (isSpare ? spareOf(count) : 0);
		if (above < 0) {
			return 0;
		}

		return count === 0 ? untilMs : untilMs + (Math.floor(above / count) * windowMs);
	};

	const pausedMs = (nowMs: number): number => pausedUntilMs > nowMs + longestPauseMs + mostAheadMs ? 0 : Math.max(0, pausedUntilMs - nowMs);

	return {
		take({limits, patienceMs, isSpare}, nowMs) {
			let atMs = nowMs + pausedMs(nowMs);
			let by: Turn['by'] = atMs > nowMs ? 'origin' : undefined;
			const wait = (untilMs: number, reason: Turn['by']) => {
				if (untilMs <= atMs) {
					return;
				}

				atMs = untilMs;
				by = reason;
			};

			for (const [name, ceiling] of ceilings) {
				if (renew(name, ceiling, nowMs)) {
					wait(allowedFrom(ceiling, isSpare), 'origin');
				}
			}

			for (const [position, limit] of limits.entries()) {
				const log = logOf(limit, nowMs);
				const count = isSpare ? Math.max(1, limit.count - spareOf(limit.count)) : limit.count;
				if (log.length >= count) {
					wait((log.at(-count) ?? 0) + limit.windowMs, position);
				}

				wait(log.at(-1) ?? 0, position);
			}

			const waitMs = atMs - nowMs;
			if (waitMs > patienceMs) {
				return {isGranted: false, waitMs, by, serial, atMs};
			}

			for (const limit of limits) {
				logOf(limit, nowMs).push(atMs);
			}

			serial++;

			return {isGranted: true, waitMs, by, serial, atMs};
		},
		record(limits, atMs, nowMs) {
			for (const limit of limits) {
				const log = logOf(limit, nowMs);
				log.push(Math.max(atMs, log.at(-1) ?? 0));
			}

			serial++;
		},
		release(limits, atMs) {
			for (const {windowMs} of limits) {
				const log = logs.get(windowMs) ?? [];
				const position = log.lastIndexOf(atMs);
				if (position !== -1) {
					log.splice(position, 1);
				}
			}
		},
		heed(heard, nowMs) {
			serial = Math.max(serial, heard.serial);
			if (heard.pauseMs !== undefined) {
				pausedUntilMs = Math.max(nowMs + pausedMs(nowMs), nowMs + Math.min(heard.pauseMs, longestPauseMs));
			}

			for (const {name, remaining, resetMs, count = 0, windowMs = 0} of heard.quotas) {
				const untilMs = nowMs + Math.min(resetMs, longestPauseMs);
				const known = ceilings.get(name);
				const isKnown = known !== undefined && known.untilMs > nowMs;
				const heardOf = {serial: heard.serial, ceiling: heard.serial + remaining, untilMs, count, windowMs};
				if (isKnown && Math.abs(untilMs - known.untilMs) <= sameWindowMs) {
					// Several responses of one window: other requests may have been counted in between.
					ceilings.set(name, {
						...heardOf,
						serial: Math.max(heard.serial, known.serial),
						ceiling: Math.min(heardOf.ceiling, known.ceiling),
						untilMs: Math.max(untilMs, known.untilMs),
						windowMs: Math.max(windowMs, known.windowMs),
					});
				} else if (!isKnown || untilMs > known.untilMs || heard.serial > known.serial) {
					ceilings.set(name, heardOf);
				}
			}
		},
		pausedMs,
	};
};
