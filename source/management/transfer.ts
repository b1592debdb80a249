import type {ExchangeContext} from '../cache/exchange.ts';
import {keysOfStored} from '../cache/keys.ts';
import {dateOf} from '../http/dates.ts';
import {recordKeyOf} from '../resource/store-keys.ts';
import {flushWrites} from '../resource/variant-queue.ts';
import {placeGuardFirst, tokenFor} from '../resource/write-guard.ts';
import {write} from '../resource/writing.ts';
import {isHeadWithinBounds} from '../store/codec/codec.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import {registerCopied} from '../tags/search-variance.ts';
import {versionsFor} from '../tags/validity.ts';
import {maxTags, type StoredResponse} from '../types/stored.ts';
import {checkEntriesOptions} from './arguments.ts';
import {checkExported, type ExportedResponse, type ImportResult} from './exported.ts';
import type {EntriesOptions, EntryFilter} from './filters.ts';
import {holding, isMatch, toOnUnreadable, toStoredForm} from './entries.ts';
import {checkFilter} from './request-arguments.ts';

/*
Stored responses on their way from one cache to another: directly, or by way of a file.
*/

/** The key of a response that is listed under a name, if its URL tells. */
const keyOfListed = (context: ExchangeContext, name: string, stored: StoredResponse): string | undefined =>
	keysOfStored(context, stored).find(key => context.store.nameOf(key) === name);

const anyKey = '{name}';

/** The name of any key, which tells caches that name keys alike. */
const namingOf = ({store}: ExchangeContext): string => store.nameOf(anyKey);

/** Whether a response that is listed under a name of the one is found under the same name in the other: always where the names of the one are its keys. */
const areNamesKept = (from: ExchangeContext, to: ExchangeContext): boolean => [anyKey, namingOf(to)].includes(namingOf(from));

/** The response with its body. The head says how purges have changed it meanwhile. */
const readWhole = async ({store}: ExchangeContext, key: string, head: StoredResponse): Promise<StoredResponse | undefined> => {
	const [record] = await store.get([key]);
	return record?.kind === 'response' ? {...record, policy: {...record.policy, isInvalidated: head.policy.isInvalidated}} : undefined;
};

type Placing = {
	readonly key: string;
	readonly stored: StoredResponse;
	readonly timeToLive: TimeToLive;
	/** The time before the response was read, by `performance.now()`. */
	readonly startedMonoMs: number;
	/** The fields that select a variant, beside those of `Vary`. */
	readonly matchHeaders: readonly string[];
};

/** Writes a response as if its exchange had just ended. Resolves to whether it was sent to the store. */
const place = async (to: ExchangeContext, {key, stored, timeToLive, startedMonoMs, matchHeaders}: Placing): Promise<boolean> => {
	const reading = {seen: await registerCopied(to, stored, timeToLive), requestTimeMs: Infinity};
	const versions = await versionsFor(to.store, reading, {key, stored, timeToLive, nowMs: to.now()});
	const writing = await tokenFor(to.store, await placeGuardFirst(to.store, key));
	if (typeof versions !== 'object' || writing.refusal !== undefined) {
		return false;
	}

	return write(to, {
		key,
		index: undefined,
		stored: {...stored, indexId: '', versions: [writing.token, ...versions]},
		token: writing.token,
		startedMonoMs,
		matchHeaders,
		timeToLive,
	}) === undefined;
};

/** @returns How many responses were copied, and how many were not, for nobody would find them. */
export const copyAll = async (from: ExchangeContext, to: ExchangeContext): Promise<{readonly count: number; readonly unnamedCount: number}> => {
	const keepsNames = areNamesKept(from, to);
	let count = 0;
	let unnamedCount = 0;
	for await (const {key, stored: head, timeToLive} of holding(from)) {
		const startedMonoMs = ownTimers.now();
		const stored = await readWhole(from, key, head);
		if (!stored) {
			continue;
		}

		const copyKey = keyOfListed(from, recordKeyOf(key), stored) ?? (keepsNames ? recordKeyOf(key) : undefined);
		if (copyKey === undefined) {
			unnamedCount++;
			continue;
		}

		count += Number(await place(to, {key: copyKey, stored, timeToLive, startedMonoMs, matchHeaders: from.settings.request.http.matchHeaders}));

		await flushWrites(to);
	}

	return {count, unnamedCount};
};

/** The names of the fields that select among the variants of a resource. */
const selectingNamesOf = async ({store}: ExchangeContext, key: string, {indexId}: StoredResponse): Promise<readonly string[]> => {
	const [index] = indexId === '' ? [] : await store.get([recordKeyOf(key)]);
	return index?.kind === 'index' ? index.vary : [];
};

