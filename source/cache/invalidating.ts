import type {RequestHead} from '../http/message.ts';
import type {SearchVariance} from '../http/no-vary-search.ts';
import type {Invalidation} from '../http/outcome.ts';
import {purge} from '../resource/resource.ts';
import {withReplicas} from '../store/replicas.ts';
import {askSearchVariance, purgePath} from '../tags/search-variance.ts';
import {purgeTarget, type PurgeTarget} from '../tags/validity.ts';
import {
	keyOf,
	withinBudgetOf,
	type Exchange,
	type ExchangeContext,
	type KeyInputOfAny,
} from './exchange.ts';

/** The keys of a request for decoded and encoded content, under its own URL or that of equivalent ones. */
export const keysOf = (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny, searchVariance?: SearchVariance): string[] =>
	[false, true].map(isEncoded => keyOf(context, request, {...input, isEncoded}, searchVariance));

/**
Removes all responses stored for a request, including those for equivalent URLs.

@returns Whether the store confirmed the purge.
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

/** The keys under which responses to a request may be stored, the key of equivalent URLs first. */
export const storedKeysOf = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<string[]> => {
	const searchVariance = await askSearchVariance(context, request.url);
	return [...searchVariance ? keysOf(context, request, input, searchVariance) : [], ...keysOf(context, request, input)];
};

/** The most groups that one response may purge one by one. With more groups, all responses of the origin are purged, since each group would leave a key. */
const maxGroups = 64;

/** RFC 9875 §3 */
const targetsOf = ({url}: RequestHead, groups: readonly string[]): readonly PurgeTarget[] =>
	groups.length > maxGroups ? [{kind: 'origin', url}] : groups.map(group => ({kind: 'group', url, group}));

/** Purges the responses that another response has invalidated, RFC 9111 §4.4 and RFC 9875. */
export const invalidate = async (context: ExchangeContext, exchange: Exchange, {urls, groups}: Invalidation) => {
	const {keyInput, request} = exchange;
	const nowMs = context.now();
	const bounded = withinBudgetOf(context, exchange);
	const watching = bounded.store.watchReplicas?.();
	const watch = watching && await watching;
	const steps = watch ? {...bounded, store: withReplicas(bounded.store, watch)} : bounded;
	// A request of one user may change responses for everybody.
	const users = new Set([keyInput.user, undefined]).keys().toArray();
	const confirmations = await Promise.all([
		...urls.flatMap(url => users.map(async user => purgeRequest(steps, {method: 'GET', url, headers: {host: request.headers.host}}, {body: undefined, extra: keyInput.extra, user}))),
		...targetsOf(request, groups).map(async target => purgeTarget(steps.store, target, {isSoft: false, nowMs})),
	]);
	// The request does not wait for replicas: a missing confirmation is reported as an event.
	if (watch && confirmations.every(Boolean)) {
		void watch.confirm({isInBackground: true});
	}
};
