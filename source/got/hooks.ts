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
import {settleResponse} from '../cache/apply-outcome.ts';
import {resultBeforehand, staleInstead} from '../cache/decide-outcome.ts';
import {construct} from '../http/construct.ts';
import {reportOn} from '../observe/cache-status.ts';
import {isAsked, storedAnswer} from '../observe/observed-exchange.ts';
import {isTraced} from '../observe/tracing.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {StoredResponse} from '../types/stored.ts';
import {joinFlight} from './coalescing/flight.ts';
import {resolveFlight, resolveAfterFailure, resolveFromCache, abortFlight} from './coalescing/resolve-flight.ts';
import {leadOnInRetry} from './coalescing/participation.ts';
import {withdraw} from './coalescing/withdraw.ts';
import {learnRequestClass} from './fast-path/direct-response.ts';
import {watchHandlers} from './fast-path/inner-handlers.ts';
import {yieldToEventLoop} from './fast-path/yield-to-event-loop.ts';
import {lookUpForRequest, type LookedUp} from './look-up-for-request.ts';
import {createAsking, isReplaceable} from './origin/asking.ts';
import {askOrigin, gateRequest} from './origin/ask-origin.ts';
import {appendTo, comeFirst, isOnceAndLast, leaveAsLast, leaveChain} from './patches/hook-order.ts';
import {prepareRecovery, takeRecovery} from './patches/recovery.ts';
import {invalidateByRedirect, settleRedirect} from './redirect.ts';
import {refreshInBackground} from './refresh/refresh.ts';
import {settleAfter} from './refresh/stale-after.ts';
import {isOwner, registerHook} from './state/cache-hook.ts';
import type {Hooks, GotContext} from './state/context.ts';
import {endExchange, exchangeOf, linkHop, stateOf, type GotExchange, type Watcher} from './state/request-state.ts';
import {failureOf} from './state/failure.ts';
import {isBeforeGot16} from './state/got-version.ts';
import {completeGiven} from './state/given-options.ts';
import type {GotOptions} from './state/got-options.ts';
import {
	gatewayTimeout,
	hideCookies,
	showCookies,
	toIncomingMessage,
	type Message,
} from './state/message.ts';
import {handOver, reportAbort, reportEnd, reportFailure, reportGivenUp, traceLookUp, traceOf} from './state/report.ts';
import {isUnchanged} from './state/request.ts';
import {responseHead} from './state/response-head.ts';

/** The state that an attempt leaves to the one that answers in its place. */
type Recovered = Pick<GotExchange, 'retryCount' | 'exchange' | 'settlement' | 'forwardStatus' | 'previous' | 'trace'>;

/** RFC 9111 §3.4: a stream has its response when it arrives, too early for parts to be put together. */
const inOnePiece = ({isStream}: Pick<GotOptions, 'isStream'>, exchange: Exchange): Exchange => {
	const {decision} = exchange;
	const isPart = decision.kind === 'validate' && decision.reason === 'range-incomplete';

	return isPart && isStream ? {...exchange, decision: {kind: 'fetch', reason: 'range-not-stored', stored: decision.stored}} : exchange;
};

/** Got's promises give no request that could be asked whether it is over. */
const watchPromise = ({signal}: GotOptions): Watcher => ({
	isGivenUp: () => signal?.aborted === true,
	failure: () => undefined,
	fail: () => undefined,
});

