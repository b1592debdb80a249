/*
A histogram of durations with fixed buckets, so that those of several processes can be added. Each bucket is a quarter wider than the one before.
*/

/** The upper bound of the first bucket, in milliseconds. */
const firstMs = 0.01;

/** The number of buckets in which the bound doubles. */
const steps = 3;

/** The number of buckets: the last one begins at some twenty seconds. */
const bucketCount = 64;

export const bucketOf = (ms: number): number => ms <= firstMs ? 0 : Math.min(bucketCount - 1, Math.ceil(Math.log2(ms / firstMs) * steps));

/** The middle of a bucket, in milliseconds with three significant digits. */
const middleOf = (bucket: number): number => Number((firstMs * (2 ** ((bucket - 0.5) / steps))).toPrecision(3));

export const emptyHistogram = (): Float64Array => new Float64Array(bucketCount);

export const countIn = (histogram: Float64Array): number => {
	let count = 0;
	for (const bucket of histogram) {
		count += bucket;
	}

	return count;
};

/**
@param share - From 0 to 1: 0.99 is the duration that 99 % of those counted do not exceed.
@returns `undefined` if nothing was counted.
*/
export const quantileOf = (histogram: Float64Array, share: number): number | undefined => {
	const rank = countIn(histogram) * share;
	let seen = 0;
	for (const [bucket, count] of histogram.entries()) {
		seen += count;
		if (seen >= rank && count > 0) {
			return middleOf(bucket);
		}
	}

	return undefined;
};
