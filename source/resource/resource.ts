import {selectingFieldNames, variantId} from '../http/vary.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {Purge, PurgeResult, TimeToLive} from '../store/ports/store.ts';
import {readVersions} from '../tags/current-versions.ts';
import type {SearchVarianceContext} from '../tags/search-variance.ts';
import {
	guardKey,
	applyPurges,
	versionKeysOf,
	resourceOf,
	type Versions,
} from '../tags/versions.ts';
import type {Hints} from '../types/hints.ts';
import type {StoredRecord, StoredResponse, VariantIndex} from '../types/stored.ts';
import {indexTimeToLive, indexWith} from './variants.ts';

/**
What is stored of one resource: under its key the response, or with `Vary` an index, and beside it a key for each variant.
*/
export type ResourceContext = SearchVarianceContext & {
	/** The indexes that this process has seen, so that a look-up can name index and variant at once. A hint: what the store says wins. */
	readonly indexes: Hints<VariantIndex>;
	/** The versions of the response that was last found or written under a key, so that a look-up can read them along. A hint, too. */
	readonly markKeys: Hints<readonly string[]>;
	/** The last purge of each resource by this process: what was asked for before is not stored after. */
	readonly purges: Hints<OwnPurge>;
	/** The request whose response this process wrote last, by key and by variant. */
	readonly newest: Hints<Newest>;
	/** What this process writes while it reads the same: a reply that is on its way is older. */
	readonly readsInFlight: Map<string, ReadsInFlight>;
	/** Variants on their way to the store, by the key of their index. */
	readonly variantQueues: Map<string, VariantQueue>;
};

export type OwnPurge = {
	/** By `performance.now()`. */
	readonly monoMs: number;
	/** Of the guard, once the store has confirmed it. */
	readonly token?: string;
	readonly formerToken?: string | undefined;
};

export type Newest = {
	/** When it was looked up, by `performance.now()`. */
	readonly startedAtMonoMs: number;
	/** Whether its response has no `Vary`. */
	readonly isForAll: boolean;
};

/** One index is written at a time, or it would lack a variant: others wait, and go along with the next. */
export type VariantQueue = {
	waiting: VariantWrite[];
	sending: Promise<void>;
	/** Whether what is being sent takes long. */
	isLong: boolean;
};

export type ReadsInFlight = {
	readers: number;
	written: StoredResponse | undefined;
	/** By `performance.now()`. */
	writtenAt: number;
};

/** The braces make a cluster keep all of a resource in one slot. */
export const resourceKey = (hash: string): string => `{${hash}}`;

/** Of the same resource, for callers who decode for themselves. */
export const encodedKey = (resource: string): string => `${resource}:encoded`;

export const variantKey = (key: string, id: string) => `${key}:${id}`;

// What is stored of a HEAD request has no body to answer a GET request with.
export const headKey = (key: string) => `${key}:HEAD`;

export const asResponse = (record: StoredRecord | undefined) => record?.kind === 'response' ? record : undefined;

type VariantWrite = {
	readonly write: Write;
	readonly vary: readonly string[];
	readonly isLong: boolean;
};

export type Write = {
	readonly key: string;
	/** The index that the look-up found. */
	readonly index: VariantIndex | undefined;
	readonly stored: StoredResponse;
	/** What the exchange counts on, of the resource's guard. */
	readonly token: string;
	/** When the request was looked up, by `performance.now()`. */
	readonly startedAt: number;
	readonly matchHeaders: readonly string[];
	readonly timeToLive: TimeToLive;
};

/** As it lies in the store, where no token says anything. */
const withoutToken = (stored: StoredResponse): StoredResponse => ({...stored, versions: ['', ...stored.versions.slice(1)]});

const commitAlone = ({store}: ResourceContext, storeKey: string, {key, stored, token, timeToLive}: Write, deletedKeys: readonly string[]): void => {
	void store.commit({guard: {key: guardKey(key), token}, records: [{key: storeKey, record: withoutToken(stored), timeToLive}], deletedKeys});
};

const variantKeysOf = (key: string, index: VariantIndex | undefined): string[] => index ? index.variants.map(({id}) => variantKey(key, id)) : [];

/** Of those who change an index at the same time, all but one have to try again. */
const maxIndexTries = 10;

