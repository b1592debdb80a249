import {hash, randomBytes} from 'node:crypto';
import type {PassReason} from '../http/outcome.ts';
import {normalizeEscapes, originOf} from '../http/url.ts';
import {guardKeyOf, isGuardKey, isPurgeToken} from '../store/ports/guard-token.ts';
import {createHints} from '../types/hints.ts';
import type {StoredRecord, StoredResponse} from '../types/stored.ts';

/*
Purging without looking for responses. Each origin, tag and cache group has a version: a random name. A stored response carries the versions from before it was requested, and is valid as long as they are unchanged. A purge replaces a version by another one.

A resource has a guard instead: a purge removes its responses, and the guard refuses responses that were requested before.
*/

/** Versions by their keys. */
export type Versions = ReadonlyMap<string, string>;

export const noVersions: Versions = new Map();

/** Why a response has no versions to be stored with: a purge may have happened in the meantime, or the store cannot tell. */
export type StoreRefusal = Extract<PassReason, 'invalidated' | 'store-unavailable'>;

/** The most by which the clocks of a fleet may differ. */
export const clockToleranceMs = 60_000;

export const newVersion = () => randomBytes(6).toString('base64url');

const keys = createHints<string>(10_000);

const versionKey = (kind: 'origin' | 'tag' | 'group' | 'path', name: string): string => {
	const id = `${kind} ${name}`;
	let key = keys.get(id);
	if (key === undefined) {
		key = `{${kind}:${hash('sha256', name, 'base64url').slice(0, 22)}}`;
		keys.set(id, key);
	}

	return key;
};

// Most requests of a process go to few origins, and each request needs this key more than once.
let lastOrigin = {origin: '', version: ''};

export const originVersionKey = (url: string): string => {
	const origin = originOf(url);
	if (lastOrigin.origin !== origin) {
		lastOrigin = {origin, version: versionKey('origin', origin)};
	}

	return lastOrigin.version;
};

/** The beginning of the key of each origin's version. */
export const originVersionStart = '{origin:';

export const isOriginVersionKey = (name: string): boolean => name.startsWith(originVersionStart);

export const tagVersionKey = (tag: string): string => versionKey('tag', tag);
/** RFC 9875 §2: a group belongs to one origin. */
export const groupVersionKey = (url: string, group: string): string => versionKey('group', `${originOf(url)} ${group}`);

/** The version key of all URLs that differ only in their query. Its record says which of them are equivalent. */
export const pathVersionKey = (url: string): string => versionKey('path', pathOf(url));

export const pathOf = (url: string): string => {
	const queryStart = url.indexOf('?');
	return normalizeEscapes(queryStart === -1 ? url : url.slice(0, queryStart));
};

/** Whether a key is shared by all equivalent URLs. */
export const isForSearchVariance = (key: string): boolean => key.startsWith('{?');

/** The version keys of a stored response, in the order of its `versions`. */
export const versionKeysOf = (key: string, {url, tags, groups, versions}: Pick<StoredResponse, 'url' | 'tags' | 'groups' | 'versions'>): string[] => {
	const names = [
		guardKeyOf(key),
		originVersionKey(url),
		...tags.map(tag => tagVersionKey(tag)),
		...groups.map(group => groupVersionKey(url, group)),
	];
	// An encrypted key name does not show it.
	if (isForSearchVariance(key) || versions.length > names.length) {
		names.push(pathVersionKey(url));
	}

	return names;
};

/** The version as stored with a response; empty if there is none. For a guard, its token. */
export const versionOf = (record: StoredRecord | undefined): string => {
	if (record?.kind === 'guard') {
		return record.token;
	}

	if (record?.kind !== 'version') {
		return '';
	}

	return record.softVersion === '' ? record.version : `${record.version}.${record.softVersion}`;
};

/** The part of a version that only a hard purge changes. */
export const hardPart = (version: string): string => version.split('.', 1)[0] ?? '';

/** The change of a version since a response was requested: by a soft or a hard purge. A version that is unknown counts as changed. */
type VersionChange = 'soft' | 'hard' | undefined;

const changeOf = (then: string | undefined, now: string | undefined): VersionChange => {
	if (now === then) {
		return undefined;
	}

	return now === undefined || then === undefined || hardPart(now) !== hardPart(then) ? 'hard' : 'soft';
};

/** The versions of a stored response that have changed since it was requested. The guard only concerns responses in progress: a purge has deleted the stored ones. */
export const changedVersions = (
	names: readonly string[],
	{versions}: Pick<StoredResponse, 'versions'>,
	current: Versions,
): ReadonlyArray<{readonly name: string; readonly position: number; readonly change: 'soft' | 'hard'}> =>
	names.flatMap((name, position) => {
		const change = position === 0 ? undefined : changeOf(versions[position], current.get(name));

		return change === undefined ? [] : [{name, position, change}];
	});

/**
Applies purges to a stored response: it stays as it is, is marked invalid after a soft purge, or is dropped after a hard purge.

@param names - The keys of its versions.
@returns `undefined` if the response is purged, or if a version is unknown.
*/
export const applyPurges = (names: readonly string[], stored: StoredResponse, current: Versions): StoredResponse | undefined => {
	let isSoftlyPurged = false;
	for (const [position, name] of names.entries()) {
		// The guard only concerns responses in progress: a purge has deleted the stored ones.
		const change = position === 0 ? undefined : changeOf(stored.versions[position], current.get(name));
		if (change === 'hard') {
			return undefined;
		}

		isSoftlyPurged ||= change === 'soft';
	}

	return isSoftlyPurged ? {...stored, policy: {...stored.policy, isInvalidated: true}} : stored;
};

/**
The versions of a stored response after validation, which undoes soft purges but not hard ones.

@param key - The key of its resource.
*/
export const renewedVersions = (key: string, stored: StoredResponse, current: Versions): readonly string[] => {
	const names = versionKeysOf(key, stored);

	return stored.versions.map((then, position) => {
		const now = current.get(names[position] ?? '');

		return now !== undefined && hardPart(now) === hardPart(then) ? now : then;
	});
};

/** The versions for a response that is shared but cannot be stored: those from before the request, as far as they are known. */
export const versionsAsSeen = (seen: Versions, key: string, stored: StoredResponse): readonly string[] => versionKeysOf(key, stored).map(name => seen.get(name) ?? '');

/** Whether a purge happened between two reads of a version or guard. A guard that an exchange placed where there was none does not count. */
const isChanged = (name: string, before: string | undefined, now: string | undefined): boolean =>
	now !== undefined && now !== '' && now !== before && (Boolean(before) || (isGuardKey(name) && isPurgeToken(now)));

/** Whether a version changed between two look-ups that both read it. */
export const isChangedSince = (seen: Versions, now: Versions): boolean =>
	now.entries().some(([name, version]) => isChanged(name, seen.get(name), version));

/** Whether a response to another request is older than a purge that this request's look-up has seen. */
export const isPurgedBefore = (seen: Versions, key: string, stored: StoredResponse): boolean =>
	versionKeysOf(key, stored).some((name, position) => position === 0
		? isChanged(name, stored.versions[0], seen.get(name))
		: Boolean(seen.get(name)) && seen.get(name) !== stored.versions[position]);

/** Whether a version that was read after the request was sent had the same value before it. */
export const isOlderThan = (record: StoredRecord | undefined, requestTimeMs: number): boolean =>
	record?.kind !== 'version' || record.purgedAtMs === 0 || record.purgedAtMs + clockToleranceMs < requestTimeMs;
