import type {TimeToLive} from '../store/ports/records.ts';
import type {Store} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import type {StoredRecord, StoredResponse} from '../types/stored.ts';
import {
	bookkeepingOf,
	currentVersion,
	versionsIn,
	peekVersions,
} from './current-versions.ts';
import {ownTimeToLive, spareMs, type Bookkeeping} from './version-changes.ts';
import {
	isChangedSince,
	isOlderThan,
	versionKeysOf,
	newVersion,
	noVersions,
	type StoreRefusal,
	type Versions,
} from './versions.ts';

/*
A version must exist before a response is requested under it, or a purge in the meantime would go unnoticed. It must also outlive the stored response.
*/

/** The time to live of a version that is written together with a response. */
export const timeToLiveOfVersion = (timeToLive: TimeToLive): TimeToLive => timeToLive === 'forever' ? timeToLive : timeToLive + spareMs;

/**
Extends versions so that they outlive their responses: a response without its version cannot be used.

@param versions - The versions by name. Each pair of name and version has its own life, since a changed version starts anew.
*/
export const extendVersions = (store: Store, versions: Versions, timeToLive: TimeToLive, nowMs: number): void => {
	if (!store.isAtomic) {
		return;
	}

	const {keptUntilMs} = bookkeepingOf(store);
	const neededUntilMs = timeToLive === 'forever' ? Infinity : nowMs + timeToLive;
	for (const [name, version] of versions) {
		const id = `${name} ${version}`;
		if (!((keptUntilMs.get(id) ?? 0) < neededUntilMs)) {
			continue;
		}

		keptUntilMs.set(id, neededUntilMs + spareMs);
		store.extend(name, timeToLiveOfVersion(timeToLive));
	}
};

type Reading = {
	/** The versions from before the request was sent. */
	readonly seen: Versions;
	readonly requestTimeMs: number;
};

const make = async (store: Store, name: string): Promise<{readonly record: StoredRecord | undefined} | undefined> =>
	store.update(name, current => current?.kind === 'version' ? undefined : {kind: 'version', version: newVersion(), softVersion: '', purgedAtMs: 0}, ownTimeToLive(store));

/** Creates a version for all waiting callers; none of them can cancel it. */
const makeOnce = async (part: Store, {making}: Bookkeeping, name: string): ReturnType<typeof make> => {
	const store = unbudgeted(part);
	const record = await make(store, name);
	making.delete(name);
	return record;
};

/** Whether all versions are known to exist already. */
export const haveVersions = (store: Store, names: readonly string[]): boolean => {
	const {made} = bookkeepingOf(store);

	return !store.isAtomic || names.every(name => made.has(name));
};

/** Creates versions that may not exist yet. This process does so once per version, in parallel with the look-up. */
export const ensureVersions = async (store: Store, names: readonly string[]): Promise<Versions> => {
	const bookkeeping = bookkeepingOf(store);
	const unknown = store.isAtomic ? names.filter(name => !bookkeeping.made.has(name)) : [];
	if (unknown.length === 0) {
		return noVersions;
	}

	const made = await Promise.all(unknown.map(async name => {
		const making = bookkeeping.making.get(name) ?? makeOnce(store, bookkeeping, name);
		bookkeeping.making.set(name, making);
		return store.withinBudget ? store.withinBudget(making, undefined) : making;
	}));
	const versions = new Map<string, string>();
	for (const [position, name] of unknown.entries()) {
		const record = made[position]?.record;
		if (record === undefined) {
			continue;
		}

		versions.set(name, currentVersion(bookkeeping, name, record));
		bookkeeping.made.set(name, true);
	}

	return versions;
};

/** Reads versions that the look-up did not expect; creates missing ones if the store is atomic. */
const learn = async (store: Store, names: readonly string[]): Promise<ReadonlyArray<StoredRecord | undefined> | undefined> => {
	const records = await store.get(names);
	if (!store.isAtomic) {
		return records;
	}

	const made = await Promise.all(names.map(async (name, position) => {
		const record = records[position];
		return record?.kind === 'version' ? {record} : make(store, name);
	}));

	return made.every(each => each !== undefined) ? made.map(({record}) => record) : undefined;
};

/**
The versions to store with a response: those from before the request was sent.

The look-up reads only the versions it expects. For other versions of the response the current version is used, provided that nobody changed it since the request.

@returns The versions, or the reason why the response is not stored.
*/
export const versionsFor = async (
	store: Store,
	{seen, requestTimeMs}: Reading,
	{key, stored, timeToLive, nowMs}: {readonly key: string; readonly stored: StoredResponse; readonly timeToLive: TimeToLive; readonly nowMs: number},
): Promise<readonly string[] | StoreRefusal> => {
	if (!store.isHealthy) {
		return 'store-unavailable';
	}

	const [guard = '', ...names] = versionKeysOf(key, stored);
	// A purged response would be useless, and would replace a newer one.
	if (isChangedSince(seen, peekVersions(store, [guard, ...names]))) {
		return 'invalidated';
	}

	const unknown = names.filter(name => !seen.has(name) || (store.isAtomic && seen.get(name) === ''));
	const records = unknown.length === 0 ? [] : await learn(store, unknown);
	if (!records) {
		return 'store-unavailable';
	}

	if (records.some(record => !isOlderThan(record, requestTimeMs))) {
		return 'invalidated';
	}

	const known = new Map([...seen, ...versionsIn(store, unknown, records)]);
	const versions = new Map(names.map(name => [name, known.get(name) ?? '']));
	extendVersions(store, versions, timeToLive, nowMs);

	return versions.values().toArray();
};
