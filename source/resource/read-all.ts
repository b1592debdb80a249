import {readValidities, type Versions} from '../tags/validity.ts';
import {asResponse, type StoredResponse} from '../types/stored.ts';
import type {ResourceContext} from './context.ts';
import {headKey, variantKeysOf} from './store-keys.ts';

/** Reads all valid responses of a resource, newest first. */
export const readAll = async (context: ResourceContext, key: string): Promise<Array<{readonly storeKey: string; readonly stored: StoredResponse; readonly versions: Versions}>> => {
	const {store} = context;
	const [record, head] = await store.get([key, headKey(key)]);
	const index = record?.kind === 'index' ? record : undefined;
	const variantKeys = variantKeysOf(key, index);
	const storeKeys = [key, ...variantKeys, headKey(key)];
	const records = [index ? undefined : record, ...await store.get(variantKeys), head];
	const found = storeKeys.flatMap((storeKey, position) => {
		const stored = asResponse(records[position]);
		const isListed = !variantKeys.includes(storeKey) || stored?.indexId === index?.indexId;
		return stored && isListed ? [{storeKey, stored}] : [];
	});
	const validities = await readValidities(store, found.map(({stored}) => ({key, stored})));

	return found.flatMap(({storeKey}, position) => {
		const {stored, versions} = validities[position] ?? {};
		return stored && versions ? [{storeKey, stored, versions}] : [];
	});
};
