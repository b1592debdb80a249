import type {Store} from './store.ts';

/** A step that begins so soon has its own deadline, which is the same. */
const sameMs = 5;

/** The store that a bounded one is part of; any other is its own. */
export const unbounded = (store: Store): Store => store.whole ?? store;

/**
The same store for the steps of one request: from now on they are waited for no longer, together, than one operation is.

What is given up here goes on in the store, which learns from it how it does.

@param spentMs - How long steps before these were waited for.
*/
export const bounded = (store: Store, timeoutMs: number, spentMs = 0): Store => {
	const startedMs = performance.now() - spentMs;

	const inTime = async <Result>(operation: Promise<Result>, otherwise: Result, {isOneStep = true} = {}): Promise<Result> => {
		const elapsedMs = performance.now() - startedMs;
		if (isOneStep && elapsedMs < sameMs) {
			return operation;
		}

		const {promise, resolve} = Promise.withResolvers<Result>();
		const timer = setTimeout(() => {
			resolve(otherwise);
		}, Math.max(0, timeoutMs - elapsedMs));
		try {
			return await Promise.race([operation, promise]);
		} finally {
			clearTimeout(timer);
		}
	};

	// One for each request: a property costs less than a weak map, and a prototype less than a copy.
	const part = Object.create(store) as {-readonly [Name in keyof Store]: Store[Name]};
	part.whole = unbounded(store);
	part.get = async keys => inTime(store.get(keys), keys.map(() => undefined));
	part.update = async (...parameters) => inTime(store.update(...parameters), undefined, {isOneStep: false});
	part.delete = async keys => inTime(store.delete(keys), false);

	return part;
};