/** An index with several variants more. */
const indexWithAll = (known: VariantIndex | undefined, batch: readonly VariantWrite[], nowMs: number) => {
	let index = known;
	const ids: string[] = [];
	const dropped = new Set<string>();
	for (const {write: {stored, timeToLive}, vary, isLong} of batch) {
		const change = indexWith(index, {stored, vary, nowMs, timeToLive, isLong});
		index = change.index;
		ids.push(change.id);
		dropped.delete(change.id);
		for (const {id} of change.dropped) {
			dropped.add(id);
		}
	}

	return {index, ids, dropped};
};

const commitVariants = async ({store, indexes, now}: ResourceContext, key: string, batch: readonly VariantWrite[]): Promise<void> => {
	const [first] = batch;
	if (!first) {
		return;
	}

	// Another exchange of this process may have written the index since this one read it.
	let current: StoredRecord | undefined = indexes.get(key) ?? first.write.index;
	for (let tries = 0; tries < maxIndexTries; tries++) {
		const known = current?.kind === 'index' ? current : undefined;
		const {index, ids, dropped} = indexWithAll(known, batch, now());
		if (!index) {
			return;
		}

		// eslint-disable-next-line no-await-in-loop -- each try begins with what the last one found
		const result = await store.commit({
			guard: {key: guardKey(key), token: first.write.token},
			records: [
				...batch.flatMap(({write: {stored, timeToLive}}, position) => {
					const id = ids[position] ?? '';
					return dropped.has(id) ? [] : [{key: variantKey(key, id), record: {...withoutToken(stored), indexId: index.indexId}, timeToLive}];
				}),
				// What lies there and is no record is replaced at the second try.
				{key, record: index, timeToLive: indexTimeToLive(index, now()), replaces: known ?? (tries === 0 && current === undefined ? 'nothing' : undefined)},
			],
			deletedKeys: [...dropped].map(id => variantKey(key, id)),
		});
		if (result === 'written') {
			indexes.set(key, index);
		}

		if (result !== 'conflict') {
			return;
		}

		// eslint-disable-next-line no-await-in-loop
		[current] = await store.get([key]);
	}
};

const maxBatch = 16;

/** Those that go along with the first that waits: with the same guard and the same selecting fields. */
const takeBatch = (queue: VariantQueue): VariantWrite[] => {
	const [first] = queue.waiting;
	if (!first) {
		return [];
	}

	const together = queue.waiting.filter(({write, vary, isLong}) => write.token === first.write.token && isLong === first.isLong && String(vary) === String(first.vary)).slice(0, maxBatch);
	queue.waiting = queue.waiting.filter(waiting => !together.includes(waiting));

	return together;
};

const sendVariants = async (context: ResourceContext, key: string, queue: VariantQueue): Promise<void> => {
	for (let batch = takeBatch(queue); batch.length > 0; batch = takeBatch(queue)) {
		queue.isLong = batch.some(({isLong}) => isLong);
		queue.sending = commitVariants(context, key, batch);
		// eslint-disable-next-line no-await-in-loop -- one index after the other
		await queue.sending;
	}

	context.variantQueues.delete(key);
};

const writeVariant = (context: ResourceContext, vary: readonly string[], write: Write): void => {
	const {store, variantQueues} = context;
	const isLong = write.stored.body.length >= store.longBodyBytes;
	const queue = variantQueues.get(write.key);
	if (queue) {
		queue.waiting.push({write, vary, isLong});
		return;
	}

	const created: VariantQueue = {waiting: [{write, vary, isLong}], sending: Promise.resolve(), isLong};
	variantQueues.set(write.key, created);
	void sendVariants(context, write.key, created);
};

/** Resolves when variants that wait have been sent: what is read after that on the same connection has them. */
export const whenVariantsAreSent = async ({store, variantQueues}: ResourceContext, key: string): Promise<void> => {
	const queue = variantQueues.get(key);
	if (queue?.isLong) {
		// It would take longer to get it from the origin once more.
		await queue.sending;
		return;
	}

	if (queue === undefined || queue.waiting.length === 0) {
		return;
	}

	await (store.withinBudget ? store.withinBudget(queue.sending, undefined) : queue.sending);
};

/** Whether all that was to be written is on the way to the store, in front of any later command about the same resource. */
export const isAllSent = ({store, variantQueues}: ResourceContext): boolean =>
	store.keepsOrder && !store.needsExtraRoundTrip && variantQueues.values().every(({waiting}) => waiting.length === 0);

