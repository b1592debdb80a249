import type {ExchangeContext} from '../cache/exchange.ts';
import {redactedUrl} from '../http/credentials.ts';
import {dateOf} from '../http/dates.ts';
import {normalizeEscapes, originOf} from '../http/url.ts';
import {matchesUrlPattern} from '../options/url-pattern.ts';
import {recordKeyOf} from '../resource/store-keys.ts';
import type {OnUnlisted, OnUnreadable, StoreEntry} from '../store/ports/listing.ts';
import {readValidities} from '../tags/validity.ts';
import {parseDuration} from '../types/duration.ts';
import type {StoredResponse} from '../types/stored.ts';
import {checkEntriesOptions} from './arguments.ts';
import type {EntriesOptions, EntryFilter} from './filters.ts';
import {entryOf, isFresh, storeNameOf, type ListedEntry} from './inventory.ts';
import {checkFilter} from './request-arguments.ts';
import {asSent, requestHeadOf} from './request-head.ts';

/*
All that is stored, and what a filter leaves of it.
*/

type Found = StoreEntry & {readonly stored: StoredResponse};

const batchSize = 200;

/** The entries of a batch that nobody purged. */
const withoutPurged = async ({store}: ExchangeContext, batch: readonly StoreEntry[]): Promise<Found[]> => {
	const responses = batch.flatMap(entry => entry.record.kind === 'response' ? [{...entry, stored: entry.record}] : []);
	const indexKeys = [...new Set(responses.filter(({stored}) => stored.indexId !== '').map(({key}) => recordKeyOf(key)))];
	const [validities, indexes] = await Promise.all([
		readValidities(store, responses.map(({key, stored}) => ({key: recordKeyOf(key), stored}))),
		store.get(indexKeys),
	]);
	const indexIds = new Map(indexKeys.map((key, position) => {
		const index = indexes[position];
		return [key, index?.kind === 'index' ? index.indexId : ''];
	}));

	return responses.flatMap((entry, position) => {
		const {key, stored: {indexId}} = entry;
		const isListed = indexId === '' || indexId === indexIds.get(recordKeyOf(key));
		const stored = validities[position]?.stored;
		return isListed && stored ? [{...entry, stored}] : [];
	});
};

const inBatches = async function * (entries: AsyncIterable<StoreEntry>): AsyncGenerator<readonly StoreEntry[]> {
	let batch: StoreEntry[] = [];
	for await (const entry of entries) {
		batch.push(entry);
		if (batch.length < batchSize) {
			continue;
		}

		yield batch;
		batch = [];
	}

	yield batch;
};

// All that is stored and holds.
export const holding = async function * (context: ExchangeContext, onUnreadable?: OnUnreadable): AsyncGenerator<Found> {
	for await (const batch of inBatches(context.store.entries(onUnreadable))) {
		yield * await withoutPurged(context, batch);
	}
};

// Every stored response, also what was purged: its versions may lie on a node that does not answer, so that nobody can say whether it was.
export const everyStored = async function * (context: ExchangeContext, onUnlisted: OnUnlisted): AsyncGenerator<Found> {
	for await (const batch of inBatches(context.store.entries(undefined, undefined, onUnlisted))) {
		const held = await withoutPurged(context, batch);
		const heldByKey = new Map(held.map(found => [found.key, found]));
		yield * batch.flatMap(entry => entry.record.kind === 'response' ? [heldByKey.get(entry.key) ?? {...entry, stored: entry.record}] : []);
	}
};

/** With a URL in the form that stored ones have. */
export const toStoredForm = ({settings}: ExchangeContext, {url, prefix, ...filter}: EntryFilter): EntryFilter => ({
	...filter,
	...url !== undefined && {url: redactedUrl(requestHeadOf({url}).url, settings.request.http.ignoredParameters)},
	...prefix !== undefined && {prefix: asSent(prefix)},
});

/**
@param filter - From `toStoredForm()`.
*/
export const isMatch = (stored: StoredResponse, filter: EntryFilter, nowMs: number): boolean => {
	const {tags, policy} = stored;
	const {origin, tag, url, prefix, pattern, olderThan, stale} = filter;
	const storedBeforeMs = olderThan instanceof Date ? olderThan.getTime() : nowMs - (parseDuration(olderThan) ?? 0);

	return (origin === undefined || originOf(stored.url) === originOf(new URL(origin).href))
		&& (tag === undefined || [tag].flat().some(each => tags.includes(each)))
		&& (url === undefined || stored.url === url)
		&& (prefix === undefined || stored.url.startsWith(normalizeEscapes(prefix)))
		&& (pattern === undefined || matchesUrlPattern(pattern, stored.url))
		&& (olderThan === undefined || policy.responseTimeMs < storedBeforeMs)
		&& (stale === undefined || isFresh(stored, nowMs) !== stale);
};

/** Tells of values that cannot be read by the keys that the store's own tools show. */
export const toOnUnreadable = (context: ExchangeContext, {onUnreadable}: EntriesOptions): OnUnreadable | undefined => onUnreadable && ((key, reason) => {
	onUnreadable({storeKey: storeNameOf(context, key), reason});
});

export const listEntries = async function * (context: ExchangeContext, given: EntryFilter = {}, options: EntriesOptions = {}): AsyncGenerator<ListedEntry> {
	const filter = toStoredForm(context, checkFilter(given));
	const onUnreadable = toOnUnreadable(context, checkEntriesOptions(options, 'entries()'));
	for await (const {key, stored, bodyBytes, timeToLive} of holding(context, onUnreadable)) {
		const nowMs = context.now();
		if (isMatch(stored, filter, nowMs)) {
			yield {
				...entryOf(stored, bodyBytes, {storeKey: storeNameOf(context, key), nowMs}),
				keptUntil: timeToLive === 'forever' ? undefined : dateOf(nowMs + timeToLive),
			};
		}
	}
};
