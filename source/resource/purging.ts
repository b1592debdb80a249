import {guardKeyOf, resourceOf} from '../store/ports/guard-token.ts';
import type {Purge, PurgeResult} from '../store/ports/guards.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {StoredRecord, VariantIndex} from '../types/stored.ts';
import type {OwnPurge, ResourceContext} from './context.ts';
import {encodedKey, headKey, variantKeysOf} from './store-keys.ts';

/*
Purging one resource: its responses are removed, and its guard is replaced, so that no response is written that was requested before. This process remembers its purges as well, for the time until the store has confirmed them.
*/

/** The key in `purges` that stands for all keys. */
export const everyKey = '';

/** Whether this process has purged the resource since `startedMonoMs`. */
export const isPurgedSince = ({purges}: ResourceContext, key: string, startedMonoMs: number): boolean =>
	[resourceOf(key), everyKey].some(each => startedMonoMs < (purges.get(each)?.monoMs ?? -Infinity));

export const lastPurgeOf = ({purges}: ResourceContext, key: string): OwnPurge | undefined => purges.get(resourceOf(key));

/** Remembers a purge of all resources by this process. */
export const notePurgeOfAll = ({purges}: ResourceContext): void => {
	purges.set(everyKey, {monoMs: ownTimers.now()});
};

/** Removes the response that a look-up would find first, because a newer one is stored under another key. */
export const dropReplaced = ({store, indexes}: ResourceContext, key: string): void => {
	indexes.delete(key);
	void store.delete([key, headKey(key)]);
};

/** All keys under a resource's key, as far as this process and the store know the variants. */
const allKeysOf = ({indexes}: ResourceContext, key: string, record: StoredRecord | undefined): string[] => {
	const variantKeys = [indexes.get(key), record?.kind === 'index' ? record : undefined].flatMap(index => variantKeysOf(key, index));
	return [key, headKey(key), ...new Set(variantKeys)];
};

/** Makes this process forget a key. */
const forget = ({indexes, readsInFlight}: ResourceContext, key: string): void => {
	indexes.delete(key);
	const reads = readsInFlight.get(key);
	if (reads) {
		reads.written = undefined;
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
