import {
	isClientOptionName,
	isEmbedded,
	isStoreOption,
	makerOf,
} from './store/connection.ts';

/*
Where an option belongs that was given elsewhere: in the store, beside it, or with a request.
*/

type IsOptionName = (name: string) => boolean;

/** By their names alone, since a value may be a secret: `{store: {url}, ttlOffset}`. */
const inPlace = (names: readonly string[], isOptionName: IsOptionName): string => {
	const maker = makerOf(names);
	const ofClient = names.filter(name => isClientOptionName(name));
	const ofCache = names.filter(name => name !== 'store' && isOptionName(name));
	const store = ofClient.length === 0 ? '…' : `{${ofClient.join(', ')}}`;

	return `{${[`store: ${maker ? `${maker}(…)` : store}`, ...ofCache].join(', ')}}`;
};

/**
Options of node-redis that stand among those of the cache.

@param given - The names of all that was given with it.
*/
export const hintOfClientOption = (name: string, given: readonly string[], isOptionName: IsOptionName): string | undefined =>
	isClientOptionName(name) || makerOf([name]) !== undefined
		? `options of node-redis go into \`store\`, as in ${inPlace(given, isOptionName)}`
		: undefined;

/**
@throws {TypeError} If options of the cache stand among those of a node-redis client, or options of either beside an embedded Redis' own properties.
*/
export const refuseOptionsInStore = (store: unknown, isOptionName: IsOptionName): void => {
	if (typeof store !== 'object' || store === null || (isStoreOption(store) && !isEmbedded(store))) {
		return;
	}

	const names = Object.keys(store);
	const misplaced = names.find(name => name !== 'store' && isOptionName(name));
	if (misplaced !== undefined) {
		throw new TypeError(`Unknown option \`${misplaced}\` in \`store\`: options of the cache go beside it, as in ${inPlace(names, isOptionName)}`);
	}

	const ofClient = isEmbedded(store) ? names.find(name => isClientOptionName(name)) : undefined;
	if (ofClient !== undefined) {
		throw new TypeError(`Unknown option \`${ofClient}\` in \`store\`: options of node-redis go into its \`clientOptions\``);
	}
};
