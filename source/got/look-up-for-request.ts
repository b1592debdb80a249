import type {Exchange} from '../cache/exchange.ts';
import {asRefresh, lookUp, whyBypassed} from '../cache/look-up.ts';
import {withOnlyIfCached} from '../http/directives.ts';
import {resolveRequestOptions} from '../options/resolve-options.ts';
import {endGuard} from '../resource/write-guard.ts';
import type {GotContext} from './state/context.ts';
import {readForm} from './state/form.ts';
import {askedBy} from './state/given-request.ts';
import type {GotOptions} from './state/got-options.ts';
import {refreshedBy} from './state/refreshes.ts';
import {contentOf, isSameRequest, isUnchanged, requestHead, type LookedUpRequest} from './state/request.ts';
import {stateOf} from './state/request-state.ts';

type LookedUp = {
	readonly exchange: Exchange;
	readonly request: LookedUpRequest;
};

type LookUpOptions = {
	readonly budget: Exchange['budget'] | undefined;
	readonly isGivenUp: boolean;
};

const lookUpOnce = async (context: GotContext, options: GotOptions, {budget, isGivenUp}: LookUpOptions): Promise<LookedUp> => {
	const sent = requestHead(options);
	const settings = options.context.cache === undefined ? context.settings.request : resolveRequestOptions(context.options, options.context.cache);
	const head = settings.isOnlyIfCached ? withOnlyIfCached(sent) : sent;
	const isLookedUp = !settings.isDisabled && settings.http.methods.has(sent.method);
	const content = contentOf(options) ?? (isLookedUp ? await readForm(options) : undefined);
	const request: LookedUpRequest = {head: sent, body: options.body};
	const asked = askedBy(context, options, {head, settings, content: content ?? {body: undefined, isEncoded: false}});
	// Of two caches in a row, the one would keep what the other is told not to.
	const bypass = options.cache ? 'other-cache' : whyBypassed(context, asked.request, settings, content !== undefined);

	return {request, exchange: await lookUp(context, {...asked, budget}, {bypass: bypass ?? (isGivenUp ? 'changing-request' : undefined)})};
};

const mostLookUps = 4;

/** Looks up a request that got is about to send. Returns its exchange, and the request as it was looked up. */
export const lookUpForRequest = async (context: GotContext, options: GotOptions): Promise<LookedUp> => {
	const state = stateOf(options);
	const {earlyLookUp} = state;
	let budget = earlyLookUp?.exchange.budget ?? state.budget;
	if (earlyLookUp) {
		state.earlyLookUp = undefined;
		// With its credentials, by which the functions `user` and `key` may have told whose it is.
		const request = {head: requestHead(options), body: options.body};
		if (isSameRequest(earlyLookUp.head, request.head)) {
			return {exchange: earlyLookUp.exchange, request};
		}

		void endGuard(context.store, earlyLookUp.exchange.guard);
	}

	for (let lookUps = 1; ; lookUps++) {
		// eslint-disable-next-line no-await-in-loop -- once more only if the request was changed meanwhile
		const {exchange, request} = await lookUpOnce(context, options, {budget, isGivenUp: lookUps > mostLookUps});
		if (lookUps > mostLookUps || isUnchanged(request, options)) {
			const seen = refreshedBy(options);
			return {request, exchange: seen ? asRefresh(context, exchange, seen) : exchange};
		}

		// The response may be for another user.
		void endGuard(context.store, exchange.guard);
		({budget} = exchange);
	}
};
