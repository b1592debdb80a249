import type {Hints} from './hints.ts';
import type {EquivalentsContext} from './equivalents.ts';
import {changeMark, readMarks} from './generations.ts';
import {selectingFieldNames} from './http/vary.ts';
import {
	heed,
	longestExchangeMs,
	markKeysOf,
	resourceMark,
	type Marks,
} from './marks.ts';
import type {TimeToLive} from './store/store.ts';
import type {StoredRecord, StoredResponse, VariantIndex} from './stored.ts';
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

/** The braces make a cluster keep all of a resource in one slot. */
export const resourceKey = (hash: string): string => `{${hash}}`;

export const variantKey = (key: string, id: string) => `${key}:${id}`;

// What is stored of a HEAD request has no body to answer a GET request with.
export const headKey = (key: string) => `${key}:HEAD`;

export const asResponse = (record: StoredRecord | undefined) => record?.kind === 'response' ? record : undefined;

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

/** Whether this process has purged it since. */
export const isPurgedSince = ({purgedAt}: ResourceContext, key: string, startedAt: number): boolean => [key, everyKey].some(each => startedAt < (purgedAt.get(each) ?? -Infinity));

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
export const readAll = async (context: ResourceContext, key: string): Promise<Array<{readonly storeKey: string; readonly stored: StoredResponse; readonly marks: Marks}>> => {
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
		return held ? [{storeKey, stored: held, marks}] : [];
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
