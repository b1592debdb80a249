/**
By nearest rank, of numbers in ascending order; `share` is between 0 and 1.
*/
export const percentile = (ascending: ArrayLike<number>, share: number): number => {
	if (ascending.length === 0) {
		return NaN;
	}

	const rank = Math.max(1, Math.ceil(share * ascending.length));
	return ascending[rank - 1]!;
};

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

export const median = (numbers: readonly number[]): number => {
	const ascending = sorted(numbers);
	const middle = Math.floor(ascending.length / 2);
	if (ascending.length === 0) {
		return NaN;
	}

	return ascending.length % 2 === 1
		? ascending[middle]!
		: ((ascending[middle - 1]!) + (ascending[middle]!)) / 2;
};

/** From the least to the greatest, as a share of the median. */
export const spread = (numbers: readonly number[]): number => (Math.max(...numbers) - Math.min(...numbers)) / median(numbers);
