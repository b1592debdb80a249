import {ClientRequest} from 'node:http';
import type {
	AfterResponseHook,
	BeforeErrorHook,
	BeforeRedirectHook,
	BeforeRequestHook,
	BeforeRetryHook,
	RequestError,
	Response,
} from 'got';
import type {Exchange} from '../cache/exchange.ts';
import {askedAgain} from '../cache/look-up.ts';
import {settleResponse, staleInstead} from '../cache/settlement.ts';
import {construct} from '../http/construct.ts';
import {reportOn} from '../observe/cache-status.ts';
import {isAsked, storedAnswer} from '../observe/observed-exchange.ts';
import {isTraced} from '../observe/tracing.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {StoredResponse} from '../types/stored.ts';
import {joinFlight} from './coalescing/flight.ts';
import {releaseAtHead} from './coalescing/head-release.ts';
import {resolveFlight, resolveAfterFailure, resolveFromCache, abortFlight} from './coalescing/landing.ts';
import {carryOn} from './coalescing/passage.ts';
import {checkSent, leaveAlone} from './coalescing/sent.ts';
import {learnRequestClass} from './fast-path/direct-response.ts';
import {watchHandlers} from './fast-path/inner-handlers.ts';
import {yieldToEventLoop} from './fast-path/yield-to-event-loop.ts';
import {lookUpForRequest} from './look-up-for-request.ts';
import {holdListeners, tellListeners} from './patches/early-response.ts';
import {appendTo, comeFirst, leaveAsLast, leaveChain} from './patches/hook-order.ts';
import {leaveErrorsToEvents, seeNextRequest} from './patches/next-request.ts';
import {prepareRecovery, takeRecovery} from './patches/recovery.ts';
import {invalidateByRedirect, settleRedirect} from './redirect.ts';
import {refreshInBackground} from './refresh/refresh.ts';
import {settleAfter} from './refresh/stale-after.ts';
import {headersToAdd, inOnePiece, mayTakePlaceOf} from './replacement.ts';
import {noteOptions} from './state/client-methods.ts';
import type {Hooks, GotContext} from './state/context.ts';
import {addHeaders, announceSending, endExchange, exchangeOf, isOwner, isWatched, linkHop, previousHop, registerHook, restoreHeaders, setExchange, type GotExchange} from './state/exchanges.ts';
import {failureOf} from './state/failure.ts';
import {completeGiven} from './state/given-options.ts';
import {isGot15} from './state/got-15.ts';
import type {GotOptions} from './state/got-options.ts';
import {watchForCut} from './state/http2-stream.ts';
import {
	gatewayTimeout,
	hideCookies,
	replaceResponse,
	showCookies,
	toIncomingMessage,
	type Message,
} from './state/message.ts';
import {handOver, reportAbort, reportEnd, reportFailure, traceLookUp, traceOf} from './state/report.ts';
import {isUnchanged} from './state/request.ts';
import {responseHead} from './state/response-head.ts';

/** What an attempt leaves to the one that answers in its place. */
type Recovered = Pick<GotExchange, 'retryCount'> & Partial<Pick<GotExchange, 'exchange' | 'settlement' | 'forwardStatus' | 'previous' | 'trace'>> & {
	/** The exchange before, where the origin's answer did not go with what is stored. */
	readonly before?: Exchange;
};

