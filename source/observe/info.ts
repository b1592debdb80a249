import {currentAgeSeconds, expiryOf} from '../http/age.ts';
import {redactedUrl} from '../http/credentials.ts';
import {dateOf} from '../http/dates.ts';
import type {Decision} from '../http/decision.ts';
import type {Outcome, PassReason, SharedOutcome} from '../http/outcome.ts';
import type {StoredResponse} from '../types/stored.ts';
import {isAsked, type ObservedExchange} from './observed-exchange.ts';

/** Why a response was answered as it was, each explained in `docs/reasons.md`. */
export type CacheReason = Decision['reason'] | Exclude<Outcome, {kind: 'pass' | 'store'}>['reason'] | SharedOutcome['reason'];

/** Why a response of the origin's was not stored, each explained in `docs/reasons.md`. */
export type NotStoredReason = PassReason;

/** What the cache did for one request: for that of the caller, or for one that a redirect led to. */
export type CacheHop = Pick<CacheInfo, 'status' | 'reason' | 'notStored'> & {
	/** Absolute, without userinfo, fragment and ignored parameters, and with `REDACTED` in the place of credentials. */
	readonly url: string;
};

/**
What the cache did for a response.
*/
export type CacheInfo = {
	/**
	- `'hit'`: a stored response answered, the origin was not asked; with the reason `'collapsed'`, an equal request had asked it.
	- `'stale'`: a stale stored response answered: in place of a failure, while it is refreshed, or because the request or an option accepts it.
	- `'revalidated'`: a stored response answered after the origin confirmed it with 304 (Not Modified).
	- `'miss'`: the origin answered.
	- `'bypass'`: the cache took no part.
	- `'unavailable'`: nothing stored would do, and asking the origin was forbidden: 504 (Gateway Timeout).

	A stored response to which the origin had to redirect is no `'hit'`: `status` and `reason` are then those of the redirect, and the other properties are about the response itself.
	*/
	readonly status: 'hit' | 'stale' | 'revalidated' | 'miss' | 'bypass' | 'unavailable';

	/** Why: what the look-up came to, or, where that made the answer, what came of the origin's response. Each is explained in `docs/reasons.md`. */
	readonly reason: CacheReason;

	/** Why the origin's response was not stored; `undefined` if it was, or if the origin's response was not used. */
	readonly notStored: NotStoredReason | undefined;

	/** Of the resource, in the store, behind the namespace, with its braces: `'{mJ3…}'`; `undefined` when the cache took no part. */
	readonly key: string | undefined;

	/** Age of the stored response by now, in seconds with three decimals (RFC 9111 §4.2.3). */
	readonly age: number | undefined;

	/** When the stored response was received or last validated. */
	readonly storedAt: Date | undefined;

	/** When the stored response stops, or stopped, being fresh; `undefined` when it never does. */
	readonly expiresAt: Date | undefined;

	/** Whether the memory of this process stood in for a Redis: no `store` was given, and no Redis has answered yet. */
	readonly isMemoryOnly: boolean;

	/** Each request that was made or answered on the way, in their order: one, and one more for each redirect that was followed. */
	readonly hops: readonly CacheHop[];
};

const statusOf = ({exchange: {decision}, settlement}: ObservedExchange): CacheInfo['status'] => {
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
export const usedStored = ({exchange: {decision}, settlement}: ObservedExchange): StoredResponse | undefined => settlement?.answer ?? settlement?.written ?? (decision.kind === 'reuse' ? decision.stored : undefined);

const reasonOf = ({exchange: {decision}, settlement}: ObservedExchange): CacheReason => {
	const outcome = settlement?.outcome;

	return outcome === undefined || outcome.kind === 'pass' || outcome.kind === 'store' ? decision.reason : outcome.reason;
};

const notStoredOf = ({settlement}: ObservedExchange): NotStoredReason | undefined => settlement?.outcome.kind === 'pass' ? settlement.outcome.reason : settlement?.refusal;

/** The exchanges of all hops, the first first. */
const chainOf = (last: ObservedExchange): ObservedExchange[] => last.previous === undefined ? [last] : [...chainOf(last.previous), last];

/** The hop that says how the response came about: the last, unless it is a hit and one before it is none. */
const decisiveHop = (last: ObservedExchange): ObservedExchange => statusOf(last) === 'hit' ? chainOf(last).findLast(state => statusOf(state) !== 'hit') ?? last : last;

/** All but the hops. */
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

/** An exchange that ended without a complete response. */
export const failed = (state: ObservedExchange): ObservedExchange => state.settlement === undefined && isAsked(state) ? {...state, settlement: {outcome: {kind: 'pass', reason: 'error', change: {kind: 'leave', reason: 'error'}}}} : state;
