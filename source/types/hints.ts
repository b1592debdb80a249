import {createLru, type Lru} from './lru.ts';

/** A bounded cache of hints: the least recently used are forgotten, which costs time but does no harm. */
export type Hints<Value> = Lru<Value>;

/**
@param ttlMs - How long a hint is valid; 0 means without limit.
*/
export const createHints = <Value>(max: number, ttlMs = 0): Hints<Value> => createLru({max, ttlMs});
