import {isPurgeToken, settledGuardLifeMs} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {Store} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import {guardKey, type Versions, type StoreRefusal} from '../tags/versions.ts';

/*
What an exchange brings is written only while the guard of its resource is the one that the exchange counts on. A guard that is lost, evicted or replaced refuses the write, which costs one more request at most.
*/

type Placed =
	| {readonly token: string; readonly isNew: boolean; readonly refusal?: undefined}
	| {readonly refusal: StoreRefusal; readonly isNew?: undefined};

export type WriteGuard =
	/** The exchange brings nothing to write. */
	| {readonly kind: 'none'}
	/** The look-up saw it, or the exchange waited for it before it asked the origin. */
	| {readonly kind: 'seen'; readonly token: string}
	/** The look-up saw none, so that the exchange puts one there while it asks the origin. */
	| {readonly kind: 'placing'; readonly key: string; readonly placed: Promise<Placed>};

export const noGuard: WriteGuard = {kind: 'none'};

const place = async (store: Store, name: string, lookedUpMonoMs: number): Promise<Placed> => {
	const placed = await store.placeGuard(name, lookedUpMonoMs);
	if (placed === undefined) {
		return {refusal: 'store-unavailable'};
	}

	// Somebody has purged since the look-up, or may have, and the guard that told of it is gone.
	const isTooLate = ownTimers.now() - lookedUpMonoMs > settledGuardLifeMs;
	return isTooLate || isPurgeToken(placed.token) ? {refusal: 'invalidated'} : placed;
};

/**
The guard of an exchange that is about to ask the origin.

@param versions - As the look-up saw them.
@param lookedUpMonoMs - When the look-up began.
@param onPlaced - Hears of the token that the exchange counts on.
*/
export const takeGuard = (part: Store, key: string, versions: Versions, lookedUpMonoMs: number, onPlaced?: (name: string, token: string) => void): WriteGuard => {
	const store = unbudgeted(part);
	const name = guardKey(key);
	const token = versions.get(name);
	if (token) {
		return {kind: 'seen', token};
	}

	// Where a purge is the only one to put guards there, none is as good as one.
	if (!store.isAtomic) {
		return {kind: 'seen', token: ''};
	}

	const placing = async () => {
		const placed = await place(store, name, lookedUpMonoMs);
		if (placed.refusal === undefined) {
			onPlaced?.(name, placed.token);
		}

		return placed;
	};

	return {kind: 'placing', key: name, placed: placing()};
};

/** For a resource that nobody has looked up: a purge before that is none of the exchange's, which asks the origin only then. */
export const placeGuardFirst = async (store: Store, key: string): Promise<WriteGuard> => {
	const name = guardKey(key);
	const placed = await store.placeGuard(name, ownTimers.now());
	return placed ? {kind: 'seen', token: placed.token} : {kind: 'placing', key: name, placed: Promise.resolve({refusal: 'store-unavailable'})};
};

/** The token to write with, or why there is none. */
export const tokenFor = async (store: Store, guard: WriteGuard): Promise<{readonly token: string; readonly refusal?: undefined} | {readonly refusal: StoreRefusal}> => {
	switch (guard.kind) {
		case 'none': {
			return {refusal: 'invalidated'};
		}

		case 'seen': {
			return {token: guard.token};
		}

		case 'placing': {
			const {placed} = guard;
			return store.withinBudget ? store.withinBudget<Placed>(placed, {refusal: 'store-unavailable'}) : placed;
		}
	}
};

/** Why nothing may be written that counts on a guard; `undefined` where it is still there. */
export const whyNotHeld = async (store: Store, key: string, guard: WriteGuard): Promise<StoreRefusal | undefined> => {
	const [held, [record]] = await Promise.all([tokenFor(store, guard), store.get([guardKey(key)])]);
	if (held.refusal !== undefined || !store.isHealthy) {
		return held.refusal ?? 'store-unavailable';
	}

	const token = record?.kind === 'guard' ? record.token : '';
	return held.token === token ? undefined : 'invalidated';
};

/** To be called when an exchange is over that has written nothing: what it left behind may go. */
export const endGuard = async (part: Store, guard: WriteGuard): Promise<void> => {
	if (guard.kind !== 'placing') {
		return;
	}

	const {isNew} = await guard.placed;
	if (isNew) {
		unbudgeted(part).settleGuard(guard.key);
	}
};