/** Resolves when all that is being written now has been, or has failed. */
export const flushWrites = async ({store, variantQueues}: ResourceContext): Promise<void> => {
	while (variantQueues.size > 0) {
		// eslint-disable-next-line no-await-in-loop -- those that wait are sent after that
		await Promise.all(variantQueues.values().map(async ({sending}) => sending));
	}

	await store.flush();
};

/** In `purges`, for all keys. */
export const everyKey = '';

/** Whether this process has purged it since. */
export const isPurgedSince = ({purges}: ResourceContext, key: string, startedAt: number): boolean => [resourceOf(key), everyKey].some(each => startedAt < (purges.get(each)?.monoMs ?? -Infinity));

export const lastPurgeOf = ({purges}: ResourceContext, key: string): OwnPurge | undefined => purges.get(resourceOf(key));

/** Whether a request that was looked up later has brought its response sooner, which is the newer one then. */
const isOutrun = ({newest}: ResourceContext, {key, stored: {method, statusCode, selectingHeaders}, startedAt}: Write, vary: ReturnType<typeof selectingFieldNames>): boolean => {
	const wholeKey = method === 'HEAD' ? headKey(key) : key;
	const isVariant = vary !== undefined && vary !== '*';
	const ownKey = isVariant ? variantKey(wholeKey, variantId(selectingHeaders)) : wholeKey;
	const [own, whole] = [newest.get(ownKey), newest.get(wholeKey)];
	// A response without `Vary` takes the place of all variants, and a variant that of a response without.
	if (startedAt < (own?.startedAtMonoMs ?? -Infinity) || (whole?.isForAll && startedAt < whole.startedAtMonoMs)) {
		return true;
	}

	// A part takes the place of no whole.
	if (statusCode === 206) {
		return false;
	}

	const laterOf = (known: Newest | undefined): number => Math.max(startedAt, known?.startedAtMonoMs ?? -Infinity);
	newest.set(wholeKey, {startedAtMonoMs: laterOf(whole), isForAll: !isVariant});
	if (isVariant) {
		newest.set(ownKey, {startedAtMonoMs: startedAt, isForAll: false});
	}

	return false;
};

/** Keeps the response to an earlier request from being written where that to a later one has removed what was stored. */
export const outrun = ({newest}: ResourceContext, key: string, startedAtMonoMs: number): void => {
	const known = newest.get(key);
	if (startedAtMonoMs > (known?.startedAtMonoMs ?? -Infinity)) {
		newest.set(key, {startedAtMonoMs, isForAll: true});
	}
};

/**
Writes without waiting: a connection keeps the order, so a later look-up of this process sees it.

@returns Why nothing was written.
*/
export const write = (context: ResourceContext, written: Write): 'purged' | 'outrun' | undefined => {
	const {key, stored, startedAt, matchHeaders} = written;
	if (isPurgedSince(context, key, startedAt)) {
		return 'purged';
	}

	const {indexes, readsInFlight: overlaps, markKeys} = context;
	const vary = selectingFieldNames(stored.rawHeaders, matchHeaders);
	if (isOutrun(context, written, vary)) {
		return 'outrun';
	}

	markKeys.set(key, versionKeysOf(key, stored));
	if (stored.method === 'HEAD') {
		commitAlone(context, headKey(key), written, []);
		return undefined;
	}

	const overlap = overlaps.get(key);
	if (overlap) {
		overlap.written = stored;
		overlap.writtenAt = ownTimers.now();
	}

	const isLong = stored.body.length >= context.store.longBodyBytes;
	if (vary !== '*' && (vary !== undefined || isLong)) {
		writeVariant(context, vary ?? [], written);
		return undefined;
	}

	const index = indexes.get(key) ?? written.index;
	indexes.delete(key);
	const earlier = context.variantQueues.get(key)?.sending;
	const commit = () => {
		commitAlone(context, key, written, variantKeysOf(key, index));
	};

	if (earlier) {
		// A long body may be on its way, which is older.
		void earlier.then(commit);
	} else {
		commit();
	}

	return undefined;
};

/** Removes what would be looked up first, when something newer is stored elsewhere. */
export const dropReplaced = ({store, indexes}: ResourceContext, key: string): void => {
	indexes.delete(key);
	void store.delete([key, headKey(key)]);
};

