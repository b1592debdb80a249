import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import type {StoredGuard} from '../../types/stored.ts';

/*
A guard's value is its token as it is: a script compares it, and a token that a purge has put there can be told from that of an exchange.
*/

const suffix = ':guard';

/** The longest that a request is waited for: what takes longer is not stored. */
export const guardLifeMs = 3_600_000;

/** A guard lives so much longer when an exchange that counts on it is over; it is placed within that time of the look-up. */
export const settledGuardLifeMs = 60_000;

/** Stands for a resource, in its slot. */
export const guardKeyOf = (resource: string): string => resource + suffix;

export const isGuardKey = (key: string): boolean => key.endsWith(suffix);

const tokenShape = /^[ep][\w\-]{8}$/v;

export const exchangeToken = (): string => `e${randomBytes(6).toString('base64url')}`;

export const purgeToken = (): string => `p${randomBytes(6).toString('base64url')}`;

export const isPurgeToken = (token: string): boolean => token.startsWith('p');

/** `undefined` for what is no token. */
export const readGuard = (bytes: Uint8Array): StoredGuard | undefined => {
	const token = bytes.length === 9 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') : '';
	return tokenShape.test(token) ? {kind: 'guard', token} : undefined;
};

export const writeGuard = ({token}: StoredGuard): Uint8Array => Buffer.from(token, 'latin1');
