import type {Store, TimeToLive} from '../store/ports/store.ts';
import {unbudgeted} from '../store/with-budget.ts';
import type {StoredRecord, StoredResponse} from '../types/stored.ts';
import {
	bookkeepingOf,
	currentVersion,
	versionsIn,
	ownTimeToLive,
	peekVersions,
	spareMs,
	type Bookkeeping,
} from './current-versions.ts';
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
A version has to be there before what it stands for is asked for, or else a purge meanwhile would not show, and to outlive what is stored.
*/

/** For a version that is written together with what it stands for. */
export const timeToLiveOfVersion = (timeToLive: TimeToLive): TimeToLive => timeToLive === 'forever' ? timeToLive : timeToLive + spareMs;

/**
Has versions outlive what they stand for: without them it would be good for nothing.

@param versions - A version that was changed has a life of its own.
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
	/** The versions as they were before the response was asked for. */
	readonly seen: Versions;
	readonly requestTimeMs: number;
};

const make = async (store: Store, name: string): Promise<{readonly record: StoredRecord | undefined} | undefined> =>
	store.update(name, current => current?.kind === 'version' ? undefined : {kind: 'version', version: newVersion(), softVersion: '', purgedAtMs: 0}, ownTimeToLive(store));

/** For all who need it, whoever of them gives up. */
const makeOnce = async (part: Store, {making}: Bookkeeping, name: string): ReturnType<typeof make> => {
	const store = unbudgeted(part);
	const record = await make(store, name);
	making.delete(name);
	return record;
};

/** Whether there is none of them to make. */
export const haveVersions = (store: Store, names: readonly string[]): boolean => {
	const {made} = bookkeepingOf(store);

	return !store.isAtomic || names.every(name => made.has(name));
};

/** Makes the versions that there may be none of yet: the first time that this process needs them, beside what it waits for anyway. */
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

/** The versions of a response that nobody expected it to have. */
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
The versions of its versions to store with a response, those from before it was asked for.

Of a version that was not looked at then, because nobody knew that the response would have it, the present version will do if nobody changed it since.

@returns Or why there are none.
*/
export const versionsFor = async (store: Store, {seen, requestTimeMs}: Reading, {key, stored, timeToLive, nowMs}: {readonly key: string; readonly stored: StoredResponse; readonly timeToLive: TimeToLive; readonly nowMs: number}): Promise<readonly string[] | StoreRefusal> => {
	if (!store.isHealthy) {
		return 'store-unavailable';
	}

	const [guard = '', ...names] = versionKeysOf(key, stored);
	// It would be of no use, and take the place of what is newer.
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
