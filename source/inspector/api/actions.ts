import type {Purgeable, RedisCache, RedisCacheHealth} from '../../index.ts';
import {HttpError, optional, required} from './request.ts';
import type {WireCheck, WireDone, WireSwitch, WireSwitches} from './wire.ts';

/** Builds what `invalidate()` takes, by the kind of purge. */
export const purgeables: ReadonlyMap<string, (query: URLSearchParams) => Purgeable> = new Map(Object.entries({
	tag: query => ({tag: required(query, 'value')}),
	group: query => ({group: required(query, 'value'), origin: required(query, 'origin')}),
	origin: query => ({origin: required(query, 'value')}),
	url: query => ({url: required(query, 'value')}),
	prefix: query => ({prefix: required(query, 'value')}),
	pattern: query => ({pattern: required(query, 'value')}),
	stale: () => ({stale: true}),
} satisfies Record<string, (query: URLSearchParams) => Purgeable>));

/** Purges of one key or of everything, which cannot be soft. */
const removals: ReadonlyMap<string, (cache: RedisCache, query: URLSearchParams) => Promise<boolean>> = new Map(Object.entries({
	key: async (cache, query) => cache.deleteByKey(required(query, 'value')),
	all: async cache => cache.clear(),
} satisfies Record<string, (cache: RedisCache, query: URLSearchParams) => Promise<boolean>>));

/** Purges what the parameters `kind` and `value` name; with `soft`, it is kept and validated. */
export const purge = async (cache: RedisCache, query: URLSearchParams): Promise<WireDone> => {
	const kind = required(query, 'kind');
	const isSoft = optional(query, 'soft') !== undefined;
	const remove = removals.get(kind);
	if (remove && !isSoft) {
		return {isConfirmed: await remove(cache, query)};
	}

	const purgeable = purgeables.get(kind);
	if (!purgeable) {
		throw new HttpError(400, `There is no ${isSoft ? 'soft ' : ''}purge by ${kind}`);
	}

	return {isConfirmed: await cache.invalidate(purgeable(query), {soft: isSoft})};
};

/** Freezes an origin, bypasses the cache for it, or ends either. */
export const setSwitch = async (cache: RedisCache, query: URLSearchParams): Promise<WireDone> => {
	const kind = required(query, 'kind');
	const origin = required(query, 'origin');
	if (kind === 'thaw') {
		return {isConfirmed: await cache.thaw({origin})};
	}

	if (kind !== 'freeze' && kind !== 'bypass') {
		throw new HttpError(400, `There is no switch ${kind}: expected one of freeze, bypass, thaw`);
	}

	const duration = required(query, 'duration') as '10m';
	return {isConfirmed: await cache[kind]({origin}, duration)};
};

const switchesToWire = (switches: RedisCacheHealth['switches']): WireSwitch[] => switches.map(({origin, kind, until}) => ({origin, kind, until: until.toISOString()}));

/** Lists the switches of all processes, or those that this process knows if the store does not list its keys. */
export const readSwitches = async (cache: RedisCache): Promise<WireSwitches> => {
	try {
		return {switches: switchesToWire(await cache.switches())};
	} catch (error) {
		return {switches: switchesToWire(cache.health().switches), why: error instanceof Error ? error.message : String(error)};
	}
};

/** Tries whether the store can be read and written to. */
export const check = async (cache: RedisCache): Promise<WireCheck> => cache.ready();
