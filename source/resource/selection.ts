import type {RequestHead} from '../http/message.ts';
import {isSelected} from '../http/vary.ts';
import {guardKeyOf} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {versionsIn, peekVersions, readVersions} from '../tags/current-versions.ts';
import {haveVersions, ensureVersions} from '../tags/ensure-versions.ts';
import {learnFrom} from '../tags/search-variance.ts';
import {
	applyPurges,
	isForSearchVariance,
	isPurgedBefore,
	versionKeysOf,
	originVersionKey,
	pathVersionKey,
	tagVersionKey,
	type Versions,
} from '../tags/versions.ts';
import type {StoredRecord, StoredResponse, VariantIndex} from '../types/stored.ts';
import {asResponse, noteVersionKeys, whenVariantsAreSent, type ResourceContext} from './resource.ts';
import {headKey, requestedVariantKey, variantKey} from './store-keys.ts';

export type Selection = {
	/** The stored response that the request selects, RFC 9111 §4.1. */
	readonly stored: StoredResponse | undefined;
	readonly index: VariantIndex | undefined;
	/** The tier that answered. */
	readonly tier: 'memory' | 'store';
	/** The versions at the time of the look-up. */
	readonly versions: Versions;
};

/** Selects a response from the memory tier, without I/O. */
export const peek = ({store}: ResourceContext, request: RequestHead, key: string): Selection | undefined => {
	const record = store.peek(key);
	const index = record?.kind === 'index' ? record : undefined;
	const found = asResponse(index ? store.peek(requestedVariantKey(key, index, request)) : record);
	if (!found || (index && found.indexId !== index.indexId)) {
		return undefined;
	}

	const names = versionKeysOf(key, found);
	const versions = peekVersions(store, names);
	const stored = applyPurges(names, found, versions);
	return stored && {stored, index, tier: 'memory', versions};
};

/** The keys that a look-up will probably need: the resource's guard, the origin's version, for equivalent URLs the path's version, and the versions of the last response. */
const expectedVersionKeys = ({versionKeys}: ResourceContext, {url}: RequestHead, key: string, tags: readonly string[]): readonly string[] => {
	const known = versionKeys.get(key) ?? [];
	// The keys of a stored response begin with the same two.
	if (known.length > 0 && tags.length === 0 && !isForSearchVariance(key)) {
		return known;
	}

	return [...new Set([
		guardKeyOf(key),
		originVersionKey(url),
		...isForSearchVariance(key) ? [pathVersionKey(url)] : [],
		...tags.map(tag => tagVersionKey(tag)),
		...known,
	])];
};

/** Reads the versions for a request that is sent without a look-up. */
export const observe = async (context: ResourceContext, request: RequestHead, key: string, tags: readonly string[]): Promise<Versions> =>
	readVersions(context.store, expectedVersionKeys(context, request, key, tags));

/** Applies purges to a look-up result; reads versions that were not prefetched. */
const withoutPurged = async ({store, versionKeys}: ResourceContext, key: string, found: StoredResponse | undefined, versions: Versions): Promise<Pick<Selection, 'stored' | 'versions'>> => {
	if (!found) {
		return {stored: undefined, versions};
	}

	const names = versionKeysOf(key, found);
	const unread = names.filter(name => !versions.has(name));
	const known = unread.length === 0 ? versions : new Map([...versions, ...await readVersions(store, unread)]);
	noteVersionKeys({versionKeys}, key, names);

	return {stored: applyPurges(names, found, known), versions: known};
};

type Wanted = {
	readonly request: RequestHead;
	readonly key: string;
	readonly alternativeKey: string | undefined;
	readonly tags: readonly string[];
};

/** The versions that must exist before a response is stored. */
const neededVersionKeys = ({request, tags}: Wanted): readonly string[] => [originVersionKey(request.url), ...tags.map(tag => tagVersionKey(tag))];

/** Learns from the versions of a look-up whether URLs of the origin are equivalent: every look-up reads them, wherever they lie. */
const learnFromVersions = (context: ResourceContext, {request, key}: Wanted, [, origin, path]: ReadonlyArray<StoredRecord | undefined>): void => {
	learnFrom(context, request.url, {origin, path: isForSearchVariance(key) ? path : undefined});
};

/** Returns an empty selection if memory knows that nothing is stored. This saves a round trip for responses that may not be stored and are requested often. */
const peekNothing = (context: ResourceContext, wanted: Wanted): Selection | undefined => {
	const {request, key, alternativeKey, tags} = wanted;
	const {store, indexes} = context;
	const records = store.peekAll(alternativeKey === undefined ? [key] : [key, alternativeKey]);
	if (!records || records.some(record => record !== undefined)) {
		return undefined;
	}

	const names = expectedVersionKeys(context, request, key, tags);
	const versionRecords = store.peekAll(names);
	if (!versionRecords || !haveVersions(store, neededVersionKeys(wanted))) {
		return undefined;
	}

	learnFromVersions(context, wanted, versionRecords);
	indexes.delete(key);
	return {stored: undefined, index: undefined, tier: 'memory', versions: versionsIn(store, names, versionRecords)};
};

