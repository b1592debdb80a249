import type {StoredMark} from '../../stored.ts';
import type {Reader, Writer} from './bytes.ts';

export const writeMark = (writer: Writer, mark: StoredMark): void => {
	writer.string(mark.generation);
	writer.string(mark.softGeneration);
	writer.number(mark.purgedAtMs);
	if (mark.noVarySearch !== undefined) {
		writer.string(mark.noVarySearch);
	}
};

export const readMark = (reader: Reader): StoredMark => {
	const mark: StoredMark = {
		kind: 'mark',
		generation: reader.string(),
		softGeneration: reader.string(),
		purgedAtMs: reader.number(),
	};

	return reader.position === reader.end ? mark : {...mark, noVarySearch: reader.string()};
};
