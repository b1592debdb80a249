import type {CachedResponse, RedisCache} from '../../index.ts';
import {HttpError, count, required} from './request.ts';
import {entryToWire} from './to-wire.ts';
import type {WireResponse} from './wire.ts';

const find = async (cache: RedisCache, query: URLSearchParams): Promise<CachedResponse> => {
	const key = required(query, 'key');
	const stored = await cache.getByKey(key).catch((error: unknown) => {
		throw error instanceof TypeError ? new HttpError(400, `${key} is no key of this cache: its keys begin with the namespace`) : error;
	});
	if (!stored) {
		throw new HttpError(404, 'Nothing readable is stored under this key any more, or the store does not answer');
	}

	return stored;
};

export const readStored = async (cache: RedisCache, query: URLSearchParams): Promise<WireResponse> => {
	const stored = await find(cache, query);

	return {
		...entryToWire(stored),
		headers: Object.entries(stored.headers).flatMap(([name, value]) => [value ?? []].flat().map(each => [name, each] as const)),
	};
};

/** Reads a body, or as much of it as the parameter `limit` says. */
export const readBody = async (cache: RedisCache, query: URLSearchParams): Promise<Uint8Array> => {
	const {body} = await find(cache, query);

	return body.subarray(0, count(query, 'limit', [0, Number.MAX_SAFE_INTEGER], Number.MAX_SAFE_INTEGER));
};
