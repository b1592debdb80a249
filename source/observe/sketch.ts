/**
Counts the most frequent of many names in little memory: Space-Saving (Metwally, Agrawal and El Abbadi, “Efficient Computation of Frequent and Top-k Elements in Data Streams”, ICDT 2005). A new name takes the place of the least frequent one, and its count; how much of it is inherited is known.
*/
export type Sketch = {
	/** Counts a name, once or several times at once, and returns its slot. */
	add(name: string, times?: number): number;
	/** Counts the name of a slot once more. */
	addTo(slot: number, times?: number): void;
	readonly size: number;
	nameOf(slot: number): string;
	/** How often the name was counted for certain: at least that often, and exactly so if it never left. */
	countOf(slot: number): number;
};

/**
@param capacity - The number of names that are counted.
@param onReplace - Called before another name takes a slot.
*/
export const createSketch = (capacity: number, onReplace?: (slot: number) => void): Sketch => {
	const slots = new Map<string, number>();
	const names: string[] = [];
	const counts = new Float64Array(capacity);
	/** The part of each count that was inherited. */
	const inherited = new Float64Array(capacity);

	/** No count is lower. It only rises, as all counts do. */
	let least = 0;
	/** The slots before this one have higher counts than `least`. */
	let hand = 0;

	/** Goes on where the last search has ended, so that a search takes a few steps on average, however many slots there are. */
	const leastFrequent = (): number => {
		for (;;) {
			for (; hand < capacity; hand++) {
				if ((counts[hand] ?? 0) <= least) {
					return hand;
				}
			}

			hand = 0;
			least = Math.min(...counts);
		}
	};

	/** Empties the slot of the least frequent name. */
	const replace = (): number => {
		const slot = leastFrequent();
		onReplace?.(slot);
		slots.delete(names[slot] ?? '');
		inherited[slot] = counts[slot] ?? 0;

		return slot;
	};

	const addTo = (slot: number, times = 1): void => {
		counts[slot] = (counts[slot] ?? 0) + times;
	};

	return {
		add(name, times) {
			let slot = slots.get(name);
			if (slot === undefined) {
				slot = names.length < capacity ? names.length : replace();
				names[slot] = name;
				slots.set(name, slot);
			}

			addTo(slot, times);
			return slot;
		},
		addTo,
		get size() {
			return names.length;
		},
		nameOf: slot => names[slot] ?? '',
		countOf: slot => (counts[slot] ?? 0) - (inherited[slot] ?? 0),
	};
};
