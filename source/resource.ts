import type {Hints} from './hints.ts';
import {learnFrom, type EquivalentsContext} from './equivalents.ts';
import type {RequestHead} from './http/message.ts';
import {
	isSelected,
	selectingFieldNames,
	selectingHeaders,
	variantId,
} from './http/vary.ts';
import {
	changeMark,
	ensureMarks,
	heed,
	isForEquivalents,
	longestExchangeMs,
	marksIn,
	markKeysOf,
	originMark,
	pathMark,
	peekMarks,
	readMarks,
	resourceMark,
	tagMark,
	type Marks,
} from './marks.ts';
import type {TimeToLive} from './store/store.ts';
import type {
	StoredRecord,
	StoredResponse,
	VariantIndex,
} from './stored.ts';
import {indexTimeToLive, indexWith, mergeIndex} from './variants.ts';

/**
What is stored of one resource: under its key the response, or with `Vary` an index, and beside it a key for each variant.
*/
export type ResourceContext = EquivalentsContext & {
	/** The indexes that this process has seen, so that a look-up can name index and variant at once. A hint: what the store says wins. */
	readonly indexes: Hints<VariantIndex>;
	/** The marks of the response that was last found or written under a key, so that a look-up can read them along. A hint, too. */
	readonly markKeys: Hints<readonly string[]>;
	/** When this process purged a key, by `performance.now()`: what was asked for before is not stored after. */
	readonly purgedAt: Hints<number>;
	/** What this process writes while it reads the same: a reply that is on its way is older. */
	readonly overlaps: Map<string, Overlap>;
};

export type Overlap = {
	readers: number;
	written: StoredResponse | undefined;
	/** By `performance.now()`. */
	writtenAt: number;
};

export type Selection = {
	/** The stored response that the request selects, RFC 9111 §4.1. */
	readonly stored: StoredResponse | undefined;
	readonly index: VariantIndex | undefined;
	/** The marks as they were at the look-up. */
	readonly marks: Marks;
};

/** The braces make a cluster keep all of a resource in one slot. */
export const resourceKey = (hash: string): string => `{${hash}}`;

const variantKey = (key: string, id: string) => `${key}:${id}`;

// What is stored of a HEAD request has no body to answer a GET request with.
const headKey = (key: string) => `${key}:HEAD`;

const requestedVariant = (key: string, {vary}: VariantIndex, request: RequestHead) => variantKey(key, variantId(selectingHeaders(vary, request.headers)));

const asResponse = (record: StoredRecord | undefined) => record?.kind === 'response' ? record : undefined;

/** What the memory tier can give at once. */
export const peek = ({store}: ResourceContext, request: RequestHead, key: string): Selection | undefined => {
	const record = store.peek(key);
	const index = record?.kind === 'index' ? record : undefined;
	const found = asResponse(index ? store.peek(requestedVariant(key, index, request)) : record);
	if (!found || (index && found.generation !== index.generation)) {
		return undefined;
	}

	const names = markKeysOf(key, found);
	const marks = peekMarks(store, names);
	const stored = heed(names, found, marks);
	return stored && {stored, index, marks};
};

/** The marks that a look-up can be expected to need: the resource's, the origin's, for equivalent URLs the path's, and others. */
const expectedMarks = ({markKeys}: ResourceContext, {url}: RequestHead, key: string, tags: readonly string[]): readonly string[] => {
	const known = markKeys.get(key) ?? [];
	// Those of what is stored begin with the same two.
	if (known.length > 0 && tags.length === 0 && !isForEquivalents(key)) {
		return known;
	}

	return [...new Set([
		resourceMark(key),
		originMark(url),
		...isForEquivalents(key) ? [pathMark(url)] : [],
		...tags.map(tag => tagMark(tag)),
		...known,
	])];
};

/** What is to be known of a request that is sent without a look at what is stored. */
export const observe = async (context: ResourceContext, request: RequestHead, key: string, tags: readonly string[]): Promise<Marks> => readMarks(context.store, expectedMarks(context, request, key, tags));

/** What holds of what was found, with marks that were not expected read as well. */
const judge = async ({store, markKeys}: ResourceContext, key: string, found: StoredResponse | undefined, marks: Marks): Promise<Pick<Selection, 'stored' | 'marks'>> => {
	if (!found) {
		return {stored: undefined, marks};
	}

	const names = markKeysOf(key, found);
	const unread = names.filter(name => !marks.has(name));
	const known = unread.length === 0 ? marks : new Map([...marks, ...await readMarks(store, unread)]);
	markKeys.set(key, names);

	return {stored: heed(names, found, known), marks: known};
};

type Wanted = {
	readonly request: RequestHead;
	readonly key: string;
	readonly alternativeKey: string | undefined;
	readonly tags: readonly string[];
};

