import {LRUCache} from 'lru-cache';

/** A bounded cache of hints: the least recently used are forgotten, which costs time but does no harm. */
export type Hints<Value extends {}> = LRUCache<string, Value>; // eslint-disable-line @typescript-eslint/no-empty-object-type -- The constraint of `LRUCache`.

/**
@param ttlMs - How long a hint is valid; 0 means without limit.
*/
export const createHints = <Value extends {}>(max: number, ttlMs = 0): Hints<Value> => new LRUCache({ // eslint-disable-line @typescript-eslint/no-empty-object-type
	// `max` would allocate memory for all entries at once, `maxSize` does not.
	maxSize: max,
	sizeCalculation: () => 1,
	ttl: ttlMs,
	// With the default of 1 ms, each cache keeps a timer of its own going.
	ttlResolution: 100,
});
