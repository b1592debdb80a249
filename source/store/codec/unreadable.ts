import {Buffer} from 'node:buffer';
import type {UnreadableReason} from '../ports/listing.ts';
import {openHead, type KeyRing} from './encryption.ts';

const magic = 0xC7_AC;
const knownVersion = 1;
const encryptedFlag = 16;

/** The shortest value that has a version and flags. */
const shortest = 8;

/** Leases stand beside the resources whose requests they are for. */
const leaseShape = /^(?:[\w\-]{16}|resting)$/v;

/**
Says why the beginning of a value could not be read; `undefined` for a value that is gone or is no record.

@param name - The key in the store.
*/
export const whyUnreadable = (value: Uint8Array, name: string, keyRing: KeyRing | undefined): UnreadableReason | undefined => {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
	if (bytes.length === 0 || (bytes.length <= 16 && leaseShape.test(bytes.toString('latin1')))) {
		return undefined;
	}

	if (bytes.length < shortest || bytes.readUInt16BE(0) !== magic) {
		return 'corrupt';
	}

	if (bytes[6] !== knownVersion) {
		return 'other-version';
	}

	if (bytes[7] !== encryptedFlag) {
		return keyRing ? 'not-encrypted' : 'corrupt';
	}

	if (keyRing === undefined) {
		return 'encrypted';
	}

	if (!keyRing.byId.has(bytes.readUInt32BE(2))) {
		return 'other-encryption-key';
	}

	// The strings of a long index are encrypted by themselves, and were not read.
	return openHead(keyRing, value, name) ? undefined : 'corrupt';
};
