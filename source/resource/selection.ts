import type {RequestHead} from '../http/message.ts';
import {isSelected} from '../http/vary.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {
	ensureNeededVersions,
	expectedVersionKeys,
	isPurgedBefore,
	observedVersions,
	peekExpectedVersions,
	peekValidity,
	readExpectedVersions,
	readValidity,
	type Versions,
} from '../tags/validity.ts';
import {asResponse, type StoredResponse, type VariantIndex} from '../types/stored.ts';
import type {ResourceContext} from './context.ts';
import {headKey, requestedVariantKey, variantKey} from './store-keys.ts';
import {whenVariantsAreSent} from './variant-queue.ts';

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

	const {stored, versions} = peekValidity(store, key, found);
	return stored && {stored, index, tier: 'memory', versions};
};

/** Reads the versions for a request that is sent without a look-up. */
export const observe = async (context: ResourceContext, request: RequestHead, key: string, tags: readonly string[]): Promise<Versions> =>
	readExpectedVersions(context, {request, key, tags});

type Wanted = {
	readonly request: RequestHead;
	readonly key: string;
	readonly alternativeKey: string | undefined;
	readonly tags: readonly string[];
};

/** Returns an empty selection if memory knows that nothing is stored. This saves a round trip for responses that may not be stored and are requested often. */
const peekNothing = (context: ResourceContext, wanted: Wanted): Selection | undefined => {
	const {key, alternativeKey} = wanted;
	const {store, indexes} = context;
	const records = store.peekAll(alternativeKey === undefined ? [key] : [key, alternativeKey]);
	if (!records || records.some(record => record !== undefined)) {
		return undefined;
	}

	const versions = peekExpectedVersions(context, wanted);
	if (!versions) {
		return undefined;
	}

	indexes.delete(key);
	return {stored: undefined, index: undefined, tier: 'memory', versions};
};

/** Reads in one round trip, or in two if this process does not know the selecting fields or the versions yet. */
const read = async (context: ResourceContext, wanted: Wanted): Promise<Selection> => {
	const {request, key, alternativeKey} = wanted;
	const {store, indexes} = context;
	await whenVariantsAreSent(context, key);
	const known = indexes.get(key);
	const knownKey = known && requestedVariantKey(key, known, request);
	const keys = [key, knownKey, alternativeKey].filter(each => each !== undefined);
	const names = expectedVersionKeys(context, wanted);
	const [all, made] = await Promise.all([
		store.get([...keys, ...names]),
		ensureNeededVersions(context, wanted),
	]);
	const observed = observedVersions(context, wanted, names, all.slice(keys.length));
	const versions: Versions = made.size === 0 ? observed : new Map([...observed, ...made]);
	const records = all.slice(0, keys.length);
	const [record] = records;
	const alternative = alternativeKey === undefined ? undefined : asResponse(records.at(-1));

	if (record?.kind !== 'index') {
		indexes.delete(key);
		return forgetPurged(context, keys, {index: undefined, tier: 'store', ...await readValidity(context, key, asResponse(record) ?? alternative, versions)});
	}

	indexes.set(key, record);
	const wantedKey = requestedVariantKey(key, record, request);
	const [listed] = wantedKey === knownKey ? [records[1]] : await store.get([wantedKey]);
	const variant = asResponse(listed);
	const validity = await readValidity(context, key, variant?.indexId === record.indexId ? variant : alternative, versions);

	return forgetPurged(context, [...keys, wantedKey], {index: record, tier: 'store', ...validity});
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
	const {readsInFlight, indexes} = context;
	const {request, key} = wanted;
	const reads = readsInFlight.get(key) ?? {readers: 0, written: undefined, writtenMonoMs: -Infinity};
	const startedMonoMs = ownTimers.now();
	reads.readers++;
	readsInFlight.set(key, reads);
	const selection = await read(context, wanted);
	reads.readers--;
	if (reads.readers === 0) {
		readsInFlight.delete(key);
	}

	const {written, writtenMonoMs} = reads;
	if (!written || writtenMonoMs < startedMonoMs || !isSelected(request, written, matchHeaders)) {
		return selection;
	}

	if (isPurgedBefore(selection.versions, key, written)) {
		return selection;
	}

	// This response may be the first one with its versions.
	const {stored, versions} = await readValidity(context, key, written);

	return stored ? {stored, versions: new Map([...selection.versions, ...versions]), tier: 'store', index: indexes.get(key) ?? selection.index} : selection;
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

	const {stored} = await readValidity(context, key, variant);
	return stored;
};
