import {selectingFieldNames, variantId} from '../http/vary.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {guardKeyOf, resourceOf} from '../store/ports/guard-token.ts';
import type {Purge, PurgeResult} from '../store/ports/guards.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import {judgeAll, noteVersionsOf, type ValidityContext, type Versions} from '../tags/validity.ts';
import type {Hints} from '../types/hints.ts';
import type {StoredRecord, StoredResponse, VariantIndex} from '../types/stored.ts';
import {encodedKey, headKey, variantKey, variantKeysOf} from './store-keys.ts';
import {indexTimeToLive, indexWith} from './variants.ts';

/**
The stored data of one resource: a response under the resource's key, or with `Vary` an index and one key per variant.
*/
export type ResourceContext = ValidityContext & {
	/** The indexes that this process has seen, so that one look-up can name index and variant. A hint: the store's answer takes precedence. */
	readonly indexes: Hints<VariantIndex>;
	/** The last purge of each resource by this process. A response that was requested before the purge is not stored. */
	readonly purges: Hints<OwnPurge>;
	/** The request whose response this process wrote last, by key and by variant. */
	readonly newest: Hints<Newest>;
	/** Responses that this process writes while it reads the same key. A reply in transit is older than these. */
	readonly readsInFlight: Map<string, ReadsInFlight>;
	/** Variants that wait to be written, by the key of their index. */
	readonly variantQueues: Map<string, VariantQueue>;
};

export type OwnPurge = {
	/** The time of the purge, by `performance.now()`. */
	readonly monoMs: number;
	/** The guard's token, once the store has confirmed the purge. */
	readonly token?: string;
	readonly formerToken?: string | undefined;
};

export type Newest = {
	/** The time of the look-up, by `performance.now()`. */
	readonly startedAtMonoMs: number;
	/** Whether the response has no `Vary`. */
	readonly isForAll: boolean;
};

/** A queue that writes one index at a time, because concurrent writes would lose a variant. Waiting variants go with the next write. */
export type VariantQueue = {
	waiting: VariantWrite[];
	sending: Promise<void>;
	/** Whether the current write has a long body. */
	isLong: boolean;
};

export type ReadsInFlight = {
	readers: number;
	written: StoredResponse | undefined;
	/** The time of the write, by `performance.now()`. */
	writtenAt: number;
};

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
	/** The token of the resource's guard that the exchange relies on. */
	readonly token: string;
	/** The time of the look-up, by `performance.now()`. */
	readonly startedAt: number;
	readonly matchHeaders: readonly string[];
	readonly timeToLive: TimeToLive;
};

/** The response without its guard token, which has no meaning in the store. */
const withoutToken = (stored: StoredResponse): StoredResponse => ({...stored, versions: ['', ...stored.versions.slice(1)]});

const commitAlone = ({store}: ResourceContext, storeKey: string, {key, stored, token, timeToLive}: Write, deletedKeys: readonly string[]): void => {
	void store.commit({guard: {key: guardKeyOf(key), token}, records: [{key: storeKey, record: withoutToken(stored), timeToLive}], deletedKeys});
};

/** The most attempts to change an index: of concurrent writers, all but one must try again. */
const maxIndexTries = 10;

