import type {StoredMark} from '../../types/stored.ts';
import type {Reader, Writer} from './bytes.ts';

export const writeMark = (writer: Writer, {generation, softGeneration, purgedAtMs, noVarySearch, urlsPurgedUntilMs}: StoredMark): void => {
	writer.string(generation);
	writer.string(softGeneration);
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

export const readMark = (reader: Reader): StoredMark => {
	const mark: StoredMark = {
		kind: 'mark',
		generation: reader.string(),
		softGeneration: reader.string(),
		purgedAtMs: reader.number(),
	};
	if (reader.position === reader.end) {
		return mark;
	}

	const noVarySearch = reader.string();
	if (reader.position === reader.end) {
		return {...mark, noVarySearch};
	}

	const urlsPurgedUntilMs = reader.number();

	return reader.byte() === 0 ? {...mark, urlsPurgedUntilMs} : {...mark, noVarySearch, urlsPurgedUntilMs};
};
