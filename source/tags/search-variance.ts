import {urlVariation, type SearchVariance} from '../http/no-vary-search.ts';
import type {Store, TimeToLive} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import type {Hints} from '../types/hints.ts';
import type {StoredVersion, StoredRecord} from '../types/stored.ts';
import {timeToLiveOfVersion} from './ensure-versions.ts';
import {
	clockToleranceMs,
	versionOf,
	newVersion,
	originVersionKey,
	pathVersionKey,
	pathOf,
	type StoreRefusal,
	type Versions,
} from './versions.ts';

/*
Which URLs are equivalent, `No-Vary-Search`. The last response of a path that has the field says so for the path: the path's version carries the field's value, and what is stored for equivalent URLs holds as long as that version is the same. An origin with such a path has it written on its version, which every look-up reads anyway: nobody else looks for more.
*/
export type SearchVarianceContext = {
	readonly store: Store;
	/** What is known of paths, a hint: what the store says wins. */
	readonly searchVariances: Hints<SearchVariance>;
	/** Versions of origins that have such paths. */
	readonly varyingOrigins: Hints<true>;
	/** Paths of such origins that were looked at just now, and of which nothing is known. */
	readonly plainPaths: Hints<true>;
	/** Milliseconds since the epoch. */
	readonly now: () => number;
};

/** Nothing is asked again about a path so soon. */
export const plainPathMs = 60_000;

const asMark = (record: StoredRecord | undefined): StoredVersion | undefined => record?.kind === 'version' ? record : undefined;

/** What this process knows: no I/O. */
export const knownSearchVariance = ({searchVariances}: SearchVarianceContext, url: string): SearchVariance | undefined => searchVariances.size === 0 ? undefined : searchVariances.get(pathOf(url));

/** Heeds what was read along with something else. */
export const learnFrom = (context: SearchVarianceContext, url: string, {origin, path}: {readonly origin: StoredRecord | undefined; readonly path: StoredRecord | undefined}): void => {
	const ofPath = asMark(path);
	if (ofPath?.noVarySearch !== undefined) {
		remember(context, url, ofPath.noVarySearch);
	} else if (ofPath) {
		context.searchVariances.delete(pathOf(url));
	}

	const ofOrigin = asMark(origin);
	if (!ofOrigin) {
		return;
	}

	if (ofOrigin.noVarySearch !== undefined) {
		context.varyingOrigins.set(originVersionKey(url), true);
		return;
	}

	const known = knownSearchVariance(context, url);
	if (known) {
		// The origin was purged since, and with it what was written on its version.
		void announce(unbudgeted(context.store), url, known.field);
	}
};

const remember = (context: SearchVarianceContext, url: string, field: string): SearchVariance | undefined => {
	const path = pathOf(url);
	const known = context.searchVariances.get(path);
	if (known?.field === field) {
		return known;
	}

	const searchVariance = urlVariation(field);
	if (searchVariance) {
		context.searchVariances.set(path, searchVariance);
		context.plainPaths.delete(path);
	}

	return searchVariance;
};

const ask = async (context: SearchVarianceContext, url: string): Promise<SearchVariance | undefined> => {
	const [record] = await context.store.get([pathVersionKey(url)]);
	const field = asMark(record)?.noVarySearch;
	return field === undefined ? undefined : remember(context, url, field);
};

/** Whether there is more to know of the path of a URL for which nothing was found: where the origin has such paths. */
export const mayVary = (context: SearchVarianceContext, url: string): boolean => {
	const {varyingOrigins, plainPaths} = context;
	return knownSearchVariance(context, url) !== undefined || (varyingOrigins.size > 0 && varyingOrigins.has(originVersionKey(url)) && !plainPaths.has(pathOf(url)));
};

/** What there is to know: another round trip, at most. */
export const findSearchVariance = async (context: SearchVarianceContext, url: string): Promise<SearchVariance | undefined> => {
	const known = knownSearchVariance(context, url);
	if (known !== undefined || !mayVary(context, url)) {
		return known;
	}

	const searchVariance = await ask(context, url);
	if (!searchVariance) {
		context.plainPaths.set(pathOf(url), true);
	}

	return searchVariance;
};

