import {LRUCache} from 'lru-cache';

/** What is good to know, and no harm to forget: the last so many. */
export type Hints<Value extends {}> = LRUCache<string, Value>; // eslint-disable-line @typescript-eslint/no-empty-object-type -- As the cache has it.

/**
@param ttlMs - How long a hint is worth anything.
*/
export const createHints = <Value extends {}>(max: number, ttlMs = 0): Hints<Value> => new LRUCache({ // eslint-disable-line @typescript-eslint/no-empty-object-type
	// For a number of entries, memory would be set aside at once.
	maxSize: max,
	sizeCalculation: () => 1,
	ttl: ttlMs,
});
