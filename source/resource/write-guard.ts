import {guardKeyOf, isPurgeToken, settledGuardLifeMs} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {Store} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import type {Versions, StoreRefusal} from '../tags/validity.ts';

/*
A response is written only if the resource's guard is still the one that its exchange relies on. A lost, evicted or replaced guard refuses the write, which costs one more request at most.
*/

type Placed =
	| {readonly token: string; readonly isNew: boolean; readonly refusal?: undefined}
	| {readonly refusal: StoreRefusal; readonly isNew?: undefined};

export type WriteGuard =
	/** The exchange has nothing to write. */
	| {readonly kind: 'none'}
	/** The look-up saw the guard, or the exchange waited for it before it asked the origin. */
	| {readonly kind: 'seen'; readonly token: string}
	/** The look-up saw no guard, so that the exchange places one while it asks the origin. */
	| {readonly kind: 'placing'; readonly key: string; readonly placed: Promise<Placed>; /** The result, once it is there: nobody has to wait for it then. */ known?: Placed};

export const noGuard: WriteGuard = {kind: 'none'};

const place = async (store: Store, name: string, lookedUpMonoMs: number): Promise<Placed> => {
	const placed = await store.placeGuard(name, lookedUpMonoMs);
	if (placed === undefined) {
		return {refusal: 'store-unavailable'};
	}

	// A purge happened since the look-up, or may have happened, with its guard expired since.
	const isTooLate = ownTimers.now() - lookedUpMonoMs > settledGuardLifeMs;
	return isTooLate || isPurgeToken(placed.token) ? {refusal: 'invalidated'} : placed;
};

type SeenAtLookUp = {
	readonly versions: Versions;
	/** The time at which the look-up began. */
	readonly startedMonoMs: number;
};

/**
Takes the guard for an exchange that is about to ask the origin.

@param onPlaced - Called with the token that the exchange relies on.
*/
export const takeGuard = (part: Store, key: string, {versions, startedMonoMs}: SeenAtLookUp, onPlaced?: (name: string, token: string) => void): WriteGuard => {
	const store = unbudgeted(part);
	const name = guardKeyOf(key);
	const token = versions.get(name);
	if (token) {
		return {kind: 'seen', token};
	}

	// In a store where only purges place guards, a missing guard is as good as a present one.
	if (!store.isAtomic) {
		return {kind: 'seen', token: ''};
	}

	const placing = async () => {
		const placed = await place(store, name, startedMonoMs);
		guard.known = placed;
		if (placed.refusal === undefined) {
			onPlaced?.(name, placed.token);
		}

		return placed;
	};

	const guard: Extract<WriteGuard, {kind: 'placing'}> = {kind: 'placing', key: name, placed: placing()};
	return guard;
};

/** Places the guard for a resource that was not looked up. A purge before this point does not matter, since the origin is asked afterwards. */
export const placeGuardFirst = async (store: Store, key: string): Promise<WriteGuard> => {
	const name = guardKeyOf(key);
	const placed = await store.placeGuard(name, ownTimers.now());
	return placed ? {kind: 'seen', token: placed.token} : {kind: 'placing', key: name, placed: Promise.resolve({refusal: 'store-unavailable'})};
};

type Held = {readonly token: string; readonly refusal?: undefined} | {readonly refusal: StoreRefusal};

/** The same as `tokenFor()`, where nothing has to be waited for. */
export const tokenNow = (guard: WriteGuard): Held | undefined => {
	if (guard.kind === 'placing') {
		return guard.known;
	}

	return guard.kind === 'seen' ? {token: guard.token} : {refusal: 'invalidated'};
};

/** Returns the token to write with, or the reason why there is none. */
export const tokenFor = async (store: Store, guard: WriteGuard): Promise<Held> => {
	switch (guard.kind) {
		case 'none': {
			return {refusal: 'invalidated'};
		}

		case 'seen': {
			return {token: guard.token};
		}

		case 'placing': {
			const {placed, known} = guard;
			return known ?? (store.withinBudget ? store.withinBudget<Placed>(placed, {refusal: 'store-unavailable'}) : placed);
		}
	}
};

/** Returns the reason why a write must be refused; `undefined` if the guard is still there. */
export const whyNotHeld = async (store: Store, key: string, guard: WriteGuard): Promise<StoreRefusal | undefined> => {
	const [held, [record]] = await Promise.all([tokenFor(store, guard), store.get([guardKeyOf(key)])]);
	if (held.refusal !== undefined || !store.isHealthy) {
		return held.refusal ?? 'store-unavailable';
	}

	const token = record?.kind === 'guard' ? record.token : '';
	return held.token === token ? undefined : 'invalidated';
};

/** Ends the guard of an exchange that has written nothing, so that the store can drop it soon. */
export const endGuard = async (part: Store, guard: WriteGuard): Promise<void> => {
	if (guard.kind !== 'placing') {
		return;
	}

	const {isNew} = await guard.placed;
	if (isNew) {
		unbudgeted(part).settleGuard(guard.key);
	}
};
