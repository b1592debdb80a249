import type {IncomingMessage} from 'node:http';
import type {Exchange} from '../../cache/exchange.ts';
import {isForUrl, underOwnUrl} from '../../cache/look-up.ts';
import {staleInstead} from '../../cache/settlement.ts';
import type {Boarding, Flights, Landing} from '../../coalescing/flights.ts';
import {collapsingKey} from '../../http/collapsing.ts';
import {decide} from '../../http/decide.ts';
import {isFailure} from '../../http/stale.ts';
import {lastPurgeOf} from '../../resource/resource.ts';
import {ownTimers} from '../../store/ports/own-timers.ts';
import {isPurgedBefore} from '../../tags/versions.ts';
import type {StoredResponse} from '../../types/stored.ts';
import {seeNoRequest} from '../patches/next-request.ts';
import type {GotContext} from '../state/context.ts';
import {isReplaceable, restoreHeaders, type GotExchange} from '../state/exchanges.ts';
import type {GotOptions} from '../state/got-options.ts';
import {isRefresh} from '../state/refreshes.ts';
import {goAhead} from './fleet.ts';
import {failureRestMs} from './landing.ts';
import {
	close,
	end,
	isOver,
	leadOf,
	longestWaitMs,
	open,
	takeCarried,
	type Passage,
	type Passenger,
} from './passage.ts';

/*
How got's requests take part in flights. One who waits does so in the place of got's request function: got's own timeouts and its `signal` hold there as they do for any request.
*/

const flightId = ({indexes}: GotContext, {key, index, request, decision, settings: {http}}: Exchange): string | undefined => {
	const vary = (indexes.get(key) ?? index)?.vary ?? http.matchHeaders;
	const own = key === '' ? undefined : collapsingKey(request, decision, vary, http);

	return own && `${key} ${own}`;
};

const boardingOf = ({exchange: {marks, patience}}: GotExchange) => ({marks, patience});

/** What was waited for is no part of how long the origin takes. */
const beginAnew = ({context, state}: Passenger): void => {
	state.exchange = {...state.exchange, requestTimeMs: context.now(), startedAt: ownTimers.now()};
};

const goByOneself = (passenger: Passenger): void => {
	beginAnew(passenger);
	if (!leadOf(passenger.options)) {
		close(passenger.options);
	}
};

const answerWith = ({options, state}: Passenger, settlement: NonNullable<GotExchange['settlement']>): StoredResponse | undefined => {
	close(options);
	restoreHeaders(options, state);
	state.replacedHeaders.clear();
	seeNoRequest(options);
	state.settlement = settlement;

	return settlement.answer;
};

const share = (passenger: Passenger, stored: StoredResponse): StoredResponse | undefined => {
	passenger.state.isCollapsed = true;
	return answerWith(passenger, {outcome: {kind: 'share', reason: 'collapsed', stored}, answer: stored});
};

/** A stale response, where the leader's failure would be the same for all. */
const standIn = (passenger: Passenger, failure: unknown): StoredResponse | undefined => {
	const {context, state} = passenger;
	const reason = typeof failure === 'number' && isFailure(failure, state.exchange.settings.http) ? 'error-status' : failure;
	const outcome = reason === 'network-error' || reason === 'error-status' ? staleInstead(context, state.exchange, reason) : undefined;

	return outcome && answerWith(passenger, {outcome, answer: outcome.answer});
};

const landingOf = async ({options, passage}: Passenger, boarding: Exclude<Boarding<StoredResponse>, {role: 'alone'}>): Promise<Landing<StoredResponse>> => {
	if (boarding.role === 'leader') {
		return {kind: 'leading', lead: boarding.lead};
	}

	passage.leave = boarding.leave;
	const waitMs = longestWaitMs(options);
	const timer = waitMs === Infinity ? undefined : setTimeout(boarding.leave, waitMs);
	const landing = await boarding.landing;
	clearTimeout(timer);
	passage.leave = undefined;

	return landing;
};