/**
The hooks that make the instances of got that are extended with them use a cache. They translate between got and the exchange, and hold no rule of HTTP.
*/
export const createHooks = (context: GotContext): Hooks => {
	const messageFrom = ({exchange}: GotExchange, stored: StoredResponse): Message => construct(exchange.request, stored, context.now());

	/** Only what the cache that takes part has begun is its own to end. */
	const stateOf = (options: GotOptions): GotExchange | undefined => {
		const state = exchangeOf(options);
		return state?.owner === beforeRequest ? state : undefined;
	};

	const prepareForFailure = (options: GotOptions, state: GotExchange) => {
		if (!staleInstead(context, state.exchange, 'network-error') && !staleInstead(context, state.exchange, 'timeout')) {
			return;
		}

		prepareRecovery(options, (error: RequestError): Recovered | undefined => {
			restoreHeaders(options, state);
			const {exchange, retryCount} = state;
			// A hook may throw the error of another request.
			const failure = error.options === options ? failureOf(error, exchange.settings.http) : undefined;
			const outcome = failure && staleInstead(context, exchange, failure);
			if (outcome) {
				abortFlight(options, error);
			}

			return outcome && {
				...handOver(state),
				exchange,
				retryCount,
				previous: state.previous,
				settlement: {outcome, answer: outcome.answer},
				forwardStatus: error.response?.statusCode,
			};
		}, {answering: [beforeRequest], retriesFirst: state.exchange.settings.retriesFirst});
	};

	const answerWith = (options: GotOptions, state: GotExchange, message: Message) => {
		const incoming = toIncomingMessage(message, options.isStream);
		// A stream's response goes to no hook where they could be put back.
		if (!options.isStream || isWatched(options)) {
			state.hiddenCookies = hideCookies(incoming);
		}

		return incoming;
	};

	const beforeSending: BeforeRequestHook = async (options, {retryCount}) => {
		if (!leaveAsLast(options.hooks.beforeRequest, beforeSending)) {
			return;
		}

		const {before, ...recovered}: Partial<Recovered> = (takeRecovery(options) as Recovered | undefined) ?? {};
		const lookUp = async () => lookUpForRequest(context, options, before);
		const found = recovered.exchange ? {exchange: recovered.exchange, request: undefined} : await (isTraced() ? traceLookUp(context, options, lookUp) : lookUpForRequest(context, options, before));
		const {exchange, request: lookedUp} = found;
		const state: GotExchange = {
			owner: beforeRequest,
			retryCount,
			startedMonoMs: exchange.startedAt,
			isReported: false,
			trace: traceOf(options),
			settlement: undefined,
			forwardStatus: undefined,
			hiddenCookies: undefined,
			isMemoryOnly: context.store.isAlone,
			previous: previousHop(options),
			...recovered,
			lookedUp,
			exchange: inOnePiece(options, before ? askedAgain(exchange) : exchange),
			replacedHeaders: new Map(),
		};
		setExchange(options, state);
		reportAbort(context, options, state);
		comeFirst(options, hooks);
		if (!before && !state.settlement) {
			state.settlement = await settleAfter(context, options, state.exchange);
			if (lookedUp && !isUnchanged(lookedUp, options)) {
				leaveAlone(context, options, state);
			}
		}

		const answer = storedAnswer(state);
		if (answer) {
			resolveFromCache(options, answer);
			endExchange(context, state);
			return answerWith(options, state, messageFrom(state, answer));
		}

		const {decision} = state.exchange;
		if (decision.kind === 'unavailable') {
			// Asked again, the cache says the same: to wait for that is of no use.
			options.retry = {...options.retry, limit: 0};
			return answerWith(options, state, gatewayTimeout);
		}

		addHeaders(options, state, headersToAdd(options, decision) ?? {});

		if (options.isStream) {
			announceSending(options);
		} else {
			const isConditional = state.replacedHeaders.size > 0 || ('stored' in decision && decision.stored !== undefined);
			if (isConditional) {
				prepareForFailure(options, state);
			}

			seeNextRequest(options, {
				check: native => checkSent(context, options, state, native),
				see(request) {
					releaseAtHead(context, options, state, request);
					watchForCut(request, () => {
						state.isCutShort = true;
					});
					// Node has them by now.
					restoreHeaders(options, state);
					state.replacedHeaders.clear();
					// Otherwise nobody is asked whether to retry with got 15, or told that it is over. What the user has in the place of Node's request may have no events.
					if (isConditional || (isGot15(options) && request instanceof ClientRequest)) {
						leaveErrorsToEvents(request, options);
					}
				},
			});
		}

		joinFlight(context, options, state, stored => answerWith(options, state, messageFrom(state, stored)));

		return undefined;
	};

	// Whatever hooks come behind the cache: what is looked up is what would be sent.
	const beforeRequest: BeforeRequestHook = options => {
		if (isOwner(options, beforeRequest)) {
			appendTo(options.hooks.beforeRequest, beforeSending);
		}
	};

	const settle = async (response: Response, state: GotExchange, askAgain: () => Promise<never>): Promise<Response> => {
		state.forwardStatus = response.statusCode;
		state.settlement = await settleResponse(context, state.exchange, responseHead(response), state.isCutShort ? 'incomplete' : response.rawBody);
		const {outcome, answer} = state.settlement;
		if (outcome.kind === 'refetch') {
			await askAgain();
		}

		const {options} = response.request;
		if (outcome.kind === 'reuse-stale' && state.exchange.settings.retriesFirst && options.throwHttpErrors) {
			// The stored response comes when got has made an error of this one, and does not retry.
			state.settlement = undefined;
			prepareForFailure(options, state);
			return response;
		}

		return answer ? replaceResponse(response, messageFrom(state, answer)) : response;
	};

	const afterResponse: AfterResponseHook = async (received, retryWithMergedOptions) => {
		const {options} = received.request;
		learnRequestClass(received);
		takeRecovery(options);
		const state = stateOf(options);
		if (!state) {
			return received;
		}

		restoreHeaders(options, state);
		showCookies(received, state.hiddenCookies);
		received.retryCount = state.retryCount;
		received.request.retryCount = state.retryCount;

		const askAgain = async () => {
			// Whether the user has anything retried is another question.
			prepareRecovery(options, (): Recovered => {
				carryOn(options);
				return {...handOver(state), retryCount: state.retryCount, previous: state.previous, before: state.exchange};
			});
			return retryWithMergedOptions({preserveHooks: true});
		};

		if (mayTakePlaceOf(received, state)) {
			holdListeners(received);
		}

		state.answeredMonoMs ??= ownTimers.now();
		const response = isAsked(state) ? await settle(received, state, askAgain) : received;
		const {decision} = state.exchange;

		resolveFlight(context, options, state, response);
		if (decision.kind === 'reuse' && decision.refresh) {
			refreshInBackground(context, options, state);
		}

		reportOn(response, state, context.now());
		tellListeners(received, response);
		if (state.settlement !== undefined || !isAsked(state)) {
			reportEnd(context, options, state, {statusCode: response.statusCode, bytes: response.rawBody.byteLength});
		}

		if (state.settlement?.written && context.store.command) {
			// A process that ends as soon as it has its answer must not lose what it fetched: node-redis writes at the end of the turn.
			await yieldToEventLoop();
		}

		return response;
	};

	const beforeRedirect: BeforeRedirectHook = async (updatedOptions, response) => {
		takeRecovery(updatedOptions);
		const {options} = response.request;
		const state = stateOf(options);
		if (!state) {
			return;
		}

		restoreHeaders(updatedOptions, state);
		showCookies(response, state.hiddenCookies);
		linkHop(updatedOptions, state);
		if (storedAnswer(state) === undefined) {
			settleRedirect(context, state, response, () => {
				resolveAfterFailure(context, options, state);
				reportEnd(context, options, state, {statusCode: response.statusCode, isHop: true});
			});
			await invalidateByRedirect(context, state, response);
			return;
		}

		reportEnd(context, options, state, {statusCode: response.statusCode, isHop: true});
		const {decision} = state.exchange;
		if (decision.kind === 'reuse' && decision.refresh) {
			refreshInBackground(context, options, state);
		}
	};

	const forget = (options: GotOptions, error: Error) => {
		// It is still there where a hook before it has failed.
		leaveChain(options.hooks.beforeRequest, beforeSending);
		const state = stateOf(options);
		if (!state) {
			return;
		}

		restoreHeaders(options, state);
		endExchange(context, state);
		reportFailure(context, options, state, error);
	};

	const beforeRetry: BeforeRetryHook = error => {
		const {options} = error;
		forget(options, error);
		if (options.isStream) {
			// Whether there is another attempt is up to its consumer.
			abortFlight(options, error);
		} else {
			carryOn(options);
		}
	};

	const beforeError: BeforeErrorHook = error => {
		// A hook may have put an error of its own in the place of got's.
		const {options, response} = error as Partial<RequestError>;
		if (options) {
			takeRecovery(options);
			forget(options, error);
			abortFlight(options, error);
			showCookies(response, stateOf(options)?.hiddenCookies);
		}

		return error;
	};

	registerHook(beforeRequest);
	noteOptions(beforeRequest, context.options);
	const hooks: Hooks = {
		init: [completeGiven, watchHandlers],
		beforeRequest: [beforeRequest],
		beforeRedirect: [beforeRedirect],
		beforeRetry: [beforeRetry],
		beforeError: [beforeError],
		afterResponse: [afterResponse],
	};

	return hooks;
};
