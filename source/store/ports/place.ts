/** The place of a cache's responses, for messages to people. */
export type StorePlace = {
	/** The address of the store, without credentials, or its kind. */
	readonly address: string;
	/** The beginning of its keys. */
	readonly namespace: string;
};

const places = new WeakMap<WeakKey, () => StorePlace>();

/** Notes the place of a cache, which may change while no Redis answers yet. */
export const registerPlace = (cache: WeakKey, placeOf: () => StorePlace): void => {
	places.set(cache, placeOf);
};

/** The place of a cache, without I/O. */
export const placeOf = (cache: WeakKey): StorePlace | undefined => places.get(cache)?.();
