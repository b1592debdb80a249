import type {Asked, ExchangeContext} from '../cache/exchange.ts';
import {findPlaces, type KeyedPlace} from '../cache/keys.ts';
import type {RequestHead} from '../http/message.ts';
import {isSelected} from '../http/vary.ts';
import {everyKey, lastPurgeOf} from '../resource/purging.ts';
import type {Selection} from '../resource/selection.ts';
import {headKey, requestedVariantKey, variantKeysOf} from '../resource/store-keys.ts';
import {guardKeyOf, isPurgeToken} from '../store/ports/guard-token.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import {examineValidity, type ExaminedValidity} from '../tags/purges-since.ts';
import {asResponse, type StoredRecord, type StoredResponse, type VariantIndex} from '../types/stored.ts';
import type {ExplainedPurge} from './explanation.ts';

/*
Reads all that concerns one request, and writes nothing: no version, guard or hint about selecting fields, as a look-up would.
*/

/** A stored response, whether or not it is still valid. */
export type StoredUnderKey = ExaminedValidity & {
	readonly storeKey: string;
	readonly isEncoded: boolean;
	readonly isInMemory: boolean;
	/** The response as it is in the store. */
	readonly stored: StoredResponse;
	readonly ttlMs: number | 'unlimited' | undefined;
};

export type Findings = {
	/** The key that the request is looked up under. */
	readonly key: string;
	/** All keys that the request may be looked up under. */
	readonly keys: ReadonlySet<string>;
	/** The field that makes URLs of the path equivalent. */
	readonly noVarySearch: string | undefined;
	readonly responses: readonly StoredUnderKey[];
	/** The selection of a look-up. */
	readonly selection: Pick<Selection, 'stored' | 'index'>;
	/** The key in the store of the selected response. */
	readonly selectedKey: string | undefined;
	readonly purges: readonly ExplainedPurge[];
	/** Whether the store has answered. */
	readonly isAnswering: boolean;
};

type Read = KeyedPlace & {
	readonly index: VariantIndex | undefined;
	readonly found: ReadonlyArray<{readonly storeKey: string; readonly stored: StoredResponse; readonly isInMemory: boolean}>;
};

const isRecordInMemory = ({store}: ExchangeContext, key: string): boolean => store.peek(key) !== undefined;

const readPlace = async (context: ExchangeContext, place: KeyedPlace): Promise<Read> => {
	const {store} = context;
	const {key} = place;
	const isInMemory = isRecordInMemory(context, key);
	const [record, head] = await store.get([key, headKey(key)]);
	const index = record?.kind === 'index' ? record : undefined;
	const variantKeys = variantKeysOf(key, index);
	const inMemory = new Set(variantKeys.filter(each => isRecordInMemory(context, each)));
	const records = await store.get(variantKeys);
	const all: ReadonlyArray<readonly [string, StoredRecord | undefined, boolean]> = [
		[key, record, isInMemory],
		...variantKeys.map((each, position) => [each, records[position], inMemory.has(each)] as const),
		[headKey(key), head, false],
	];
	const found = all.flatMap(([storeKey, each, is]) => {
		const stored = asResponse(each);
		const isListed = !variantKeys.includes(storeKey) || stored?.indexId === index?.indexId;
		return stored && isListed ? [{storeKey, stored, isInMemory: is}] : [];
	});

	return {...place, index, found};
};

/** The purges of a resource as such, which leave nothing but a guard. */
const resourcePurges = (context: ExchangeContext, key: string, guard: StoredRecord | undefined): ExplainedPurge[] => {
	const {purges, now} = context;
	const own = lastPurgeOf(context, key);
	const all = purges.get(everyKey);
	const timeOf = (monoMs: number) => new Date(now() - (ownTimers.now() - monoMs));
	const isPurged = own !== undefined || (guard?.kind === 'guard' && isPurgeToken(guard.token));

	return [
		...isPurged ? [{kind: 'url' as const, name: undefined, isSoft: false, isLost: false, purgedAt: own && timeOf(own.monoMs)}] : [],
		...all ? [{kind: 'all' as const, name: undefined, isSoft: false, isLost: false, purgedAt: timeOf(all.monoMs)}] : [],
	];
};

/** Asks Redis for a time to live. The first result says whether there was an answer at all. */
const readTtl = async ({store}: ExchangeContext, key: string): Promise<{readonly isAnswered: boolean; readonly ttlMs: StoredUnderKey['ttlMs']}> => {
	// Memory that stands in for a Redis has no such command.
	const result = store.isAlone ? undefined : await store.command?.(key, wireKey => ['PTTL', wireKey]);
	if (result?.reply === undefined) {
		return {isAnswered: result !== undefined, ttlMs: undefined};
	}

	const reply = Number(result.reply);

	return {isAnswered: true, ttlMs: reply === -1 ? 'unlimited' : Math.max(0, reply)};
};

/** Selects as a look-up does: the variant that the request names, or a response for all. */
const selectIn = (request: RequestHead, {key, index}: Read, responses: readonly StoredUnderKey[], matchHeaders: readonly string[]): StoredUnderKey | undefined => {
	const wantedKey = index ? requestedVariantKey(key, index, request) : key;
	const wanted = responses.find(({storeKey}) => storeKey === wantedKey);
	const found = wanted ?? (request.method === 'HEAD' ? responses.find(({storeKey}) => storeKey === headKey(key)) : undefined);

	return found?.held && isSelected(request, found.held, matchHeaders) ? found : undefined;
};

/** Reads what is stored for a request. */
export const readFor = async (context: ExchangeContext, asked: Asked): Promise<Findings> => {
	const {store} = context;
	const {request, settings: {http}} = asked;
	const {places, noVarySearch} = await findPlaces(context, request, asked.keyInput);
	const reads = await Promise.all(places.map(async place => readPlace(context, place)));
	const all = reads.flatMap(read => read.found.map(each => ({...each, key: read.key, isEncoded: read.isEncoded})));
	const {key = ''} = places.find(({isEncoded}) => isEncoded === asked.keyInput.isEncoded) ?? {};
	const [examined, [guard], ownTtl] = await Promise.all([examineValidity(store, request.url, all), store.get([guardKeyOf(key)]), readTtl(context, key)]);
	const responses = await Promise.all(all.map(async ({storeKey, isEncoded, stored, isInMemory}, position): Promise<StoredUnderKey> => {
		const {ttlMs} = await readTtl(context, storeKey);

		return {storeKey, isEncoded, isInMemory, stored, held: undefined, purges: [], ...examined[position], ttlMs};
	}));
	const decoded = reads.filter(read => !read.isEncoded).map(read => ({read, found: selectIn(request, read, responses, http.matchHeaders)}));
	const selected = decoded.find(({found}) => found !== undefined) ?? decoded[0];
	const {state} = store.health();

	return {
		key: selected?.read.key ?? key,
		keys: new Set(places.map(place => place.key)),
		noVarySearch,
		responses,
		selection: {stored: selected?.found?.held, index: selected?.read.index},
		selectedKey: selected?.found?.storeKey,
		purges: resourcePurges(context, key, guard),
		isAnswering: state !== 'unavailable' && state !== 'closed' && (!store.command || store.isAlone || ownTtl.isAnswered),
	};
};
