import {primaryKey} from '../http/cache-key.ts';
import {isRedacted, redactedUrl} from '../http/credentials.ts';
import {rawFieldValue} from '../http/header-fields.ts';
import type {RequestHead} from '../http/message.ts';
import {isEquivalent, simplifiedUrl, urlVariation, type SearchVariance} from '../http/no-vary-search.ts';
import {encodedKey, resourceKey} from '../resource/store-keys.ts';
import {placeGuardFirst, takeGuard, whyNotHeld} from '../resource/write-guard.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import {
	askSearchVariance,
	findSearchVariance,
	isForSearchVariance,
	knownSearchVariance,
	mayVary,
	purgePath,
	registerSearchVariance,
	wasUrlPurged,
} from '../tags/search-variance.ts';
import {noVersions, type StoreRefusal} from '../tags/validity.ts';
import type {StoredResponse} from '../types/stored.ts';
import {
	withinBudgetOf,
	type Asked,
	type Exchange,
	type ExchangeContext,
	type KeyInput,
	type KeyInputOfAny,
} from './exchange.ts';

/*
The keys of a request. A response with `No-Vary-Search` is stored under a key that equivalent URLs share, so that a request may be looked up under more than one.
*/

const searchVarianceOf = ({rawHeaders}: Pick<StoredResponse, 'rawHeaders'>): SearchVariance | undefined => urlVariation(rawFieldValue(rawHeaders, 'no-vary-search'));

/** Serializes the results of the user's functions in a form that no request without these functions has. */
const distinction = (extra: string | undefined, user: string | undefined): string | undefined => {
	if (user !== undefined) {
		return JSON.stringify([false, extra ?? null, user]);
	}

	return extra === undefined ? undefined : JSON.stringify([false, extra]);
};

/**
@param searchVariance - Gives equivalent URLs one key, which differs from the key of any single URL.
*/
export const keyOf = ({settings}: ExchangeContext, request: RequestHead, {body, isEncoded, extra, user}: KeyInput, searchVariance?: SearchVariance): string => {
	const resource = resourceKey(primaryKey(request, settings.request.http, {
		body,
		extra: distinction(extra, user),
		searchVariance,
	}));

	return isEncoded ? encodedKey(resource) : resource;
};

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

/** Whether a response is stored under the key that it was looked up under. */
export const isUnderFirstKey = ({key}: Pick<Exchange, 'key'>, response: StoredResponse): boolean => !isForSearchVariance(key) && !searchVarianceOf(response);

/** Chooses the key for a response: the response's own `No-Vary-Search` decides for which URLs it is stored. */
export const keyToStore = async (context: ExchangeContext, exchange: KeyedExchange, {rawHeaders}: StoredResponse, ttl: TimeToLive): Promise<StoreKey | StoreRefusal> => {
	const {request, keyInput, requestTimeMs, versions: seen} = exchange;
	const searchVariance = searchVarianceOf({rawHeaders});
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
	const searchVariance = searchVarianceOf({rawHeaders});
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

/** A key under which responses to a request may be stored. */
export type KeyedPlace = {
	readonly key: string;
	/** Whether the key is for callers who decode the content themselves. */
	readonly isEncoded: boolean;
};

/** The keys of a request for decoded and encoded content, under its own URL or that of equivalent ones. */
const placesOf = (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny, searchVariance?: SearchVariance): KeyedPlace[] =>
	[false, true].map(isEncoded => ({key: keyOf(context, request, {...input, isEncoded}, searchVariance), isEncoded}));

type Places = {
	/** The keys of equivalent URLs come first. */
	readonly places: readonly KeyedPlace[];
	/** The field of the path that says which URLs are equivalent. */
	readonly noVarySearch: string | undefined;
};

/** Finds the keys under which responses to a request may be stored, whatever their content coding. */
export const findPlaces = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<Places> => {
	const searchVariance = await askSearchVariance(context, request.url);
	const shared = searchVariance ? placesOf(context, request, input, searchVariance) : [];

	return {places: [...shared, ...placesOf(context, request, input)], noVarySearch: searchVariance?.field};
};

/** The keys under which responses to a request may be stored, the key of equivalent URLs first. */
export const storedKeysOf = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<string[]> => {
	const {places} = await findPlaces(context, request, input);
	return places.map(({key}) => key);
};

/** The keys under which a stored response may lie, as far as the response tells them. */
export const keysOfStored = (context: ExchangeContext, stored: StoredResponse): string[] => {
	const {method, url} = stored;
	return [undefined, searchVarianceOf(stored)]
		.flatMap(searchVariance => placesOf(context, {method, url, headers: {}}, {body: undefined, extra: undefined, user: undefined}, searchVariance))
		.map(({key}) => key);
};

/**
Finds the resources of equivalent URLs, which go with a request that is purged.

@returns Their keys, and whether the store confirmed the note that makes other processes do the same.
*/
export const equivalentsToPurge = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<{readonly resources: readonly string[]; readonly isConfirmed: boolean}> => {
	const {searchVariances, isConfirmed} = await purgePath(context, request.url);
	return {resources: searchVariances.map(searchVariance => keyOf(context, request, {...input, isEncoded: false}, searchVariance)), isConfirmed};
};