/** The index with all variants of a batch added. */
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

	// Another exchange of this process may have written the index since this exchange read it.
	let current: StoredRecord | undefined = indexes.get(key) ?? first.write.index;
	for (let tries = 0; tries < maxIndexTries; tries++) {
		const known = current?.kind === 'index' ? current : undefined;
		const {index, ids, dropped} = indexWithAll(known, batch, now());
		if (!index) {
			return;
		}

		// eslint-disable-next-line no-await-in-loop -- each try begins with what the last one found
		const result = await store.commit({
			guard: {key: guardKeyOf(key), token: first.write.token},
			records: [
				...batch.flatMap(({write: {stored, timeToLive}}, position) => {
					const id = ids[position] ?? '';
					return dropped.has(id) ? [] : [{key: variantKey(key, id), record: {...withoutToken(stored), indexId: index.indexId}, timeToLive}];
				}),
				// The second attempt replaces a value that is not a record.
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

/** Takes the first waiting variant and all others with the same guard and the same selecting fields. */
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

/** Resolves when waiting variants have been sent. A later read on the same connection then sees them. */
export const whenVariantsAreSent = async ({store, variantQueues}: ResourceContext, key: string): Promise<void> => {
	const queue = variantQueues.get(key);
	if (queue?.isLong) {
		// Waiting is faster than asking the origin again.
		await queue.sending;
		return;
	}

	if (queue === undefined || queue.waiting.length === 0) {
		return;
	}

	await (store.withinBudget ? store.withinBudget(queue.sending, undefined) : queue.sending);
};

/** Whether all writes have been sent to the store, ahead of any later command for the same resource. */
export const isAllSent = ({store, variantQueues}: ResourceContext): boolean =>
	store.keepsOrder && !store.needsExtraRoundTrip && variantQueues.values().every(({waiting}) => waiting.length === 0);

/** Resolves when all current writes have ended, successfully or not. */
export const flushWrites = async ({store, variantQueues}: ResourceContext): Promise<void> => {
	while (variantQueues.size > 0) {
		// eslint-disable-next-line no-await-in-loop -- those that wait are sent after that
		await Promise.all(variantQueues.values().map(async ({sending}) => sending));
	}

	await store.flush();
};

/** The key in `purges` that stands for all keys. */
export const everyKey = '';

/** Whether this process has purged the resource since `startedAt`. */
export const isPurgedSince = ({purges}: ResourceContext, key: string, startedAt: number): boolean => [resourceOf(key), everyKey].some(each => startedAt < (purges.get(each)?.monoMs ?? -Infinity));

export const lastPurgeOf = ({purges}: ResourceContext, key: string): OwnPurge | undefined => purges.get(resourceOf(key));

/** Whether a request with a later look-up has already written its response, which is then the newer one. */
const isSuperseded = ({newest}: ResourceContext, {key, stored: {method, statusCode, selectingHeaders}, startedAt}: Write, vary: ReturnType<typeof selectingFieldNames>): boolean => {
	const wholeKey = method === 'HEAD' ? headKey(key) : key;
	const isVariant = vary !== undefined && vary !== '*';
	const ownKey = isVariant ? variantKey(wholeKey, variantId(selectingHeaders)) : wholeKey;
	const [own, whole] = [newest.get(ownKey), newest.get(wholeKey)];
	// A response without `Vary` replaces all variants, and a variant replaces a response without `Vary`.
	if (startedAt < (own?.startedAtMonoMs ?? -Infinity) || (whole?.isForAll && startedAt < whole.startedAtMonoMs)) {
		return true;
	}

	// A partial response does not replace a complete one.
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

/** Prevents an earlier request from writing its response after a later one has removed the stored response. */
export const outdateReads = ({newest}: ResourceContext, key: string, startedAtMonoMs: number): void => {
	const known = newest.get(key);
	if (startedAtMonoMs > (known?.startedAtMonoMs ?? -Infinity)) {
		newest.set(key, {startedAtMonoMs, isForAll: true});
	}
};

/**
Writes without waiting. A connection keeps the order of commands, so that a later look-up of this process sees the response.

@returns The reason why nothing was written.
*/
export const write = (context: ResourceContext, written: Write): 'purged' | 'superseded' | undefined => {
	const {key, stored, startedAt, matchHeaders} = written;
	if (isPurgedSince(context, key, startedAt)) {
		return 'purged';
	}

	const {indexes, readsInFlight: overlaps} = context;
	const vary = selectingFieldNames(stored.rawHeaders, matchHeaders);
	if (isSuperseded(context, written, vary)) {
		return 'superseded';
	}

	noteVersionsOf(context, key, stored);
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
		// An older response with a long body may still be in transit.
		void earlier.then(commit);
	} else {
		commit();
	}

	return undefined;
};

/** Removes the response that a look-up would find first, because a newer one is stored under another key. */
export const dropReplaced = ({store, indexes}: ResourceContext, key: string): void => {
	indexes.delete(key);
	void store.delete([key, headKey(key)]);
};

/** Reads all valid responses of a resource, newest first. */
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
	const judged = await judgeAll(store, found.map(({stored}) => ({key, stored})));

	return found.flatMap(({storeKey}, position) => {
		const {stored, versions} = judged[position] ?? {};
		return stored && versions ? [{storeKey, stored, versions}] : [];
	});
};

/** All keys under a resource's key, as far as this process and the store know the variants. */
const allKeysOf = ({indexes}: ResourceContext, key: string, record: StoredRecord | undefined): string[] => {
	const variantKeys = [indexes.get(key), record?.kind === 'index' ? record : undefined].flatMap(index => variantKeysOf(key, index));
	return [key, headKey(key), ...new Set(variantKeys)];
};

/** Makes this process forget a key. */
const forget = ({indexes, readsInFlight: overlaps}: ResourceContext, key: string): void => {
	indexes.delete(key);
	const overlap = overlaps.get(key);
	if (overlap) {
		overlap.written = undefined;
	}
};

/**
Removes an index and its variants, so that a later look-up of this process finds nothing. Responses in progress are still written.

@returns Whether the store confirmed the deletion.
*/
export const removeVariants = async (context: ResourceContext, key: string, index: VariantIndex): Promise<boolean> => {
	const keys = allKeysOf(context, key, index);
	forget(context, key);

	return context.store.delete(keys);
};

const maxPurgeTries = 3;

/** The index that a purge expects, so that a variant written at the same time causes a conflict. The second attempt also removes a value that is not a record. */
const expectedIndex = (key: string, record: StoredRecord | undefined, isFirstTry: boolean): Purge['indexes'] => {
	if (record?.kind === 'index') {
		return [{key, index: record}];
	}

	return isFirstTry && record === undefined ? [{key, index: 'nothing'}] : [];
};

/**
Removes all responses of a resource, and refuses later writes of any process that requested them before.

@returns Whether the store confirmed the purge.
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
			guardKey: guardKeyOf(resource),
			keys,
			indexes: recordKeys.flatMap((key, position) => expectedIndex(key, records[position], tries === 0)),
		});
		if (result.kind === 'purged' && purges.get(resource) === purged) {
			purges.set(resource, {...purged, token: result.token, formerToken: result.formerToken});
		}
	}

	return result.kind === 'purged' && !wasAlone && !store.isAlone;
};
