/** The cache has prefixes of its own, and wants to hear of errors. */
export const keyvOptions = {
	namespace: undefined,
	useKeyPrefix: false,
	throwOnErrors: true,
};

/** Values go to the adapter as they are. */
export const binaryKeyvOptions = {...keyvOptions, serialize: undefined, deserialize: undefined};
