import type {BeforeRequestHook} from 'got';
import {construct} from '../http/construct.ts';
import {storedAnswer} from '../observe/observed-exchange.ts';
import {isTraced} from '../observe/tracing.ts';
import type {StoredResponse} from '../types/stored.ts';
import {beginAttempt} from './attempt.ts';
import {isLeftToGot} from './bypassed.ts';
import {joinFlight} from './coalescing/join-flight.ts';
import {resolveFromCache} from './coalescing/resolve-flight.ts';
import {withdraw} from './coalescing/withdraw.ts';
import {lookUpForRequest, type LookedUp} from './look-up-for-request.ts';
import {askOrigin, gateRequest} from './origin/ask-origin.ts';
import {createAsking, isReplaceable} from './origin/asking.ts';
import {comeFirst} from './patches/hook-order.ts';
import {prepareForFailure, takeRecovered} from './recover.ts';
import {settleAfter} from './refresh/stale-after.ts';
import type {GotContext, Hooks} from './state/context.ts';
import type {GotOptions} from './state/got-options.ts';
import {hideCookies} from './state/hidden-cookies.ts';
import {gatewayTimeout, toIncomingMessage, type Message} from './state/incoming-message.ts';
import {traceLookUp} from './state/report.ts';
import {isUnchanged} from './state/request.ts';
import {endExchange, stateOf, type GotExchange, type Watcher} from './state/request-state.ts';

type Answer = ReturnType<typeof toIncomingMessage>;

const lookUp = (context: GotContext, options: GotOptions): LookedUp | Promise<LookedUp> =>
	isTraced() ? traceLookUp(context, options, async () => lookUpForRequest(context, options)) : lookUpForRequest(context, options);

const answerWith = (options: GotOptions, state: GotExchange, message: Message): Answer => {
	const incoming = toIncomingMessage(message, options.isStream);
	// A stream's response goes to no hook where they could be put back.
	if (!options.isStream || stateOf(options).watcher) {
		state.hiddenCookies = hideCookies(incoming);
	}

	return incoming;
};

const answerFromCache = (context: GotContext, options: GotOptions, state: GotExchange, stored: StoredResponse): Answer => {
	if (!state.settlement) {
		context.hits.tell?.({options, exchange: state.exchange, stored});
	}

	resolveFromCache(options, stored);
	endExchange(context, state);

	return answerWith(options, state, construct(state.exchange.request, stored, context.now()));
};

const answerUnavailable = (options: GotOptions, state: GotExchange): Answer => {
	// Asked again, the cache says the same: to wait for that is of no use.
	options.retry = {...options.retry, limit: 0};

	return answerWith(options, state, gatewayTimeout);
};

/** Got's promises give no request that could be asked whether it is over. */
const watchPromise = ({signal}: GotOptions): Watcher => ({
	isGivenUp: () => signal?.aborted === true,
	failure: () => undefined,
	fail: () => undefined,
});

const letGotAsk = (context: GotContext, options: GotOptions, state: GotExchange): void => {
	if (!options.isStream && isReplaceable(state)) {
		prepareForFailure(context, options, state);
	}

	const watcher = options.isStream ? stateOf(options).watcher : watchPromise(options);
	if (watcher) {
		askOrigin(createAsking(watcher, {context, options, state}));
	} else if (context.gates.gate) {
		gateRequest(createAsking(watchPromise(options), {context, options, state}));
	}
};

const answerOrAsk = async (context: GotContext, options: GotOptions, state: GotExchange): Promise<Answer | undefined> => {
	if (!state.settlement) {
		const {lookedUp, exchange} = state;
		const {staleAfterMs} = exchange.settings;
		if (staleAfterMs !== undefined) {
			state.settlement = await settleAfter(context, options, exchange, staleAfterMs);
		}

		if (lookedUp && !isUnchanged(lookedUp, options)) {
			withdraw(context, options, state);
		}
	}

	const stored = storedAnswer(state);
	if (stored) {
		return answerFromCache(context, options, state, stored);
	}

	if (state.exchange.decision.kind === 'unavailable') {
		return answerUnavailable(options, state);
	}

	letGotAsk(context, options, state);

	return undefined;
};

/**
The steps before a request is sent, which nothing can change any more: look it up, then answer it, or prepare what comes of it.

@param hooks - The hooks of the cache that takes part.
@returns The hook, without a promise where the cache takes no part.
*/
export const createBeforeRequest = (context: GotContext, owner: BeforeRequestHook, hooks: () => Hooks): BeforeRequestHook => (options, {retryCount}) => {
	const recovered = takeRecovered(options);

	const proceed = (found: LookedUp) => {
		const state = beginAttempt(context, options, {...found, owner, retryCount, recovered});
		comeFirst(options, hooks());
		if (!isLeftToGot(context, options, state)) {
			return answerOrAsk(context, options, state);
		}

		if (retryCount > 0) {
			// A flight that the attempt before has led is not this request's any more.
			joinFlight(context, options, state);
		}

		return undefined;
	};

	if (recovered) {
		return proceed({exchange: recovered.exchange, request: undefined});
	}

	const looking = lookUp(context, options);

	return looking instanceof Promise ? looking.then(proceed) : proceed(looking);
};
