import type {RequestHead} from '../http/message.ts';
import type {SearchVariance} from '../http/no-vary-search.ts';
import type {Invalidation} from '../http/outcome.ts';
import {purge} from '../resource/resource.ts';
import {withReplicas} from '../store/replicas.ts';
import {changeVersion} from '../tags/current-versions.ts';
import {askSearchVariance, purgePath} from '../tags/search-variance.ts';
import {groupVersionKey, originVersionKey} from '../tags/versions.ts';
import {
	keyOf,
	withinBudgetOf,
	type Exchange,
	type ExchangeContext,
	type KeyInputOfAny,
} from './exchange.ts';

/** Of a request, decoded or not, under its own URL or under that of equivalent ones. */
export const keysOf = (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny, searchVariance?: SearchVariance): string[] =>
	[false, true].map(isEncoded => keyOf(context, request, {...input, isEncoded}, searchVariance));

/**
Removes all that is stored for a request, and so for those whose URLs are equivalent.

@returns Whether the store confirmed it.
*/
export const purgeRequest = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<boolean> => {
	const purgeResource = async (searchVariance?: SearchVariance) => purge(context, keyOf(context, request, {...input, isEncoded: false}, searchVariance));
	const purgeEquivalents = async () => {
		const {searchVariances, isConfirmed} = await purgePath(context, request.url);
		const purged = await Promise.all(searchVariances.map(async searchVariance => purgeResource(searchVariance)));
		return [isConfirmed, ...purged];
	};

	const confirmations = await Promise.all([purgeResource(), purgeEquivalents()]);
	return confirmations.flat().every(Boolean);
};

/** The keys that a request's responses may be stored under, the first before the others. */
export const storedKeysOf = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<string[]> => {
	const searchVariance = await askSearchVariance(context, request.url);
	return [...searchVariance ? keysOf(context, request, input, searchVariance) : [], ...keysOf(context, request, input)];
};

/** A response that names more groups than these purges all of its origin: each of them would leave a key. */
const maxGroups = 64;

/** Purges what a response has made invalid, RFC 9111 §4.4 and RFC 9875. */
export const invalidate = async (context: ExchangeContext, exchange: Exchange, {urls, groups}: Invalidation) => {
	const {keyInput, request} = exchange;
	const nowMs = context.now();
	const bounded = withinBudgetOf(context, exchange);
	const watching = bounded.store.watchReplicas?.();
	const watch = watching && await watching;
	const steps = watch ? {...bounded, store: withReplicas(bounded.store, watch)} : bounded;
	// A user's request may change what everybody has.
	const users = new Set([keyInput.user, undefined]).keys().toArray();
	const confirmations = await Promise.all([
		...urls.flatMap(url => users.map(async user => purgeRequest(steps, {method: 'GET', url, headers: {host: request.headers.host}}, {body: undefined, extra: keyInput.extra, user}))),
		// RFC 9875 §3
		...(groups.length > maxGroups ? [changeVersion(steps.store, originVersionKey(request.url), {isSoft: false, nowMs})] : []),
		...(groups.length > maxGroups ? [] : groups).map(async group => changeVersion(steps.store, groupVersionKey(request.url, group), {isSoft: false, nowMs})),
	]);
	// The request does not wait for it: what is missing is an event.
	if (watch && confirmations.every(Boolean)) {
		void watch.confirm({isInBackground: true});
	}
};
