import type {EntryFilter, RedisCache} from '../../index.ts';
import {purgeables} from './actions.ts';
import {HttpError, required} from './request.ts';
import type {WirePreview} from './wire.ts';

/** The answer comes after this time, complete or not: a store may have millions of keys. */
const previewMs = 2000;

/** Entries are not filtered by cache group: its responses are found among all of the origin. */
const filterOf = (kind: string, query: URLSearchParams): EntryFilter => {
	if (kind === 'all') {
		return {};
	}

	if (kind === 'group') {
		return {origin: required(query, 'origin')};
	}

	const purgeable = purgeables.get(kind);
	if (!purgeable) {
		throw new HttpError(400, `There is no preview of a purge by ${kind}`);
	}

	return purgeable(query);
};

/** Counts the responses that the purge with the same parameters would find. */
export const preview = async (cache: RedisCache, query: URLSearchParams): Promise<WirePreview> => {
	const kind = required(query, 'kind');
	const group = kind === 'group' ? required(query, 'value') : undefined;
	const iterator = cache.entries(filterOf(kind, query));
	const {promise: isLate, resolve} = Promise.withResolvers<undefined>();
	const timer = setTimeout(() => {
		resolve(undefined);
	}, previewMs);
	let [count, bytes] = [0, 0];
	try {
		for (;;) {
			// A rare match may need millions of keys.
			const next = await Promise.race([iterator.next(), isLate]); // eslint-disable-line no-await-in-loop -- One after the other.
			if (next === undefined || next.done) {
				return {count, bytes, isComplete: next !== undefined};
			}

			const {size, groups} = next.value;
			if (group !== undefined && !groups.includes(group)) {
				continue;
			}

			count++;
			bytes += size;
		}
	} finally {
		clearTimeout(timer);
		void iterator.return?.(undefined);
	}
};
