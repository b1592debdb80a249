import type {StoredVersion} from '../../types/stored.ts';
import type {Reader, Writer} from './bytes.ts';

export const writeTagVersion = (writer: Writer, {version, softVersion, purgedAtMs, noVarySearch, urlsPurgedUntilMs}: StoredVersion): void => {
	writer.string(version);
	writer.string(softVersion);
	writer.number(purgedAtMs);
	if (noVarySearch === undefined && urlsPurgedUntilMs === undefined) {
		return;
	}

	writer.string(noVarySearch ?? '');
	if (urlsPurgedUntilMs === undefined) {
		return;
	}

	writer.number(urlsPurgedUntilMs);
	writer.byte(noVarySearch === undefined ? 0 : 1);
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

	return reader.byte() === 0 ? {...version, urlsPurgedUntilMs} : {...version, noVarySearch, urlsPurgedUntilMs};
};
