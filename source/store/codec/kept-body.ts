import {Buffer} from 'node:buffer';

/*
A body that is kept has bytes of its own, since those of the response are the caller's to change. It has room in front, where the encoder puts the head: so the value for a store that nobody else can reach is made without another copy. A `Map` of the user's may change its values or have a worker take them, while waiting requests are still to be answered with the body.
*/

/** Most heads are shorter. A value with a longer one is made by a copy. */
const roomBytes = 1024;

/** A shorter body is copied in a few microseconds, and the room would be a noticeable part of it. */
const leastBytes = 32 * 1024;

/** The bodies whose room nobody has taken. */
const roomy = new WeakSet<Uint8Array>();

/** Returns bytes for a body that is going to be kept. They have to be filled: they hold what was in memory before. */
export const allocateBody = (byteLength: number): Uint8Array => {
	if (byteLength < leastBytes) {
		return Buffer.allocUnsafeSlow(byteLength);
	}

	const bytes = Buffer.allocUnsafeSlow(roomBytes + byteLength).fill(0, 0, roomBytes);
	const body = bytes.subarray(roomBytes);
	roomy.add(body);

	return body;
};

/** Returns a copy of a body, to be kept. */
export const keepBody = (bytes: Uint8Array): Uint8Array => {
	const body = allocateBody(bytes.byteLength);
	body.set(bytes);

	return body;
};

/**
Takes the room in front of a body, once: what is written there is part of a value.

@returns The body with `headLength` bytes in front of it; `undefined` if there is no such room.
*/
export const takeRoom = (body: Uint8Array, headLength: number) =>
	headLength <= roomBytes && roomy.delete(body)
		? Buffer.from(body.buffer as ArrayBuffer, body.byteOffset - headLength, headLength + body.byteLength)
		: undefined;
