import type {NormalizedOptions} from 'got';
import type {Exchange} from '../exchange.ts';
import type {BypassReason} from '../http/decision.ts';
import type {RequestHead} from '../http/message.ts';
import {asRefresh, lookUp} from '../look-up.ts';
import {resolveRequestOptions, type RequestSettings} from '../resolve-options.ts';
import type {GotContext, GotOptions} from './context.ts';
import {patienceFor} from './exchanges.ts';
import {takePrepared} from './fast-path.ts';
import {refreshedBy} from './refresh.ts';
import {isSameRequest, keyInput, requestHead} from './request.ts';

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
export const openExchange = async (context: GotContext, options: GotOptions, before: Exchange | undefined): Promise<Exchange> => {
	const prepared = takePrepared(options);
	const patience = (before ?? prepared)?.patience ?? patienceFor(options);
	if (prepared && isSameRequest(prepared.request, requestHead(options))) {
		return prepared;
	}

	const settings = options.context.cache === undefined ? context.settings.request : resolveRequestOptions(context.options, options.context.cache);
	const head = settings.isOnlyIfCached ? withOnlyIfCached(requestHead(options)) : requestHead(options);
	const input = keyInput(options, context.settings.key?.(head, options as NormalizedOptions));
	// Of two caches in a row, the one would keep what the other is told not to.
	const bypass = options.cache ? 'other-cache' : bypassReason(context, head, settings, input !== undefined);

	const exchange = await lookUp(context, {request: head, settings, keyInput: input ?? {body: undefined, isEncoded: false, extra: undefined}, patience}, {bypass});
	const seen = refreshedBy(options);

	return seen ? asRefresh(context, exchange, seen) : exchange;
};
