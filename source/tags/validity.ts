import {createHints, type Hints} from '../types/hints.ts';
import type {TimeToLive} from '../store/ports/records.ts';
import type {Store} from '../store/ports/store.ts';
import {guardKeyOf} from '../store/ports/guard-token.ts';
import type {StoredRecord, StoredResponse} from '../types/stored.ts';
import {changeVersion, peekVersions, readVersions, versionsIn} from './current-versions.ts';
import {ensureVersions, extendVersions, haveVersions} from './ensure-versions.ts';
import {createSearchVarianceHints, learnFrom, type SearchVarianceContext} from './search-variance.ts';
import {
	applyPurges,
	groupVersionKey,
	isForSearchVariance,
	noVersions,
	originVersionKey,
	pathVersionKey,
	tagVersionKey,
	versionKeysOf,
	type Versions,
} from './versions.ts';

/*
Whether stored responses are valid, or purged. This is the door to the versions of origins, tags, groups and paths: nobody outside this folder knows which versions a response has, where they lie, and how they change.

A look-up observes versions before the origin is asked. The response is stored with them, and is valid as long as they are the current ones.
*/

export {carryOver} from './current-versions.ts';
export {versionsFor} from './ensure-versions.ts';
export {
	isChangedSince,
	isPurgedBefore,
	noVersions,
	renewedVersions,
	versionsAsSeen,
	type StoreRefusal,
	type Versions,
} from './versions.ts';

export type ValidityContext = SearchVarianceContext & {
	/** The version keys of the response last found or written under a key, so that a look-up can read them in the same round trip. A hint. */
	readonly versionKeys: Hints<readonly string[]>;
};

/** Creates what a process remembers of versions, and of equivalent URLs. */
export const createValidityHints = (maxHints: number): Omit<ValidityContext, 'store' | 'now'> => ({
	versionKeys: createHints(maxHints),
	...createSearchVarianceHints(maxHints),
});

/** The guard and the version of the origin, which the responses of every resource have. */
const commonVersionKeys = 2;

const noteVersionKeys = ({versionKeys}: Pick<ValidityContext, 'versionKeys'>, key: string, names: readonly string[]): void => {
	if (names.length > commonVersionKeys) {
		versionKeys.set(key, names);
	} else {
		versionKeys.delete(key);
	}
};

/** Remembers which versions a response has, unless a look-up reads them in any case. */
export const noteVersionsOf = (context: Pick<ValidityContext, 'versionKeys'>, key: string, stored: StoredResponse): void => {
	noteVersionKeys(context, key, versionKeysOf(key, stored));
};

/** A request that is looked up under a key. */
type LookedUp = {
	readonly request: {readonly url: string};
	readonly key: string;
	/** The tags that the request gives its response. */
	readonly tags: readonly string[];
};

/** The keys that a look-up reads beside the response: the resource's guard, the origin's version, for equivalent URLs the path's version, and the versions of the last response. */
export const expectedVersionKeys = ({versionKeys}: Pick<ValidityContext, 'versionKeys'>, {request: {url}, key, tags}: LookedUp): readonly string[] => {
	const known = versionKeys.get(key) ?? [];
	// The keys of a stored response begin with the same two.
	if (known.length > 0 && tags.length === 0 && !isForSearchVariance(key)) {
		return known;
	}

	return [...new Set([
		guardKeyOf(key),
		originVersionKey(url),
		...isForSearchVariance(key) ? [pathVersionKey(url)] : [],
		...tags.map(tag => tagVersionKey(tag)),
		...known,
	])];
};

/** The versions that must exist before a response is requested. */
const neededVersionKeys = ({request, tags}: LookedUp): readonly string[] => [originVersionKey(request.url), ...tags.map(tag => tagVersionKey(tag))];

/** Creates the versions that must exist before a response is requested, as far as this process does not know them to exist. */
export const ensureNeededVersions = async ({store}: ValidityContext, lookedUp: LookedUp): Promise<Versions> => ensureVersions(store, neededVersionKeys(lookedUp));

/** Learns from the versions of a look-up whether URLs of the origin are equivalent: every look-up reads them, wherever they lie. */
const learnFromVersions = (context: ValidityContext, {request, key}: LookedUp, [, origin, path]: ReadonlyArray<StoredRecord | undefined>): void => {
	learnFrom(context, request.url, {origin, path: isForSearchVariance(key) ? path : undefined});
};

