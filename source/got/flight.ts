import {addAbortListener} from 'node:events';
import {setTimeout as delay} from 'node:timers/promises';
import type {IncomingMessage} from 'node:http';
import type {
	AfterResponseHook,
	BeforeRetryHook,
	RequestError,
	Response,
} from 'got';
import {lookUp, staleInstead, type Exchange} from '../exchange.ts';
import type {
	Boarding,
	Flights,
	Landing,
	Lead,
} from '../flights.ts';
import {collapsingKey} from '../http/collapsing.ts';
import {decide} from '../http/decide.ts';
import type {PassReason} from '../http/outcome.ts';
import type {Lease, Leases} from '../store/lease.ts';
import type {StoredResponse} from '../stored.ts';
import type {GotContext, GotOptions} from './context.ts';
import {
	isReplaceable,
	restoreHeaders,
	type GotExchange,
} from './exchanges.ts';
import {failureOf} from './failure.ts';
import {isRefresh} from './refresh.ts';

/*
How got's requests take part in flights. One who waits does so in the place of got's request function: got's own timeouts and its `signal` hold there as they do for any request.
*/

/** One request, hop and attempt, that leads a flight or waits for one. */
type Passage = {
	lead: Lead<StoredResponse> | undefined;
	/** Whether got has given the request up, or has its response. */
	isOver: boolean;
	/** Gives up waiting. */
	leave: (() => void) | undefined;
	/** Of the abort listener. */
	disposable: Disposable | undefined;
};

type Passenger = {
	readonly context: GotContext;
	readonly options: GotOptions;
	readonly state: GotExchange;
	readonly passage: Passage;
};

/** For so long nobody waits for a response that turned out not to be shareable; after a failure, which may be over sooner, not for so long. */
const unshareableRestMs = 30_000;
const failureRestMs = 1000;

/** Reasons that lie in one response alone. */
const passingReasons: ReadonlySet<string> = new Set<PassReason>(['invalidated', 'incomplete', 'error']);

const passages = new WeakMap<GotOptions, Passage>();

/** Got copies the hooks of a failed attempt to the next one: the one thing that leads from the one to the other. */
const carried = new WeakMap<BeforeRetryHook, Passage>();

const end = (passage: Passage): void => {
	passage.isOver = true;
	passage.disposable?.[Symbol.dispose]();
	passage.leave?.();
};

const giveUp = (passage: Passage): void => {
	end(passage);
	passage.lead?.handOver();
};

const open = (options: GotOptions, lead: Lead<StoredResponse> | undefined): Passage => {
	const passage: Passage = {lead, isOver: false, leave: undefined, disposable: undefined};
	passages.set(options, passage);
	if (options.signal) {
		passage.disposable = addAbortListener(options.signal, () => {
			passages.delete(options);
			giveUp(passage);
		});
	}

	return passage;
};

/** @returns The flight that the request leads, which nothing else will end now. */
const close = (options: GotOptions): Lead<StoredResponse> | undefined => {
	const passage = passages.get(options);
	passages.delete(options);
	if (passage) {
		end(passage);
	}

	return passage?.lead;
};

const takeCarried = ({hooks: {beforeRetry}}: GotOptions): Passage | undefined => {
	const position = beforeRetry.findIndex(hook => carried.has(hook));
	const [hook] = position === -1 ? [] : beforeRetry.splice(position, 1);

	return hook && carried.get(hook);
};

const flightId = ({indexes}: GotContext, {key, index, request, decision, settings: {http}}: Exchange): string | undefined => {
	const vary = (indexes.get(key) ?? index)?.vary ?? http.matchHeaders;
	const own = key === '' ? undefined : collapsingKey(request, decision, vary, http);

	return own && `${key} ${own}`;
};

const goByOneself = ({context, options, state}: Passenger): void => {
	// What was waited for is no part of how long the origin took.
	state.exchange = {...state.exchange, requestTimeMs: context.now(), startedAt: performance.now()};
	if (!passages.get(options)?.lead) {
		close(options);
	}
};

const answerWith = ({options, state}: Passenger, settlement: NonNullable<GotExchange['settlement']>): StoredResponse | undefined => {
	close(options);
	restoreHeaders(options, state);
	state.replacedHeaders.clear();
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
	const outcome = failure === 'network-error' ? staleInstead(context, state.exchange, failure) : undefined;

	return outcome && answerWith(passenger, {outcome, answer: outcome.stored});
};

const pollIntervalMs = (waitedMs: number): number => {
	const part = waitedMs * (0.1 + (Math.random() / 5));
	return Math.min(Math.max(part, 5 + (Math.random() * 10)), 250);
};