/** One round trip; two where this process does not know yet which fields select, or which marks matter. */
const read = async (context: ResourceContext, {request, key, alternativeKey, tags}: Wanted): Promise<Selection> => {
	const {store, indexes} = context;
	const known = indexes.get(key);
	const knownKey = known && requestedVariant(key, known, request);
	const keys = [key, knownKey, alternativeKey].filter(each => each !== undefined);
	const names = expectedMarks(context, request, key, tags);
	const [all, made] = await Promise.all([
		store.get([...keys, ...names]),
		ensureMarks(store, [originMark(request.url), ...tags.map(tag => tagMark(tag))], context.now()),
	]);
	const markRecords = all.slice(keys.length);
	const found = marksIn(store, names, markRecords);
	const marks: Marks = made.size === 0 ? found : new Map([...found, ...made]);
	const [, origin, path] = markRecords;
	learnFrom(context, request.url, {origin, path: isForEquivalents(key) ? path : undefined});
	const records = all.slice(0, keys.length);
	const [record] = records;
	const alternative = alternativeKey === undefined ? undefined : asResponse(records.at(-1));

	if (record?.kind !== 'index') {
		indexes.delete(key);
		return forgetPurged(context, keys, {index: undefined, ...await judge(context, key, asResponse(record) ?? alternative, marks)});
	}

	indexes.set(key, record);
	const wantedKey = requestedVariant(key, record, request);
	const [listed] = wantedKey === knownKey ? [records[1]] : await store.get([wantedKey]);
	const variant = asResponse(listed);
	const judged = await judge(context, key, variant?.generation === record.generation ? variant : alternative, marks);

	return forgetPurged(context, [...keys, wantedKey], {index: record, ...judged});
};

/** Memory may forget the mark of a resource sooner than what it says of the resource. */
const forgetPurged = ({store}: ResourceContext, keys: readonly string[], selection: Selection): Selection => {
	if (!selection.stored) {
		for (const key of keys) {
			store.forget(key);
		}
	}

	return selection;
};

/** What the store has, or what was written while it was asked. */
const readLatest = async (context: ResourceContext, wanted: Wanted, matchHeaders: readonly string[]): Promise<Selection> => {
	const {store, overlaps, indexes} = context;
	const {request, key} = wanted;
	const overlap = overlaps.get(key) ?? {readers: 0, written: undefined, writtenAt: -Infinity};
	const startedAt = performance.now();
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

	// It may be the first to have its marks.
	const names = markKeysOf(key, written);
	const marks = new Map([...selection.marks, ...await readMarks(store, names)]);
	const stored = heed(names, written, marks);

	return stored ? {stored, marks, index: indexes.get(key) ?? selection.index} : selection;
};

type SelectOptions = {
	/** Fields that select whether or not `Vary` names them. */
	readonly matchHeaders: readonly string[];
	/** Those that the response is going to have in any case. */
	readonly tags: readonly string[];
};

export const select = async (context: ResourceContext, request: RequestHead, key: string, {matchHeaders, tags}: SelectOptions): Promise<Selection> => {
	const isHead = request.method === 'HEAD';
	const selection = (isHead ? undefined : peek(context, request, key)) ?? await readLatest(context, {request, key, tags, alternativeKey: isHead ? headKey(key) : undefined}, matchHeaders);

	return selection.stored === undefined || isSelected(request, selection.stored, matchHeaders) ? selection : {...selection, stored: undefined};
};

/** The newest variant with an entity tag, whatever a request selects. */
export const selectByEntityTag = async (context: ResourceContext, key: string, {generation, variants}: VariantIndex, etag: string): Promise<StoredResponse | undefined> => {
	const named = variants.find(variant => variant.etag === etag);
	const [record] = named ? await context.store.get([variantKey(key, named.id)]) : [];
	const variant = asResponse(record);

	if (variant?.generation !== generation) {
		return undefined;
	}

	const {stored} = await judge(context, key, variant, new Map());
	return stored;
};

export type Write = {
	readonly key: string;
	/** The index that the look-up found. */
	readonly index: VariantIndex | undefined;
	readonly stored: StoredResponse;
	/** When the request was looked up, by `performance.now()`. */
	readonly startedAt: number;
	readonly matchHeaders: readonly string[];
	readonly timeToLive: TimeToLive;
};

/** Takes back what came just too late: after the purge, which looked for it in vain. */
const writeGuarded = async ({store}: ResourceContext, storeKey: string, {key, stored, timeToLive}: Pick<Write, 'key' | 'stored' | 'timeToLive'>): Promise<void> => {
	const name = resourceMark(key);
	const isWritten = await store.set(storeKey, stored, timeToLive);
	if (!isWritten) {
		return;
	}

	// Not along with it: a write may take a second step.
	const marks = await readMarks(store, [name]);
	const now = marks.get(name);
	if (now && now !== stored.marks[0]) {
		await store.delete([storeKey]);
	}
};

