import {Buffer} from 'node:buffer';
import {
	createCipheriv,
	createDecipheriv,
	createHmac,
	createSecretKey,
	randomBytes,
	type KeyObject,
} from 'node:crypto';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {noBytes} from './bytes.ts';
import {longestStored} from './codec.ts';

/*
An encrypted value, described in docs/contributing/wire-format.md:

	 0  magic             2
	 2  id of the key     4  in place of the checksum
	 6  version           1
	 7  flags             1  16
	 8  length of head    3  to where the body begins
	11  salt             16
	27  initialization   12
	39  tag              16
	55  head, encrypted
	    body, encrypted     to the end, with its tag

Each body has a key of its own, of the salt and the name of the Redis key: so many values may be written under one key of the ring that random initialization vectors alone would repeat (NIST SP 800-38D §8.3), and a head fits no body but its own.
*/

const keyLength = 32;
const cipher = 'aes-256-gcm';
export const tagLength = 16;
const saltStart = 11;
const ivStart = 27;
const tagStart = 39;
const headStart = 55;
const sealedFlag = 16;

/** A body has its key to itself. A head has the body's: its vector is random, for it may be replaced. */
const bodyIv = Buffer.alloc(12);

/** The bytes of a long body at a time, so that the event loop goes on. */
const sliceLength = 512 * 1024;

/** The bytes of a key, which may be written in hexadecimal or base64; `undefined` for what is none. */
export const parseKey = (key: unknown): Uint8Array | undefined => {
	if (key instanceof Uint8Array) {
		return key.length === keyLength ? key : undefined;
	}

	if (typeof key !== 'string') {
		return undefined;
	}

	if (/^[\da-f]{64}$/iv.test(key)) {
		return Buffer.from(key, 'hex');
	}

	return /^[\w+\-\/]{43}=?$/v.test(key) ? Buffer.from(key, 'base64') : undefined;
};

type RingKey = {
	readonly id: number;
	readonly secret: KeyObject;
};

export type KeyRing = {
	/** Encrypts. */
	readonly first: RingKey;
	/** Decrypt. */
	readonly byId: ReadonlyMap<number, RingKey>;
	/** Names keys. */
	readonly last: RingKey;
};

/** @returns `undefined` if there is no key, or one of them is none. */
export const createKeyRing = (keys: readonly unknown[]): KeyRing | undefined => {
	const ring = keys.map(key => parseKey(key)).filter(bytes => bytes !== undefined).map(bytes => {
		const secret = createSecretKey(bytes);
		return {id: createHmac('sha256', secret).update('got-redis-cache: id').digest().readUInt32BE(0), secret};
	});
	const first = ring[0];
	const last = ring.at(-1);

	return first && last && ring.length === keys.length ? {first, last, byId: new Map(ring.map(key => [key.id, key]))} : undefined;
};

const valueKey = ({secret}: RingKey, salt: Uint8Array, name: string) => createHmac('sha256', secret).update('got-redis-cache: value').update(salt).update(name).digest();

const beginBody = (key: Uint8Array, name: string) => createCipheriv(cipher, key, bodyIv).setAAD(Buffer.from(name));

type Transform = {update(bytes: Uint8Array): Uint8Array};

/** Encrypts or decrypts into `target`. */
const run = (transform: Transform, bytes: Uint8Array, target: Uint8Array): void => {
	target.set(transform.update(bytes));
};

const runLong = async (transform: Transform, bytes: Uint8Array, target: Uint8Array): Promise<void> => {
	for (let start = 0; start < bytes.length; start += sliceLength) {
		run(transform, bytes.subarray(start, start + sliceLength), target.subarray(start));
		// eslint-disable-next-line no-await-in-loop -- others are let through between the slices
		await nextTurn();
	}
};

/** Encrypts a head into a value that has all that stands before its vector. */
const sealHead = (sealed: Uint8Array, head: Uint8Array, key: Uint8Array, name: string): void => {
	sealed.set(randomBytes(tagStart - ivStart), ivStart);
	const headCipher = createCipheriv(cipher, key, sealed.subarray(ivStart, tagStart)).setAAD(Buffer.concat([sealed.subarray(0, tagStart), Buffer.from(name)]));
	run(headCipher, head, sealed.subarray(headStart));
	headCipher.final();
	sealed.set(headCipher.getAuthTag(), tagStart);
};