const giveBack = (context: GotContext, lease: Lease, lead: Lead<StoredResponse>): void => {
	const settle = async (isResting: boolean, restMs: number) => {
		if (isResting) {
			await lease.rest(restMs);
			return;
		}

		// Whoever has the lease next is to find what was stored.
		await context.store.flush();
		await lease.release();
	};

	lead.onEnd((ending, restMs) => {
		void settle(ending.kind === 'released' && restMs > 0, restMs);
	});
};

/** A slow store delays a request once, whatever it is asked: what the look-up has taken is not there for the lease. Who holds one waits for the origin, not for the store. */
const acquireInTime = async ({context: {settings}, state: {exchange}}: Passenger, acquiring: ReturnType<Leases['acquire']>, waitingSince: number): ReturnType<Leases['acquire']> => {
	const spentMs = waitingSince - exchange.startedAt;
	if (spentMs < settings.timeoutMs / 10) {
		return acquiring;
	}

	const tooLate = Symbol('too late');
	const timer = new AbortController();
	const lease = await Promise.race([acquiring, delay(Math.max(0, settings.timeoutMs - spentMs), tooLate, {signal: timer.signal})]);
	timer.abort();
	if (lease !== tooLate) {
		return lease;
	}

	const giveBackLate = async () => {
		const late = await acquiring;
		if (typeof late === 'object') {
			await late.release();
		}
	};

	void giveBackLate();
	return 'unavailable';
};

/**
Goes ahead for the fleet, or waits until another process has.

@returns What the other process has stored.
*/
const awaitLease = async (passenger: Passenger, leases: NonNullable<GotContext['leases']>, lead: Lead<StoredResponse>, abort: AbortSignal): Promise<StoredResponse | undefined> => {
	const {context, state: {exchange}} = passenger;
	const startedAt = performance.now();
	const isOver = () => abort.aborted || lead.isOver;

	while (!isOver()) {
		// eslint-disable-next-line no-await-in-loop -- one look after the other
		const lease = await acquireInTime(passenger, leases.acquire(`${exchange.key}:lease:${lead.id}`), startedAt);
		if (lease === 'unavailable') {
			return undefined;
		}

		if (lease === 'resting') {
			lead.release(failureRestMs);
			return undefined;
		}

		// eslint-disable-next-line no-await-in-loop
		const {decision} = await lookUp(context, exchange.request, exchange.settings, exchange.keyInput);
		if (decision.kind === 'reuse') {
			if (lease !== 'taken') {
				void lease.release();
			}

			lead.land(decision.stored);
			return decision.stored;
		}

		if (lease !== 'taken') {
			if (isOver()) {
				void lease.release();
			} else {
				giveBack(context, lease, lead);
			}

			return undefined;
		}

		// eslint-disable-next-line no-await-in-loop
		await delay(pollIntervalMs(performance.now() - startedAt), undefined, {signal: abort}).catch(() => undefined);
	}

	return undefined;
};

const goAhead = async (passenger: Passenger, lead: Lead<StoredResponse>): Promise<StoredResponse | undefined> => {
	const {context: {leases}, passage} = passenger;
	if (passage.isOver) {
		// It was chosen to lead at the moment that it left.
		lead.handOver();
		throw new Error('The request was given up when it was its turn');
	}

	passage.lead = lead;
	if (!leases || lead.isAttended) {
		return undefined;
	}

	const controller = new AbortController();
	passage.leave = () => {
		controller.abort();
	};

	const stored = await awaitLease(passenger, leases, lead, controller.signal);
	passage.leave = undefined;
	if (controller.signal.aborted) {
		throw new Error('The request was given up while another process made an equal one');
	}

	return stored;
};

const landingOf = async ({passage}: Passenger, boarding: Exclude<Boarding<StoredResponse>, {role: 'alone'}>): Promise<Landing<StoredResponse>> => {
	if (boarding.role === 'leader') {
		return {kind: 'leading', lead: boarding.lead};
	}

	passage.leave = boarding.leave;
	const landing = await boarding.landing;
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

	const {context, options, state} = passenger;
	const landing = await landingOf(passenger, boarding);
	switch (landing.kind) {
		case 'left': {
			throw new Error('The request was given up while it waited for an equal one');
		}

		case 'leading': {
			const stored = await goAhead(passenger, landing.lead);
			return stored && share(passenger, stored);
		}

		case 'released': {
			state.isCollapsed = false;
			return standIn(passenger, landing.failure);
		}

		case 'shared': {
			const {request, settings} = state.exchange;
			const decision = decide(request, landing.result, context.now(), settings.http);
			if (decision.kind === 'reuse') {
				return share(passenger, decision.stored);
			}

			state.isCollapsed = false;
			// Which fields select is known now: those who ask for the same variant share the next flight.
			const id = isFirst && decision.reason === 'vary-mismatch' ? flightId(context, state.exchange) : undefined;
			return id === undefined ? undefined : follow(passenger, flights, flights.board(id, {mayLead: !options.isStream}), false);
		}
	}
};

