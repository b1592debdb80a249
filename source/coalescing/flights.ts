import {lowerBudgetTo, type RequestBudget} from '../store/guard/budget.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {isChangedSince, noVersions, type Versions} from '../tags/versions.ts';
import {inBackground} from '../types/background.ts';
import {createHints} from '../types/hints.ts';

/** How a flight ends for those who wait for it. */
export type FlightEnd<Result> =
	/** The leader brought something that others may be able to use. */
	| {readonly kind: 'shared'; readonly result: Result}
	/** Each goes by itself, all at once; `failure` says what the leader failed from. */
	| {readonly kind: 'released'; readonly failure?: unknown};

/** What a wait leads to. */
export type FlightResult<Result> =
	| FlightEnd<Result>
	/** The leader is gone: this one leads now. */
	| {readonly kind: 'leading'; readonly lead: Leader<Result>}
	/** The wait was given up by the one who waited. */
	| {readonly kind: 'left'};

/**
Leading a flight: what is called first counts.
*/
export type Leader<Result> = {
	readonly id: string;
	/** Whether the flight has ended, was handed over, or has taken too long. */
	readonly isOver: boolean;
	/** Whoever waits may use the result. */
	resolve(result: Result): void;
	/** Nobody waits any longer, and for `restMs` nobody waits for the same again. */
	release(restMs: number, failure?: unknown): void;
	/** The one who has waited longest leads now. */
	promoteNext(): void;
	/** Calls `listener` when the flight ends, whoever leads it then: once, with how, and how long it is to rest. */
	onEnd(listener: EndListener<Result>): void;
	/** Whether somebody listens already: a leader before this one. */
	readonly hasWaiters: boolean;
};

export type EndListener<Result> = (ending: FlightEnd<Result> | {readonly kind: 'deserted'}, restMs: number) => void;

export type Ticket<Result> =
	/** Nobody is waited for: the flight is known not to be worth it. */
	| {readonly role: 'alone'}
	| {readonly role: 'leader'; readonly lead: Leader<Result>}
	| {readonly role: 'waiter'; readonly landing: Promise<FlightResult<Result>>; leave(): void};

/**
Equal requests that are on their way at the same time: one leads, the others wait for what it brings.
*/
export type Flights<Result> = {
	/**
	@param id - Equal for requests that may share a response.
	@param notBefore - By `performance.now()`: a flight that began earlier brings what is outdated.
	@param versions - As they were before the origin was asked: a flight that began before a purge brings what is outdated, too.
	@param budget - For the store: a leader has no more than anybody who waits for it.
	*/
	join(id: string, options?: {readonly notBefore?: number | undefined; readonly versions?: Versions; readonly budget?: RequestBudget | undefined}): Ticket<Result>;
	/** How many flights are on their way. */
	readonly size: number;
};

export type FlightsOptions = {
	/** The longest that a flight is waited for, retries and changes of its leader included. */
	readonly patienceMs: number;
	/** How many ids are remembered as not worth waiting for. */
	readonly maxResting: number;
};

type Waiter<Result> = {
	readonly budget: RequestBudget | undefined;
	resolve(landing: FlightResult<Result>): void;
};

type Flight<Result> = {
	readonly id: string;
	readonly startedAt: number;
	/** As whoever began it saw them. */
	readonly versions: Versions;
	/** In the order of arrival. */
	readonly waiters: Set<Waiter<Result>>;
	/** Where timers are faked, it may be no more than a number. */
	readonly timer: Partial<NodeJS.Timeout>;
	leader: Leader<Result> | undefined;
	/** The leader's. */
	budget: RequestBudget | undefined;
	listener: EndListener<Result> | undefined;
};

/** After a flight that took too long. */
const restAfterPatienceMs = 1000;

export const createFlights = <Result>({patienceMs, maxResting}: FlightsOptions): Flights<Result> => {
	const flights = new Map<string, Flight<Result>>();
	const resting = createHints<true>(maxResting);

	const end = (flight: Flight<Result>, ending: FlightEnd<Result> | {readonly kind: 'deserted'}, restMs: number) => {
		flight.leader = undefined;
		clearTimeout(flight.timer as NodeJS.Timeout);
		if (flights.get(flight.id) === flight) {
			flights.delete(flight.id);
		}

		if (restMs > 0) {
			resting.set(flight.id, true, {ttl: restMs});
		}

		flight.listener?.(ending, restMs);
		if (ending.kind !== 'deserted') {
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

	const leadOf = (flight: Flight<Result>, budget: RequestBudget | undefined): Leader<Result> => {
		const lead: Leader<Result> = {
			id: flight.id,
			get isOver() {
				return flight.leader !== lead;
			},
			resolve(result) {
				if (flight.leader === lead) {
					end(flight, {kind: 'shared', result}, 0);
				}
			},
			release(restMs, failure) {
				if (flight.leader === lead) {
					end(flight, {kind: 'released', failure}, restMs);
				}
			},
			promoteNext() {
				if (flight.leader !== lead) {
					return;
				}

				const [next] = flight.waiters;
				if (!next) {
					end(flight, {kind: 'deserted'}, 0);
					return;
				}

				stopWaiting(flight, next);
				next.resolve({kind: 'leading', lead: leadOf(flight, next.budget)});
			},
			onEnd(listener) {
				flight.listener = listener;
			},
			get hasWaiters() {
				return flight.listener !== undefined;
			},
		};
		flight.leader = lead;
		flight.budget = budget;
		for (const waiter of flight.waiters) {
			lower(flight, waiter.budget);
		}

		return lead;
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
			startedAt: ownTimers.now(),
			versions,
			waiters: new Set(),
			// It keeps the process alive for those who wait, not for the leader.
			timer: inBackground(setTimeout(() => {
				end(flight, {kind: 'released'}, restAfterPatienceMs);
			}, patienceMs)),
			leader: undefined,
			budget: undefined,
			listener: undefined,
		};
		flights.set(id, flight);

		return flight;
	};

	const wait = (flight: Flight<Result>, budget: RequestBudget | undefined): Ticket<Result> => {
		const {promise: landing, resolve} = Promise.withResolvers<FlightResult<Result>>();
		const waiter = {resolve, budget};
		flight.waiters.add(waiter);
		lower(flight, budget);

		flight.timer.ref?.();

		return {
			role: 'waiter',
			landing,
			leave() {
				stopWaiting(flight, waiter);
				resolve({kind: 'left'});
			},
		};
	};

	return {
		join(id, {notBefore = -Infinity, versions = noVersions, budget} = {}) {
			const flight = flights.get(id);
			if (flight && flight.startedAt > notBefore && !isChangedSince(flight.versions, versions)) {
				return wait(flight, budget);
			}

			if (resting.has(id)) {
				return {role: 'alone'};
			}

			return {role: 'leader', lead: leadOf(start(id, versions), budget)};
		},
		get size() {
			return flights.size;
		},
	};
};
