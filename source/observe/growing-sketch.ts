import {createSketch} from './sketch.ts';

/** Adds the counts of names that are the same once they are redacted. */
const sums = (counts: Iterable<readonly [name: string, count: number]>): Map<string, number> => {
	const added = new Map<string, number>();
	for (const [name, count] of counts) {
		added.set(name, (added.get(name) ?? 0) + count);
	}

	return added;
};

/** A sketch whose growth is taken now and then. */
export type GrowingSketch = {
	/** Counts a name, once or several times at once. */
	add(name: string, times?: number): void;
	/** Returns the counts by shown name. */
	counts(): Map<string, number>;

	/**
	Returns the growth by shown name since it was last taken.

	@param most - The number of names. The others are left for a later call.
	*/
	take(most: number): ReadonlyArray<readonly [name: string, by: number]>;
};

/**
@param capacity - The number of names that are counted.
@param shownAs - Makes the name that leaves the process.
*/
export const createGrowingSketch = (capacity: number, shownAs: (name: string) => string): GrowingSketch => {
	const taken = new Float64Array(capacity);
	const sketch = createSketch(capacity, slot => {
		taken[slot] = 0;
	});
	const slots = () => Array.from({length: sketch.size}, (_, slot) => slot);
	const shownName = (slot: number): string => shownAs(sketch.nameOf(slot));

	return {
		add(name, times) {
			sketch.add(name, times);
		},
		counts: () => sums(slots().map(slot => [shownName(slot), sketch.countOf(slot)] as const)),
		take(most) {
			const grown = slots()
				.map(slot => ({slot, by: sketch.countOf(slot) - (taken[slot] ?? 0)}))
				.filter(({by}) => by > 0)
				.toSorted((one, other) => other.by - one.by)
				.slice(0, most);
			for (const {slot} of grown) {
				taken[slot] = sketch.countOf(slot);
			}

			return sums(grown.map(({slot, by}) => [shownName(slot), by] as const)).entries().toArray();
		},
	};
};