/** What is known of the path of a URL, whatever it takes. */
export const askSearchVariance = async (context: SearchVarianceContext, url: string): Promise<SearchVariance | undefined> => await ask(context, url) ?? knownSearchVariance(context, url);

/** Where versions are made only by those who change them. */
const unversioned: StoredVersion = {kind: 'version', version: '', softVersion: '', purgedAtMs: 0};

/** Where versions are made for all, that of an origin is there, or will be by the next time. */
const announce = async (store: Store, url: string, noVarySearch: string): Promise<void> => {
	await store.update(originVersionKey(url), current => {
		const version = asMark(current) ?? (store.isAtomic ? undefined : unversioned);
		return version?.noVarySearch === undefined ? version && {...version, noVarySearch} : undefined;
	}, 'keep');
};

type SearchVarianceRegistration = {
	readonly url: string;
	readonly searchVariance: SearchVariance;
	/** The versions as they were before the origin was asked. */
	readonly seen: Versions;
	/** Of the response. */
	readonly timeToLive: TimeToLive;
};

/**
Writes on the version of a path what a response says.

@returns The versions with that of the path, or why there are none: the store does not answer.
*/
export const registerSearchVariance = async (context: SearchVarianceContext, {url, searchVariance: {field}, seen, timeToLive}: SearchVarianceRegistration): Promise<Versions | StoreRefusal> => {
	const {store} = context;
	const name = pathVersionKey(url);
	if (seen.get(name) && knownSearchVariance(context, url)?.field === field) {
		return seen;
	}

	const updated = await store.update(name, current => {
		const version = asMark(current);
		return version?.noVarySearch === field ? undefined : {kind: 'version', version: newVersion(), softVersion: '', purgedAtMs: version?.purgedAtMs ?? 0, noVarySearch: field};
	}, timeToLiveOfVersion(timeToLive));
	await announce(store, url, field);
	remember(context, url, field);

	return updated?.record ? new Map([...seen, [name, versionOf(updated.record)]]) : 'store-unavailable';
};

/** So long a note on the version of an origin holds for, before it is to be written anew. */
const noteMs = 10_000;

/** Notes on the version of an origin that one of its URLs is purged: by somebody who may not know which URLs are equivalent to it. Without that version nothing holds that is stored of the origin. */
const noteUrlPurge = async ({store, now}: SearchVarianceContext, url: string): Promise<boolean> => {
	const updated = await store.update(originVersionKey(url), current => {
		const version = asMark(current) ?? (store.isAtomic ? undefined : unversioned);
		return version && (version.urlsPurgedUntilMs ?? 0) <= now() ? {...version, urlsPurgedUntilMs: now() + noteMs} : undefined;
	}, 'keep', 'purge');

	return updated !== undefined;
};

/** Whether a URL of the origin may have been purged since a request was sent, or shortly before. */
export const wasUrlPurged = async ({store}: SearchVarianceContext, url: string, requestTimeMs: number): Promise<boolean> => {
	const [record] = await store.get([originVersionKey(url)]);
	const untilMs = asMark(record)?.urlsPurgedUntilMs;

	return untilMs !== undefined && untilMs + clockToleranceMs >= requestTimeMs;
};

/**
What a purge has to know of equivalent URLs. First it is noted on the version of the origin: whoever stores a response for the first time under what makes URLs equivalent has written that on the version of the path before, and looks at that of the origin after that.

@returns What makes URLs equivalent to it, and whether the store confirmed it.
*/
export const purgePath = async (context: SearchVarianceContext, url: string): Promise<{readonly searchVariances: readonly SearchVariance[]; readonly isConfirmed: boolean}> => {
	const isNoted = await noteUrlPurge(context, url);
	const known = knownSearchVariance(context, url);
	const told = await ask(context, url);

	return {searchVariances: [...new Set([told, known])].filter(searchVariance => searchVariance !== undefined), isConfirmed: isNoted};
};
