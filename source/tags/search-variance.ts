import {rawFieldValue} from '../http/header-fields.ts';
import {urlVariation, type SearchVariance} from '../http/no-vary-search.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import type {Store} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import {createHints, type Hints} from '../types/hints.ts';
import type {StoredVersion, StoredRecord, StoredResponse} from '../types/stored.ts';
import {ensureVersions, timeToLiveOfVersion} from './ensure-versions.ts';
import {
	clockToleranceMs,
	noVersions,
	versionOf,
	newVersion,
	originVersionKey,
	pathVersionKey,
	pathOf,
	type StoreRefusal,
	type Versions,
} from './versions.ts';

export {isForSearchVariance} from './versions.ts';

/*
Equivalent URLs (`No-Vary-Search`). The last response of a path with this field decides for the path: the path's version carries the field's value, and responses for equivalent URLs are valid as long as that version is unchanged. The origin's version, which every look-up reads anyway, tells whether such a path exists; without that note no look-up reads more.
*/
export type SearchVarianceContext = {
	readonly store: Store;
	/** Hints about paths. The store's answer takes precedence. */
	readonly searchVariances: Hints<SearchVariance>;
	/** The version keys of origins that have such paths. */
	readonly varyingOrigins: Hints<true>;
	/** Paths of such origins that were read recently and have no known field. */
	readonly plainPaths: Hints<true>;
	/** The current time in milliseconds since the epoch. */
	readonly now: () => number;
};

/** The time during which a path without a known field is not read again. */
const plainPathMs = 60_000;

/** Creates what a process remembers of equivalent URLs. */
export const createSearchVarianceHints = (maxHints: number): Omit<SearchVarianceContext, 'store' | 'now'> => ({
	searchVariances: createHints(maxHints),
	varyingOrigins: createHints(maxHints),
	plainPaths: createHints(maxHints, plainPathMs),
});

const asVersion = (record: StoredRecord | undefined): StoredVersion | undefined => record?.kind === 'version' ? record : undefined;

/** The search variance that this process knows, without I/O. */
export const knownSearchVariance = ({searchVariances}: SearchVarianceContext, url: string): SearchVariance | undefined => searchVariances.size === 0 ? undefined : searchVariances.get(pathOf(url));

