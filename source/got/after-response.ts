import type {AfterResponseHook, BeforeRequestHook, Response} from 'got';
import {settleResponse} from '../cache/apply-outcome.ts';
import {addCacheStatus} from '../observe/add-cache-status.ts';
import {isAsked} from '../observe/observed-exchange.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {ownAttempt} from './attempt.ts';
import {settleBypassed} from './bypassed.ts';
import {resolveFlight} from './coalescing/resolve-flight.ts';
import {learnRequestClass} from './fast-path/direct-response.ts';
import {yieldToEventLoop} from './fast-path/yield-to-event-loop.ts';
import {prepareForFailure, takeRecovered} from './recover.ts';
import {refreshInBackground} from './refresh/refresh.ts';
import type {GotContext} from './state/context.ts';
import {showCookies} from './state/hidden-cookies.ts';
import {reportEnd} from './state/report.ts';
import type {GotExchange} from './state/request-state.ts';
import {responseHead} from './state/response-head.ts';

/** Settles a response that the caller is given. */
const settle = async (context: GotContext, response: Response, state: GotExchange): Promise<void> => {
	state.forwardStatus ??= response.statusCode;
	const body = state.isCutShort ? 'incomplete' : response.rawBody;
	const {outcome, written, unstored, refusal} = await settleResponse(context, state.exchange, responseHead(response), {body, isInvalidated: state.isReceived ?? false});
	const {options} = response.request;
	if (outcome.kind === 'reuse-stale' && state.exchange.settings.retriesFirst && options.throwHttpErrors) {
		// The stored response comes when got has made an error of this one, and does not retry.
		prepareForFailure(context, options, state);
		return;
	}

	state.settlement = {outcome, written, unstored, refusal};
};

/** Ends the exchange, as far as the response tells. */
const finish = (context: GotContext, response: Response, state: GotExchange): void => {
	const {options} = response.request;
	resolveFlight(context, options, state, response);
	refreshInBackground(context, options, state);
	addCacheStatus(response, state, context.now());
	if (state.settlement !== undefined || !isAsked(state)) {
		reportEnd(context, options, state, {statusCode: response.statusCode, bytes: response.rawBody.byteLength});
	}
};

/** Ends the exchange when the origin's response has been settled. */
const settleAndFinish = async (context: GotContext, response: Response, state: GotExchange): Promise<Response> => {
	if (isAsked(state)) {
		// Code that runs for one response after the other costs a fraction of what it costs between events of I/O. A response that broke off is given at once, as without the cache: got 15 makes an error of it a turn later.
		if (!state.isCutShort) {
			await yieldToEventLoop();
		}

		await settle(context, response, state);
	}

	finish(context, response, state);
	if (state.settlement?.written && context.store.command) {
		// A process that ends as soon as it has its answer must not lose what it fetched: node-redis writes at the end of the turn.
		await yieldToEventLoop();
	}

	return response;
};

/**
The steps after the response of a promise.

@returns The hook, without a promise where the cache takes no part.
*/
export const createAfterResponse = (context: GotContext, owner: BeforeRequestHook): AfterResponseHook => response => {
	const {options} = response.request;
	learnRequestClass(response);
	takeRecovered(options);
	const state = ownAttempt(options, owner);
	if (!state) {
		return response;
	}

	showCookies(response, state.hiddenCookies);
	response.retryCount = state.retryCount;
	response.request.retryCount = state.retryCount;
	state.answeredMonoMs ??= ownTimers.now();
	if (isAsked(state) && settleBypassed(state, response.statusCode)) {
		finish(context, response, state);
		return response;
	}

	return settleAndFinish(context, response, state);
};
