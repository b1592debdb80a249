import type {RequestHead} from '../http/message.ts';
import {selectingHeaders, variantId} from '../http/vary.ts';
import {resourceOf} from '../store/ports/guard-token.ts';
import {longIdOf} from '../store/ports/long-keys.ts';
import type {StoredResponse, VariantIndex} from '../types/stored.ts';

/*
The keys in the store of all that belongs to one resource.
*/

/** The braces make a cluster keep all keys of a resource in one slot. */
export const resourceKey = (hash: string): string => `{${hash}}`;

/** The key of the same resource for callers who decode the content themselves. */
export const encodedKey = (resource: string): string => `${resource}:encoded`;

export const variantKey = (key: string, id: string) => `${key}:${id}`;

// A stored HEAD response has no body to answer a GET request with.
export const headKey = (key: string) => `${key}:HEAD`;

/** The key of the index or response to which a key in the store belongs, without the variant's id. */
export const recordKeyOf = (storeKey: string): string => {
	const resource = resourceOf(storeKey);
	return storeKey.startsWith(encodedKey(resource)) ? encodedKey(resource) : resource;
};

/** The keys of all variants that an index names. */
export const variantKeysOf = (key: string, index: VariantIndex | undefined): string[] => index ? index.variants.map(({id}) => variantKey(key, id)) : [];

/** The key of a variant with these selecting fields: a long body has a key of its own. */
const keyOfVariant = (key: string, {variants}: VariantIndex, selecting: StoredResponse['selectingHeaders']): string => {
	const id = variantId(selecting);
	const longId = longIdOf(id);
	return variantKey(key, variants.some(variant => variant.id === longId) ? longId : id);
};

/** The key of the variant that a request selects. */
export const requestedVariantKey = (key: string, index: VariantIndex, request: RequestHead): string => keyOfVariant(key, index, selectingHeaders(index.vary, request.headers));

/** The key of a response that was selected under a resource's key. */
export const storeKeyOf = (key: string, {indexId, method, selectingHeaders: selecting}: StoredResponse, index: VariantIndex | undefined): string => {
	if (indexId === '' || !index) {
		return method === 'HEAD' ? headKey(key) : key;
	}

	return keyOfVariant(key, index, selecting);
};
