import type {Store} from '../store/ports/store.ts';
import type {StoredRecord, StoredResponse} from '../types/stored.ts';
import {versionsIn} from './current-versions.ts';
import type {KeyedResponse} from './validity.ts';
import {applyPurges, changedVersions, originVersionKey, versionKeysOf, type Versions} from './versions.ts';

/*
The purges that have reached a stored response, for explanations.
*/

/** A purge since a response was requested. */
export type PurgeSince = {
	/** The subject of the purge: all that has an origin, a tag, a group or a path with `No-Vary-Search` in common. */
	readonly kind: 'origin' | 'tag' | 'group' | 'path';
	readonly name: string | undefined;
	readonly isSoft: boolean;
	/** Whether the store has lost the version, so that the response counts as purged. */
	readonly isLost: boolean;
	readonly purgedAt: Date | undefined;
};

/** A response as purges leave it, and these purges. */
export type ExaminedValidity = {
	readonly held: StoredResponse | undefined;
	readonly purges: readonly PurgeSince[];
};

/** The subject of a version of a stored response, by its position. */
const subjectAt = (position: number, {url, tags, groups}: StoredResponse): Pick<PurgeSince, 'kind' | 'name'> => {
	const [tag, group] = [tags[position - 2], groups[position - 2 - tags.length]];
	if (position === 1) {
		return {kind: 'origin', name: new URL(url).origin === 'null' ? url : new URL(url).origin};
	}

	if (tag !== undefined) {
		return {kind: 'tag', name: tag};
	}

	return group === undefined ? {kind: 'path', name: url.split('?', 1)[0]} : {kind: 'group', name: group};
};

type CurrentVersions = {
	readonly versions: Versions;
	readonly records: ReadonlyMap<string, StoredRecord | undefined>;
};

const purgesSince = (names: readonly string[], stored: StoredResponse, {versions, records}: CurrentVersions): PurgeSince[] =>
	changedVersions(names, stored, versions).map(({name, position, change}) => {
		const record = records.get(name);
		const purgedAtMs = record?.kind === 'version' ? record.purgedAtMs : 0;

		return {
			...subjectAt(position, stored),
			isSoft: change === 'soft',
			isLost: record === undefined && (versions.get(name) ?? '') === '',
			purgedAt: purgedAtMs === 0 ? undefined : new Date(purgedAtMs),
		};
	});

/**
Examines responses in one round trip, which reads the switch of the origin as well.

@param url - The URL of the request.
*/
export const examineValidity = async (store: Store, url: string, all: readonly KeyedResponse[]): Promise<readonly ExaminedValidity[]> => {
	const namesOfAll = all.map(({key, stored}) => versionKeysOf(key, stored));
	const names = [...new Set([originVersionKey(url), ...namesOfAll.flat()])];
	const records = await store.get(names);
	const current = {versions: versionsIn(store, names, records), records: new Map(names.map((name, position) => [name, records[position]]))};

	return all.map(({stored}, position) => {
		const own = namesOfAll[position] ?? [];

		return {held: applyPurges(own, stored, current.versions), purges: purgesSince(own, stored, current)};
	});
};
