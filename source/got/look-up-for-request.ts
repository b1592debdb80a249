import type {Exchange} from '../cache/exchange.ts';
import {asRefresh, bypassNow, lookUp, whyBypassed} from '../cache/look-up.ts';
import {withOnlyIfCached} from '../http/directives.ts';
import type {RequestHead} from '../http/message.ts';
import {resolveRequestOptions, type RequestSettings} from '../options/resolve-options.ts';
import {endGuard} from '../resource/write-guard.ts';
import type {GotContext} from './state/context.ts';
import {readForm} from './state/form.ts';
import {askedBy} from './state/given-request.ts';
import type {GotOptions} from './state/got-options.ts';
import {refreshedBy} from './state/refreshes.ts';
import {contentOf, isSameRequest, isUnchanged, requestHead, type LookedUpRequest} from './state/request.ts';
import {stateOf} from './state/request-state.ts';

export type LookedUp = {
	readonly exchange: Exchange;
	/** `undefined` if it is not to be sent. */
	readonly request: LookedUpRequest | undefined;
};

type LookUpOptions = {
	readonly budget: Exchange['budget'] | undefined;
	readonly isGivenUp: boolean;
};

type LookUpInput = LookUpOptions & {
	readonly sent: RequestHead;
	readonly settings: RequestSettings;
	/** `undefined` if it can be read only once. */
	readonly content: ReturnType<typeof contentOf>;
};

const noContent = {body: undefined, isEncoded: false};

const lookUpWith = (context: GotContext, options: GotOptions, {sent, settings, content, budget, isGivenUp}: LookUpInput): LookedUp | Promise<LookedUp> => {
	const request: LookedUpRequest = {head: sent, body: options.body};
	const head = settings.isOnlyIfCached ? withOnlyIfCached(sent) : sent;
	const asked = askedBy(context, options, {head, settings, content: content ?? noContent, budget});
	// Of two caches in a row, the one would keep what the other is told not to.
	const bypass = options.cache ? 'other-cache' : whyBypassed(context, asked.request, settings, content !== undefined);
	context.filteredOut.inRow = bypass === 'filtered' ? context.filteredOut.inRow + 1 : 0;
	const exchange = bypassNow(context, asked, bypass ?? (isGivenUp ? 'changing-request' : undefined));

	return exchange ? {request, exchange} : withExchange(request, lookUp(context, asked));
};

const readAndLookUp = async (context: GotContext, options: GotOptions, input: Omit<LookUpInput, 'content'>): Promise<LookedUp> =>
	lookUpWith(context, options, {...input, content: await readForm(options)});

/** The exchange, without a promise where the cache takes no part. */
const lookUpOnce = (context: GotContext, options: GotOptions, {budget, isGivenUp}: LookUpOptions): LookedUp | Promise<LookedUp> => {
	const sent = requestHead(options);
	const settings = options.context.cache === undefined ? context.settings.request : resolveRequestOptions(context.options, options.context.cache);
	const content = contentOf(options);
	const isLookedUp = !settings.isDisabled && settings.http.methods.has(sent.method);

	return content === undefined && isLookedUp
		? readAndLookUp(context, options, {sent, settings, budget, isGivenUp})
		: lookUpWith(context, options, {sent, settings, content, budget, isGivenUp});
};

const withExchange = async (request: LookedUpRequest, looking: Promise<Exchange>): Promise<LookedUp> => ({request, exchange: await looking});

const mostLookUps = 4;

/**
Looks up a request that got is about to send.

@returns Its exchange, and the request as it was looked up. There is no promise to wait for where the cache takes no part.
*/
export const lookUpForRequest = (context: GotContext, options: GotOptions): LookedUp | Promise<LookedUp> => {
	const state = stateOf(options);
	const {earlyLookUp} = state;
	const budget = earlyLookUp?.exchange.budget ?? state.budget;
	if (earlyLookUp) {
		state.earlyLookUp = undefined;
		// With its credentials, by which the functions `user` and `key` may have told whose it is.
		const request = {head: requestHead(options), body: options.body};
		if (isSameRequest(earlyLookUp.head, request.head)) {
			return {exchange: earlyLookUp.exchange, request};
		}

		void endGuard(context.store, earlyLookUp.exchange.guard);
	}

	const first = lookUpOnce(context, options, {budget, isGivenUp: false});

	return first instanceof Promise ? lookUpUntilUnchanged(context, options, first) : first;
};

/** Other code may change a request while it is looked up: the response may be for another user then. */
const lookUpUntilUnchanged = async (context: GotContext, options: GotOptions, first: Promise<LookedUp>): Promise<LookedUp> => {
	let looking: LookedUp | Promise<LookedUp> = first;
	for (let lookUps = 1; ; lookUps++) {
		// eslint-disable-next-line no-await-in-loop -- once more only if the request was changed meanwhile
		const {exchange, request} = await looking;
		if (!request || lookUps > mostLookUps || isUnchanged(request, options)) {
			const seen = refreshedBy(options);
			return {request, exchange: seen ? asRefresh(context, exchange, seen) : exchange};
		}

		void endGuard(context.store, exchange.guard);
		looking = lookUpOnce(context, options, {budget: exchange.budget, isGivenUp: lookUps === mostLookUps});
	}
};
