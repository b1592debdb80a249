import type {
	AfterResponseHook,
	BeforeErrorHook,
	BeforeRedirectHook,
	BeforeRequestHook,
	BeforeRetryHook,
	NormalizedOptions,
	RequestError,
	Response,
} from 'got';
import {
	lookUp,
	settleResponse,
	staleInstead,
	withRequest,
	type Exchange,
} from '../exchange.ts';
import {construct} from '../http/construct.ts';
import type {BypassReason, Decision} from '../http/decision.ts';
import type {RequestHead} from '../http/message.ts';
import {resolveRequestOptions, type RequestSettings} from '../resolve-options.ts';
import type {StoredResponse} from '../stored.ts';
import type {GotContext, GotOptions} from './context.ts';
import {
	addHeaders,
	exchangeOf,
	isOwner,
	registerHook,
	restoreHeaders,
	setExchange,
	type GotExchange,
} from './exchanges.ts';
import {failureOf} from './failure.ts';
import {reportOn} from './cache-status.ts';
import {replaceContent, toIncomingMessage, type Message} from './message.ts';
import {prepareRecovery, takeRecovery} from './recovery.ts';
import {isRedirect, settleRedirect} from './redirect.ts';
import {refreshInBackground} from './refresh.ts';
import {isSameRequest, keyInput, requestHead} from './request.ts';
import {responseHead} from './response-head.ts';

export type Hooks = {
	readonly beforeRequest: BeforeRequestHook[];
	readonly beforeRedirect: BeforeRedirectHook[];
	readonly beforeRetry: BeforeRetryHook[];
	readonly beforeError: BeforeErrorHook[];
	readonly afterResponse: AfterResponseHook[];
};

/** What an attempt leaves to the one that answers in its place. */
type Recovered = Pick<GotExchange, 'exchange' | 'settlement' | 'retryCount'>;

const gatewayTimeout: Message = {
	statusCode: 504,
	statusMessage: 'Gateway Timeout',
	httpVersion: '1.1',
	rawHeaders: ['Content-Length', '0'],
	body: new Uint8Array(),
};

const bypassReason = ({settings}: GotContext, head: RequestHead, {isDisabled}: RequestSettings, isKeyable: boolean): BypassReason | undefined => {
	if (isDisabled) {
		return 'disabled';
	}

	if (!isKeyable) {
		return 'unkeyable-body';
	}

	return settings.filter?.(head) === false ? 'filtered' : undefined;
};

// RFC 9111 §5.2.1.7
const withOnlyIfCached = (head: RequestHead): RequestHead => {
	const cacheControl = head.headers['cache-control'];
	return {...head, headers: {...head.headers, 'cache-control': cacheControl === undefined ? 'only-if-cached' : `${String(cacheControl)}, only-if-cached`}};
};

const openExchange = async (context: GotContext, options: GotOptions): Promise<Exchange> => {
	const settings = options.context.cache === undefined ? context.settings.request : resolveRequestOptions(context.options, options.context.cache);
	const head = settings.isOnlyIfCached ? withOnlyIfCached(requestHead(options)) : requestHead(options);
	const input = keyInput(options, context.settings.key?.(head, options as NormalizedOptions));

	return lookUp(context, head, settings, input ?? {body: undefined, isEncoded: false, extra: undefined}, bypassReason(context, head, settings, input !== undefined));
};

/** A 304 for a redirect could not be turned into one that got follows, so a redirect is asked for anew. */
const mayValidate = (options: GotOptions, decision: Decision): decision is Extract<Decision, {kind: 'validate'}> => decision.kind === 'validate' && !options.isStream && !isRedirect(decision.stored.statusCode);

const storedAnswer = ({exchange, settlement}: Recovered): StoredResponse | undefined => {
	if (settlement?.answer) {
		return settlement.answer;
	}

	return exchange.decision.kind === 'reuse' ? exchange.decision.stored : undefined;
};