/**
The versions that a look-up has observed.

@param names - From `expectedVersionKeys()`.
@param records - The values that the store has under these keys.
*/
export const observedVersions = (context: ValidityContext, lookedUp: LookedUp, names: readonly string[], records: ReadonlyArray<StoredRecord | undefined>): Versions => {
	const versions = versionsIn(context.store, names, records);
	learnFromVersions(context, lookedUp, records);

	return versions;
};

/** The versions that a look-up would observe, if memory knows them all. */
export const peekExpectedVersions = (context: ValidityContext, lookedUp: LookedUp): Versions | undefined => {
	const {store} = context;
	const names = expectedVersionKeys(context, lookedUp);
	const records = store.peekAll(names);

	return records && haveVersions(store, neededVersionKeys(lookedUp)) ? observedVersions(context, lookedUp, names, records) : undefined;
};

/** Reads the versions for a request that is sent without a look-up. */
export const readExpectedVersions = async (context: ValidityContext, lookedUp: LookedUp): Promise<Versions> =>
	readVersions(context.store, expectedVersionKeys(context, lookedUp));

/** Reads the versions of cache groups. */
export const readGroupVersions = async (store: Store, url: string, groups: readonly string[]): Promise<Versions> =>
	readVersions(store, groups.map(group => groupVersionKey(url, group)));

/** A response as purges leave it: `undefined` if it is purged. */
type Validity = {
	readonly stored: StoredResponse | undefined;
	/** The versions that it was judged by. */
	readonly versions: Versions;
};

/** Applies purges to a response, as far as memory knows them, without I/O. */
export const peekValidity = (store: Store, key: string, found: StoredResponse): Validity => {
	const names = versionKeysOf(key, found);
	const versions = peekVersions(store, names);

	return {stored: applyPurges(names, found, versions), versions};
};

/**
Applies purges to a response, if there is one.

@param read - The versions that the look-up has read already; others are read now.
*/
export const readValidity = async (context: Pick<ValidityContext, 'store' | 'versionKeys'>, key: string, found: StoredResponse | undefined, read: Versions = noVersions): Promise<Validity> => {
	if (!found) {
		return {stored: undefined, versions: read};
	}

	const names = versionKeysOf(key, found);
	const unread = names.filter(name => !read.has(name));
	const versions = unread.length === 0 ? read : new Map([...read, ...await readVersions(context.store, unread)]);
	noteVersionKeys(context, key, names);

	return {stored: applyPurges(names, found, versions), versions};
};

/** A stored response, and the key of its resource. */
export type KeyedResponse = {
	readonly key: string;
	readonly stored: StoredResponse;
};

/** Applies purges to many responses, in one round trip. */
export const readValidities = async (store: Store, all: readonly KeyedResponse[]): Promise<readonly Validity[]> => {
	const namesOfAll = all.map(({key, stored}) => versionKeysOf(key, stored));
	const versions = await readVersions(store, [...new Set(namesOfAll.flat())]);

	return all.map(({stored}, position) => ({stored: applyPurges(namesOfAll[position] ?? [], stored, versions), versions}));
};

/** Has the versions of a response live as long as the response is kept from now on. */
export const keepVersions = (store: Store, {key, stored}: KeyedResponse, versions: Versions, {timeToLive, nowMs}: {readonly timeToLive: TimeToLive; readonly nowMs: number}): void => {
	const [, ...names] = versionKeysOf(key, stored);
	extendVersions(store, new Map(names.map(name => [name, versions.get(name) ?? ''])), timeToLive, nowMs);
};

/** A set of responses that can be purged without a look at each: all that have an origin, a tag or a cache group in common. */
export type PurgeTarget =
	/** Any URL of the origin. */
	| {readonly kind: 'origin'; readonly url: string}
	| {readonly kind: 'tag'; readonly tag: string}
	/** RFC 9875 §2: a group belongs to one origin. */
	| {readonly kind: 'group'; readonly url: string; readonly group: string};

const versionKeyFor = (target: PurgeTarget): string => {
	switch (target.kind) {
		case 'origin': {
			return originVersionKey(target.url);
		}

		case 'tag': {
			return tagVersionKey(target.tag);
		}

		case 'group': {
			return groupVersionKey(target.url, target.group);
		}
	}
};

/**
Purges all responses of an origin, a tag or a group. A hard purge ends their use; after a soft purge they must be validated first, and may still replace an error.

@returns Whether the store confirmed the purge.
*/
export const purgeTarget = async (store: Store, target: PurgeTarget, how: {readonly isSoft: boolean; readonly nowMs: number}): Promise<boolean> => changeVersion(store, versionKeyFor(target), how);