type RequestFunction = NonNullable<GotOptions['request']>;

/** Has got wait for what `find` comes to, before it makes a request or instead. */
const hold = (options: GotOptions, passage: Passage, find: () => Promise<IncomingMessage | undefined>): void => {
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

	passage.leave = restore;
	options.request = request;
};

/**
To be called when a request is about to be sent.

@param respond - Makes a stored response a response for got.
*/
export const board = (context: GotContext, options: GotOptions, state: GotExchange, respond: (stored: StoredResponse) => IncomingMessage): void => {
	const {flights, leases, purgedAt} = context;
	if (!flights) {
		return;
	}

	const former = takeCarried(options);
	const mayShare = !options.cache && !isRefresh(options) && (!options.isStream || isReplaceable(options));
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

		boarding = flights.board(id, {mayLead: !options.isStream, notBefore: purgedAt.get(state.exchange.key)});
	}

	if (boarding.role === 'alone') {
		return;
	}

	const passage = open(options, boarding.role === 'leader' ? boarding.lead : undefined);
	if (boarding.role === 'leader' && (!leases || boarding.lead.isAttended)) {
		return;
	}

	const passenger = {context, options, state, passage};
	hold(options, passage, async () => {
		const stored = await follow(passenger, flights, boarding);
		if (stored) {
			return respond(stored);
		}

		goByOneself(passenger);
		return undefined;
	});
};

/** To be called when a request is answered without the origin: a retry of one that led. */
export const landWithout = (options: GotOptions, answer: StoredResponse): void => {
	const former = takeCarried(options);
	if (!former) {
		return;
	}

	end(former);
	former.lead?.land(answer);
};

const restMsAfter = ({settlement, forwardStatus = 0}: GotExchange): number => {
	if (settlement?.outcome.kind === 'pass' && passingReasons.has(settlement.outcome.reason)) {
		return 0;
	}

	return forwardStatus >= 400 ? failureRestMs : unshareableRestMs;
};

/** Whether the response answers what it was asked for, if asked once more. */
const isShareable = (context: GotContext, {request, settings}: Exchange, stored: StoredResponse): boolean => decide(request, stored, context.now(), settings.http).kind === 'reuse';

const landFor = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	const lead = close(options);
	const written = state.settlement?.written;
	if (written && isShareable(context, state.exchange, written)) {
		lead?.land(written);
	} else {
		lead?.release(restMsAfter(state));
	}
};

/** Behind the hooks of the user's, who may have made a good response of a bad one, which got then does not retry. */
const releaseAtLast: AfterResponseHook = response => {
	const {options} = response.request;
	options.hooks.afterResponse = options.hooks.afterResponse.filter(hook => hook !== releaseAtLast);
	if (response.statusCode < 400) {
		close(options)?.release(failureRestMs);
	}

	return response;
};

/** To be called when a response has been settled. */
export const land = (context: GotContext, options: GotOptions, state: GotExchange, {statusCode}: Pick<Response, 'statusCode'>): void => {
	if (!passages.has(options)) {
		return;
	}

	// Got may retry; those who wait go on waiting then.
	if (statusCode >= 400 && options.throwHttpErrors && !state.settlement?.written) {
		options.hooks.afterResponse.push(releaseAtLast);
	} else {
		landFor(context, options, state);
	}
};

/** To be called when a redirect has been settled, or will not be. */
export const landRedirect = landFor;

/** To be called when a request is about to be retried: it goes on leading. */
export const carryOn = (options: GotOptions): void => {
	const passage = passages.get(options);
	passages.delete(options);
	if (!passage) {
		return;
	}

	passage.leave?.();
	if (passage.lead && !passage.lead.isOver) {
		const token: BeforeRetryHook = () => undefined;
		carried.set(token, passage);
		options.hooks.beforeRetry.push(token);
	} else {
		end(passage);
	}
};

/** To be called when a request has failed for good. */
export const leave = (options: GotOptions, error?: Partial<RequestError> & {readonly event?: string}): void => {
	const carriedOver = takeCarried(options);
	if (carriedOver) {
		end(carriedOver);
	}

	const lead = close(options) ?? carriedOver?.lead;
	// The caller's own impatience says nothing of the origin.
	if (error === undefined || error.name === 'AbortError' || (error.name === 'TimeoutError' && error.event === 'request')) {
		lead?.handOver();
	} else {
		lead?.release(failureRestMs, failureOf(error as RequestError));
	}
};