/**
The hooks that make the instances of got that are extended with them use a cache. They translate between got and the exchange, and hold no rule of HTTP.
*/
export const createHooks = (context: GotContext): Hooks => {
	const messageFrom = ({exchange}: GotExchange, stored: StoredResponse): Message => construct(exchange.request, stored, context.now());

	/** Only what the cache that takes part has begun is its own to end. */
	const ownExchange = (options: GotOptions): GotExchange | undefined => {
		const state = exchangeOf(options);
		return state?.owner === beforeRequest ? state : undefined;
	};

	const prepareForFailure = (options: GotOptions, state: GotExchange) => {
		if (!staleInstead(context, state.exchange, 'network-error') && !staleInstead(context, state.exchange, 'timeout')) {
			return;
		}

		prepareRecovery(options, (error: RequestError): Recovered | undefined => {
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
		if (!options.isStream || stateOf(options).watcher) {
			state.hiddenCookies = hideCookies(incoming);
		}

		return incoming;
	};

	const begin = (options: GotOptions, retryCount: number, recovered: Recovered | undefined, {exchange, request: lookedUp}: LookedUp): GotExchange => {
		const request = stateOf(options);
		const state: GotExchange = {
			owner: beforeRequest,
			retryCount,
			startedMonoMs: exchange.startedMonoMs,
			isReported: false,
			trace: traceOf(options),
			settlement: undefined,
			forwardStatus: undefined,
			hiddenCookies: undefined,
			isMemoryOnly: context.store.isAlone,
			previous: request.previous,
			...recovered,
			lookedUp,
			exchange: inOnePiece(options, exchange),
		};
		request.exchange = state;
		reportAbort(context, options, state);
		if (options.isStream && request.watcher?.isGivenUp()) {
			reportGivenUp(context, options, state, request.watcher.failure());
		}

		comeFirst(options, hooks);

		return state;
	};

	/** Whether got makes the request as it would without the cache. The requests of earlier versions fail in ways that the cache has to see. */
	const isLeftToGot = (options: GotOptions, state: GotExchange): boolean =>
		resultBeforehand(state.exchange) !== undefined && !options.isStream && !isBeforeGot16(options) && !context.gates.gate;

	const answerOrAsk = async (options: GotOptions, state: GotExchange): Promise<ReturnType<typeof answerWith> | undefined> => {
		const {lookedUp} = state;
		if (!state.settlement) {
			const {staleAfterMs} = state.exchange.settings;
			if (staleAfterMs !== undefined) {
				state.settlement = await settleAfter(context, options, state.exchange, staleAfterMs);
			}

			if (lookedUp && !isUnchanged(lookedUp, options)) {
				withdraw(context, options, state);
			}
		}

		const answer = storedAnswer(state);
		if (answer) {
			if (!state.settlement) {
				context.hits.tell?.({options, exchange: state.exchange, stored: answer});
			}

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

		if (!options.isStream && isReplaceable(state)) {
			prepareForFailure(options, state);
		}

		const watcher = options.isStream ? stateOf(options).watcher : watchPromise(options);
		if (watcher) {
			askOrigin(createAsking(watcher, {context, options, state}));
		} else if (context.gates.gate) {
			gateRequest(createAsking(watchPromise(options), {context, options, state}));
		}

		return undefined;
	};

	const send: BeforeRequestHook = (options, {retryCount}) => {
		const recovered = takeRecovery(options) as Recovered | undefined;
		const proceed = (found: LookedUp) => {
			const state = begin(options, retryCount, recovered, found);
			if (!isLeftToGot(options, state)) {
				return answerOrAsk(options, state);
			}

			// A flight that the attempt before has led is not this request's any more.
			joinFlight(context, options, state);
			return undefined;
		};

		if (recovered) {
			return proceed({exchange: recovered.exchange, request: undefined});
		}

		const looking = isTraced() ? traceLookUp(context, options, async () => lookUpForRequest(context, options)) : lookUpForRequest(context, options);

		return looking instanceof Promise ? looking.then(proceed) : proceed(looking);
	};

	const beforeSending: BeforeRequestHook = (options, updates) => leaveAsLast(options.hooks.beforeRequest, beforeSending) ? send(options, updates) : undefined;

	// Other hooks may run behind the cache's: what is looked up is what would be sent.
	const beforeRequest: BeforeRequestHook = (options, updates) => {
		if (!isOwner(options, beforeRequest)) {
			return undefined;
		}

		const chain = options.hooks.beforeRequest;
		if (isOnceAndLast(chain, beforeRequest)) {
			return send(options, updates);
		}

		appendTo(chain, beforeSending);
		return undefined;
	};

	/** Settles a response that the caller is given. */
	const settle = async (response: Response, state: GotExchange): Promise<void> => {
		state.forwardStatus ??= response.statusCode;
		const body = state.isCutShort ? 'incomplete' : response.rawBody;
		const {outcome, written, unstored, refusal} = await settleResponse(context, state.exchange, responseHead(response), {body, isInvalidated: state.isReceived ?? false});
		const {options} = response.request;
		if (outcome.kind === 'reuse-stale' && state.exchange.settings.retriesFirst && options.throwHttpErrors) {
			// The stored response comes when got has made an error of this one, and does not retry.
			prepareForFailure(options, state);
			return;
		}

		state.settlement = {outcome, written, unstored, refusal};
	};

	const afterResponse: AfterResponseHook = async received => {
		const {options} = received.request;
		learnRequestClass(received);
		takeRecovery(options);
		const state = ownExchange(options);
		if (!state) {
			return received;
		}

		showCookies(received, state.hiddenCookies);
		received.retryCount = state.retryCount;
		received.request.retryCount = state.retryCount;
		state.answeredMonoMs ??= ownTimers.now();
		const beforehand = isAsked(state) ? resultBeforehand(state.exchange) : undefined;
		if (beforehand) {
			state.forwardStatus ??= received.statusCode;
			state.settlement = beforehand;
		} else if (isAsked(state)) {
			// Code that runs for one response after the other costs a fraction of what it costs between events of I/O. A response that broke off is given at once, as without the cache: got 15 makes an error of it a turn later.
			if (!state.isCutShort) {
				await yieldToEventLoop();
			}

			await settle(received, state);
		}

		const {decision} = state.exchange;

		resolveFlight(context, options, state, received);
		if (decision.kind === 'reuse' && decision.refresh) {
			refreshInBackground(context, options, state);
		}

		reportOn(received, state, context.now());
		if (state.settlement !== undefined || !isAsked(state)) {
			reportEnd(context, options, state, {statusCode: received.statusCode, bytes: received.rawBody.byteLength});
		}

		if (state.settlement?.written && context.store.command) {
			// A process that ends as soon as it has its answer must not lose what it fetched: node-redis writes at the end of the turn.
			await yieldToEventLoop();
		}

		return received;
	};

	const beforeRedirect: BeforeRedirectHook = async (updatedOptions, response) => {
		takeRecovery(updatedOptions);
		const {options} = response.request;
		const state = ownExchange(options);
		if (!state) {
			return;
		}

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
		// The hook is still there if an earlier one has failed.
		leaveChain(options.hooks.beforeRequest, beforeSending);
		const state = ownExchange(options);
		if (!state) {
			return;
		}

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
			leadOnInRetry(options);
		}
	};

	const beforeError: BeforeErrorHook = error => {
		// A hook may have put an error of its own in the place of got's.
		const {options, response} = error as Partial<RequestError>;
		if (options) {
			takeRecovery(options);
			forget(options, error);
			abortFlight(options, error);
			showCookies(response, ownExchange(options)?.hiddenCookies);
		}

		return error;
	};

	registerHook(beforeRequest, context.options);
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
