import {isSpent, withinBudget, type RequestBudget} from './guard/budget.ts';
import {isLongKey} from './ports/long-keys.ts';
import type {PurgeResult} from './ports/guards.ts';
import type {Store} from './ports/store.ts';

/** The store that a bounded one is part of; any other is its own. */
export const unbudgeted = (store: Store): Store => store.unbudgeted ?? store;

/**
The same store for the steps of one request: they are waited for no longer, together, than one operation is.

Operations that nobody waits for are to use the store without a budget.
*/
export const withBudget = (store: Store, timeoutMs: number, budget: RequestBudget): Store => {
	const whole = unbudgeted(store);
	const wait = <Result>(step: Promise<Result>, otherwise: Result, isBounded = false): Promise<Result> =>
		withinBudget(budget, timeoutMs, step, {otherwise, isBounded, isAnswering: whole.isAnswering});

	// One for each request: a property costs less than a weak map, and a prototype less than a copy.
	const part = Object.create(whole) as {-readonly [Name in keyof Store]: Store[Name]};
	part.unbudgeted = whole;
	part.withinBudget = wait;
	// Without `async`: a function that hands a promise on would make another one.
	part.get = keys => {
		const nothing = keys.map(() => undefined);
		// A long value has a time of its own, in proportion to its length.
		if (keys.some(key => isLongKey(key))) {
			return isSpent(budget, timeoutMs) ? Promise.resolve(nothing) : whole.get(keys);
		}

		return wait(whole.get(keys), nothing, !whole.needsExtraRoundTrip);
	};

	part.set = (...parameters) => wait(whole.set(...parameters), false);
	part.update = (...parameters) => wait(whole.update(...parameters), undefined);
	part.placeGuard = (...parameters) => wait(whole.placeGuard(...parameters), undefined);
	part.purge = purge => wait<PurgeResult>(whole.purge(purge), {kind: 'failed'});
	part.delete = keys => wait(whole.delete(keys), false);

	return part;
};
