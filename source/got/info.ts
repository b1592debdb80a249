import type {PlainResponse} from 'got';
import {currentAgeSeconds, expiryOf} from '../http/age.ts';
import {dateOf} from '../http/dates.ts';
import type {Decision} from '../http/decision.ts';
import type {Outcome, PassReason, SharedOutcome} from '../http/outcome.ts';
import type {StoredResponse} from '../stored.ts';
import {exchangeBehind, isResponse, type GotExchange} from './exchanges.ts';

/** Why a response was answered as it was, each explained in `docs/reasons.md`. */
export type CacheReason = Decision['reason'] | Exclude<Outcome, {kind: 'pass' | 'store'}>['reason'] | SharedOutcome['reason'];

/** Why a response of the origin's was not stored, each explained in `docs/reasons.md`. */
export type NotStoredReason = PassReason;

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
};

const statusOf = ({exchange: {decision}, settlement}: GotExchange): CacheInfo['status'] => {
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
export const usedStored = ({exchange: {decision}, settlement}: GotExchange): StoredResponse | undefined => settlement?.answer ?? settlement?.written ?? (decision.kind === 'reuse' ? decision.stored : undefined);

export const describe = (state: GotExchange, nowMs: number): CacheInfo => {
	const {exchange: {decision, key}, settlement} = state;
	const outcome = settlement?.outcome;
	const stored = usedStored(state);

	return {
		status: statusOf(state),
		reason: outcome === undefined || outcome.kind === 'pass' || outcome.kind === 'store' ? decision.reason : outcome.reason,
		notStored: outcome?.kind === 'pass' ? outcome.reason : settlement?.refusal,
		key: key === '' ? undefined : key,
		age: stored && currentAgeSeconds(stored.policy, nowMs),
		storedAt: stored && dateOf(stored.policy.responseTimeMs),
		expiresAt: stored && expiryOf(stored.policy),
	};
};

/**
What the cache did for a response, and why.

@param response - A response of a got instance that was extended with `redisCache()`; the `response` of a stream or of an error of such an instance, which has none where no origin answered.
@returns `undefined` if no cache had to do with the response, or there is none.
@throws {TypeError} If it is no response of got's, but its body, say.

@example
```
const response = await client('https://api.example.com/items');

cacheInfo(response);
//=> {status: 'hit', reason: 'fresh', age: 12, …}
```
*/
export const cacheInfo = (response: PlainResponse | undefined): CacheInfo | undefined => {
	if (response === undefined) {
		return undefined;
	}

	if (!isResponse(response)) {
		throw new TypeError(`Expected a response of got's in cacheInfo(), got a value of type ${typeof response}: it takes the whole response that a promise resolves to, or a stream's \`response\`, not a body`);
	}

	const state = exchangeBehind(response);
	return state && describe(state, Date.now());
};
