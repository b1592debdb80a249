import {randomBytes} from 'node:crypto';
import type {LRUCache} from 'lru-cache';
import type {RequestHead} from './http/message.ts';
import {
	isSelected,
	selectingFieldNames,
	selectingHeaders,
	variantId,
} from './http/vary.ts';
import type {Store, TimeToLive} from './store/store.ts';
import type {
	StoredRecord,
	StoredResponse,
	VariantIndex,
	VariantReference,
} from './stored.ts';

/**
What is stored of one resource: under its key the response, or with `Vary` an index, and beside it a key for each variant.
*/
export type ResourceContext = {
	readonly store: Store;
	/** The indexes that this process has seen, so that a look-up can name index and variant at once. A hint: what the store says wins. */
	readonly indexes: LRUCache<string, VariantIndex>;
	/** When this process purged a key, by `performance.now()`: what was asked for before is not stored after. */
	readonly purgedAt: LRUCache<string, number>;
	/** What this process writes while it reads the same: a reply that is on its way is older. */
	readonly overlaps: Map<string, Overlap>;
	/** Milliseconds since the epoch. */
	readonly now: () => number;
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
};

// More variants than these come of a field that should not be in `Vary`.
const maxVariants = 64;

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
	if (record?.kind !== 'index') {
		return record && {stored: record, index: undefined};
	}

	const variant = asResponse(store.peek(requestedVariant(key, record, request)));
	return variant?.generation === record.generation ? {stored: variant, index: record} : undefined;
};

/** One round trip; two where this process does not know yet which fields select. */
const read = async ({store, indexes}: ResourceContext, request: RequestHead, key: string, alternativeKey: string | undefined): Promise<Selection> => {
	const known = indexes.get(key);
	const knownKey = known && requestedVariant(key, known, request);
	const records = await store.get([key, knownKey, alternativeKey].filter(each => each !== undefined));
	const [record] = records;
	const alternative = alternativeKey === undefined ? undefined : asResponse(records.at(-1));

	if (record?.kind !== 'index') {
		indexes.delete(key);
		return {stored: record ?? alternative, index: undefined};
	}

	indexes.set(key, record);
	const wantedKey = requestedVariant(key, record, request);
	const [found] = wantedKey === knownKey ? [records[1]] : await store.get([wantedKey]);
	const variant = asResponse(found);

	return {stored: variant?.generation === record.generation ? variant : alternative, index: record};
};

/** What the store has, or what was written while it was asked. */
const readLatest = async (context: ResourceContext, request: RequestHead, key: string, matchHeaders: readonly string[]): Promise<Selection> => {
	const {overlaps, indexes} = context;
	const overlap = overlaps.get(key) ?? {readers: 0, written: undefined, writtenAt: -Infinity};
	const startedAt = performance.now();
	overlap.readers++;
	overlaps.set(key, overlap);
	const selection = await read(context, request, key, request.method === 'HEAD' ? headKey(key) : undefined);
	overlap.readers--;
	if (overlap.readers === 0) {
		overlaps.delete(key);
	}

	const {written, writtenAt} = overlap;

	return written && writtenAt >= startedAt && isSelected(request, written, matchHeaders) ? {stored: written, index: indexes.get(key) ?? selection.index} : selection;
};

/**
@param matchHeaders - Fields that select whether or not `Vary` names them.
*/
export const select = async (context: ResourceContext, request: RequestHead, key: string, matchHeaders: readonly string[]): Promise<Selection> => {
	const selection = (request.method === 'HEAD' ? undefined : peek(context, request, key)) ?? await readLatest(context, request, key, matchHeaders);

	return selection.stored === undefined || isSelected(request, selection.stored, matchHeaders) ? selection : {stored: undefined, index: selection.index};
};

/** The newest variant with an entity tag, whatever a request selects. */
export const selectByEntityTag = async ({store}: ResourceContext, key: string, {generation, variants}: VariantIndex, etag: string): Promise<StoredResponse | undefined> => {
	const named = variants.find(variant => variant.etag === etag);
	const [record] = named ? await store.get([variantKey(key, named.id)]) : [];
	const variant = asResponse(record);

	return variant?.generation === generation ? variant : undefined;
};

const hasSameNames = (first: readonly string[], second: readonly string[]) => first.length === second.length && first.every((name, position) => name === second[position]);

const entityTag = (rawHeaders: readonly string[]) => {
	const position = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'etag');
	return position === -1 ? '' : rawHeaders[position + 1] ?? '';
};

/** The index with one variant more, and what it no longer names. */
const indexWith = (known: VariantIndex | undefined, stored: StoredResponse, vary: readonly string[], nowMs: number, timeToLive: TimeToLive) => {
	const isContinued = known !== undefined && hasSameNames(known.vary, vary);
	const reference: VariantReference = {
		id: variantId(stored.selectingHeaders),
		keptUntilMs: timeToLive === 'forever' ? Number.MAX_SAFE_INTEGER : nowMs + timeToLive,
		etag: entityTag(stored.rawHeaders),
	};
	const others = (known?.variants ?? []).filter(variant => variant.id !== reference.id && variant.keptUntilMs > nowMs);
	const kept = isContinued ? others.slice(0, maxVariants - 1) : [];
	const index: VariantIndex = {
		kind: 'index',
		generation: isContinued ? known.generation : randomBytes(9).toString('base64url'),
		vary,
		variants: [reference, ...kept],
	};

	return {index, id: reference.id, dropped: others.slice(kept.length)};
};

/** An index is kept as long as any of its variants. */
const indexTimeToLive = ({variants}: VariantIndex, nowMs: number): TimeToLive => {
	const keptUntilMs = Math.max(...variants.map(variant => variant.keptUntilMs));
	return keptUntilMs === Number.MAX_SAFE_INTEGER ? 'forever' : keptUntilMs - nowMs;
};

const writeVariant = ({store, indexes, now}: ResourceContext, key: string, found: VariantIndex | undefined, stored: StoredResponse, vary: readonly string[], timeToLive: TimeToLive) => {
	// Another exchange of this process may have written the index since this one read it.
	const {index, id, dropped} = indexWith(indexes.get(key) ?? found, stored, vary, now(), timeToLive);
	indexes.set(key, index);
	void store.set(variantKey(key, id), {...stored, generation: index.generation}, timeToLive);
	void store.set(key, index, indexTimeToLive(index, now()));
	if (dropped.length > 0) {
		void store.delete(dropped.map(variant => variantKey(key, variant.id)));
	}
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

/**
Writes without waiting: a connection keeps the order, so a later look-up of this process sees it.

@returns Whether anything was written.
*/
export const write = (context: ResourceContext, {key, index, stored, startedAt, matchHeaders, timeToLive}: Write): boolean => {
	const {store, indexes, overlaps, purgedAt} = context;
	if (startedAt < (purgedAt.get(key) ?? -Infinity)) {
		return false;
	}

	if (stored.method === 'HEAD') {
		void store.set(headKey(key), stored, timeToLive);
		return true;
	}

	const overlap = overlaps.get(key);
	if (overlap) {
		overlap.written = stored;
		overlap.writtenAt = performance.now();
	}

	const vary = selectingFieldNames(stored.rawHeaders, matchHeaders);
	if (vary !== undefined && vary !== '*') {
		writeVariant(context, key, index, stored, vary, timeToLive);
		return true;
	}

	indexes.delete(key);
	void store.set(key, stored, timeToLive);
	return true;
};

/**
Removes all that is stored of a resource.

@returns Whether the store confirmed it.
*/
export const purge = async ({store, indexes, overlaps, purgedAt}: ResourceContext, key: string): Promise<boolean> => {
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
