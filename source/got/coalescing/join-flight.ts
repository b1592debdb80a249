import type {Exchange} from '../../cache/exchange.ts';
import {isForUrl, underOwnUrl} from '../../cache/keys.ts';
import {staleForNow, staleInstead} from '../../cache/decide-outcome.ts';
import type {Ticket, Flights, FlightResult} from '../../coalescing/flights.ts';
import {collapsingKey} from '../../http/collapsing.ts';
import {decide} from '../../http/decide.ts';
import {isFailure} from '../../http/stale.ts';
import {lastPurgeOf} from '../../resource/purging.ts';
import {endGuard} from '../../resource/write-guard.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import {isPurgedBefore} from '../../tags/validity.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {restoreRequestFunction} from '../patches/request-function.ts';
import type {GotContext} from '../state/context.ts';
import {endExchange, findState, type GotExchange} from '../state/request-state.ts';
import type {GotOptions} from '../state/got-options.ts';
import {isRefresh} from '../state/refreshes.ts';
import {acquireLease} from './fleet.ts';
import {failureCooldownMs, type LeaderLimited} from './resolve-flight.ts';
import {
	closeParticipation,
	endParticipation,
	isOver,
	leaderOf,
	longestWaitMs,
	openParticipation,
	takeFromAttemptBefore,
	type Participant,
} from './participation.ts';

/*
How got's requests take part in flights. A request waits in the place of got's request function: got's own timeouts and its `signal` hold there as they do for any request.
*/

const flightId = ({indexes}: GotContext, {key, index, request, decision, settings: {http}}: Exchange): string | undefined => {
	const vary = (indexes.get(key) ?? index)?.vary ?? http.matchHeaders;
	const own = key === '' ? undefined : collapsingKey(request, decision, vary, http);

	return own && `${key} ${own}`;
};

const joinOptionsOf = ({exchange: {versions, budget}}: GotExchange) => ({versions, budget});

/** The exchange begins after the wait. */
const beginAnew = ({state}: Participant): void => {
	state.exchange = {...state.exchange, startedMonoMs: ownTimers.now()};
};

const goByOneself = (participant: Participant): void => {
	beginAnew(participant);
	if (!leaderOf(participant.options)) {
		closeParticipation(participant.options);
	}
};

const answerWith = ({context, options, state}: Participant, settlement: NonNullable<GotExchange['settlement']>): StoredResponse | undefined => {
	closeParticipation(options);
	restoreRequestFunction(options);
	state.settlement = settlement;
	endExchange(context, state);

	return settlement.answer;
};

const share = (participant: Participant, stored: StoredResponse): StoredResponse | undefined => {
	participant.state.isCollapsed = true;
	return answerWith(participant, {outcome: {kind: 'share', reason: 'collapsed', stored}, answer: stored});
};

const isLimited = (failure: unknown): failure is LeaderLimited => typeof failure === 'object' && failure !== null && 'mostStaleMs' in failure;

const staleFor = ({context, state: {exchange}}: Participant, failure: unknown) => {
	if (isLimited(failure)) {
		return staleForNow(context, exchange, failure.mostStaleMs / 1000);
	}

	const reason = typeof failure === 'number' && isFailure(failure, exchange.settings.http) ? 'error-status' : failure;

	return reason === 'network-error' || reason === 'error-status' ? staleInstead(context, exchange, reason) : undefined;
};

/** A stale response, where the leader's failure would be the same for all. */
const serveStale = (participant: Participant, failure: unknown): StoredResponse | undefined => {
	const outcome = staleFor(participant, failure);

	return outcome && answerWith(participant, {outcome, answer: outcome.answer});
};

const resultOf = async ({options, participation}: Participant, ticket: Exclude<Ticket<StoredResponse>, {role: 'alone'}>): Promise<FlightResult<StoredResponse>> => {
	if (ticket.role === 'leader') {
		return {kind: 'leading', leader: ticket.leader};
	}

	participation.leave = ticket.leave;
	const waitMs = longestWaitMs(options);
	const timer = waitMs === Infinity ? undefined : setTimeout(ticket.leave, waitMs);
	const result = await ticket.result;
	clearTimeout(timer);
	participation.leave = undefined;

	return result;
};

