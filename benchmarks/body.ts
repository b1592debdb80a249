import {Buffer} from 'node:buffer';
import {hash} from 'node:crypto';

/*
Every URL has a body of its own, so that a wrong answer cannot pass for the right one. Bodies of one size differ in their head alone: the origin can send megabytes without building them.
*/

const idDigits = 12;

const head = (id: number): string => `{"id":"${String(id).padStart(idDigits, '0')}","items":[`;

/** The position in the body of the last digit of its id. */
export const lastDigitOffset = head(0).indexOf('","items"') - 1;

export const bodyHead = (id: number): Uint8Array => Buffer.from(head(id));

/** Rows as an API lists them, `bytes` long or a little longer with commas between them: names repeat, identifiers do not, and a compressor leaves a quarter. */
export const listedRows = (bytes: number): readonly string[] => Array.from({length: Math.ceil(bytes / 100)}, (_, row) => JSON.stringify({
	id: row * 7919 % 100_003,
	name: `item ${row * 31 % 977}`,
	price: (row * 137 % 10_000) / 100,
	tags: ['new', `t${row % 13}`],
	createdAt: new Date(1_700_000_000_000 + (row * 12_345_678)).toISOString(),
	uuid: hash('md5', String(row)),
}));

/** What follows the head, so that both are `size` bytes together. */
export const bodyTail = (size: number): Uint8Array => {
	const end = ']}';
	const space = size - head(0).length - end.length;
	const text = listedRows(space).join(',').slice(0, space + 1);
	// Whole rows. JSON allows any amount of white space before the bracket.
	return Buffer.from(text.slice(0, text.lastIndexOf('},{') + 1).padEnd(space) + end);
};

export const expectedBody = (size: number, id: number): Uint8Array<ArrayBuffer> => Buffer.concat([bodyHead(id), bodyTail(size)]);
