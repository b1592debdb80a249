import type {VariantIndex, VariantReference} from '../../types/stored.ts';
import {readStrings, writeStrings, type Reader, type Writer} from './bytes.ts';

/** Several times as many as a resource has. */
const maxReferences = 256;

/** Whether an index has no more variants than a reader takes. */
export const isIndexWithinBounds = ({variants}: VariantIndex): boolean => variants.length <= maxReferences;

/** By id, so that a new order changes no strings. */
export const writeIndex = (writer: Writer, index: VariantIndex): void => {
	writer.string(index.indexId);
	writeStrings(writer, index.vary);
	writer.integer(index.variants.length);
	const places = index.variants.entries().toArray().toSorted(([, {id: first}], [, {id: second}]) => Number(first > second) - Number(first < second));
	for (const [place, {id, keptUntilMs, etag}] of places) {
		writer.string(id);
		writer.number(keptUntilMs);
		writer.string(etag);
		writer.integer(place);
	}
};

export const readIndex = (reader: Reader): VariantIndex => ({
	kind: 'index',
	indexId: reader.string(),
	vary: readStrings(reader),
	variants: readVariants(reader, reader.count()),
});

const readVariants = (reader: Reader, count: number): VariantReference[] => {
	const byPlace = new Map<number, VariantReference>();
	for (let read = 0; read < count && !reader.isBroken; read++) {
		const variant = readVariant(reader);
		byPlace.set(reader.integer(), variant);
	}

	return Array.from({length: count}, (_, place) => byPlace.get(place) ?? reader.fail()).filter(variant => variant !== '');
};

const readVariant = (reader: Reader): VariantReference => ({
	id: reader.string(),
	keptUntilMs: reader.number(),
	etag: reader.string(),
});
