import {lowerBudgetTo, type RequestBudget} from '../store/guard/budget.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {isChangedSince, noVersions, type Versions} from '../tags/validity.ts';
import {inBackground} from '../types/background.ts';
import {createHints} from '../types/hints.ts';

/** How a flight ends for its waiters. */
export type FlightEnd<Result> =
	/** The leader has a result that others may be able to use. */
	| {readonly kind: 'shared'; readonly result: Result}
	/** All waiters proceed on their own at once; `failure` is the leader's failure. */
	| {readonly kind: 'released'; readonly failure?: unknown};

/** The result of a wait. */
export type FlightResult<Result> =
	| FlightEnd<Result>
	/** The leader is gone, and this waiter leads now. */
	| {readonly kind: 'leading'; readonly leader: Leader<Result>}
	/** The waiter stopped waiting. */
	| {readonly kind: 'left'};

/**
The leader's side of a flight. Only the first call that ends or hands over the flight has an effect.
*/
export type Leader<Result> = {
	readonly id: string;
	/** Whether the flight has ended, was handed over, or has taken too long. */
	readonly isOver: boolean;
	/** Gives the result to all waiters. */
	resolve(result: Result): void;
	/** Releases all waiters, and lets nobody wait for the same id during `cooldownMs`. */
	release(cooldownMs: number, failure?: unknown): void;
	/** Has `judge` called if somebody waits, or else before the first one would: it may end the flight. */
	judgeForWaiters(judge: () => void): void;
	/** Hands leadership to the longest-waiting request. */
	promoteNext(): void;
	/** Calls `listener` once when the flight ends, whoever leads by then, with the result and the duration of the rest. */
	onEnd(listener: EndListener<Result>): void;
	/** Whether an earlier leader has already registered a listener. */
	readonly hasListener: boolean;
};

export type EndListener<Result> = (ending: FlightEnd<Result> | {readonly kind: 'abandoned'}, cooldownMs: number) => void;

export type Ticket<Result> =
	/** The flight is known not to be worth waiting for. */
	| {readonly role: 'alone'}
	| {readonly role: 'leader'; readonly leader: Leader<Result>}
	| {readonly role: 'waiter'; readonly result: Promise<FlightResult<Result>>; leave(): void};

/**
Equal concurrent requests: one leads, and the others wait for its result.
*/
export type Flights<Result> = {
	/**
	@param id - Equal for requests that may share a response.
	@param notBefore - By `performance.now()`: the result of a flight that began earlier is outdated.
	@param versions - The versions from before the origin was asked: the result of a flight that began before a purge is outdated, too.
	@param budget - The request's budget for the store: a leader has no more than any of its waiters.
	*/
	join(id: string, options?: {readonly notBefore?: number | undefined; readonly versions?: Versions; readonly budget?: RequestBudget | undefined}): Ticket<Result>;
	/** The number of flights in progress. */
	readonly size: number;
};

export type FlightsOptions = {
	/** The longest wait for a flight, including retries and changes of the leader. */
	readonly maxFlightMs: number;
	/** The number of ids that are remembered as not worth waiting for. */
	readonly maxCoolingDown: number;
};

type Waiter<Result> = {
	readonly budget: RequestBudget | undefined;
	resolve(result: FlightResult<Result>): void;
};

type Flight<Result> = {
	readonly id: string;
	readonly startedMonoMs: number;
	/** The versions that the first leader saw. */
	readonly versions: Versions;
	/** The waiters in the order of arrival. */
	readonly waiters: Set<Waiter<Result>>;
	/** The flight's timer; it may be just a number if timers are faked. */
	readonly timer: Partial<NodeJS.Timeout>;
	leader: Leader<Result> | undefined;
	/** The leader's budget. */
	budget: RequestBudget | undefined;
	listener: EndListener<Result> | undefined;
	/** To be called before somebody waits. */
	judge: (() => void) | undefined;
};

/** How long nobody waits for an id after its flight took too long. */
const cooldownAfterTimeoutMs = 1000;

