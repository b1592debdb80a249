import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import type {StoredGuard} from '../../types/stored.ts';

/*
A guard's value is the bare token, so that a script can compare it. A purge's tokens can be distinguished from those of exchanges.
*/

const suffix = ':guard';

/** The longest exchange whose response is stored. */
export const longestExchangeMs = 3_600_000;

/** How long a guard lives while its exchange is under way. */
export const guardLifeMs = longestExchangeMs;

/** The remaining life of a guard after an exchange that used it has ended. An exchange must place its guard within this time after the look-up. */
export const settledGuardLifeMs = 60_000;

/** The part that all keys of a resource share. */
export const resourceOf = (key: string): string => key.slice(0, key.indexOf('}') + 1);

/** The key of a resource's guard, in the same cluster slot. */
export const guardKeyOf = (key: string): string => resourceOf(key) + suffix;

export const isGuardKey = (key: string): boolean => key.endsWith(suffix);

const tokenShape = /^[ep][\w\-]{8}$/v;

const randomLength = 6;

/** Random bytes of many tokens: asking for those of one takes as long. */
let random = Buffer.alloc(0);
let used = 0;

const randomText = (): string => {
	if (used >= random.length) {
		random = randomBytes(128 * randomLength);
		used = 0;
	}

	used += randomLength;
	return random.toString('base64url', used - randomLength, used);
};

export const exchangeToken = (): string => `e${randomText()}`;

export const purgeToken = (): string => `p${randomText()}`;

export const isPurgeToken = (token: string): boolean => token.startsWith('p');

/** Reads a guard; `undefined` if the bytes are not a token. */
export const readGuard = (bytes: Uint8Array): StoredGuard | undefined => {
	const token = bytes.length === 9 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') : '';
	return tokenShape.test(token) ? {kind: 'guard', token} : undefined;
};

export const writeGuard = ({token}: StoredGuard): Uint8Array => Buffer.from(token, 'latin1');
