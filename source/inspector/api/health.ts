import type {RedisCache} from '../../index.ts';
import {placeOf} from '../../store/ports/place.ts';
import {healthToWire} from './to-wire.ts';
import type {WireHealth} from './wire.ts';

/*
The health of the store, with a question of its own: a cache that sends no requests would not notice that the store is away.
*/

/** The longest wait for an answer, in which the page waits as well. */
const answerMs = 1500;

/** A URL that no cache stores a response to. */
const nobody = 'https://inspector.invalid/';

const isKnownAway = new Set(['unavailable', 'closed']);

/** Whether an operation of the store has failed since a time. */
const hasFailedSince = (cache: RedisCache, time: number): boolean => (cache.health().lastErrorAt?.getTime() ?? 0) >= time;

/** Makes a check of whether the store answers. One question at most is under way. */
export const createAnsweringCheck = (cache: RedisCache) => {
	let asking: Promise<boolean> | undefined;

	const ask = async (): Promise<boolean> => {
		const startedAt = Date.now();
		try {
			await cache.has(nobody, {stale: true});
			return !hasFailedSince(cache, startedAt);
		} catch {
			return false;
		} finally {
			asking = undefined;
		}
	};

	return async (): Promise<boolean> => {
		asking ??= ask();
		const {promise: isLate, resolve} = Promise.withResolvers<boolean>();
		const timer = setTimeout(resolve, answerMs, false);
		const isAnswered = await Promise.race([asking, isLate]);
		clearTimeout(timer);
		return isAnswered && !isKnownAway.has(cache.health().state);
	};
};

export const createHealthReader = (cache: RedisCache): (() => Promise<WireHealth>) => {
	const isAnswering = createAnsweringCheck(cache);

	return async () => {
		const isNow = await isAnswering();
		return healthToWire(cache.health(), isNow, placeOf(cache));
	};
};
