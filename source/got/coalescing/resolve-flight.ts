import type {AfterResponseHook, RequestError, Response} from 'got';
import type {Exchange} from '../../cache/exchange.ts';
import type {Leader} from '../../coalescing/flights.ts';
import {decide} from '../../http/decide.ts';
import type {FailureReason, PassReason, StaleReason} from '../../http/outcome.ts';
import type {StoredResponse} from '../../types/stored.ts';
import type {GotContext} from '../state/context.ts';
import type {GotExchange} from '../state/request-state.ts';
import {failureOf, isRefusal} from '../state/failure.ts';
import type {GotOptions} from '../state/got-options.ts';
import {
	closeParticipation,
	endParticipation,
	hasJoined,
	endJoining,
	takeFromAttemptBefore,
} from './participation.ts';

/** For so long nobody waits for a response that turned out not to be shareable; after a failure, which may be over sooner, not for so long. */
export const unshareableCooldownMs = 30_000;
export const failureCooldownMs = 1000;

/** Reasons that lie in one response alone. */
const passingReasons: ReadonlySet<string> = new Set<PassReason>(['invalidated', 'store-unavailable', 'incomplete', 'error']);

/** To be called when a request is answered without the origin: a retry of one that led. */
export const resolveFromCache = (options: GotOptions, answer: StoredResponse): void => {
	const former = takeFromAttemptBefore(options);
	if (!former) {
		return;
	}

	endParticipation(former);
	former.leader?.resolve(answer);
};

const cooldownMsAfter = ({settlement, forwardStatus = 0}: GotExchange): number => {
	const outcome = settlement?.outcome;
	if ((outcome?.kind === 'pass' && passingReasons.has(outcome.reason)) || outcome?.reason === 'rate-limited') {
		return 0;
	}

	return forwardStatus >= 400 || outcome?.kind === 'reuse-stale' ? failureCooldownMs : unshareableCooldownMs;
};

/** The response that waiting requests may have, too: what was stored, would have been if the store were there, or had been by another request. */
const shareableOf = ({settlement, exchange: {decision}}: GotExchange): StoredResponse | undefined => {
	if (settlement) {
		return settlement.written ?? settlement.unstored;
	}

	return decision.kind === 'reuse' ? decision.stored : undefined;
};

/** Whether the response answers what it was asked for, if asked once more. */
const isShareable = (context: GotContext, {request, settings}: Exchange, stored: StoredResponse): boolean => decide(request, stored, context.now(), settings.http).kind === 'reuse';

/** Ends the flight of a request that has been settled. */
export const resolveWith = (context: GotContext, state: GotExchange, leader: Leader<StoredResponse> | undefined): void => {
	const {outcome} = state.settlement ?? {};
	const shareable = shareableOf(state);
	if (shareable && isShareable(context, state.exchange, shareable)) {
		leader?.resolve(shareable);
	} else {
		leader?.release(cooldownMsAfter(state), outcome?.kind === 'reuse-stale' ? failureOfStale(outcome.reason, state) : undefined);
	}
};

/** A leader that was answered with a stale response because of a rate limit. */
export type LeaderLimited = {readonly mostStaleMs: number};

/** The failure of a leader, for its waiters: a status code is a failure to some and not to others. */
export type LeaderFailure = Exclude<FailureReason, 'error-status'> | number | LeaderLimited;

const failureOfStale = (reason: StaleReason, {forwardStatus, staleForNowMs = 0}: GotExchange): LeaderFailure | undefined => {
	if (reason === 'rate-limited') {
		return {mostStaleMs: staleForNowMs};
	}

	return reason === 'error-status' ? forwardStatus : reason;
};

const failureForAll = (error: Partial<RequestError>): LeaderFailure | undefined => {
	if (error.name === 'HTTPError') {
		return error.response?.statusCode;
	}

	const reason = failureOf(error, {});
	return reason === 'error-status' ? undefined : reason;
};

/** To be called when a request has been settled, or will not be, and is not retried whatever came of it. */
export const resolveAfterFailure = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	resolveWith(context, state, closeParticipation(options));
};

/** Behind the hooks of the user's, who may have made a good response of a bad one, which got then does not retry. */
const releaseBehindHooks: AfterResponseHook = response => {
	const {options} = response.request;
	options.hooks.afterResponse = options.hooks.afterResponse.filter(hook => hook !== releaseBehindHooks);
	if (response.statusCode < 400) {
		closeParticipation(options)?.release(failureCooldownMs);
	}

	return response;
};

/** To be called when a response has been settled. */
export const resolveFlight = (context: GotContext, options: GotOptions, state: GotExchange, {statusCode}: Pick<Response, 'statusCode'>): void => {
	if (!hasJoined(options)) {
		return;
	}

	// Got may retry; those who wait go on waiting then.
	if (statusCode >= 400 && options.throwHttpErrors && !state.settlement?.written && !state.settlement?.unstored) {
		options.hooks.afterResponse.push(releaseBehindHooks);
	} else {
		resolveAfterFailure(context, options, state);
	}
};

/** To be called when a request has failed for good. */
export const abortFlight = (options: GotOptions, error?: Partial<RequestError> & {readonly event?: string}): void => {
	endJoining(options);
	const former = takeFromAttemptBefore(options);
	if (former) {
		endParticipation(former);
	}

	const leader = closeParticipation(options) ?? former?.leader;
	// The caller's own impatience says nothing of the origin.
	if (error === undefined || error.name === 'AbortError' || (error.name === 'TimeoutError' && error.event === 'request')) {
		leader?.promoteNext();
	} else {
		// Requests that were kept from the origin go on waiting for one another.
		leader?.release(isRefusal(error) ? 0 : failureCooldownMs, failureForAll(error));
	}
};
