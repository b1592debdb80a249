import {randomUUID} from 'node:crypto';
import type {ListedEntry, RedisCache} from '../../index.ts';
import {sortedBy, type Sorted} from './sorted.ts';
import {entryToWire} from './to-wire.ts';
import {count, HttpError, optional} from './request.ts';
import type {WireEntries} from './wire.ts';

/*
Lists of stored responses, a page at a time. A search goes on where it has stopped, so that a store of any size is read once, and nothing but one page is in memory.
*/

const defaultPageLength = 100;
const longestPage = 1000;

/** A page is given after this time, full or not: a rare match may need millions of keys. */
const pageMs = 1500;

/** A search that nobody goes on with is given up. */
const idleMs = 120_000;

const mostSearches = 8;

type Search = {
	readonly iterator: AsyncIterator<ListedEntry>;
	readonly isMatch: (entry: ListedEntry) => boolean;
	readonly unreadable: Map<string, number>;
	/** The entries of a search that sorts; they are given when all have been looked at. */
	readonly sorted: Sorted | undefined;
	lookedAt: number;
	/** The number of pages that were asked for. */
	pages: number;
	timer?: NodeJS.Timeout;
};

type Taken = {
	readonly found: ListedEntry[];
	readonly isOver: boolean;
	/** Whether nothing can be given yet, because a search that sorts is not through. */
	readonly isLooking?: boolean;
};

const originOf = (text: string): string => {
	if (!URL.canParse(text)) {
		throw new HttpError(400, `The origin is ${text}: expected an absolute URL, such as https://api.example.com`);
	}

	return new URL(text).origin;
};

/** The condition that the parameters make. */
const matcherOf = (query: URLSearchParams): Search['isMatch'] => {
	const text = optional(query, 'search')?.toLowerCase();
	const tag = optional(query, 'tag');
	const state = optional(query, 'state');
	const given = optional(query, 'origin');
	const origin = given === undefined ? undefined : originOf(given);

	return ({url, storeKey, tags, isFresh}) => (text === undefined || url.toLowerCase().includes(text) || storeKey.toLowerCase().includes(text))
		&& (tag === undefined || tags.includes(tag))
		&& (state === undefined || isFresh === (state === 'fresh'))
		&& (origin === undefined || (URL.canParse(url) && new URL(url).origin === origin));
};

export type Searches = {
	/**
	Begins a search, or goes on with the one that the parameter `cursor` names.

	@throws {HttpError} If a parameter is wrong, or the search was given up or is already further on.
	*/
	read(query: URLSearchParams): Promise<WireEntries>;
};

export const createSearches = (cache: RedisCache): Searches => {
	const searches = new Map<string, Search>();

	const end = (id: string): void => {
		const search = searches.get(id);
		searches.delete(id);
		clearTimeout(search?.timer);
		void search?.iterator.return?.();
	};

	const begin = (query: URLSearchParams): readonly [id: string, search: Search] => {
		const unreadable = new Map<string, number>();
		const iterator = cache.entries({}, {
			onUnreadable({reason}) {
				unreadable.set(reason, (unreadable.get(reason) ?? 0) + 1);
			},
		});
		const id = randomUUID();
		const search: Search = {iterator, isMatch: matcherOf(query), unreadable, sorted: sortedBy(optional(query, 'sort')), lookedAt: 0, pages: 0};
		searches.set(id, search);
		const [oldest] = searches.keys();
		if (oldest !== undefined && searches.size > mostSearches) {
			end(oldest);
		}

		return [id, search];
	};

	const goOn = (cursor: string): readonly [id: string, search: Search] => {
		const [id = '', page] = cursor.split('.', 2);
		const search = searches.get(id);
		if (search?.pages !== Number(page)) {
			throw new HttpError(410, 'This list is no longer open: search again');
		}

		clearTimeout(search.timer);
		return [id, search];
	};

	const takePage = async (search: Search, length: number): Promise<Taken> => {
		const {sorted} = search;
		if (sorted?.isComplete) {
			return {found: sorted.take(length), isOver: sorted.isEmpty};
		}

		const found: ListedEntry[] = [];
		const endMs = performance.now() + pageMs;
		do {
			const result = await search.iterator.next(); // eslint-disable-line no-await-in-loop -- One after the other.
			if (result.done) {
				sorted?.complete();
				return sorted ? {found: sorted.take(length), isOver: sorted.isEmpty} : {found, isOver: true};
			}

			search.lookedAt++;
			if (search.isMatch(result.value)) {
				(search.sorted ?? found).push(result.value);
			}
		} while (found.length < length && performance.now() < endMs);

		return {found, isOver: false, isLooking: sorted !== undefined};
	};

	return {
		async read(query) {
			const cursor = optional(query, 'cursor');
			const length = count(query, 'limit', [1, longestPage], defaultPageLength);
			const [id, search] = cursor === undefined ? begin(query) : goOn(cursor);
			search.pages++;
			try {
				const {found, isOver, isLooking = false} = await takePage(search, length);
				const {pages, lookedAt, unreadable} = search;
				if (isOver) {
					end(id);
				} else {
					search.timer = setTimeout(() => {
						end(id);
					}, idleMs).unref();
				}

				return {
					entries: found.map(entry => entryToWire(entry)),
					...isLooking && {isLooking},
					...!isOver && {cursor: `${id}.${pages}`},
					lookedAt,
					unreadable: Object.fromEntries(unreadable),
				};
			} catch (error) {
				end(id);
				throw error;
			}
		},
	};
};