/** Learns from version records that another read returned. */
export const learnFrom = (context: SearchVarianceContext, url: string, {origin, path}: {readonly origin: StoredRecord | undefined; readonly path: StoredRecord | undefined}): void => {
	const ofPath = asVersion(path);
	if (ofPath?.noVarySearch !== undefined) {
		remember(context, url, ofPath.noVarySearch);
	} else if (ofPath) {
		context.searchVariances.delete(pathOf(url));
	}

	const ofOrigin = asVersion(origin);
	if (!ofOrigin) {
		return;
	}

	if (ofOrigin.noVarySearch !== undefined) {
		context.varyingOrigins.set(originVersionKey(url), true);
		return;
	}

	const known = knownSearchVariance(context, url);
	if (known) {
		// The origin was purged in the meantime, which removed the note from its version.
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
	const field = asVersion(record)?.noVarySearch;
	return field === undefined ? undefined : remember(context, url, field);
};

/** Whether reading a URL's path may reveal a search variance, because its origin has such paths. */
export const mayVary = (context: SearchVarianceContext, url: string): boolean => {
	const {varyingOrigins, plainPaths} = context;
	return knownSearchVariance(context, url) !== undefined || (varyingOrigins.size > 0 && varyingOrigins.has(originVersionKey(url)) && !plainPaths.has(pathOf(url)));
};

/** Finds the search variance of a URL, in one extra round trip at most. */
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

/** Reads the search variance of a URL's path, even if it is known already. */
export const askSearchVariance = async (context: SearchVarianceContext, url: string): Promise<SearchVariance | undefined> => await ask(context, url) ?? knownSearchVariance(context, url);

/** The version to start from in stores where only a change creates versions. */
const unversioned: StoredVersion = {kind: 'version', version: '', softVersion: '', purgedAtMs: 0};

/** Notes on the origin's version that such a path exists. In an atomic store the origin's version exists already, or will by the next time. */
const announce = async (store: Store, url: string, noVarySearch: string): Promise<void> => {
	await store.update(originVersionKey(url), current => {
		const version = asVersion(current) ?? (store.isAtomic ? undefined : unversioned);
		return version?.noVarySearch === undefined ? version && {...version, noVarySearch} : undefined;
	}, 'keep');
};

type SearchVarianceRegistration = {
	readonly url: string;
	readonly searchVariance: SearchVariance;
	/** The versions from before the request was sent. */
	readonly seen: Versions;
	/** The time to live of the response. */
	readonly timeToLive: TimeToLive;
};

/**
Writes a response's `No-Vary-Search` to the version of its path.

@returns The versions including the path's, or the reason why there are none: the store does not answer.
*/
export const registerSearchVariance = async (context: SearchVarianceContext, {url, searchVariance: {field}, seen, timeToLive}: SearchVarianceRegistration): Promise<Versions | StoreRefusal> => {
	const {store} = context;
	const name = pathVersionKey(url);
	if (seen.get(name) && knownSearchVariance(context, url)?.field === field) {
		return seen;
	}

	const updated = await store.update(name, current => {
		const version = asVersion(current);
		return version?.noVarySearch === field ? undefined : {kind: 'version', version: newVersion(), softVersion: '', purgedAtMs: version?.purgedAtMs ?? 0, noVarySearch: field};
	}, timeToLiveOfVersion(timeToLive));
	await announce(store, url, field);
	remember(context, url, field);

	return updated?.record ? new Map([...seen, [name, versionOf(updated.record)]]) : 'store-unavailable';
};

/**
Registers the `No-Vary-Search` of a response that comes from another store.

@returns The versions to store it with, as far as they are known.
*/
export const registerCopied = async (context: SearchVarianceContext, {url, rawHeaders}: Pick<StoredResponse, 'url' | 'rawHeaders'>, timeToLive: TimeToLive): Promise<Versions> => {
	const searchVariance = urlVariation(rawFieldValue(rawHeaders, 'no-vary-search'));
	if (!searchVariance) {
		return noVersions;
	}

	// The note for other processes, that the origin has such a path, stands on the version of the origin.
	await ensureVersions(context.store, [originVersionKey(url)]);
	const seen = await registerSearchVariance(context, {url, searchVariance, seen: noVersions, timeToLive});

	return typeof seen === 'string' ? noVersions : seen;
};

/** How long a note on an origin's version is valid before it must be written again. */
const noteMs = 10_000;

/** Notes on the origin's version that one of its URLs is purged, since the purging process may not know the equivalent URLs. If that version does not exist, no stored response of the origin is valid. */
const noteUrlPurge = async ({store, now}: SearchVarianceContext, url: string): Promise<boolean> => {
	const updated = await store.update(originVersionKey(url), current => {
		const version = asVersion(current) ?? (store.isAtomic ? undefined : unversioned);
		return version && (version.urlsPurgedUntilMs ?? 0) <= now() ? {...version, urlsPurgedUntilMs: now() + noteMs} : undefined;
	}, 'keep', 'purge');

	return updated !== undefined;
};

/** Whether a URL of the origin may have been purged since a request was sent, or shortly before. */
export const wasUrlPurged = async ({store}: SearchVarianceContext, url: string, requestTimeMs: number): Promise<boolean> => {
	const [record] = await store.get([originVersionKey(url)]);
	const untilMs = asVersion(record)?.urlsPurgedUntilMs;

	return untilMs !== undefined && untilMs + clockToleranceMs >= requestTimeMs;
};

/**
Finds the equivalent URLs for a purge. The purge is noted on the origin's version first. A process that stores the first response for equivalent URLs writes the path's version before it reads the origin's, so that one of the two sees the other.

@returns The search variances of the path, and whether the store confirmed the note.
*/
export const purgePath = async (context: SearchVarianceContext, url: string): Promise<{readonly searchVariances: readonly SearchVariance[]; readonly isConfirmed: boolean}> => {
	const isNoted = await noteUrlPurge(context, url);
	const known = knownSearchVariance(context, url);
	const told = await ask(context, url);

	return {searchVariances: [...new Set([told, known])].filter(searchVariance => searchVariance !== undefined), isConfirmed: isNoted};
};