/**
The hooks that make the instances of got that are extended with them use a cache. They translate between got and the exchange, and hold no rule of HTTP.
*/
export const createHooks = (context: GotContext): Hooks => {
	const messageFrom = ({exchange}: GotExchange, stored: StoredResponse): Message => construct(exchange.request, stored, context.now());

	const prepareForFailure = (options: GotOptions, {exchange, retryCount}: GotExchange) => {
		if (!staleInstead(context, exchange, 'network-error') && !staleInstead(context, exchange, 'timeout')) {
			return;
		}

		prepareRecovery(options, (error: RequestError): Recovered | undefined => {
			const failure = failureOf(error);
			const outcome = failure && staleInstead(context, exchange, failure);
			return outcome && {exchange, retryCount, settlement: {outcome, answer: outcome.stored}};
		});
	};

	// Runs behind the user's last hook, whatever hooks were added after the cache.
	const beforeSending: BeforeRequestHook = options => {
		const state = exchangeOf(options);
		if (!state || !isOwner(options, beforeRequest)) {
			return;
		}

		const head = requestHead(options);
		if (!isSameRequest(head, state.exchange.request)) {
			// What was looked up is not what is asked for any more.
			state.exchange = withRequest(context, state.exchange, head);
		}

		const {decision} = state.exchange;
		if (mayValidate(options, decision)) {
			addHeaders(options, state, decision.headers);
		}

		prepareForFailure(options, state);
	};

	const beforeRequest: BeforeRequestHook = async (options, {retryCount}) => {
		if (!isOwner(options, beforeRequest)) {
			return;
		}

		const recovered = takeRecovery(options) as Recovered | undefined;
		const state: GotExchange = {
			retryCount,
			settlement: undefined,
			forwardStatus: undefined,
			...recovered ?? {exchange: await openExchange(context, options)},
			replacedHeaders: new Map(),
		};
		setExchange(options, state);

		const answer = storedAnswer(state);
		if (answer) {
			return toIncomingMessage(messageFrom(state, answer));
		}

		if (state.exchange.decision.kind === 'unavailable') {
			return toIncomingMessage(gatewayTimeout);
		}

		const {beforeRequest: chain, afterResponse: settlers} = options.hooks;
		// Got drops these hooks after `retryWithMergedOptions()`; without ours, nothing could be settled.
		if (!settlers.includes(afterResponse)) {
			settlers.push(afterResponse);
		}

		if (chain.at(-1) === beforeRequest) {
			return beforeSending(options, {retryCount});
		}

		if (!chain.includes(beforeSending)) {
			chain.push(beforeSending);
		}

		return undefined;
	};

	const settle = async (response: Response, state: GotExchange, askAgain: () => Promise<never>): Promise<void> => {
		state.forwardStatus = response.statusCode;
		state.settlement = await settleResponse(context, state.exchange, responseHead(response), response.rawBody);
		const {outcome, answer} = state.settlement;
		if (outcome.kind === 'refetch') {
			await askAgain();
		}

		if (answer) {
			replaceContent(response, messageFrom(state, answer));
		}
	};

	const afterResponse: AfterResponseHook = async (response, retryWithMergedOptions) => {
		const {options} = response.request;
		const state = exchangeOf(options);
		if (!state || !isOwner(options, beforeRequest)) {
			return response;
		}

		takeRecovery(options);
		restoreHeaders(options, state);
		response.retryCount = state.retryCount;

		const {decision} = state.exchange;
		if (storedAnswer(state) === undefined && decision.kind !== 'unavailable') {
			await settle(response, state, async () => retryWithMergedOptions({preserveHooks: true}));
		}

		if (decision.kind === 'reuse' && decision.refresh) {
			void refreshInBackground(context, options, state);
		}

		reportOn(response, state, context.now());

		return response;
	};

	const beforeRedirect: BeforeRedirectHook = (updatedOptions, response) => {
		const {options} = response.request;
		const state = exchangeOf(options);
		if (!state || !isOwner(options, beforeRequest)) {
			return;
		}

		takeRecovery(updatedOptions);
		restoreHeaders(updatedOptions, state);
		// A hook before ours may have waited while the body flowed away.
		const isFirst = updatedOptions.hooks.beforeRedirect[0] === beforeRedirect;
		if (isFirst && storedAnswer(state) === undefined) {
			settleRedirect(context, state, response);
		}
	};

	const forget = (options: GotOptions) => {
		const state = exchangeOf(options);
		if (state) {
			restoreHeaders(options, state);
		}
	};

	const beforeRetry: BeforeRetryHook = ({options}) => {
		forget(options);
	};

	const beforeError: BeforeErrorHook = error => {
		takeRecovery(error.options);
		forget(error.options);

		return error;
	};

	registerHook(beforeRequest);

	return {
		beforeRequest: [beforeRequest],
		beforeRedirect: [beforeRedirect],
		beforeRetry: [beforeRetry],
		beforeError: [beforeError],
		afterResponse: [afterResponse],
	};
};
