import assert from 'node:assert/strict';
import test from 'node:test';
import {bucketOf, emptyHistogram, quantileOf} from '../../source/observe/histogram.ts';

test('a histogram of nothing has no quantiles', () => {
	assert.equal(quantileOf(emptyHistogram(), 0.5), undefined);
});

test('a quantile is exact to 13 %, from a hundredth of a millisecond to ten seconds', () => {
	for (const ms of [0.01, 0.02, 0.1, 0.35, 1, 7, 42, 250, 1000, 9999]) {
		const histogram = emptyHistogram();
		histogram[bucketOf(ms)] = 1;
		const quantile = Number(quantileOf(histogram, 0.5));

		assert.ok(Math.abs(quantile - ms) / ms < 0.13, `${ms}: ${quantile}`);
	}
});

test('durations beyond the last bucket, none at all and negative ones are counted', () => {
	for (const ms of [0, -1, 1e-5, 1e9, Infinity]) {
		const histogram = emptyHistogram();
		assert.ok(bucketOf(ms) >= 0);
		assert.ok(bucketOf(ms) < histogram.length);
	}
});

test('half of the durations do not exceed the median, and 99 of 100 not the 99th percentile', () => {
	const histogram = emptyHistogram();
	for (let count = 0; count < 1000; count++) {
		const bucket = bucketOf(count < 985 ? 1 : 100);
		histogram[bucket] = (histogram[bucket] ?? 0) + 1;
	}

	assert.ok(Number(quantileOf(histogram, 0.5)) < 1.2);
	assert.ok(Number(quantileOf(histogram, 0.99)) > 85);
});
