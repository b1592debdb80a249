/** The abilities of a store, which stay as they are. */
export type StoreTraits = {
	/** The body size from which responses are stored under `longIdOf()` their variant's id. They are written and read in pieces, in a time that grows with their length. `Infinity` if the store does not support pieces. */
	readonly longBodyBytes: number;

	/** The longest body that the store takes. */
	readonly mostBodyBytes: number;

	/** Whether `update()` is atomic for all users of the store. Otherwise one of two concurrent updates may be lost. */
	readonly isAtomic: boolean;

	/** Whether operations on one resource are executed in the order in which they begin. */
	readonly keepsOrder: boolean;
};
