import {isRedacted, redactedUrl} from '../http/credentials.ts';
import {rawFieldValue} from '../http/header-fields.ts';
import {isEquivalent, simplifiedUrl, urlVariation} from '../http/no-vary-search.ts';
import {placeGuardFirst, takeGuard, whyNotHeld} from '../resource/write-guard.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import {
	findSearchVariance,
	isForSearchVariance,
	knownSearchVariance,
	mayVary,
	registerSearchVariance,
	wasUrlPurged,
} from '../tags/search-variance.ts';
import {noVersions, type StoreRefusal} from '../tags/validity.ts';
import type {StoredResponse} from '../types/stored.ts';
import {keyOf, withinBudgetOf, type Asked, type Exchange, type ExchangeContext} from './exchange.ts';

/*
The keys of a request. A response with `No-Vary-Search` is stored under a key that equivalent URLs share, so that a request may be looked up under more than one.
*/

/** The key under which a request is looked up first. */
export const firstKeyOf = (context: ExchangeContext, {request, keyInput}: Asked): string => keyOf(context, request, keyInput, knownSearchVariance(context, request.url));

/** Whether a response may be stored for a request under another key than the first. */
export const mayHaveOtherKeys = (context: ExchangeContext, url: string, firstKey: string): boolean => isForSearchVariance(firstKey) || mayVary(context, url);

/** The keys under which the response to a request may be stored: the key that equivalent URLs share, if there is one, then the request's own. */
export const candidateKeys = async (context: ExchangeContext, {request, keyInput}: Asked): Promise<readonly [string, ...string[]]> => {
	const searchVariance = await findSearchVariance(context, request.url);
	const ownKey = keyOf(context, request, keyInput);
	const sharedKey = searchVariance ? keyOf(context, request, keyInput, searchVariance) : ownKey;

	return sharedKey === ownKey ? [ownKey] : [sharedKey, ownKey];
};

type KeyedExchange = Pick<Exchange, 'request' | 'keyInput' | 'key' | 'index' | 'requestTimeMs' | 'versions' | 'guard'>;

/** The key for a response, with what the exchange knows of it. */
type StoreKey = Pick<Exchange, 'key' | 'index' | 'versions' | 'guard'>;

/** Chooses the key for a response: the response's own `No-Vary-Search` decides for which URLs it is stored. */
export const keyToStore = async (context: ExchangeContext, exchange: KeyedExchange, {rawHeaders}: StoredResponse, ttl: TimeToLive): Promise<StoreKey | StoreRefusal> => {
	const {request, keyInput, requestTimeMs, versions: seen} = exchange;
	const searchVariance = urlVariation(rawFieldValue(rawHeaders, 'no-vary-search'));
	if (!searchVariance && !isForSearchVariance(exchange.key)) {
		return exchange;
	}

	const key = keyOf(context, request, keyInput, searchVariance);
	const versions = searchVariance ? await registerSearchVariance(context, {url: request.url, searchVariance, seen, timeToLive: ttl}) : seen;
	if (typeof versions === 'string') {
		return versions;
	}

	if (key === exchange.key) {
		return {...exchange, versions};
	}

	// The exchange relies on the guard of another key, so that neither that key nor this one may have been purged while the origin was asked.
	const guard = takeGuard(context.store, key, {versions: noVersions, startedMonoMs: ownTimers.now()});
	const [wasPurged, refusal] = await Promise.all([
		wasUrlPurged(context, request.url, requestTimeMs),
		whyNotHeld(context.store, exchange.key, exchange.guard),
	]);

	return wasPurged ? 'invalidated' : refusal ?? {key, versions, guard, index: undefined};
};

/** Whether the response to another request is also stored for this request's URL. */
export const isForUrl = (context: ExchangeContext, {key, request, keyInput, settings}: Exchange, {url, rawHeaders}: StoredResponse): boolean => {
	const searchVariance = urlVariation(rawFieldValue(rawHeaders, 'no-vary-search'));
	if (!isForSearchVariance(key) || (searchVariance && keyOf(context, request, keyInput, searchVariance) === key)) {
		return true;
	}

	// Redacted URLs do not tell requests with credentials apart.
	const isTold = !isRedacted(searchVariance ? simplifiedUrl(url, searchVariance) : url);

	return isTold && isEquivalent(redactedUrl(request.url, settings.http.ignoredParameters), url, searchVariance);
};

/** Prepares the exchange of a request that is about to ask the origin after its URL turned out not to be equivalent to another. */
export const underOwnUrl = async (context: ExchangeContext, exchange: Exchange): Promise<Exchange> => {
	const key = keyOf(context, exchange.request, exchange.keyInput);

	return {...exchange, key, index: undefined, guard: await placeGuardFirst(withinBudgetOf(context, exchange).store, key)};
};
