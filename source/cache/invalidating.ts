import type {RequestHead} from '../http/message.ts';
import type {Invalidation} from '../http/outcome.ts';
import {purge} from '../resource/purging.ts';
import {withReplicas} from '../store/replicas.ts';
import {purgeTarget, type PurgeTarget} from '../tags/validity.ts';
import {withinBudgetOf, type Exchange, type ExchangeContext, type KeyInputOfAny} from './exchange.ts';
import {equivalentsToPurge, keyOf} from './keys.ts';

/**
Removes all responses stored for a request, including those for equivalent URLs.

@returns Whether the store confirmed the purge.
*/
export const purgeRequest = async (context: ExchangeContext, request: RequestHead, input: KeyInputOfAny): Promise<boolean> => {
	const purgeEquivalents = async () => {
		const {resources, isConfirmed} = await equivalentsToPurge(context, request, input);
		return [isConfirmed, ...await Promise.all(resources.map(async resource => purge(context, resource)))];
	};

	const confirmations = await Promise.all([purge(context, keyOf(context, request, {...input, isEncoded: false})), purgeEquivalents()]);
	return confirmations.flat().every(Boolean);
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
