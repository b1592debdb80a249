import {createBucket, type Heard, type Turn, type TurnRequest} from './bucket.ts';
import type {Clock} from './clock.ts';
import type {Limit} from './limits.ts';
import type {RedisBucket} from './redis-bucket.ts';

/*
The bucket of one host: that of all processes in Redis, or, while Redis does not answer, one of this process alone. The latter takes notice of all that this process sends, so that it does not begin as if nothing had been sent.
*/

/** A turn, and whether all processes have counted it. */
export type CountedTurn = Turn & {readonly isShared: boolean};

export type FleetBucket = {
	/**
	@param withinBudget - Waits for Redis no longer than the request may.
	*/
	take(request: TurnRequest, withinBudget: <Result>(step: Promise<Result>) => Promise<Result | undefined>): Promise<CountedTurn>;
	release(limits: readonly Limit[], turn: CountedTurn): void;
	heed(heard: Heard): void;
	/** How long the origin wants to be left alone. */
	pausedMs(): Promise<number>;
};

/** A quota with so few requests left is told to the other processes at once; others are told with the next request. */
const fewRequests = 10;

const isUrgent = ({pauseMs, quotas}: Heard): boolean => pauseMs !== undefined || quotas.some(({remaining, count = 0}) => remaining <= Math.max(fewRequests, count / 10));

export const createFleetBucket = (clock: Clock, redis: () => RedisBucket | undefined): FleetBucket => {
	const own = createBucket();
	/** The last response that told of limits and that Redis has not heard of. */
	let unheard: Heard | undefined;
	/** Until when turns that this process alone has counted matter. */
	let ownUntilMs = 0;

	const takeOwn = (request: TurnRequest): CountedTurn => {
		const turn = own.take(request, clock.now());
		if (turn.isGranted) {
			ownUntilMs = Math.max(ownUntilMs, turn.atMs + Math.max(0, ...request.limits.map(({windowMs}) => windowMs)));
		}

		return {...turn, isShared: false};
	};

	/** Adds the turns that Redis has not counted to those that it has. */
	const withOwn = (request: TurnRequest, turn: Turn): CountedTurn => {
		if (turn.isGranted && clock.now() < ownUntilMs) {
			const also = own.take({...request, patienceMs: Infinity}, clock.now());
			return {...turn, waitMs: Math.max(turn.waitMs, also.waitMs), isShared: true};
		}

		if (turn.isGranted) {
			own.record(request.limits, clock.now() + turn.waitMs, clock.now());
		}

		return {...turn, isShared: true};
	};

	return {
		async take(request, withinBudget) {
			const bucket = redis();
			const heard = unheard ? [unheard] : [];
			unheard = undefined;
			const turn = bucket && await withinBudget(bucket.take(request, heard));

			return turn ? withOwn(request, turn) : takeOwn(request);
		},
		release(limits, turn) {
			if (turn.isShared) {
				void redis()?.release(limits, turn.atMs);
			} else {
				own.release(limits, turn.atMs);
			}
		},
		heed(heard) {
			own.heed(heard, clock.now());
			if (isUrgent(heard)) {
				void redis()?.heed([heard]);
			} else {
				unheard = heard;
			}
		},
		async pausedMs() {
			return await redis()?.pausedMs() ?? own.pausedMs(clock.now());
		},
	};
};
