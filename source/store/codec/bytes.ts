/* eslint-disable no-bitwise -- seven bits of a number to a byte */
import {Buffer} from 'node:buffer';

/**
Variable-length numbers and strings: the alphabet that records are written in.
*/

const twoTo31 = 2 ** 31;
const largestTagged = 2 ** 51;

/** Code points beyond U+00FF, which latin1 cannot hold. Header fields have none. */
const beyondLatin1 = /[\u{100}-\u{10FFFF}]/v;

export const noBytes = Buffer.alloc(0);

/** Grows to the largest head it has seen; encoding is synchronous, so one scratch area serves all. */
let scratch = Buffer.allocUnsafe(4096);

/**
Collects numbers as bytes, and strings in one run behind them: one conversion for all strings of a record costs less than one each.
*/
export class Writer {
	position: number;
	strings = '';

	constructor(reserved: number) {
		this.position = reserved;
	}

	#reserve(bytes: number): void {
		if (this.position + bytes <= scratch.length) {
			return;
		}

		const larger = Buffer.allocUnsafe(scratch.length * 2);
		scratch.copy(larger, 0, 0, this.position);
		scratch = larger;
	}

	/** The bytes written so far, valid until the next `Writer` begins. */
	get scratch(): Uint8Array {
		return scratch;
	}

	get isLatin1(): boolean {
		return !beyondLatin1.test(this.strings);
	}

	byte(value: number): void {
		this.#reserve(1);
		scratch[this.position++] = value;
	}

	/** An integer from 0 to `Number.MAX_SAFE_INTEGER`, seven bits a byte, lowest first. */
	integer(value: number): void {
		this.#reserve(8);
		while (value >= twoTo31) {
			scratch[this.position++] = (value & 0x7F) | 0x80;
			value = Math.floor(value / 128);
		}

		while (value >= 0x80) {
			scratch[this.position++] = (value & 0x7F) | 0x80;
			value >>>= 7;
		}

		scratch[this.position++] = value;
	}

	/**
	Any number: whole numbers and thousandths as short as they are, the rest as a double.

	@throws {RangeError} If it is no number at all.
	*/
	number(value: number): void {
		if (Number.isNaN(value)) {
			throw new RangeError('A stored record has a number that is none');
		}

		if (Number.isSafeInteger(value) && value < largestTagged && (value > 0 || Object.is(value, 0))) {
			this.integer(value * 4);
			return;
		}

		const thousandths = Math.round(value * 1000);
		if (thousandths > 0 && thousandths < largestTagged && thousandths / 1000 === value) {
			this.integer((thousandths * 4) + 1);
			return;
		}

		this.byte(2);
		this.#reserve(8);
		this.position = scratch.writeDoubleLE(value, this.position);
	}

	string(value: string): void {
		this.integer(value.length);
		this.strings += value;
	}
}

/**
Reads what a `Writer` wrote. Bytes from elsewhere make it `isBroken`, never throw. Every read goes forward, and nothing is read of what is broken: the work is bounded by the length.
*/
export class Reader {
	readonly #strings: string;
	#stringPosition = 0;
	readonly bytes: Uint8Array;
	readonly end: number;
	position: number;
	isBroken = false;

	constructor(bytes: Uint8Array, start: number, end: number, strings: string) {
		this.bytes = bytes;
		this.position = start;
		this.end = end;
		this.#strings = strings;
	}

	#failed(): 0 {
		this.fail();
		return 0;
	}

	/** How many characters of the strings were read. */
	get stringPosition(): number {
		return this.#stringPosition;
	}

	byte(): number {
		if (this.isBroken || this.position >= this.end) {
			this.fail();
			return 0;
		}

		return this.bytes[this.position++] ?? 0;
	}

	integer(): number {
		let value = 0;
		let scale = 1;
		for (let count = 0; count < 8; count++) {
			const byte = this.byte();
			value += (byte & 0x7F) * scale;
			if (byte < 0x80) {
				// A writer takes no more bytes than it needs.
				const isShortest = byte > 0 || count === 0;
				return isShortest && Number.isSafeInteger(value) ? value : this.#failed();
			}

			scale *= 128;
		}

		return this.#failed();
	}

	number(): number {
		const tagged = this.integer();
		const tag = tagged % 4;
		if (tag === 0) {
			return tagged / 4;
		}

		if (tag === 1) {
			return ((tagged - 1) / 4) / 1000;
		}

		if (tagged !== 2 || this.position + 8 > this.end) {
			this.fail();
			return 0;
		}

		const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.position, 8).getFloat64(0, true);
		this.position += 8;
		return Number.isNaN(value) ? this.#failed() : value;
	}

	/** How many elements follow, each of which takes a byte at least. */
	count(): number {
		const count = this.integer();
		return count > this.end - this.position ? this.#failed() : count;
	}

	string(): string {
		const start = this.#stringPosition;
		const end = start + this.integer();
		if (this.isBroken || end > this.#strings.length) {
			return this.fail();
		}

		this.#stringPosition = end;
		return this.#strings.slice(start, end);
	}

	fail(): '' {
		this.isBroken = true;
		return '';
	}
}

export const writeStrings = (writer: Writer, strings: readonly string[]): void => {
	writer.integer(strings.length);
	for (const text of strings) {
		writer.string(text);
	}
};

export const readStrings = (reader: Reader): string[] => Array.from({length: reader.count()}, () => reader.string());
