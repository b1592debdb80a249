/* eslint-disable no-bitwise -- flags are packed into a byte */
import type {StoredSwitch, StoredVersion} from '../../types/stored.ts';
import type {Reader, Writer} from './bytes.ts';

const flag = {
	noVarySearch: 1,
	originSwitch: 2,
	/** The number that stands for `urlsPurgedUntilMs` is 0, and means nothing. */
	noUrlsPurged: 4,
};

const switchKinds = ['freeze', 'bypass', 'thaw'] as const satisfies ReadonlyArray<StoredSwitch['kind']>;

export const writeTagVersion = (writer: Writer, {version, softVersion, purgedAtMs, noVarySearch, urlsPurgedUntilMs, originSwitch}: StoredVersion): void => {
	writer.string(version);
	writer.string(softVersion);
	writer.number(purgedAtMs);
	const hasMore = urlsPurgedUntilMs !== undefined || originSwitch !== undefined;
	if (noVarySearch === undefined && !hasMore) {
		return;
	}

	writer.string(noVarySearch ?? '');
	if (!hasMore) {
		return;
	}

	writer.number(urlsPurgedUntilMs ?? 0);
	writer.byte((noVarySearch === undefined ? 0 : flag.noVarySearch) | (originSwitch ? flag.originSwitch : 0) | (urlsPurgedUntilMs === undefined ? flag.noUrlsPurged : 0));
	if (originSwitch) {
		writeStoredSwitch(writer, originSwitch);
	}
};

const writeStoredSwitch = (writer: Writer, {kind, origin, changedAtMs, untilMs}: StoredSwitch): void => {
	writer.byte(switchKinds.indexOf(kind));
	writer.string(origin);
	writer.number(changedAtMs);
	writer.number(untilMs);
};

const readSwitch = (reader: Reader): StoredSwitch | undefined => {
	const kind = switchKinds[reader.byte()];
	const originSwitch = {origin: reader.string(), changedAtMs: reader.number(), untilMs: reader.number()};
	if (kind === undefined) {
		reader.fail();
		return undefined;
	}

	return {kind, ...originSwitch};
};

export const readTagVersion = (reader: Reader): StoredVersion => {
	const version: StoredVersion = {
		kind: 'version',
		version: reader.string(),
		softVersion: reader.string(),
		purgedAtMs: reader.number(),
	};
	if (reader.position === reader.end) {
		return version;
	}

	const noVarySearch = reader.string();
	if (reader.position === reader.end) {
		return {...version, noVarySearch};
	}

	const urlsPurgedUntilMs = reader.number();
	const flags = reader.byte();
	const has = (name: keyof typeof flag) => (flags & flag[name]) !== 0;
	const originSwitch = has('originSwitch') ? readSwitch(reader) : undefined;
	// A value that is written in two ways is read in neither.
	const isUnknown = flags > 7 || (!has('noVarySearch') && noVarySearch !== '') || (has('noUrlsPurged') && (!originSwitch || urlsPurgedUntilMs !== 0));
	if (isUnknown) {
		reader.fail();
	}

	return {
		...version,
		...has('noVarySearch') && {noVarySearch},
		...!has('noUrlsPurged') && {urlsPurgedUntilMs},
		...originSwitch && {originSwitch},
	};
};
