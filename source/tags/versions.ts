import {hash, randomBytes} from 'node:crypto';
import type {PassReason} from '../http/outcome.ts';
import {normalizeEscapes} from '../http/url.ts';
import {guardKeyOf, guardLifeMs, isGuardKey, isPurgeToken} from '../store/ports/guard-token.ts';
import {createHints} from '../types/hints.ts';
import type {StoredRecord, StoredResponse} from '../types/stored.ts';

/*
Purging without looking for what is to go. A version stands for all responses of an origin, a tag or a cache group, and has a version: a random name. A stored response carries the versions that its versions had before it was asked for, and holds as long as they are the same. To purge is to give a version another version.

A resource has a guard instead: its responses are removed by a purge, and the guard keeps those from being written that were asked for before.
*/

/** Generations by the key of the version. */
export type Versions = ReadonlyMap<string, string>;

export const noVersions: Versions = new Map();

/** Why there are none to store with a response: a purge may have come in between, or nobody can say. */
export type StoreRefusal = Extract<PassReason, 'invalidated' | 'store-unavailable'>;

/** What takes longer than this is not stored. */
export const longestExchangeMs = guardLifeMs;

/** How far the clocks of a fleet may be apart. */
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

/** Of a URL that is absolute and normalised, as far as its path. */
const originOf = (url: string): string => {
	const end = url.indexOf('/', url.indexOf('//') + 2);
	return end === -1 ? url : url.slice(0, end);
};

// Most requests of a process are to the same few, and each needs it more than once.
let lastOrigin = {origin: '', version: ''};

export const originVersionKey = (url: string): string => {
	const origin = originOf(url);
	if (lastOrigin.origin !== origin) {
		lastOrigin = {origin, version: versionKey('origin', origin)};
	}

	return lastOrigin.version;
};

export const tagVersionKey = (tag: string): string => versionKey('tag', tag);
/** RFC 9875 §2: a group is one of its origin's. */
export const groupVersionKey = (url: string, group: string): string => versionKey('group', `${originOf(url)} ${group}`);

/** Of all URLs that differ in their query alone: it says which of them are equivalent. */
export const pathVersionKey = (url: string): string => versionKey('path', pathOf(url));

export const pathOf = (url: string): string => {
	const queryStart = url.indexOf('?');
	return normalizeEscapes(queryStart === -1 ? url : url.slice(0, queryStart));
};

/** Whether what is stored under a key is stored for all equivalent URLs. */
export const isForSearchVariance = (key: string): boolean => key.startsWith('{?');

/** The part of a key that all keys of a resource have in common. */
export const resourceOf = (key: string): string => key.slice(0, key.indexOf('}') + 1);

/** In the slot of the resource. */
export const guardKey = (key: string): string => guardKeyOf(resourceOf(key));

/** Of a stored response, in the order of its `versions`. */
export const versionKeysOf = (key: string, {url, tags, groups, versions}: Pick<StoredResponse, 'url' | 'tags' | 'groups' | 'versions'>): string[] => {
	const names = [
		guardKey(key),
		originVersionKey(url),
		...tags.map(tag => tagVersionKey(tag)),
		...groups.map(group => groupVersionKey(url, group)),
	];
	// An encrypted name of a key does not tell.
	if (isForSearchVariance(key) || versions.length > names.length) {
		names.push(pathVersionKey(url));
	}

	return names;
};

/** As it is stored with a response; empty where there is no version. Of a guard, its token. */
export const versionOf = (record: StoredRecord | undefined): string => {
	if (record?.kind === 'guard') {
		return record.token;
	}

	if (record?.kind !== 'version') {
		return '';
	}

	return record.softVersion === '' ? record.version : `${record.version}.${record.softVersion}`;
};

/** Without what was purged softly. */
export const hardPart = (version: string): string => version.split('.', 1)[0] ?? '';

/**
What becomes of a stored response by its versions: nothing, or it is marked invalid, or it is not there any more.

@param names - The keys of its versions.
@returns `undefined` where it is purged, or where it is not known whether it is.
*/
export const applyPurges = (names: readonly string[], stored: StoredResponse, current: Versions): StoredResponse | undefined => {
	let isSoftlyPurged = false;
	for (const [position, name] of names.entries()) {
		const now = current.get(name);
		const then = stored.versions[position];
		// A guard is for what is on its way: what was stored was deleted.
		if (position === 0 || now === then) {
			continue;
		}

		if (now === undefined || then === undefined || hardPart(now) !== hardPart(then)) {
			return undefined;
		}

		isSoftlyPurged = true;
	}

	return isSoftlyPurged ? {...stored, policy: {...stored.policy, isInvalidated: true}} : stored;
};

/**
The versions of a stored response that takes back what was purged softly; what was purged for good remains so.

@param names - The keys of its versions.
*/
export const renewedVersions = (names: readonly string[], {versions}: Pick<StoredResponse, 'versions'>, current: Versions): readonly string[] => versions.map((then, position) => {
	const now = current.get(names[position] ?? '');

	return now !== undefined && hardPart(now) === hardPart(then) ? now : then;
});

/** The versions to hand a response on with that cannot be stored: as they were before it was asked for, as far as they are known. */
export const versionsAsSeen = (seen: Versions, key: string, stored: StoredResponse): readonly string[] => versionKeysOf(key, stored).map(name => seen.get(name) ?? '');

/** Whether somebody has purged what a version or a guard stands for, between two looks at it. Exchanges put guards where there are none. */
const isChanged = (name: string, before: string | undefined, now: string | undefined): boolean =>
	now !== undefined && now !== '' && now !== before && (Boolean(before) || (isGuardKey(name) && isPurgeToken(now)));

/** Whether a version was changed between two look-ups that both saw it. */
export const isChangedSince = (seen: Versions, now: Versions): boolean =>
	now.entries().some(([name, version]) => isChanged(name, seen.get(name), version));

/** Whether a response that another request was given is older than a purge that this one has seen. */
export const isPurgedBefore = (seen: Versions, key: string, stored: StoredResponse): boolean =>
	versionKeysOf(key, stored).some((name, position) => position === 0
		? isChanged(name, stored.versions[0], seen.get(name))
		: Boolean(seen.get(name)) && seen.get(name) !== stored.versions[position]);

/** Whether a version that was read after the request was sent was the same before. */
export const isOlderThan = (record: StoredRecord | undefined, requestTimeMs: number): boolean =>
	record?.kind !== 'version' || record.purgedAtMs === 0 || record.purgedAtMs + clockToleranceMs < requestTimeMs;
