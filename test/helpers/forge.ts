import {Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import fc from 'fast-check';
import {Reader, Writer} from '../../source/store/codec/bytes.ts';
import {writeResponse} from '../../source/store/codec/response.ts';
import {writeIndex} from '../../source/store/codec/variant-index.ts';
import type {StoredResponse, VariantIndex} from '../../source/types/stored.ts';

/*
Values as somebody makes them who knows the format and can write to the store.
*/

export type Parts = {
	readonly numbers: Uint8Array;
	readonly strings: Uint8Array;
	readonly flags?: number;
	readonly body?: Uint8Array;
	/** `undefined` where the cipher takes the place of checksums. */
	readonly key: string | undefined;
};

const noBytes = new Uint8Array(0);

/** A value with lengths and checksums that are right, whatever else it holds. */
export const forge = ({numbers, strings, flags = 0, body = noBytes, key}: Parts) => {
	const stringsStart = 18 + numbers.length;
	const headLength = stringsStart + strings.length;
	const forged = Buffer.concat([Buffer.alloc(18), numbers, strings, body]);
	forged.writeUInt16BE(0xC7_AC, 0);
	forged[6] = 1;
	forged[7] = flags;
	forged.writeUIntLE(headLength, 8, 3);
	forged.writeUIntLE(stringsStart, 11, 3);
	if (key !== undefined) {
		forged.writeUInt32LE(crc32(body), 14);
		forged.writeUInt32LE(crc32(forged.subarray(6, headLength), crc32(key)), 2);
	}

	return forged;
};

/** The parts of a value that `encode` wrote, to be forged anew. */
export const partsOf = (encoded: ReturnType<typeof forge>): Omit<Parts, 'key'> => {
	const headLength = encoded.readUIntLE(8, 3);
	const stringsStart = encoded.readUIntLE(11, 3);
	return {
		numbers: encoded.subarray(18, stringsStart),
		strings: encoded.subarray(stringsStart, headLength),
		flags: encoded.readUInt8(7),
		body: encoded.subarray(headLength),
	};
};

/** A value of a record, without the bounds that `encode` keeps. Its strings are latin1. */
export const forgeRecord = (record: StoredResponse | VariantIndex, key: string | undefined) => {
	const writer = new Writer(18);
	if (record.kind === 'index') {
		writeIndex(writer, record);
	} else {
		writeResponse(writer, record);
	}

	return forge({
		numbers: Uint8Array.from(writer.scratch.subarray(18, writer.position)),
		strings: Buffer.from(writer.strings, 'latin1'),
		flags: record.kind === 'index' ? 1 : 0,
		body: record.kind === 'index' ? noBytes : record.body,
		key,
	});
};

/** An integer as the format has it. */
export const varint = (value: number): number[] => value < 0x80 ? [value] : [0x80 + (value % 0x80), ...varint(Math.floor(value / 0x80))];

const hugeCounts = [0, 1, 127, 128, 255, 256, 257, 1000, 100_000, 262_144, 2 ** 32, 2 ** 51, Number.MAX_SAFE_INTEGER].map(value => varint(value));
const longRuns = [100, 10_000, 250_000, 1_000_000];

type Change = {
	readonly part: 'numbers' | 'strings';
	readonly at: number;
	readonly removed: number;
	/** So many equal bytes, or these. */
	readonly inserted: number | readonly number[];
};

/** Other counts and lengths, and more or fewer bytes. */
export const anyChanges: fc.Arbitrary<Change[]> = fc.array(fc.record({
	part: fc.constantFrom('numbers', 'strings'),
	at: fc.nat(),
	removed: fc.nat({max: 12}),
	inserted: fc.oneof(fc.constantFrom(...hugeCounts), fc.array(fc.integer({min: 0, max: 255}), {maxLength: 9}), fc.constantFrom(...longRuns)),
}), {minLength: 1, maxLength: 3});

export const withChanges = (parts: Omit<Parts, 'key'>, changes: readonly Change[]): Omit<Parts, 'key'> => {
	const result: Record<Change['part'], Uint8Array> = {numbers: parts.numbers, strings: parts.strings};
	for (const {part, at, removed, inserted} of changes) {
		const bytes = result[part];
		const position = at % (bytes.length + 1);
		const between = typeof inserted === 'number' ? Buffer.alloc(inserted, at % 256) : Uint8Array.from(inserted);
		result[part] = Buffer.concat([bytes.subarray(0, position), between, bytes.subarray(position + removed)]);
	}

	return {...parts, ...result};
};

/** How often a part of a record is read meanwhile. */
export const stepsDuring = (run: () => void): number => {
	const {byte, string} = Reader.prototype;
	let steps = 0;
	const counting = {
		byte(this: Reader): number {
			steps++;
			return Reflect.apply(byte, this, []);
		},
		string(this: Reader): string {
			steps++;
			return Reflect.apply(string, this, []);
		},
	};
	Object.assign(Reader.prototype, counting);
	try {
		run();
	} finally {
		Object.assign(Reader.prototype, {byte, string});
	}

	return steps;
};
