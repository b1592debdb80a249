/*
A bounded cache in memory, on the way of every hit. A library for it weighs more than all other code of this package together, and is no faster.
*/

export type Lru<Value> = {
	readonly size: number;

	/** The sum of the weights of all entries. */
	readonly weight: number;

	/**
	Returns a value, which is the most recently used one then.

	@param atMonoMs - The time, if the caller has just read the clock, which costs more than the look-up.
	*/
	get(key: string, atMonoMs?: number): Value | undefined;

	/** Returns a value without its being used. */
	peek(key: string): Value | undefined;

	has(key: string): boolean;

	/** Stores a value, unless it weighs more than all entries may. */
	set(key: string, value: Value, options?: {readonly ttlMs?: number}): void;

	delete(key: string): boolean;
	clear(): void;

	/** The keys of all that is valid. */
	keys(): ArrayIterator<string>;
	values(): ArrayIterator<Value>;
	entries(): ArrayIterator<readonly [key: string, value: Value]>;
};

export type LruOptions<Value> = {
	/** The weight of all entries at most. The least recently used ones have to go. */
	readonly max: number;
	/** Default: 1 for each entry. */
	readonly weigh?: (value: Value, key: string) => number;
	/** How long an entry is valid; 0, the default, means without limit. */
	readonly ttlMs?: number;
	readonly nowMs?: () => number;
	/** Hears of each value that is removed or replaced. */
	readonly onRemove?: (value: Value) => void;
};

type Entry<Value> = {
	readonly key: string;
	readonly value: Value;
	readonly weight: number;
	readonly expiresMonoMs: number;
	older: Entry<Value> | undefined;
	newer: Entry<Value> | undefined;
};

const weighOne = () => 1;

export const createLru = <Value>({max, weigh = weighOne, ttlMs: defaultTtlMs = 0, nowMs = () => performance.now(), onRemove}: LruOptions<Value>): Lru<Value> => {
	const entries = new Map<string, Entry<Value>>();
	let oldest: Entry<Value> | undefined;
	let newest: Entry<Value> | undefined;
	let weight = 0;

	const unlink = ({older, newer}: Entry<Value>) => {
		if (older) {
			older.newer = newer;
		} else {
			oldest = newer;
		}

		if (newer) {
			newer.older = older;
		} else {
			newest = older;
		}
	};

	const append = (entry: Entry<Value>) => {
		entry.older = newest;
		entry.newer = undefined;
		if (newest) {
			newest.newer = entry;
		} else {
			oldest = entry;
		}

		newest = entry;
	};

	const remove = (entry: Entry<Value>) => {
		entries.delete(entry.key);
		unlink(entry);
		weight -= entry.weight;
		onRemove?.(entry.value);
	};

	const makeRoom = (added: number) => {
		let entry = oldest;
		while (entry && weight + added > max) { // eslint-disable-line no-unmodified-loop-condition -- `remove()` changes the weight.
			const {newer} = entry;
			remove(entry);
			entry = newer;
		}
	};

	const find = (key: string, atMonoMs?: number): Entry<Value> | undefined => {
		const entry = entries.get(key);
		if (entry && entry.expiresMonoMs !== Infinity && (atMonoMs ?? nowMs()) > entry.expiresMonoMs) {
			remove(entry);
			return undefined;
		}

		return entry;
	};

	const listValid = (): Array<Entry<Value>> => {
		const valid: Array<Entry<Value>> = [];
		const readMs = nowMs();
		for (let entry = oldest; entry; entry = entry.newer) {
			if (entry.expiresMonoMs >= readMs) {
				valid.push(entry);
			}
		}

		return valid;
	};

	return {
		get size() {
			return entries.size;
		},
		get weight() {
			return weight;
		},
		get(key, atMonoMs) {
			const entry = find(key, atMonoMs);
			if (entry && entry !== newest) {
				unlink(entry);
				append(entry);
			}

			return entry?.value;
		},
		peek: key => find(key)?.value,
		has: key => find(key) !== undefined,
		set(key, value, {ttlMs = defaultTtlMs} = {}) {
			const known = entries.get(key);
			if (known) {
				remove(known);
			}

			const added = weigh(value, key);
			if (added > max) {
				return;
			}

			makeRoom(added);

			const entry: Entry<Value> = {key, value, weight: added, expiresMonoMs: ttlMs > 0 ? nowMs() + ttlMs : Infinity, older: undefined, newer: undefined};
			entries.set(key, entry);
			append(entry);
			weight += added;
		},
		delete(key) {
			const entry = entries.get(key);
			if (entry) {
				remove(entry);
			}

			return entry !== undefined;
		},
		clear() {
			const removed = onRemove ? entries.values().toArray() : [];
			entries.clear();
			oldest = undefined;
			newest = undefined;
			weight = 0;
			for (const {value} of removed) {
				onRemove?.(value);
			}
		},
		keys: () => listValid().map(({key}) => key).values(),
		values: () => listValid().map(({value}) => value).values(),
		entries: () => listValid().map(({key, value}) => [key, value] as const).values(),
	};
};
