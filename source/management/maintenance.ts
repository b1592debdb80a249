import type {ExchangeContext} from '../cache/exchange.ts';
import {keysOf, purgeRequest, storedKeysOf} from '../cache/invalidating.ts';
import {currentAgeSeconds} from '../http/age.ts';
import {rawFieldValue} from '../http/header-fields.ts';
import {urlVariation, type SearchVariance} from '../http/no-vary-search.ts';
import {
	everyKey,
	flushWrites,
	purge,
	readAll,
	recordKeyOf,
	write,
} from '../resource/resource.ts';
import {placeGuardFirst, tokenFor} from '../resource/write-guard.ts';
import {ownTimers} from '../store/ports/own-timers.ts';
import type {TimeToLive} from '../store/ports/store.ts';
import {withReplicas} from '../store/replicas.ts';
import {changeVersion} from '../tags/current-versions.ts';
import {versionsFor, extendVersions} from '../tags/ensure-versions.ts';
import {registerSearchVariance} from '../tags/search-variance.ts';
import {
	groupVersionKey,
	versionKeysOf,
	noVersions,
	originVersionKey,
	renewedVersions,
	resourceOf,
	tagVersionKey,
} from '../tags/versions.ts';
import {parseDuration, type Duration} from '../types/duration.ts';
import type {StoredResponse} from '../types/stored.ts';
import {checkFlag, checkLifetime, checkPurgeable, checkRequest, checkRequests, checkStoreKey} from './arguments.ts';
import type {EntryFilter, Purgeable, RequestLike} from './filters.ts';
import {toStoredForm, holding, isMatch, keyInputOf, requestHeadOf} from './inventory.ts';

/** So many at a time do not outlast the time that the store has for a command. */
const batchSize = 100;

/** @returns Whether all were confirmed. */
const purgeInBatches = async <Item>(items: readonly Item[], purgeOne: (item: Item) => Promise<boolean>): Promise<boolean> => {
	let isConfirmed = true;
	for (let start = 0; start < items.length; start += batchSize) {
		// eslint-disable-next-line no-await-in-loop
		const confirmations = await Promise.all(items.slice(start, start + batchSize).map(async item => purgeOne(item)));
		isConfirmed &&= confirmations.every(Boolean);
	}

	return isConfirmed;
};

/** @returns Whether the store confirmed it and, if purges wait for replicas, these did. */
const confirm = async (context: ExchangeContext, purgeIn: (context: ExchangeContext) => Promise<boolean>): Promise<boolean> => {
	const watching = context.store.watchReplicas?.();
	if (!watching) {
		return purgeIn(context);
	}

	const watch = await watching;
	return await purgeIn({...context, store: withReplicas(context.store, watch)}) && watch.confirm();
};

export const removeStored = async (context: ExchangeContext, given: string | URL | RequestLike | ReadonlyArray<string | URL | RequestLike>): Promise<boolean> => {
	const requests = checkRequests(given, 'delete()', context.settings);
	return confirm(context, async part => purgeInBatches(requests, async request => purgeRequest(part, requestHeadOf(request), keyInputOf(request))));
};

/** The resource to which a key in the store belongs, with all its variants, and the key itself if its value cannot be read. */
export const removeByKey = async (context: ExchangeContext, given: string): Promise<boolean> => {
	const key = checkStoreKey(given, 'deleteByKey()', context.settings.namespace);

	return confirm(context, async part => {
		const isPurged = await purge(part, resourceOf(key));
		return await part.store.delete([key]) && isPurged;
	});
};

export const clearAll = async (context: ExchangeContext): Promise<boolean> => {
	context.indexes.clear();
	context.purges.set(everyKey, {monoMs: ownTimers.now()});
	return confirm(context, async ({store}) => store.clear());
};

const softly = (stored: StoredResponse): StoredResponse => ({...stored, policy: {...stored.policy, isInvalidated: true}});

/** By a look at everything. What any process is asking for just now is not stored. */
const purgeMatching = async (context: ExchangeContext, given: EntryFilter, isSoft: boolean): Promise<boolean> => {
	const {store, purges} = context;
	const filter = toStoredForm(context, given);
	const isByUrl = [filter.url, filter.prefix, filter.pattern].some(each => each !== undefined);
	purges.set(everyKey, {monoMs: ownTimers.now()});
	let isConfirmed = await store.replaceGuards();
	for await (const {key, stored} of holding(context)) {
		if (!isMatch(stored, filter, context.now())) {
			continue;
		}

		if (isSoft) {
			const updated = await store.update(key, current => current?.kind === 'response' ? softly(current) : undefined, 'keep', 'soft purge');
			isConfirmed &&= updated !== undefined;
		} else {
			const isRemoved = await (isByUrl ? purge(context, resourceOf(key)) : store.delete([key]));
			isConfirmed &&= isRemoved;
		}
	}

	// Guards that were on their way to the store at first are there by now.
	const areReplaced = await store.replaceGuards();

	return isConfirmed && areReplaced;
};

/** The versions of what can be purged without a look at everything; `undefined` for anything else. */
const marksFor = ({tag, group, origin}: Purgeable): string[] | undefined => {
	if (group !== undefined) {
		return [group].flat().map(each => groupVersionKey(new URL(origin).href, each));
	}

	if (tag !== undefined) {
		return [tag].flat().map(each => tagVersionKey(each));
	}

	return origin === undefined ? undefined : [originVersionKey(new URL(origin).href)];
};

