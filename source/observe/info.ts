import {currentAgeSeconds, expiryOf} from '../http/age.ts';
import {redactedUrl} from '../http/credentials.ts';
import {dateOf} from '../http/dates.ts';
import type {Decision} from '../http/decision.ts';
import type {Outcome, PassReason, SharedOutcome} from '../http/outcome.ts';
import type {StoredResponse} from '../types/stored.ts';
import {isAsked, type ObservedExchange} from './observed-exchange.ts';

/** The outcomes of an exchange with the origin that have a reason of their own for the status. */
type ReasonedOutcome = Exclude<Outcome, {kind: 'pass' | 'store'}>;

/** The reason for a response's `status`. `docs/reasons.md` explains each reason. */
export type CacheReason = Decision['reason'] | ReasonedOutcome['reason'] | SharedOutcome['reason'];

/** The reason why the origin's response was not stored. `docs/reasons.md` explains each reason. */
export type NotStoredReason = PassReason;

/** Describes what the cache did for one request: the caller's, or one that a redirect led to. */
export type CacheHop = Pick<CacheInfo, 'status' | 'reason' | 'notStored'> & {
	/** The absolute URL without userinfo, fragment and ignored parameters, and with `REDACTED` in place of credentials. */
	readonly url: string;
};

/**
Describes what the cache did for a response.
*/
export type CacheInfo = {
	/**
	- `'hit'`: a stored response answered, and the origin was not asked. With the reason `'collapsed'`, the response to an equal request answered.
	- `'stale'`: a stale stored response answered: in place of a failure, while it is refreshed, or because the request or an option accepts stale responses.
	- `'revalidated'`: a stored response answered after the origin confirmed it with 304 (Not Modified).
	- `'miss'`: the origin answered.
	- `'bypass'`: the cache took no part.
	- `'unavailable'`: no stored response could be used, and asking the origin was forbidden: 504 (Gateway Timeout).

	If the origin had to be asked for a redirect that led to a stored response, `status` and `reason` are those of the redirect instead of `'hit'`. The other properties describe the response itself.
	*/
	readonly status: 'hit' | 'stale' | 'revalidated' | 'miss' | 'bypass' | 'unavailable';

	/** The reason for `status`: the look-up's result, or the effect of the origin's response if that determined the answer. `docs/reasons.md` explains each reason. */
	readonly reason: CacheReason;

	/** Why the origin's response was not stored; `undefined` if it was, or if the origin's response was not used. */
	readonly notStored: NotStoredReason | undefined;

	/** The resource's key in the store without the namespace, with its braces: `'{mJ3…}'`; `undefined` if the cache took no part. */
	readonly key: string | undefined;

	/** The current age of the stored response, in seconds with three decimals (RFC 9111 §4.2.3). */
	readonly age: number | undefined;

	/** The time when the stored response was received or last validated. */
	readonly storedAt: Date | undefined;

	/** The time when the stored response becomes, or became, stale; `undefined` if it never does. */
	readonly expiresAt: Date | undefined;

	/** Whether the response was cached in this process's memory only: no `store` was given, and no Redis has answered yet. */
	readonly isMemoryOnly: boolean;

	/** All requests that led to the response, in order: the first, and one for each redirect that was followed. */
	readonly hops: readonly CacheHop[];
};

export const statusOf = ({exchange: {decision}, settlement}: ObservedExchange): CacheInfo['status'] => {
	const outcome = settlement?.outcome.kind;
	if (outcome === 'reuse-stale') {
		return 'stale';
	}

	if (outcome === 'freshen') {
		return 'revalidated';
	}

	if (outcome === 'share') {
		return 'hit';
	}

	switch (decision.kind) {
		case 'reuse': {
			return decision.reason === 'fresh' || decision.reason === 'immutable' ? 'hit' : 'stale';
		}

		case 'bypass':
		case 'unavailable': {
			return decision.kind;
		}

		case 'fetch':
		case 'validate': {
			return 'miss';
		}
	}
};

/** The stored response that answered, or that the origin's response became. */
export const usedStored = ({exchange: {decision}, settlement}: ObservedExchange): StoredResponse | undefined =>
	settlement?.answer ?? settlement?.written ?? (decision.kind === 'reuse' ? decision.stored : undefined);

export const reasonOf = ({exchange: {decision}, settlement}: ObservedExchange): CacheReason => {
	const outcome = settlement?.outcome;

	return outcome === undefined || outcome.kind === 'pass' || outcome.kind === 'store' ? decision.reason : outcome.reason;
};

export const notStoredOf = ({settlement}: ObservedExchange): NotStoredReason | undefined => settlement?.outcome.kind === 'pass' ? settlement.outcome.reason : settlement?.refusal;

/** The exchanges of all hops, in order. */
const chainOf = (last: ObservedExchange): ObservedExchange[] => last.previous === undefined ? [last] : [...chainOf(last.previous), last];

/** The hop that determines `status` and `reason`: the last, or, if the last is a hit, the last one that is not. */
const decisiveHop = (last: ObservedExchange): ObservedExchange => statusOf(last) === 'hit' ? chainOf(last).findLast(state => statusOf(state) !== 'hit') ?? last : last;

/** Describes an exchange without its hops. */
export const describe = (state: ObservedExchange, nowMs: number): Omit<CacheInfo, 'hops'> => {
	const {key} = state.exchange;
	const stored = usedStored(state);
	const decisive = decisiveHop(state);

	return {
		status: statusOf(decisive),
		reason: reasonOf(decisive),
		notStored: notStoredOf(state),
		key: key === '' ? undefined : key,
		age: stored && currentAgeSeconds(stored.policy, nowMs),
		storedAt: stored && dateOf(stored.policy.responseTimeMs),
		expiresAt: stored && expiryOf(stored.policy),
		isMemoryOnly: state.isMemoryOnly,
	};
};

const hopOf = (state: ObservedExchange): CacheHop => {
	const {request, settings} = state.exchange;

	return {
		url: redactedUrl(request.url, settings.http.ignoredParameters),
		status: statusOf(state),
		reason: reasonOf(state),
		notStored: notStoredOf(state),
	};
};

/** Describes an exchange with all of its hops. */
export const infoOf = (state: ObservedExchange): CacheInfo => ({...describe(state, Date.now()), hops: chainOf(state).map(hop => hopOf(hop))});

/** Completes the state of an exchange that ended without a complete response. */
export const failed = (state: ObservedExchange): ObservedExchange =>
	state.settlement === undefined && isAsked(state)
		? {...state, settlement: {outcome: {kind: 'pass', reason: 'error', change: {kind: 'leave', reason: 'error'}}}}
		: state;
