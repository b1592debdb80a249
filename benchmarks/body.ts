import {Buffer} from 'node:buffer';

/*
Every URL has a body of its own, so that a wrong answer cannot pass for the right one. Bodies of one size differ in their head alone: the origin can send megabytes without building them.
*/

const idDigits = 12;

const head = (id: number): string => `{"id":"${String(id).padStart(idDigits, '0')}","items":[`;

/** The position in the body of the last digit of its id. */
export const lastDigitOffset = head(0).indexOf('","items"') - 1;

export const bodyHead = (id: number): Uint8Array => Buffer.from(head(id));

/** What follows the head, so that both are `size` bytes together. */
export const bodyTail = (size: number): Uint8Array => {
	const item = '{"name":"A thing on a shelf","price":1299,"tags":["new","blue","in stock"],"available":true}';
	const end = ']}';
	const space = size - head(0).length - end.length;
	const count = Math.floor((space + 1) / (item.length + 1));
	const items = Array.from({length: count}, () => item).join(',');
	// JSON allows any amount of white space before the bracket.
	return Buffer.from(items.padEnd(space) + end);
};

export const expectedBody = (size: number, id: number): Uint8Array<ArrayBuffer> => Buffer.concat([bodyHead(id), bodyTail(size)]);
