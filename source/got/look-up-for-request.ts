import type {Exchange} from '../cache/exchange.ts';
import {asRefresh, lookUp} from '../cache/look-up.ts';
import type {BypassReason} from '../http/decision.ts';
import type {RequestHead} from '../http/message.ts';
import {resolveRequestOptions, type RequestSettings} from '../options/resolve-options.ts';
import {takePrepared} from './fast-path/fast-path.ts';
import type {GotContext} from './state/context.ts';
import {patienceFor} from './state/exchanges.ts';
import {readForm} from './state/form.ts';
import {askedBy} from './state/given-request.ts';
import type {GotOptions} from './state/got-options.ts';
import {refreshedBy} from './state/refreshes.ts';
import {contentOf, isSameRequest, requestHead} from './state/request.ts';

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

/**
The exchange of a request that got is about to send.

@param before - The one before, where the origin's answer did not go with what is stored.
*/
export const lookUpForRequest = async (context: GotContext, options: GotOptions, before: Exchange | undefined): Promise<Exchange> => {
	const prepared = takePrepared(options);
	const budget = (before ?? prepared?.exchange)?.budget ?? patienceFor(options);
	const sent = requestHead(options);
	// With its credentials, by which the functions `user` and `key` may have told whose it is.
	if (prepared && isSameRequest(prepared.head, sent)) {
		return prepared.exchange;
	}

	const settings = options.context.cache === undefined ? context.settings.request : resolveRequestOptions(context.options, options.context.cache);
	const head = settings.isOnlyIfCached ? withOnlyIfCached(sent) : sent;
	const isLookedUp = !settings.isDisabled && settings.http.methods.has(sent.method);
	const content = contentOf(options) ?? (isLookedUp ? await readForm(options) : undefined);
	const asked = askedBy(context, options, {head, settings, content: content ?? {body: undefined, isEncoded: false}});
	// Of two caches in a row, the one would keep what the other is told not to.
	const bypass = options.cache ? 'other-cache' : bypassReason(context, asked.request, settings, content !== undefined);

	const exchange = await lookUp(context, {...asked, budget}, {bypass});
	const seen = refreshedBy(options);

	return seen ? asRefresh(context, exchange, seen) : exchange;
};