const writeVariant = (context: ResourceContext, vary: readonly string[], {key, index: found, stored, timeToLive}: Write) => {
	const {store, indexes, now} = context;
	// Another exchange of this process may have written the index since this one read it.
	const {index, id, dropped} = indexWith(indexes.get(key) ?? found, {stored, vary, nowMs: now(), timeToLive});
	indexes.set(key, index);
	void writeGuarded(context, variantKey(key, id), {key, stored: {...stored, generation: index.generation}, timeToLive});
	void store.set(key, index, indexTimeToLive(index, now()), current => mergeIndex(current, index));
	if (dropped.length > 0) {
		void store.delete(dropped.map(variant => variantKey(key, variant.id)));
	}
};

/** In `purgedAt`, for all keys. */
export const everyKey = '';

const isPurgedSince = ({purgedAt}: ResourceContext, key: string, startedAt: number): boolean => [key, everyKey].some(each => startedAt < (purgedAt.get(each) ?? -Infinity));

/**
Writes without waiting: a connection keeps the order, so a later look-up of this process sees it.

@returns Whether anything was written.
*/
export const write = (context: ResourceContext, written: Write): boolean => {
	const {key, stored, startedAt, matchHeaders} = written;
	const {indexes, overlaps, markKeys} = context;
	if (isPurgedSince(context, key, startedAt)) {
		return false;
	}

	markKeys.set(key, markKeysOf(key, stored));
	if (stored.method === 'HEAD') {
		void writeGuarded(context, headKey(key), written);
		return true;
	}

	const overlap = overlaps.get(key);
	if (overlap) {
		overlap.written = stored;
		overlap.writtenAt = performance.now();
	}

	const vary = selectingFieldNames(stored.rawHeaders, matchHeaders);
	if (vary !== undefined && vary !== '*') {
		writeVariant(context, vary, written);
		return true;
	}

	indexes.delete(key);
	void writeGuarded(context, key, written);
	return true;
};

/** Removes what would be looked up first, when something newer is stored elsewhere. */
export const supersede = ({store, indexes}: ResourceContext, key: string): void => {
	indexes.delete(key);
	void store.delete([key, headKey(key)]);
};

/** The key of the resource that a key in the store belongs to. */
export const resourceOf = (storeKey: string): string => storeKey.slice(0, storeKey.indexOf('}') + 1);

/** All that is stored of a resource and holds, what was stored last first. */
export const readAll = async (context: ResourceContext, key: string): Promise<Array<{readonly storeKey: string; readonly stored: StoredResponse}>> => {
	const {store} = context;
	const [record, head] = await store.get([key, headKey(key)]);
	const index = record?.kind === 'index' ? record : undefined;
	const variantKeys = index ? index.variants.map(({id}) => variantKey(key, id)) : [];
	const storeKeys = [key, ...variantKeys, headKey(key)];
	const records = [index ? undefined : record, ...await store.get(variantKeys), head];
	const found = storeKeys.flatMap((storeKey, position) => {
		const stored = asResponse(records[position]);
		const isListed = !variantKeys.includes(storeKey) || stored?.generation === index?.generation;
		return stored && isListed ? [{storeKey, stored}] : [];
	});
	const marks = await readMarks(store, [...new Set(found.flatMap(({stored}) => markKeysOf(key, stored)))]);

	return found.flatMap(({storeKey, stored}) => {
		const held = heed(markKeysOf(key, stored), stored, marks);
		return held ? [{storeKey, stored: held}] : [];
	});
};

/**
Removes all that is stored of a resource.

@returns Whether the store confirmed it.
*/
export const remove = async ({store, indexes, overlaps, purgedAt}: ResourceContext, key: string): Promise<boolean> => {
	const known = indexes.get(key);
	indexes.delete(key);
	const [record] = await store.get([key]);
	const found = record?.kind === 'index' ? record : undefined;
	const variants = new Set([...known?.variants ?? [], ...found?.variants ?? []].map(({id}) => variantKey(key, id)));
	purgedAt.set(key, performance.now());
	const overlap = overlaps.get(key);
	if (overlap) {
		overlap.written = undefined;
	}

	return store.delete([key, headKey(key), ...variants]);
};

/**
Removes all that is stored of a resource, and has every process that is asking for it store nothing.

@returns Whether the store confirmed it.
*/
export const purge = async (context: ResourceContext, key: string): Promise<boolean> => {
	const confirmations = await Promise.all([
		changeMark(context.store, resourceMark(key), {isSoft: false, nowMs: context.now()}, longestExchangeMs),
		remove(context, key),
	]);

	return confirmations.every(Boolean);
};