/** Reads in one round trip, or in two if this process does not know the selecting fields or the versions yet. */
const read = async (context: ResourceContext, wanted: Wanted): Promise<Selection> => {
	const {request, key, alternativeKey, tags} = wanted;
	const {store, indexes} = context;
	await whenVariantsAreSent(context, key);
	const known = indexes.get(key);
	const knownKey = known && requestedVariantKey(key, known, request);
	const keys = [key, knownKey, alternativeKey].filter(each => each !== undefined);
	const names = expectedVersionKeys(context, request, key, tags);
	const [all, made] = await Promise.all([
		store.get([...keys, ...names]),
		ensureVersions(store, neededVersionKeys(wanted)),
	]);
	const versionRecords = all.slice(keys.length);
	const found = versionsIn(store, names, versionRecords);
	const versions: Versions = made.size === 0 ? found : new Map([...found, ...made]);
	learnFromVersions(context, wanted, versionRecords);
	const records = all.slice(0, keys.length);
	const [record] = records;
	const alternative = alternativeKey === undefined ? undefined : asResponse(records.at(-1));

	if (record?.kind !== 'index') {
		indexes.delete(key);
		return forgetPurged(context, keys, {index: undefined, tier: 'store', ...await withoutPurged(context, key, asResponse(record) ?? alternative, versions)});
	}

	indexes.set(key, record);
	const wantedKey = requestedVariantKey(key, record, request);
	const [listed] = wantedKey === knownKey ? [records[1]] : await store.get([wantedKey]);
	const variant = asResponse(listed);
	const judged = await withoutPurged(context, key, variant?.indexId === record.indexId ? variant : alternative, versions);

	return forgetPurged(context, [...keys, wantedKey], {index: record, tier: 'store', ...judged});
};

/** Drops purged entries from memory, since memory may forget a version before it forgets the response. */
const forgetPurged = ({store}: ResourceContext, keys: readonly string[], selection: Selection): Selection => {
	if (!selection.stored) {
		for (const key of keys) {
			store.forget(key);
		}
	}

	return selection;
};

/** Reads from the store, but prefers a response that was written during the read. */
const readLatest = async (context: ResourceContext, wanted: Wanted, matchHeaders: readonly string[]): Promise<Selection> => {
	const {store, readsInFlight: overlaps, indexes} = context;
	const {request, key} = wanted;
	const overlap = overlaps.get(key) ?? {readers: 0, written: undefined, writtenAt: -Infinity};
	const startedAt = ownTimers.now();
	overlap.readers++;
	overlaps.set(key, overlap);
	const selection = await read(context, wanted);
	overlap.readers--;
	if (overlap.readers === 0) {
		overlaps.delete(key);
	}

	const {written, writtenAt} = overlap;
	if (!written || writtenAt < startedAt || !isSelected(request, written, matchHeaders)) {
		return selection;
	}

	if (isPurgedBefore(selection.versions, key, written)) {
		return selection;
	}

	// This response may be the first one with its versions.
	const names = versionKeysOf(key, written);
	const versions = new Map([...selection.versions, ...await readVersions(store, names)]);
	const stored = applyPurges(names, written, versions);

	return stored ? {stored, versions, tier: 'store', index: indexes.get(key) ?? selection.index} : selection;
};

type SelectOptions = {
	/** Header fields that select, whether or not `Vary` names them. */
	readonly matchHeaders: readonly string[];
	/** The tags that the request gives its response. */
	readonly tags: readonly string[];
};

export const select = async (context: ResourceContext, request: RequestHead, key: string, {matchHeaders, tags}: SelectOptions): Promise<Selection> => {
	const isHead = request.method === 'HEAD';
	const wanted: Wanted = {request, key, tags, alternativeKey: isHead ? headKey(key) : undefined};
	const selection = (isHead ? undefined : peek(context, request, key)) ?? peekNothing(context, wanted) ?? await readLatest(context, wanted, matchHeaders);

	return selection.stored === undefined || isSelected(request, selection.stored, matchHeaders) ? selection : {...selection, stored: undefined};
};

/** The newest variant with an entity tag, regardless of the request's selecting fields. */
export const selectByEntityTag = async (context: ResourceContext, key: string, {indexId, variants}: VariantIndex, etag: string): Promise<StoredResponse | undefined> => {
	const named = variants.find(variant => variant.etag === etag);
	const [record] = named ? await context.store.get([variantKey(key, named.id)]) : [];
	const variant = asResponse(record);

	if (variant?.indexId !== indexId) {
		return undefined;
	}

	const {stored} = await withoutPurged(context, key, variant, new Map());
	return stored;
};