/**
@returns The stored response to answer with; `undefined`: it is for the request itself to ask the origin.
*/
const follow = async (passenger: Passenger, flights: Flights<StoredResponse>, boarding: Boarding<StoredResponse>, isFirst = true): Promise<StoredResponse | undefined> => {
	if (boarding.role === 'alone') {
		return undefined;
	}

	const {context, state, passage} = passenger;
	const landing = await landingOf(passenger, boarding);
	switch (landing.kind) {
		case 'left': {
			if (!passage.isOver) {
				state.isCollapsed = false;
				return undefined;
			}

			throw new Error('The request was given up while it waited for an equal one');
		}

		case 'leading': {
			if (boarding.role === 'waiter') {
				beginAnew(passenger);
			}

			const stored = await goAhead(passenger, landing.lead);
			return stored && share(passenger, stored);
		}

		case 'released': {
			state.isCollapsed = false;
			return standIn(passenger, landing.failure);
		}

		case 'shared': {
			const {request, settings, key, marks} = state.exchange;
			const decision = decide(request, landing.result, context.now(), settings.http);
			const isForThis = isForUrl(context, state.exchange, landing.result);
			const isPurged = isPurgedBefore(marks, key, landing.result);
			if (isForThis && !isPurged && decision.kind === 'reuse') {
				return share(passenger, decision.stored);
			}

			state.isCollapsed = false;
			if (!isForThis) {
				state.exchange = await underOwnUrl(context, state.exchange);
			}

			// Those who ask for the same share the next flight: which fields select is known now, and which URLs are equivalent, or nobody can say whether what was brought is older than a purge.
			const id = isFirst && (!isForThis || isPurged || decision.reason === 'vary-mismatch') ? flightId(context, state.exchange) : undefined;
			return id === undefined ? undefined : follow(passenger, flights, flights.board(id, boardingOf(state)), false);
		}
	}
};

type RequestFunction = NonNullable<GotOptions['request']>;

/** Has got wait for what `find` comes to, before it makes a request or instead. */
const hold = (options: GotOptions, passage: Passage, leaveFlight: () => void, find: () => Promise<IncomingMessage | undefined>): void => {
	const given = options.request;
	const restore = () => {
		if (options.request === request) {
			options.request = given;
		}
	};

	const request: RequestFunction = async (...arguments_) => {
		passage.leave = undefined;
		restore();
		// Got takes `undefined` for a request to be made by itself.
		return await find() ?? given?.(...arguments_);
	};

	passage.leave = () => {
		restore();
		seeNoRequest(options);
		leaveFlight();
	};

	options.request = request;
};

/**
To be called when a request is about to be sent.

@param respond - Makes a stored response a response for got.
*/
export const board = (context: GotContext, options: GotOptions, state: GotExchange, respond: (stored: StoredResponse) => IncomingMessage): void => {
	const {flights, leases} = context;
	if (!flights) {
		return;
	}

	const former = takeCarried(options);
	const mayShare = !isOver(options) && !isRefresh(options) && (!options.isStream || isReplaceable(options));
	const id = mayShare ? flightId(context, state.exchange) : undefined;
	let boarding: Boarding<StoredResponse>;

	if (former?.lead && !former.lead.isOver && former.lead.id === id) {
		end(former);
		boarding = {role: 'leader', lead: former.lead};
	} else {
		if (former) {
			// What it asks for now is something else; the others may have to, too.
			end(former);
			former.lead?.release(failureRestMs);
		}

		if (id === undefined) {
			return;
		}

		boarding = flights.board(id, {...boardingOf(state), notBefore: lastPurgeOf(context, state.exchange.key)?.monoMs});
	}

	if (boarding.role === 'alone') {
		return;
	}

	const passage = open(options, boarding.role === 'leader' ? boarding.lead : undefined);
	if (boarding.role === 'leader' && (!leases || boarding.lead.isAttended)) {
		return;
	}

	const passenger = {context, options, state, passage};
	hold(options, passage, () => {
		if (boarding.role === 'waiter') {
			boarding.leave();
		}
	}, async () => {
		const stored = await follow(passenger, flights, boarding);
		if (stored) {
			return respond(stored);
		}

		goByOneself(passenger);
		return undefined;
	});
};