/**
A head to put in the place of `sealed`, in front of the body that is encrypted with the same key; `undefined` if that is no longer the one to encrypt with.

@param sealed - A value of the store up to its body.
@param head - As `encodeHead` wrote it, as long as the one in `sealed`.
*/
export const resealHead = ({first}: KeyRing, sealed: Uint8Array, head: Uint8Array, name: string): Uint8Array | undefined => {
	const resealed = Buffer.from(sealed);
	if (resealed.readUInt32BE(2) !== first.id) {
		return undefined;
	}

	sealHead(resealed, head, valueKey(first, resealed.subarray(saltStart, ivStart), name), name);
	return resealed;
};

/**
A value that only the key ring opens, and only under `name`. A promise where it takes long.

@param bytes - A value as `encode` wrote it.
@param headLength - To where its body begins.
@param name - The name of the key in the store.
*/
export const seal = ({first}: KeyRing, bytes: Uint8Array, headLength: number, name: string): Uint8Array | Promise<Uint8Array> => {
	const head = bytes.subarray(0, headLength);
	const body = bytes.subarray(headLength);
	const bodyStart = headStart + headLength;
	const sealed = Buffer.allocUnsafe(bodyStart + (body.length === 0 ? 0 : body.length + tagLength));
	// The magic, the version, and room for the rest.
	sealed.set(head.subarray(0, saltStart));
	sealed.writeUInt32BE(first.id, 2);
	sealed[7] = sealedFlag;
	sealed.writeUIntLE(bodyStart, 8, 3);
	sealed.set(randomBytes(ivStart - saltStart), saltStart);

	const key = valueKey(first, sealed.subarray(saltStart, ivStart), name);
	sealHead(sealed, head, key, name);
	if (body.length === 0) {
		return sealed;
	}

	const bodyCipher = beginBody(key, name);
	const finish = () => {
		bodyCipher.final();
		sealed.set(bodyCipher.getAuthTag(), bodyStart + body.length);
		return sealed;
	};

	const target = sealed.subarray(bodyStart);
	if (body.length <= sliceLength) {
		run(bodyCipher, body, target);
		return finish();
	}

	return (async () => {
		await runLong(bodyCipher, body, target);
		return finish();
	})();
};

export type OpenedHead = {
	/** The value as `encode` wrote it. */
	readonly head: Uint8Array;
	/** Where the encrypted body begins. */
	readonly bodyStart: number;
	readonly key: Uint8Array;
};

/**
The head of an encrypted value; `undefined` for what no key of the ring opens under `name`.

@param value - The bytes of the head, or more.
*/
export const openHead = ({byId}: KeyRing, value: Uint8Array, name: string): OpenedHead | undefined => {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
	if (bytes.length < headStart || bytes[7] !== sealedFlag) {
		return undefined;
	}

	const bodyStart = bytes.readUIntLE(8, 3);
	const ringKey = byId.get(bytes.readUInt32BE(2));
	if (ringKey === undefined || bodyStart < headStart || bodyStart > Math.min(bytes.length, longestStored)) {
		return undefined;
	}

	const key = valueKey(ringKey, bytes.subarray(saltStart, ivStart), name);
	const decipher = createDecipheriv(cipher, key, bytes.subarray(ivStart, tagStart), {authTagLength: tagLength})
		.setAAD(Buffer.concat([bytes.subarray(0, tagStart), Buffer.from(name)]))
		.setAuthTag(bytes.subarray(tagStart, headStart));
	try {
		const head = decipher.update(bytes.subarray(headStart, bodyStart));
		decipher.final();
		return {head, bodyStart, key};
	} catch {
		return undefined;
	}
};

/**
The body of an encrypted value; `undefined` if it is not exactly the one that was encrypted. A promise where it takes long.
*/
export const openBody = ({bodyStart, key}: OpenedHead, bytes: Uint8Array, name: string): Uint8Array | undefined | Promise<Uint8Array | undefined> => {
	if (bytes.length === bodyStart) {
		return noBytes;
	}

	const end = bytes.length - tagLength;
	if (end <= bodyStart) {
		return undefined;
	}

	const encrypted = bytes.subarray(bodyStart, end);
	const decipher = createDecipheriv(cipher, key, bodyIv, {authTagLength: tagLength})
		.setAAD(Buffer.from(name))
		.setAuthTag(bytes.subarray(end));
	const finish = (body: Uint8Array) => {
		try {
			decipher.final();
			return body;
		} catch {
			return undefined;
		}
	};

	if (encrypted.length <= sliceLength) {
		return finish(decipher.update(encrypted));
	}

	return (async () => {
		const body = Buffer.allocUnsafeSlow(encrypted.length);
		await runLong(decipher, encrypted, body);
		return finish(body);
	})();
};