export const createFlights = <Result>({maxFlightMs: patienceMs, maxCoolingDown: maxResting}: FlightsOptions): Flights<Result> => {
	const flights = new Map<string, Flight<Result>>();
	const coolingDown = createHints<true>(maxResting);

	const end = (flight: Flight<Result>, ending: FlightEnd<Result> | {readonly kind: 'abandoned'}, cooldownMs: number) => {
		flight.leader = undefined;
		clearTimeout(flight.timer as NodeJS.Timeout);
		if (flights.get(flight.id) === flight) {
			flights.delete(flight.id);
		}

		if (cooldownMs > 0) {
			coolingDown.set(flight.id, true, {ttlMs: cooldownMs});
		}

		flight.listener?.(ending, cooldownMs);
		if (ending.kind !== 'abandoned') {
			for (const waiter of flight.waiters) {
				waiter.resolve(ending);
			}
		}

		flight.waiters.clear();
	};

	const lower = ({budget}: Flight<Result>, to: RequestBudget | undefined) => {
		if (budget && to) {
			lowerBudgetTo(budget, to);
		}
	};

	const leaderOf = (flight: Flight<Result>, budget: RequestBudget | undefined): Leader<Result> => {
		const leader: Leader<Result> = {
			id: flight.id,
			get isOver() {
				return flight.leader !== leader;
			},
			resolve(result) {
				if (flight.leader === leader) {
					end(flight, {kind: 'shared', result}, 0);
				}
			},
			release(cooldownMs, failure) {
				if (flight.leader === leader) {
					end(flight, {kind: 'released', failure}, cooldownMs);
				}
			},
			judgeForWaiters(judge) {
				if (flight.leader !== leader) {
					return;
				}

				if (flight.waiters.size > 0) {
					judge();
				} else {
					flight.judge = judge;
				}
			},
			promoteNext() {
				if (flight.leader !== leader) {
					return;
				}

				const [next] = flight.waiters;
				if (!next) {
					end(flight, {kind: 'abandoned'}, 0);
					return;
				}

				stopWaiting(flight, next);
				next.resolve({kind: 'leading', leader: leaderOf(flight, next.budget)});
			},
			onEnd(listener) {
				flight.listener = listener;
			},
			get hasListener() {
				return flight.listener !== undefined;
			},
		};
		flight.leader = leader;
		flight.judge = undefined;
		flight.budget = budget;
		for (const waiter of flight.waiters) {
			lower(flight, waiter.budget);
		}

		return leader;
	};

	const stopWaiting = (flight: Flight<Result>, waiter: Waiter<Result>) => {
		flight.waiters.delete(waiter);
		if (flight.waiters.size === 0) {
			inBackground(flight.timer);
		}
	};

	const start = (id: string, versions: Versions): Flight<Result> => {
		const flight: Flight<Result> = {
			id,
			startedMonoMs: ownTimers.now(),
			versions,
			waiters: new Set(),
			// The timer keeps the process alive for waiters, not for the leader.
			timer: inBackground(setTimeout(() => {
				end(flight, {kind: 'released'}, cooldownAfterTimeoutMs);
			}, patienceMs)),
			leader: undefined,
			budget: undefined,
			listener: undefined,
			judge: undefined,
		};
		flights.set(id, flight);

		return flight;
	};

	const wait = (flight: Flight<Result>, budget: RequestBudget | undefined): Ticket<Result> => {
		const {promise: result, resolve} = Promise.withResolvers<FlightResult<Result>>();
		const waiter = {resolve, budget};
		flight.waiters.add(waiter);
		lower(flight, budget);

		flight.timer.ref?.();

		return {
			role: 'waiter',
			result,
			leave() {
				stopWaiting(flight, waiter);
				resolve({kind: 'left'});
			},
		};
	};

	const judgeNow = (id: string) => {
		const flight = flights.get(id);
		const judge = flight?.judge;
		if (!flight || !judge) {
			return;
		}

		flight.judge = undefined;
		judge();
	};

	return {
		join(id, {notBefore = -Infinity, versions = noVersions, budget} = {}) {
			judgeNow(id);
			const flight = flights.get(id);
			if (flight && flight.startedMonoMs > notBefore && !isChangedSince(flight.versions, versions)) {
				return wait(flight, budget);
			}

			if (coolingDown.has(id)) {
				return {role: 'alone'};
			}

			return {role: 'leader', leader: leaderOf(start(id, versions), budget)};
		},
		get size() {
			return flights.size;
		},
	};
};
