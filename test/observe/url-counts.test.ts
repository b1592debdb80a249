import assert from 'node:assert/strict';
import test from 'node:test';
import {randomFrom} from '../../source/acceptance/random.ts';
import {createUrlCounts, maxCountedSingly} from '../../source/observe/url-counts.ts';
import {unlessFast} from '../helpers/runs.ts';
import {zipf} from '../helpers/zipf.ts';

const topOf = (counts: ReadonlyMap<string, number>): string[] => [...counts].toSorted(([, one], [, other]) => other - one).slice(0, 10).map(([url]) => url);

const same = (url: string) => url;

test('requests of the first 5,000 in ten seconds are counted one by one, in each ten seconds', () => {
	const urls = createUrlCounts(same, () => 1);
	for (const startedAtMs of [0, 9999, 10_000, 25_000]) {
		for (let count = 0; count < maxCountedSingly / 2; count++) {
			urls.count('a', startedAtMs);
		}
	}

	assert.deepEqual(urls.counts(), new Map([['a', maxCountedSingly * 2]]));
});

test('one request in sixteen of those beyond 5,000 in ten seconds counts for all', () => {
	let draws = 0;
	const urls = createUrlCounts(same, () => (draws++ % 16) / 16);
	for (let count = 0; count < maxCountedSingly + 800; count++) {
		urls.count('a', 0);
	}

	assert.equal(draws, 800);
	assert.deepEqual(urls.counts(), new Map([['a', maxCountedSingly + 800]]));
});

test('the ten most frequent URLs of a load far beyond 500 requests a second are right, and their counts within a tenth', unlessFast, () => {
	const random = randomFrom(1);
	const urls = createUrlCounts(same, random);
	const next = zipf(2000, random);
	const exact = new Map<string, number>();
	for (let count = 0; count < 1_000_000; count++) {
		const url = `https://example.com/${next()}`;
		exact.set(url, (exact.get(url) ?? 0) + 1);
		urls.count(url, Math.floor(count / 500_000) * 10_000);
	}

	const counted = urls.counts();
	assert.deepEqual(topOf(counted), topOf(exact));
	for (const url of topOf(exact)) {
		const error = Math.abs((Number(counted.get(url)) / Number(exact.get(url))) - 1);
		assert.ok(error < 0.1, `${url}: ${error}`);
	}
});