/**
@returns The stored response to answer with; `undefined`: it is for the request itself to ask the origin.
*/
const follow = async (participant: Participant, flights: Flights<StoredResponse>, ticket: Ticket<StoredResponse>, isFirst = true): Promise<StoredResponse | undefined> => {
	if (ticket.role === 'alone') {
		return undefined;
	}

	const {context, state, participation} = participant;
	const result = await resultOf(participant, ticket);
	switch (result.kind) {
		case 'left': {
			if (!participation.isOver) {
				state.isCollapsed = false;
				return undefined;
			}

			throw new Error('The request was given up while it waited for an equal one');
		}

		case 'leading': {
			if (ticket.role === 'waiter') {
				beginAnew(participant);
			}

			const stored = await acquireLease(participant, result.leader);
			state.isFromFleet = stored !== undefined;
			return stored && share(participant, stored);
		}

		case 'released': {
			state.isCollapsed = false;
			return serveStale(participant, result.failure);
		}

		case 'shared': {
			const {request, settings, key, versions} = state.exchange;
			const decision = decide(request, result.result, context.now(), settings.http);
			const isForThis = isForUrl(context, state.exchange, result.result);
			const isPurged = isPurgedBefore(versions, key, result.result);
			if (isForThis && !isPurged && decision.kind === 'reuse') {
				return share(participant, decision.stored);
			}

			state.isCollapsed = false;
			if (!isForThis) {
				void endGuard(context.store, state.exchange.guard);
				state.exchange = await underOwnUrl(context, state.exchange);
			}

			// Equal requests share the next flight: which fields select is known now, and which URLs are equivalent, or nobody can say whether what was brought is older than a purge.
			const id = isFirst && (!isForThis || isPurged || decision.reason === 'vary-mismatch') ? flightId(context, state.exchange) : undefined;
			return id === undefined ? undefined : follow(participant, flights, flights.join(id, joinOptionsOf(state)), false);
		}
	}
};

/**
To be called when a request is about to be sent.

@returns `undefined` if the request waits for nobody.
*/
export const joinFlight = (context: GotContext, options: GotOptions, state: GotExchange): (() => Promise<StoredResponse | undefined>) | undefined => {
	const {flights, leases} = context;
	if (!flights) {
		return undefined;
	}

	const former = takeFromAttemptBefore(options);
	const mayShare = !isOver(options) && !isRefresh(options) && (!options.isStream || findState(options)?.watcher !== undefined);
	const id = mayShare ? flightId(context, state.exchange) : undefined;
	let ticket: Ticket<StoredResponse>;

	if (former?.leader && !former.leader.isOver && former.leader.id === id) {
		endParticipation(former);
		ticket = {role: 'leader', leader: former.leader};
	} else {
		if (former) {
			// The request asks for something else now, and its waiters may have to, too.
			endParticipation(former);
			former.leader?.release(failureCooldownMs);
		}

		if (id === undefined) {
			return undefined;
		}

		ticket = flights.join(id, {...joinOptionsOf(state), notBefore: lastPurgeOf(context, state.exchange.key)?.monoMs});
	}

	if (ticket.role === 'alone') {
		return undefined;
	}

	const participation = openParticipation(options, ticket.role === 'leader' ? ticket.leader : undefined);
	if (ticket.role === 'leader' && (!leases || ticket.leader.hasListener)) {
		return undefined;
	}

	participation.leave = () => {
		restoreRequestFunction(options);
		if (ticket.role === 'waiter') {
			ticket.leave();
		}
	};

	const participant = {context, options, state, participation};

	return async () => {
		participation.leave = undefined;
		const stored = await follow(participant, flights, ticket);
		if (!stored) {
			goByOneself(participant);
		}

		return stored;
	};
};
