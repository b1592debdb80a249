import {selectingFieldNames, variantId} from '../http/vary.ts';
import {guardKeyOf} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {noteVersionsOf} from '../tags/validity.ts';
import type {Newest, ResourceContext, Write} from './context.ts';
import {isPurgedSince} from './purging.ts';
import {headKey, variantKey, variantKeysOf} from './store-keys.ts';
import {withoutToken, writeVariant} from './variant-queue.ts';

const commitAlone = ({store}: ResourceContext, storeKey: string, {key, stored, token, timeToLive}: Write, deletedKeys: readonly string[]): void => {
	void store.commit({guard: {key: guardKeyOf(key), token}, records: [{key: storeKey, record: withoutToken(stored), timeToLive}], deletedKeys});
};

/** Whether a request with a later look-up has already written its response, which is then the newer one. */
const isSuperseded = ({newest}: ResourceContext, {key, stored: {method, statusCode, selectingHeaders}, startedMonoMs}: Write, vary: ReturnType<typeof selectingFieldNames>): boolean => {
	const wholeKey = method === 'HEAD' ? headKey(key) : key;
	const isVariant = vary !== undefined && vary !== '*';
	const ownKey = isVariant ? variantKey(wholeKey, variantId(selectingHeaders)) : wholeKey;
	const [own, whole] = [newest.get(ownKey), newest.get(wholeKey)];
	// A response without `Vary` replaces all variants, and a variant replaces a response without `Vary`.
	if (startedMonoMs < (own?.startedMonoMs ?? -Infinity) || (whole?.isForAll && startedMonoMs < whole.startedMonoMs)) {
		return true;
	}

	// A partial response does not replace a complete one.
	if (statusCode === 206) {
		return false;
	}

	const laterOf = (known: Newest | undefined): number => Math.max(startedMonoMs, known?.startedMonoMs ?? -Infinity);
	newest.set(wholeKey, {startedMonoMs: laterOf(whole), isForAll: !isVariant});
	if (isVariant) {
		newest.set(ownKey, {startedMonoMs, isForAll: false});
	}

	return false;
};

/** Prevents an earlier request from writing its response after a later one has removed the stored response. */
export const outdateReads = ({newest}: ResourceContext, key: string, startedMonoMs: number): void => {
	const known = newest.get(key);
	if (startedMonoMs > (known?.startedMonoMs ?? -Infinity)) {
		newest.set(key, {startedMonoMs, isForAll: true});
	}
};

/**
Writes without waiting. A connection keeps the order of commands, so that a later look-up of this process sees the response.

@returns The reason why nothing was written.
*/
export const write = (context: ResourceContext, written: Write): 'purged' | 'superseded' | undefined => {
	const {key, stored, startedMonoMs, matchHeaders} = written;
	if (isPurgedSince(context, key, startedMonoMs)) {
		return 'purged';
	}

	const {indexes, readsInFlight} = context;
	const vary = selectingFieldNames(stored.rawHeaders, matchHeaders);
	if (isSuperseded(context, written, vary)) {
		return 'superseded';
	}

	noteVersionsOf(context, key, stored);
	if (stored.method === 'HEAD') {
		commitAlone(context, headKey(key), written, []);
		return undefined;
	}

	const reads = readsInFlight.get(key);
	if (reads) {
		reads.written = stored;
		reads.writtenMonoMs = ownTimers.now();
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