export const purgeAll = async (context: ExchangeContext, given: Purgeable, options?: {readonly soft?: boolean | undefined}): Promise<boolean> => {
	const what = checkPurgeable(given);
	const {soft = false} = checkFlag(options, 'soft', 'invalidate()');
	const versions = marksFor(what);

	return confirm(context, async part => versions === undefined
		? purgeMatching(part, what, soft)
		: purgeInBatches([...new Set(versions)], async version => changeVersion(part.store, version, {isSoft: soft, nowMs: part.now()})));
};

/** Gives what is stored for a request, every variant, another lifetime from now on. */
export const touchStored = async (context: ExchangeContext, given: string | URL | RequestLike, expireAfter: Duration | 'never'): Promise<boolean> => {
	const request = checkRequest(given, 'touch()', context.settings);
	checkLifetime(expireAfter, 'touch()');
	const lifetimeMs = expireAfter === 'never' ? Infinity : parseDuration(expireAfter) ?? 0;
	const {store, settings} = context;
	const {expires, request: {ttlOffsetMs}} = settings;
	const nowMs = context.now();
	const timeToLive: TimeToLive = !expires || lifetimeMs === Infinity ? 'forever' : lifetimeMs + ttlOffsetMs;
	let isTouched = false;
	for (const key of await storedKeysOf(context, requestHeadOf(request), keyInputOf(request))) {
		// eslint-disable-next-line no-await-in-loop -- few
		for (const {storeKey, stored, versions} of await readAll(context, key)) {
			const names = versionKeysOf(key, stored);
			extendVersions(store, new Map(names.slice(1).map(name => [name, versions.get(name) ?? ''])), timeToLive, nowMs);
			// eslint-disable-next-line no-await-in-loop
			const updated = await store.update(storeKey, current => current?.kind === 'response'
				? {
					...current,
					versions: renewedVersions(names, current, versions),
					policy: {...current.policy, isInvalidated: false, freshnessLifetimeSeconds: currentAgeSeconds(current.policy, nowMs) + (lifetimeMs / 1000)},
				}
				: undefined, timeToLive);
			isTouched ||= updated?.record !== undefined;
		}

		const keptUntilMs = timeToLive === 'forever' ? Number.MAX_SAFE_INTEGER : nowMs + timeToLive;
		// eslint-disable-next-line no-await-in-loop
		await store.update(key, current => current?.kind === 'index' ? {...current, variants: current.variants.map(variant => ({...variant, keptUntilMs}))} : undefined, timeToLive);
	}

	return isTouched;
};

/** The key of what is listed under a name, if its URL tells. */
const keyOfListed = (context: ExchangeContext, name: string, {method, url}: StoredResponse, searchVariance: SearchVariance | undefined): string | undefined => [undefined, searchVariance]
	.flatMap(each => keysOf(context, {method, url, headers: {}}, {body: undefined, extra: undefined, user: undefined}, each))
	.find(key => context.store.nameOf(key) === name);

const anyKey = '{name}';

/** Whether what is listed under a name of the one is found under the same name in the other: always where the names of the one are its keys. */
const areNamesKept = (from: ExchangeContext, to: ExchangeContext): boolean => [anyKey, to.store.nameOf(anyKey)].includes(from.store.nameOf(anyKey));

/** @returns How many responses were copied, and how many were not, for nobody would find them. */
export const copyAll = async (from: ExchangeContext, to: ExchangeContext): Promise<{readonly count: number; readonly unnamedCount: number}> => {
	const keepsNames = areNamesKept(from, to);
	let count = 0;
	let unnamedCount = 0;
	for await (const {key, stored: held, timeToLive} of holding(from)) {
		const startedAt = ownTimers.now();
		const [record] = await from.store.get([key]);
		if (record?.kind !== 'response') {
			continue;
		}

		const stored = {...record, policy: {...record.policy, isInvalidated: held.policy.isInvalidated}};
		const searchVariance = urlVariation(rawFieldValue(stored.rawHeaders, 'no-vary-search'));
		const copyKey = keyOfListed(from, recordKeyOf(key), stored, searchVariance) ?? (keepsNames ? recordKeyOf(key) : undefined);
		if (copyKey === undefined) {
			unnamedCount++;
			continue;
		}

		const seen = searchVariance && await registerSearchVariance(to, {url: stored.url, searchVariance, seen: noVersions, timeToLive});
		const reading = {seen: typeof seen === 'object' ? seen : noVersions, requestTimeMs: Infinity};
		const versions = await versionsFor(to.store, reading, {key: copyKey, stored, timeToLive, nowMs: to.now()});
		const writing = await tokenFor(to.store, await placeGuardFirst(to.store, copyKey));
		if (typeof versions !== 'object' || writing.refusal !== undefined) {
			continue;
		}

		const unwritten = write(to, {
			key: copyKey,
			index: undefined,
			stored: {...stored, indexId: '', versions: [writing.token, ...versions]},
			token: writing.token,
			startedAt,
			matchHeaders: from.settings.request.http.matchHeaders,
			timeToLive,
		});
		count += unwritten ? 0 : 1;

		await flushWrites(to);
	}

	return {count, unnamedCount};
};
