import {Buffer} from 'node:buffer';
import {createCipheriv, createDecipheriv, createHmac} from 'node:crypto';
import {tagLength, type KeyRing} from './encryption.ts';

/** Encrypts short texts that have to stay comparable: the same text always gives the same result. */
export type SealedText = {
	seal(text: string): string;
	/** Returns `undefined` for a text that was not sealed with this key. */
	open(sealed: string): string | undefined;
};

const cipher = 'aes-256-gcm';
const ivLength = 12;

/** Leaves texts as they are, for a cache without encryption. */
export const plainText: SealedText = {
	seal: text => text,
	open: sealed => sealed,
};

/** Seals with the last key of the ring, which names keys as well. The initialization vector is a keyed hash of the text, so that two texts never share one. */
export const createSealedText = ({last: {secret}}: KeyRing): SealedText => {
	const derive = (purpose: string) => createHmac('sha256', secret).update(`got-redis-cache: ${purpose}`).digest();
	const key = derive('text');
	const ivKey = derive('text vector');

	return {
		seal(text) {
			const iv = createHmac('sha256', ivKey).update(text).digest().subarray(0, ivLength);
			const encrypting = createCipheriv(cipher, key, iv);
			const encrypted = Buffer.concat([encrypting.update(text), encrypting.final()]);

			return Buffer.concat([iv, encrypted, encrypting.getAuthTag()]).toString('base64url');
		},
		open(sealed) {
			const bytes = Buffer.from(sealed, 'base64url');
			if (bytes.length < ivLength + tagLength) {
				return undefined;
			}

			const decrypting = createDecipheriv(cipher, key, bytes.subarray(0, ivLength), {authTagLength: tagLength}).setAuthTag(bytes.subarray(-tagLength));
			try {
				return Buffer.concat([decrypting.update(bytes.subarray(ivLength, -tagLength)), decrypting.final()]).toString();
			} catch {
				return undefined;
			}
		},
	};
};
