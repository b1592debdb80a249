import type {Purgeable, RedisCache} from '../../index.ts';
import {HttpError, optional, required} from './request.ts';
import type {WireCheck, WireDone} from './wire.ts';

/** Builds what `invalidate()` takes, by the kind of purge. */
const purgeables: Readonly<Record<string, (query: URLSearchParams) => Purgeable>> = {
	tag: query => ({tag: required(query, 'value')}),
	group: query => ({group: required(query, 'value'), origin: required(query, 'origin')}),
	origin: query => ({origin: required(query, 'value')}),
	url: query => ({url: required(query, 'value')}),
	prefix: query => ({prefix: required(query, 'value')}),
	pattern: query => ({pattern: required(query, 'value')}),
	stale: () => ({stale: true}),
};

/** Purges of one key or of everything, which cannot be soft. */
const removals: Readonly<Record<string, (cache: RedisCache, query: URLSearchParams) => Promise<boolean>>> = {
	key: async (cache, query) => cache.deleteByKey(required(query, 'value')),
	all: async cache => cache.clear(),
};

/** Purges what the parameters `kind` and `value` name; with `soft`, it is kept and validated. */
export const purge = async (cache: RedisCache, query: URLSearchParams): Promise<WireDone> => {
	const kind = required(query, 'kind');
	const isSoft = optional(query, 'soft') !== undefined;
	const remove = Object.hasOwn(removals, kind) ? removals[kind] : undefined;
	const purgeable = Object.hasOwn(purgeables, kind) ? purgeables[kind] : undefined;
	if (remove && !isSoft) {
		return {isConfirmed: await remove(cache, query)};
	}

	if (!purgeable) {
		throw new HttpError(400, `There is no ${isSoft ? 'soft ' : ''}purge by ${kind}`);
	}

	return {isConfirmed: await cache.invalidate(purgeable(query), {soft: isSoft})};
};

/** Tries whether the store can be read and written to. */
export const check = async (cache: RedisCache): Promise<WireCheck> => cache.ready();
