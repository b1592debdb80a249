import type {CachedResponse, RedisCache, RequestLike} from '../../index.ts';
import {Failure} from '../terminal/failure.ts';
import type {Given} from './given.ts';
import type {OptionRows} from './options.ts';
import type {Distinction, StoreAccess} from './store-access.ts';

/*
A stored response by its URL, or by its key as Redis's own tools show it.
*/

export const requestOptions: OptionRows = {
	method: {type: 'string', value: 'METHOD', description: 'the method of the request (default: GET)'},
	header: {type: 'string', short: 'H', value: '\'NAME: VALUE\'', multiple: true, description: 'a header field of the request, which selects a variant'},
	user: {type: 'string', value: 'USER', description: 'the user, for a cache with the option `user`'},
	key: {type: 'string', value: 'KEY', description: 'the additional key, for a cache with the option `key`'},
};

/** A key of Redis, with or without the namespace. */
export const isStoreKey = (text: string): boolean => /^(?:[^\{\}]*:)?\{[^\{\}]+\}/v.test(text) && !/^(?:https?|unix):/v.test(text);

/** RFC 9110 §5.6.2. */
const isFieldName = /^[^\s"\(\),\/:;<=>?@\[\\\]\{\}]+$/v;

export const headersOf = (given: Given): Record<string, string> | undefined => {
	const fields = given.all('header').map(text => {
		const separator = text.indexOf(':');
		if (!isFieldName.test(text.slice(0, Math.max(separator, 0)).trim())) {
			throw new Failure('wrongUsage', `--header is '${text}': give a name and a value, as in -H 'accept: application/json'`);
		}

		return [text.slice(0, separator).trim().toLowerCase(), text.slice(separator + 1).trim()] as const;
	});

	return fields.length === 0 ? undefined : Object.fromEntries(fields);
};

export const distinctionOf = (given: Given): Distinction => ({user: given.text('user'), key: given.text('key')});

export const requestOf = (given: Given, url: string): RequestLike => {
	const {user, key} = distinctionOf(given);
	const headers = headersOf(given);
	const method = given.text('method');
	return {url, ...method !== undefined && {method}, ...headers && {headers}, ...user !== undefined && {user}, ...key !== undefined && {key}};
};

export const refuseWithKey = (given: Given): void => {
	const useless = Object.keys(requestOptions).find(name => given.all(name).length > 0);
	if (useless !== undefined) {
		throw new Failure('wrongUsage', `--${useless} has no effect beside a key of Redis, which names one response: leave it out, or give the URL`);
	}
};

export type Located = {
	readonly cache: RedisCache;
	readonly read: () => Promise<CachedResponse | undefined>;
	readonly remove: () => Promise<boolean>;
};

export const isUrl = (text: string): boolean => /^(?:https?:\/\/|unix:)/iv.test(text) && URL.canParse(text);

/** Opens the cache for a URL or a key. */
export const locate = (given: Given, store: StoreAccess, text: string): Located => {
	if (isStoreKey(text)) {
		refuseWithKey(given);
		const cache = store.open();
		return {cache, read: async () => cache.getByKey(text), remove: async () => cache.deleteByKey(text)};
	}

	if (!isUrl(text)) {
		throw new Failure('wrongUsage', `'${text}' is neither an absolute URL nor a key of Redis: give one such as https://api.example.com/items or '${store.namespace}:{…}'`);
	}

	const cache = store.open(distinctionOf(given));
	const request = requestOf(given, text);
	return {cache, read: async () => cache.get(request), remove: async () => cache.delete(request)};
};

/** The advice for encrypted responses without a key. */
export const missingKeys = 'give the keys with --encryption-file or GOT_REDIS_CACHE_ENCRYPTION';

class FoundError extends Error {}

/** After so many values that are unreadable for other reasons, the namespace is not taken to be encrypted. */
const mostUnreadable = 1000;

class EnoughError extends Error {}

/** Whether the first values in the store are encrypted, and no key was given. */
export const isEncrypted = async (store: StoreAccess): Promise<boolean> => {
	if (store.hasEncryptionKeys) {
		return false;
	}

	let others = 0;
	const onUnreadable = ({reason}: {readonly reason: string}) => {
		if (reason === 'encrypted') {
			throw new FoundError();
		}

		others++;
		if (others >= mostUnreadable) {
			throw new EnoughError();
		}
	};

	try {
		// A single readable entry is enough to know.
		await store.open().entries({}, {onUnreadable}).next();
		return false;
	} catch (error) {
		return error instanceof FoundError;
	}
};
