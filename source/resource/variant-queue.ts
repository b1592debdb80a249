import {guardKeyOf} from '../store/ports/guard-token.ts';
import type {StoredRecord, StoredResponse, VariantIndex} from '../types/stored.ts';
import type {ResourceContext, VariantQueue, VariantWrite, Write} from './context.ts';
import {variantKey} from './store-keys.ts';
import {indexTimeToLive, indexWith} from './variants.ts';

/*
Variants on their way to the store. One index is written at a time; variants that wait meanwhile go with the next write.
*/

/** The response without its guard token, which has no meaning in the store. */
export const withoutToken = (stored: StoredResponse): StoredResponse => ({...stored, versions: ['', ...stored.versions.slice(1)]});

/**
The most attempts to change an index: of concurrent writers, all but one must try again. A process that writes variant after variant takes one round trip for each, and a process that has to read the index again takes two, so that it may lose many times in a row.
*/
const maxIndexTries = 50;

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

export const writeVariant = (context: ResourceContext, vary: readonly string[], write: Write): void => {
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
