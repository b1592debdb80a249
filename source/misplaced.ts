import {isClientOptionName, isStoreOption} from './store/connection.ts';

/*
Where an option belongs that was given elsewhere: in the store, beside it, or with a request.
*/

/** By their names alone, since a value may be a secret: `{store: {url}, ttlOffset}`. */
const inPlace = (names: readonly string[]): string => {
	const ofClient = names.filter(name => isClientOptionName(name));
	const ofCache = names.filter(name => name !== 'store' && !isClientOptionName(name));

	return `{${[`store: ${ofClient.length === 0 ? '…' : `{${ofClient.join(', ')}}`}`, ...ofCache].join(', ')}}`;
};

/**
Options of a node-redis client that stand among those of the cache.

@param given - The names of all that was given with it.
*/
export const hintOfClientOption = (name: string, given: readonly string[]): string | undefined =>
	isClientOptionName(name) ? `options of node-redis go into \`store\`, as in ${inPlace(given)}` : undefined;

/**
@throws {TypeError} If options of the cache stand among those of a node-redis client.
*/
export const refuseOptionsInStore = (store: unknown, isOptionName: (name: string) => boolean): void => {
	if (typeof store !== 'object' || store === null || isStoreOption(store)) {
		return;
	}

	const names = Object.keys(store);
	const misplaced = names.find(name => name !== 'store' && isOptionName(name));
	if (misplaced !== undefined) {
		throw new TypeError(`Unknown option \`${misplaced}\` in \`store\`: options of the cache go beside it, as in ${inPlace(names)}`);
	}
};