/** The key that a key in the store belongs to: without the name of a variant. */
export const recordKeyOf = (storeKey: string): string => {
	const resource = resourceOf(storeKey);
	return storeKey.startsWith(encodedKey(resource)) ? encodedKey(resource) : resource;
};

/** All that is stored of a resource and holds, what was stored last first. */
export const readAll = async (context: ResourceContext, key: string): Promise<Array<{readonly storeKey: string; readonly stored: StoredResponse; readonly versions: Versions}>> => {
	const {store} = context;
	const [record, head] = await store.get([key, headKey(key)]);
	const index = record?.kind === 'index' ? record : undefined;
	const variantKeys = variantKeysOf(key, index);
	const storeKeys = [key, ...variantKeys, headKey(key)];
	const records = [index ? undefined : record, ...await store.get(variantKeys), head];
	const found = storeKeys.flatMap((storeKey, position) => {
		const stored = asResponse(records[position]);
		const isListed = !variantKeys.includes(storeKey) || stored?.indexId === index?.indexId;
		return stored && isListed ? [{storeKey, stored}] : [];
	});
	const versions = await readVersions(store, [...new Set(found.flatMap(({stored}) => versionKeysOf(key, stored)))]);

	return found.flatMap(({storeKey, stored}) => {
		const held = applyPurges(versionKeysOf(key, stored), stored, versions);
		return held ? [{storeKey, stored: held, versions}] : [];
	});
};

/** Keys of what is stored under a key, as far as this process and the store know of variants. */
const allKeysOf = ({indexes}: ResourceContext, key: string, record: StoredRecord | undefined): string[] => {
	const variantKeys = [indexes.get(key), record?.kind === 'index' ? record : undefined].flatMap(index => variantKeysOf(key, index));
	return [key, headKey(key), ...new Set(variantKeys)];
};

/** Has this process forget what it knows of a key. */
const forget = ({indexes, readsInFlight: overlaps}: ResourceContext, key: string): void => {
	indexes.delete(key);
	const overlap = overlaps.get(key);
	if (overlap) {
		overlap.written = undefined;
	}
};

/**
Removes an index and the variants that it names, at once: a later look-up of this process finds nothing. What is under way is written all the same.

@returns Whether the store confirmed it.
*/
export const removeVariants = async (context: ResourceContext, key: string, index: VariantIndex): Promise<boolean> => {
	const keys = allKeysOf(context, key, index);
	forget(context, key);

	return context.store.delete(keys);
};

const maxPurgeTries = 3;

/** A variant that is written at the same time shows in the index. What lies there and is no record goes at the second try. */
const expectedIndex = (key: string, record: StoredRecord | undefined, isFirstTry: boolean): Purge['indexes'] => {
	if (record?.kind === 'index') {
		return [{key, index: record}];
	}

	return isFirstTry && record === undefined ? [{key, index: 'nothing'}] : [];
};

/**
Removes all that is stored of a resource, and refuses what any process that asked for it before is about to write.

@returns Whether the store confirmed it.
*/
export const purge = async (context: ResourceContext, resource: string): Promise<boolean> => {
	const {store, purges} = context;
	const recordKeys = [resource, encodedKey(resource)];
	const wasAlone = store.isAlone;
	let result: PurgeResult = {kind: 'conflict'};
	for (let tries = 0; tries < maxPurgeTries && result.kind === 'conflict'; tries++) {
		// eslint-disable-next-line no-await-in-loop -- a variant was written in between
		const records = await store.get(recordKeys);
		const keys = recordKeys.flatMap((key, position) => allKeysOf(context, key, records[position]));
		const purged = {monoMs: ownTimers.now()};
		purges.set(resource, purged);
		for (const key of recordKeys) {
			forget(context, key);
		}

		// eslint-disable-next-line no-await-in-loop
		result = await store.purge({
			guardKey: guardKey(resource),
			keys,
			indexes: recordKeys.flatMap((key, position) => expectedIndex(key, records[position], tries === 0)),
		});
		if (result.kind === 'purged' && purges.get(resource) === purged) {
			purges.set(resource, {...purged, token: result.token, formerToken: result.formerToken});
		}
	}

	return result.kind === 'purged' && !wasAlone && !store.isAlone;
};
