import type {Exchange} from '../cache/exchange.ts';
import {asRefresh, lookUp} from '../cache/look-up.ts';
import type {BypassReason} from '../http/decision.ts';
import type {RequestHead} from '../http/message.ts';
import {resolveRequestOptions, type RequestSettings} from '../options/resolve-options.ts';
import {endGuard} from '../resource/write-guard.ts';
import {takePrepared} from './fast-path/fast-path.ts';
import type {GotContext} from './state/context.ts';
import {patienceFor} from './state/exchanges.ts';
import {readForm} from './state/form.ts';
import {askedBy} from './state/given-request.ts';
import type {GotOptions} from './state/got-options.ts';
import {refreshedBy} from './state/refreshes.ts';
import {contentOf, isSameRequest, isUnchanged, requestHead, type LookedUpRequest} from './state/request.ts';

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
	const bypass = options.cache ? 'other-cache' : bypassReason(context, asked.request, settings, content !== undefined);

	return {request, exchange: await lookUp(context, {...asked, budget}, {bypass: bypass ?? (isGivenUp ? 'changing-request' : undefined)})};
};

const mostLookUps = 4;

/**
The exchange of a request that got is about to send, and the request as it was looked up.

@param before - The one before, where the origin's answer did not go with what is stored.
*/
export const lookUpForRequest = async (context: GotContext, options: GotOptions, before: Exchange | undefined): Promise<LookedUp> => {
	const prepared = takePrepared(options);
	let budget = (before ?? prepared?.exchange)?.budget ?? patienceFor(options);
	if (prepared) {
		// With its credentials, by which the functions `user` and `key` may have told whose it is.
		const request = {head: requestHead(options), body: options.body};
		if (isSameRequest(prepared.head, request.head)) {
			return {exchange: prepared.exchange, request};
		}

		void endGuard(context.store, prepared.exchange.guard);
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
