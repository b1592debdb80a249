import {lowerTo, type Patience} from '../store/guard/budget.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {isChangedSince, noMarks, type Marks} from '../tags/versions.ts';
import {inBackground} from '../types/background.ts';
import {createHints} from '../types/hints.ts';

/** How a flight ends for those who wait for it. */
export type Ending<Result> =
	/** The leader brought something that others may be able to use. */
	| {readonly kind: 'shared'; readonly result: Result}
	/** Each goes by itself, all at once; `failure` says what the leader failed from. */
	| {readonly kind: 'released'; readonly failure?: unknown};

/** What a wait leads to. */
export type Landing<Result> =
	| Ending<Result>
	/** The leader is gone: this one leads now. */
	| {readonly kind: 'leading'; readonly lead: Lead<Result>}
	/** The wait was given up by the one who waited. */
	| {readonly kind: 'left'};

/**
Leading a flight: what is called first counts.
*/
export type Lead<Result> = {
	readonly id: string;
	/** Whether the flight has ended, was handed over, or has taken too long. */
	readonly isOver: boolean;
	/** Whoever waits may use the result. */
	land(result: Result): void;
	/** Nobody waits any longer, and for `restMs` nobody waits for the same again. */
	release(restMs: number, failure?: unknown): void;
	/** The one who has waited longest leads now. */
	handOver(): void;
	/** Calls `listener` when the flight ends, whoever leads it then: once, with how, and how long it is to rest. */
	onEnd(listener: EndListener<Result>): void;
	/** Whether somebody listens already: a leader before this one. */
	readonly isAttended: boolean;
};

export type EndListener<Result> = (ending: Ending<Result> | {readonly kind: 'deserted'}, restMs: number) => void;

export type Boarding<Result> =
	/** Nobody is waited for: the flight is known not to be worth it. */
	| {readonly role: 'alone'}
	| {readonly role: 'leader'; readonly lead: Lead<Result>}
	| {readonly role: 'waiter'; readonly landing: Promise<Landing<Result>>; leave(): void};

/**
Equal requests that are on their way at the same time: one leads, the others wait for what it brings.
*/
export type Flights<Result> = {
	/**
	@param id - Equal for requests that may share a response.
	@param notBefore - By `performance.now()`: a flight that began earlier brings what is outdated.
	@param marks - As they were before the origin was asked: a flight that began before a purge brings what is outdated, too.
	@param patience - For the store: a leader has no more than anybody who waits for it.
	*/
	board(id: string, options?: {readonly notBefore?: number | undefined; readonly marks?: Marks; readonly patience?: Patience | undefined}): Boarding<Result>;
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
	readonly patience: Patience | undefined;
	resolve(landing: Landing<Result>): void;
};

type Flight<Result> = {
	readonly id: string;
	readonly startedAt: number;
	/** As whoever began it saw them. */
	readonly marks: Marks;
	/** In the order of arrival. */
	readonly waiters: Set<Waiter<Result>>;
	/** Where timers are faked, it may be no more than a number. */
	readonly timer: Partial<NodeJS.Timeout>;
	leader: Lead<Result> | undefined;
	/** The leader's. */
	patience: Patience | undefined;
	listener: EndListener<Result> | undefined;
};

/** After a flight that took too long. */
const restAfterPatienceMs = 1000;

export const createFlights = <Result>({patienceMs, maxResting}: FlightsOptions): Flights<Result> => {
	const flights = new Map<string, Flight<Result>>();
	const resting = createHints<true>(maxResting);

	const end = (flight: Flight<Result>, ending: Ending<Result> | {readonly kind: 'deserted'}, restMs: number) => {
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

	const lower = ({patience}: Flight<Result>, to: Patience | undefined) => {
		if (patience && to) {
			lowerTo(patience, to);
		}
	};

	const leadOf = (flight: Flight<Result>, patience: Patience | undefined): Lead<Result> => {
		const lead: Lead<Result> = {
			id: flight.id,
			get isOver() {
				return flight.leader !== lead;
			},
			land(result) {
				if (flight.leader === lead) {
					end(flight, {kind: 'shared', result}, 0);
				}
			},
			release(restMs, failure) {
				if (flight.leader === lead) {
					end(flight, {kind: 'released', failure}, restMs);
				}
			},
			handOver() {
				if (flight.leader !== lead) {
					return;
				}

				const [next] = flight.waiters;
				if (!next) {
					end(flight, {kind: 'deserted'}, 0);
					return;
				}

				stopWaiting(flight, next);
				next.resolve({kind: 'leading', lead: leadOf(flight, next.patience)});
			},
			onEnd(listener) {
				flight.listener = listener;
			},
			get isAttended() {
				return flight.listener !== undefined;
			},
		};
		flight.leader = lead;
		flight.patience = patience;
		for (const waiter of flight.waiters) {
			lower(flight, waiter.patience);
		}

		return lead;
	};

	const stopWaiting = (flight: Flight<Result>, waiter: Waiter<Result>) => {
		flight.waiters.delete(waiter);
		if (flight.waiters.size === 0) {
			inBackground(flight.timer);
		}
	};

	const start = (id: string, marks: Marks): Flight<Result> => {
		const flight: Flight<Result> = {
			id,
			startedAt: ownTimers.now(),
			marks,
			waiters: new Set(),
			// It keeps the process alive for those who wait, not for the leader.
			timer: inBackground(setTimeout(() => {
				end(flight, {kind: 'released'}, restAfterPatienceMs);
			}, patienceMs)),
			leader: undefined,
			patience: undefined,
			listener: undefined,
		};
		flights.set(id, flight);

		return flight;
	};

	const wait = (flight: Flight<Result>, patience: Patience | undefined): Boarding<Result> => {
		const {promise: landing, resolve} = Promise.withResolvers<Landing<Result>>();
		const waiter = {resolve, patience};
		flight.waiters.add(waiter);
		lower(flight, patience);

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
		board(id, {notBefore = -Infinity, marks = noMarks, patience} = {}) {
			const flight = flights.get(id);
			if (flight && flight.startedAt > notBefore && !isChangedSince(flight.marks, marks)) {
				return wait(flight, patience);
			}

			if (resting.has(id)) {
				return {role: 'alone'};
			}

			return {role: 'leader', lead: leadOf(start(id, marks), patience)};
		},
		get size() {
			return flights.size;
		},
	};
};
