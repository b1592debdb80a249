import type {StoreHealth} from '../store/ports/health.ts';
import type {StoreCounters} from '../store/ports/status.ts';

const states = ['unknown', 'ok', 'memory', 'partial', 'read-only', 'unavailable', 'closed'] as const satisfies ReadonlyArray<StoreHealth['state']>;

/** The outcomes for keys of the store, by the name of their counter in `cache.health()`. */
const outcomes = {hits: 'hit', misses: 'miss', errors: 'error', corrupt: 'corrupt', dropped: 'dropped', unwritten: 'unwritten'} as const satisfies Readonly<Record<keyof StoreCounters, string>>;

/** Returns 1 for the state that the store is in, and 0 for each other one. */
export const storeStates = ({state}: Pick<StoreHealth, 'state'>): Array<readonly [state: StoreHealth['state'], value: number]> => states.map(each => [each, Number(each === state)] as const);

export const storeKeysOf = ({counters}: {readonly counters: StoreCounters}): Array<readonly [outcome: string, count: number]> =>
	Object.entries(outcomes).map(([name, outcome]) => [outcome, counters[name as keyof StoreCounters]] as const);
