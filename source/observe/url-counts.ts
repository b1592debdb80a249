import {createGrowingSketch, type GrowingSketch} from './growing-sketch.ts';

/** URLs whose requests are counted: twenty times those that are shown, so that these are exact. */
const maxUrls = 200;

const intervalMs = 10_000;

/** The number of requests in ten seconds that are counted one by one. */
export const maxCountedSingly = 5000;

/** Of more requests, one in so many counts for all of them. */
const sampleSize = 16;

/** The requests of the most frequent URLs. */
export type UrlCounts = Pick<GrowingSketch, 'counts' | 'take'> & {
	/** @param startedAtMs - The time of the request, in milliseconds since the epoch. */
	count(url: string, startedAtMs: number): void;
};

/**
Counts URLs. At more than 500 requests a second, counts are estimates from a sample: the most frequent URLs are still the same, and looking each URL up would take a noticeable part of a hit from memory.

@param shownAs - Makes the URL that leaves the process.
@param random - Returns a number from 0 to 1. Chance decides which request is counted, since requests may come in a pattern.
*/
export const createUrlCounts = (shownAs: (url: string) => string, random: () => number = Math.random): UrlCounts => {
	const {add, counts, take} = createGrowingSketch(maxUrls, shownAs);
	let interval = 0;
	let requestsOfInterval = 0;

	return {
		count(url, startedAtMs) {
			const current = Math.floor(startedAtMs / intervalMs);
			if (current !== interval) {
				interval = current;
				requestsOfInterval = 0;
			}

			requestsOfInterval++;
			if (requestsOfInterval <= maxCountedSingly) {
				add(url);
			} else if (random() * sampleSize < 1) {
				add(url, sampleSize);
			}
		},
		counts,
		take,
	};
};