const pairsOf = (rawHeaders: readonly string[]): Array<[string, string]> => Array.from({length: rawHeaders.length / 2}, (_, index) => [rawHeaders[2 * index] ?? '', rawHeaders[(2 * index) + 1] ?? '']);

export const exportAll = async function * (context: ExchangeContext, given: EntryFilter = {}, options: EntriesOptions = {}): AsyncGenerator<ExportedResponse> {
	const filter = toStoredForm(context, checkFilter(given));
	const onUnreadable = toOnUnreadable(context, checkEntriesOptions(options, 'export()'));
	const naming = namingOf(context);
	for await (const {key, stored: head, timeToLive} of holding(context, onUnreadable)) {
		const nowMs = context.now();
		const stored = isMatch(head, filter, nowMs) ? await readWhole(context, key, head) : undefined;
		if (!stored) {
			continue;
		}

		const name = recordKeyOf(key);
		const knownKey = naming === anyKey ? name : keyOfListed(context, name, stored);
		const {url, method, statusCode, statusMessage, httpVersion, rawHeaders, selectingHeaders: vary, body, range, tags, groups, policy} = stored;
		yield {
			key: knownKey ?? name,
			...knownKey === undefined && {naming},
			url,
			method,
			statusCode,
			statusMessage,
			httpVersion,
			headers: pairsOf(rawHeaders),
			selectedBy: await selectingNamesOf(context, key, stored),
			vary,
			body: new Uint8Array(body),
			...range && {range},
			tags,
			groups,
			policy,
			keptUntil: timeToLive === 'forever' ? undefined : dateOf(nowMs + timeToLive),
		};
	}
};

/** Whether a look-up of this cache computes the key. */
const isFound = (to: ExchangeContext, {key, naming}: ExportedResponse): boolean => naming === undefined ? !key.startsWith('{~') : naming === namingOf(to);

const toStored = ({url, method, statusCode, statusMessage, httpVersion, headers, vary, body, range, tags, groups, policy}: ExportedResponse): StoredResponse => ({
	kind: 'response',
	method,
	url,
	selectingHeaders: vary,
	statusCode,
	statusMessage,
	httpVersion,
	rawHeaders: headers.flat(),
	policy: {...policy, staleWhileRevalidateSeconds: policy.staleWhileRevalidateSeconds, staleIfErrorSeconds: policy.staleIfErrorSeconds},
	range,
	tags,
	groups,
	versions: [],
	indexId: '',
	body,
});

const isTooLarge = ({store}: ExchangeContext, stored: StoredResponse): boolean => {
	const {tags, groups, body} = stored;
	return tags.length + groups.length > maxTags || body.length > store.mostBodyBytes || !isHeadWithinBounds(stored);
};

/** The number of responses that are written together. */
const batchSize = 16;

const importBatch = async (to: ExchangeContext, batch: readonly ExportedResponse[]): Promise<number> => {
	const startedMonoMs = ownTimers.now();
	const nowMs = to.now();
	const sent = await Promise.all(batch.map(async exported => {
		const {key, keptUntil, selectedBy} = exported;
		const timeToLive = keptUntil === undefined ? 'forever' : keptUntil.getTime() - nowMs;
		const stored = toStored(exported);
		return !isTooLarge(to, stored) && place(to, {key, stored, timeToLive, startedMonoMs, matchHeaders: selectedBy});
	}));
	await flushWrites(to);

	return sent.filter(Boolean).length;
};

export const importAll = async (to: ExchangeContext, responses: Iterable<ExportedResponse> | AsyncIterable<ExportedResponse>): Promise<ImportResult> => {
	const {unwritten: unwrittenBefore} = to.store.counters;
	const count = {sent: 0, refused: 0, expired: 0, unnamed: 0};
	let batch: ExportedResponse[] = [];
	const flush = async () => {
		const sent = await importBatch(to, batch);
		count.sent += sent;
		count.refused += batch.length - sent;
		batch = [];
	};

	const add = (exported: ExportedResponse) => {
		if (exported.keptUntil !== undefined && exported.keptUntil.getTime() <= to.now()) {
			count.expired++;
		} else if (isFound(to, exported)) {
			batch.push(exported);
		} else {
			count.unnamed++;
		}
	};

	try {
		for await (const given of responses) {
			add(checkExported(given));
			if (batch.length >= batchSize) {
				await flush();
			}
		}
	} finally {
		// Also before a response that is none, or a source that fails.
		await flush();
	}

	const lost = to.store.counters.unwritten - unwrittenBefore;

	return {imported: count.sent - lost, expired: count.expired, unnamed: count.unnamed, unwritten: count.refused + lost};
};
